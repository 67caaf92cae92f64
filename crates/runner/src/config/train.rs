//! `[train]`: how every run is trained.

use super::key::{Bounds, Choice, Kind, Setting, Spec, choices, settings};
use super::metrics::Metric;
use super::setting::optional;
use super::solver::Solver;
use super::value::Value;

settings! {
    /// How every run is trained.
    pub TrainConfig {
        /// The method that moves the weights.
        solver "solver": Solver = Spec::of(Kind::Choice(Solver::CHOICES), "\"sgd\"").default("\"auto\"").swept();
        /// The most trips over all rows that a run makes, whatever the solver.
        epochs "epochs": u32 = Spec::of(Kind::Integer(1, u32::MAX as i64), "20").default("100").unit("epochs").swept();
        /// A run has converged when no element of the gradient of its mean objective is larger (full-batch solvers).
        tol "tol": f64 = Spec::of(Kind::Number(Bounds::NOT_NEGATIVE), "1e-6").default("1e-4").swept();
        /// Training rows per step of a run (mini-batch solvers); "full" = all of them.
        batch_rows "batch_rows": BatchRows =
            Spec::of(Kind::Either(FULL, &Kind::Integer(1, u32::MAX as i64)), "256").default("1024").unit("rows").swept();
        /// The length of a step; "auto" = found by a short range test in the same pass.
        learning_rate "learning_rate": LearningRate =
            Spec::of(Kind::Either(AUTO, &Kind::Number(Bounds::POSITIVE)), "0.1").default("\"auto\"").swept();
        /// The share of the last step that goes into the next one.
        momentum "momentum": f64 = Spec::of(Kind::Number(Bounds::new(0.0, 1.0, true, false)), "0.9").default("0.0").swept();
        /// Looks ahead along the momentum.
        nesterov "nesterov": bool = Spec::of(Kind::Bool, "true").default("false").swept();
        /// The decay of the mean of gradients.
        beta1 "beta1": f64 = Spec::of(Kind::Number(Bounds::new(0.0, 1.0, true, false)), "0.8").default("0.9").swept();
        /// The decay of the mean of squared gradients.
        beta2 "beta2": f64 = Spec::of(Kind::Number(Bounds::new(0.0, 1.0, true, false)), "0.99").default("0.999").swept();
        /// The decay of the mean of squared gradients.
        rho "rho": f64 = Spec::of(Kind::Number(Bounds::new(0.0, 1.0, true, false)), "0.99").default("0.9").swept();
        /// Keeps divisions finite.
        epsilon "epsilon": f64 = Spec::of(Kind::Number(Bounds::POSITIVE), "1e-6").default("1e-8").swept();
        /// Shrinks the weights at every step, apart from the gradient.
        weight_decay "weight_decay": f64 = Spec::of(Kind::Number(Bounds::NOT_NEGATIVE), "0.01").default("0.0").swept();
        /// How the learning rate changes over the epochs.
        schedule "schedule": Schedule = Spec::table(Schedule::KEYS).swept();
        /// Deals the rows to batches anew in every epoch; false keeps the order of the files.
        shuffle "shuffle": bool = Spec::of(Kind::Bool, "false").default("true").swept();
        /// Repeats every run from this many starting weights.
        restarts "restarts": u32 = Spec::of(Kind::Integer(1, 1_000_000), "3").default("1").unit("runs").swept();
        /// The starting weights.
        init "init": Init =
            Spec::of(Kind::Fields(InitFields::KEYS), "{ kind = \"normal\", std = 0.01 }").default("{}").swept();
        /// Stops a run whose validation score no longer improves and keeps its best weights; absent = off.
        early_stopping "early_stopping": Option<EarlyStopping> =
            Spec::of(Kind::Fields(EarlyStopping::KEYS), "{ patience = 5 }").swept();
    }
}

settings! {
    /// How the learning rate changes over the epochs.
    pub Schedule {
        /// The shape.
        kind "kind": ScheduleKind = Spec::of(Kind::Choice(ScheduleKind::CHOICES), "\"cosine\"").default("\"constant\"");
        /// The learning rate grows from zero over this many epochs.
        warmup_epochs "warmup_epochs": u32 =
            Spec::of(Kind::Integer(0, u32::MAX as i64), "2").default("0").unit("epochs");
    }
}

