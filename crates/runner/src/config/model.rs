//! `[model]`: what is fitted, and how strongly it is penalized.

use std::collections::BTreeMap;

use super::key::{Bounds, Choice, Kind, Setting, Spec, choices, settings};
use super::value::Value;

settings! {
    /// What is fitted, and how strongly it is penalized.
    pub ModelConfig {
        /// The kind of model.
        kind "kind": ModelKind = Spec::of(Kind::Choice(ModelKind::CHOICES), "\"softmax\"").default("\"logistic\"").swept();
        /// Fits an intercept, which is never penalized.
        fit_intercept "fit_intercept": bool = Spec::of(Kind::Bool, "false").default("true").swept();
        /// The inverse strength of the penalty, as in scikit-learn: it multiplies the summed loss; inf = no penalty.
        c "C": f64 = Spec::of(Kind::Number(Bounds::new(0.0, f64::INFINITY, false, true)), "0.1").default("1.0").swept();
        /// The share of the L1 penalty: 0 = ridge, 1 = lasso.
        l1_ratio "l1_ratio": f64 = Spec::of(Kind::Number(Bounds::UNIT), "0.5").default("0.0").swept();
        /// Weights of the classes in the fit.
        class_weight "class_weight": ClassWeight =
            Spec::of(Kind::Either(CLASS_WEIGHTS, &Kind::Map(&Kind::Number(Bounds::POSITIVE))), "{ yes = 3.0, no = 1.0 }")
                .default("\"none\"").swept();
        /// Widths of the hidden layers.
        hidden "hidden": Vec<usize> =
            Spec::of(Kind::List(&Kind::Integer(1, u32::MAX as i64), 1), "[64, 32]")
                .default("[32]").unit("units").swept().later().only_with("kind", "mlp");
        /// The function between two layers.
        activation "activation": Activation =
            Spec::of(Kind::Choice(Activation::CHOICES), "\"tanh\"").default("\"relu\"").swept().only_with("kind", "mlp");
    }
}

choices! {
    /// The kind of model.
    pub ModelKind {
        /// Logistic regression with two classes.
        Logistic "logistic";
        /// Logistic regression with any number of classes.
        Softmax "softmax" later;
        /// A small neural network.
        Mlp "mlp" later;
    }
}

choices! {
    /// The function between two layers.
    pub Activation {
        /// max(z, 0).
        Relu "relu";
        /// The hyperbolic tangent.
        Tanh "tanh" later;
    }
}

/// Weights of the classes in the fit.
#[derive(Debug, Clone, PartialEq)]
pub enum ClassWeight {
    /// Every row counts the same.
    None,
    /// Every class counts the same.
    Balanced,
    /// A weight for each label.
    Weights(BTreeMap<String, f64>),
}

const CLASS_WEIGHTS: &[Choice] = &[
    Choice {
        name: "none",
        doc: "Every row counts the same.",
        is_built: true,
        uses: &[],
    },
    Choice {
        name: "balanced",
        doc: "Every class counts the same.",
        is_built: true,
        uses: &[],
    },
];

impl Setting for ClassWeight {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) if text == "none" => Some(Self::None),
            Value::Text(text) if text == "balanced" => Some(Self::Balanced),
            value => BTreeMap::read(value).map(Self::Weights),
        }
    }

    fn write(&self) -> Value {
        match self {
            Self::None => Value::Text("none".into()),
            Self::Balanced => Value::Text("balanced".into()),
            Self::Weights(weights) => weights.write(),
        }
    }
}