choices! {
    /// The shape of a schedule.
    pub ScheduleKind {
        /// The same learning rate in all epochs.
        Constant "constant";
        /// Half a cosine, down to zero at the end of the last epoch.
        Cosine "cosine";
        /// A tenth of it from half of the epochs, a hundredth from three quarters.
        Step "step";
    }
}

settings! {
    /// Stops a run whose validation score no longer improves.
    pub EarlyStopping {
        /// The score that is watched.
        metric "metric": Metric = Spec::of(Kind::Choice(Metric::CHOICES), "\"roc_auc\"").default("\"log_loss\"");
        /// Epochs without an improvement.
        patience "patience": u32 = Spec::of(Kind::Integer(1, u32::MAX as i64), "5").default("10").unit("epochs");
        /// The least change that counts as one.
        min_delta "min_delta": f64 = Spec::of(Kind::Number(Bounds::NOT_NEGATIVE), "1e-4").default("0.0");
    }
}
optional!(EarlyStopping);

/// Training rows per step of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BatchRows {
    /// This many.
    Rows(usize),
    /// All of them.
    Full,
}

const FULL: &[Choice] = &[Choice {
    name: "full",
    doc: "All training rows.",
    is_built: true,
    uses: &[],
}];

impl Setting for BatchRows {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) if text == "full" => Some(Self::Full),
            value => usize::read(value).map(Self::Rows),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Rows(rows) => rows.write(),
            Self::Full => Value::Text("full".into()),
        }
    }
}

/// The length of a step.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum LearningRate {
    /// Found by a range test.
    Auto,
    /// This.
    Rate(f64),
}

impl LearningRate {
    /// The number, if one is given.
    pub fn given(self) -> Option<f64> {
        match self {
            Self::Auto => None,
            Self::Rate(rate) => Some(rate),
        }
    }
}

const AUTO: &[Choice] = &[Choice {
    name: "auto",
    doc: "Found by a short range test.",
    is_built: true,
    uses: &[],
}];

impl Setting for LearningRate {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) if text == "auto" => Some(Self::Auto),
            value => f64::read(value).map(Self::Rate),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::Auto => Value::Text("auto".into()),
            Self::Rate(rate) => rate.write(),
        }
    }
}

/// The starting weights.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Init {
    /// All zero.
    Zeros,
    /// Normal with mean 0.
    Normal {
        /// The standard deviation.
        std: f64,
    },
    /// Uniform within ±√(6 / (inputs + outputs)).
    Glorot,
}

impl Init {
    /// Whether restarts differ.
    pub fn is_random(&self) -> bool {
        !matches!(self, Self::Zeros)
    }
}

settings! {
    /// The starting weights, as they are written.
    pub(super) InitFields {
        /// The distribution.
        kind "kind": InitKind = Spec::of(Kind::Choice(InitKind::CHOICES), "\"normal\"").default("\"zeros\"");
        /// The standard deviation; 0.01 when absent.
        std "std": Option<f64> = Spec::of(Kind::Number(Bounds::POSITIVE), "0.1").only_with("kind", "normal");
    }
}

choices! {
    /// The distribution of starting weights.
    pub(super) InitKind {
        /// All zero.
        Zeros "zeros";
        /// Normal with mean 0.
        Normal "normal";
        /// Uniform, as wide as the number of inputs asks for.
        Glorot "glorot";
    }
}

impl Setting for Init {
    fn read(value: &Value) -> Option<Self> {
        let InitFields { kind, std } = InitFields::read(value)?;
        Some(match kind {
            InitKind::Zeros => Self::Zeros,
            InitKind::Normal => Self::Normal {
                std: std.unwrap_or(0.01),
            },
            InitKind::Glorot => Self::Glorot,
        })
    }

    fn write(&self) -> Value {
        let (kind, std) = match self {
            Self::Zeros => (InitKind::Zeros, None),
            Self::Normal { std } => (InitKind::Normal, Some(*std)),
            Self::Glorot => (InitKind::Glorot, None),
        };
        InitFields { kind, std }.write()
    }
}
