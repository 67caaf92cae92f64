//! The page of a run's standard errors.

use gradsweep_store::{ParamValue, Store};

use crate::json::Json;
use crate::number;
use crate::page::{Block, Page};
use crate::table::{Grid, Side};

/// What a page of inference shows, in plain numbers: reports link no BLAS and compute none of it.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Inference {
    /// The run's id.
    pub run: String,
    /// Its trial.
    pub trial: u32,
    /// Its fold.
    pub fold: u32,
    /// What the fold is called.
    pub fold_label: String,
    /// Which repeat of the folds.
    pub repeat: u32,
    /// Rows held out from it.
    pub held_out: u64,
    /// The label that counts as 1, as `late = "yes"`.
    pub event: String,
    /// Training rows.
    pub rows: usize,
    /// Training rows, each as often as its weight says.
    pub observations: f64,
    /// Those of them that are positive.
    pub events: f64,
    /// Free parameters.
    pub parameters: usize,
    /// Of the fit.
    pub log_likelihood: f64,
    /// Of the intercept alone.
    pub null_log_likelihood: f64,
    /// Akaike's criterion.
    pub aic: f64,
    /// Schwarz's criterion.
    pub bic: f64,
    /// `McFadden`'s R².
    pub mcfadden_r2: f64,
    /// Greatest entry of the gradient of the mean loss.
    pub grad_norm: f64,
    /// Standard errors to the maximum of the likelihood.
    pub distance: f64,
    /// Condition of the scaled Hessian.
    pub condition: f64,
    /// Share of samples in which an interval covers the true coefficient.
    pub level: f64,
    /// The coefficients, in the order they are shown.
    pub terms: Vec<Term>,
    /// What a reader should know, a sentence each.
    pub notes: Vec<String>,
}

/// A coefficient and what is known of it, per unit of the data.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Term {
    /// The feature, or `(intercept)`.
    pub feature: String,
    /// In log odds.
    pub coefficient: f64,
    /// Its standard error.
    pub standard_error: f64,
    /// The coefficient in standard errors.
    pub z: f64,
    /// Two-sided.
    pub p_value: f64,
    /// The coefficient's interval.
    pub interval: (f64, f64),
}

impl Term {
    /// How the odds change with a unit, and the interval of that.
    fn odds_ratio(&self) -> [f64; 3] {
        [self.coefficient, self.interval.0, self.interval.1].map(f64::exp)
    }
}

impl Inference {
    /// The page of a run of `store`.
    pub fn page(&self, store: &Store) -> Page {
        let csv = self.for_programs();
        let mut blocks = vec![
            Block::Facts(self.facts()),
            Block::Table(
                format!("Coefficients per unit of the data, with {} intervals", self.percent()),
                self.for_people(),
            ),
        ];
        if !self.notes.is_empty() {
            blocks.push(Block::Lines("Notes".to_owned(), self.notes.clone()));
        }
        let (name, dir) = (&store.manifest().name, store.dir().display());
        Page {
            title: format!("Inference for run {} of {name}   {dir}", self.run),
            blocks,
            json: self.json(&csv),
            csv,
        }
    }

    fn percent(&self) -> String {
        // Ten digits hide that 0.29 is not a binary fraction.
        format!("{} %", (self.level * 1e10).round() / 1e8)
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let fold = self.fold.to_string();
        let trained = match (self.held_out, self.fold_label == fold) {
            (0, _) => "trained on all rows".to_owned(),
            (_, true) => format!("trained without fold {fold}"),
            (_, false) => format!("trained without fold {fold} ({})", self.fold_label),
        };
        let trained = match self.repeat {
            0 => trained,
            repeat => format!("{trained} of repeat {repeat}"),
        };
        let mut rows = number::count(self.rows as u64);
        if self.observations != self.rows as f64 {
            rows = format!(
                "{rows} with weights that add up to {}",
                ParamValue::Float(self.observations)
            );
        }
        let likelihood = |value: f64| number::significant(value, 8);
        vec![
            ("trial", format!("{}, {trained}", self.trial)),
            (
                "rows",
                format!(
                    "{rows} trained on; {} in {} of them ({})",
                    self.event,
                    whole_or_sum(self.events),
                    number::percent(self.events / self.observations)
                ),
            ),
            (
                "log-likelihood",
                format!(
                    "{}, of the intercept alone {}",
                    likelihood(self.log_likelihood),
                    likelihood(self.null_log_likelihood)
                ),
            ),
            ("McFadden R²", number::significant(self.mcfadden_r2, 5)),
            (
                "AIC, BIC",
                format!(
                    "{}, {} ({})",
                    likelihood(self.aic),
                    likelihood(self.bic),
                    number::counted(self.parameters as u64, "parameter")
                ),
            ),
            (
                "maximum",
                format!(
                    "within {:.0e} standard errors, greatest gradient {:.0e}",
                    self.distance, self.grad_norm
                ),
            ),
        ]
    }

    fn for_people(&self) -> Grid {
        let mut grid = Grid::new();
        let tail = format!("{}", ((1.0 - self.level) * 50.0 * 1e8).round() / 1e8);
        let head = format!("{}", ((1.0 + self.level) * 50.0 * 1e8).round() / 1e8);
        grid.column("feature", Side::Left);
        for name in ["coefficient", "std error", "z", "p"] {
            grid.column(name, Side::Right);
        }
        for of in ["", "odds ratio"] {
            if !of.is_empty() {
                grid.column(of, Side::Right);
            }
            for end in [&tail, &head] {
                grid.column(format!("{end} %"), Side::Right);
            }
        }
        for term in &self.terms {
            let short = |value: f64| number::precise(value, 4);
            let signed = |value: f64| format!("{}{}", if value > 0.0 { "+" } else { "" }, short(value));
            let [odds, odds_low, odds_high] = term.odds_ratio();
            grid.texts(vec![
                term.feature.clone(),
                signed(term.coefficient),
                short(term.standard_error),
                format!("{:.2}", term.z),
                number::p_value(term.p_value),
                signed(term.interval.0),
                signed(term.interval.1),
                number::ratio(odds),
                number::ratio(odds_low),
                number::ratio(odds_high),
            ]);
        }
        grid
    }

    fn for_programs(&self) -> Grid {
        let mut grid = Grid::new();
        for name in [
            "feature",
            "coefficient",
            "standard_error",
            "z",
            "p_value",
            "lower",
            "upper",
            "odds_ratio",
            "odds_ratio_lower",
            "odds_ratio_upper",
        ] {
            grid.column(name, Side::Left);
        }
        for term in &self.terms {
            let [odds, odds_low, odds_high] = term.odds_ratio();
            let (low, high) = term.interval;
            let numbers = [
                term.coefficient,
                term.standard_error,
                term.z,
                term.p_value,
                low,
                high,
                odds,
                odds_low,
                odds_high,
            ];
            let feature = ParamValue::Text(term.feature.clone());
            grid.row(std::iter::once(feature).chain(numbers.map(ParamValue::Float)).collect());
        }
        grid
    }

    fn json(&self, coefficients: &Grid) -> Json {
        let notes = self.notes.iter().map(|note| Json::from(note.as_str()));
        Json::object([
            ("run", self.run.as_str().into()),
            ("trial", self.trial.into()),
            ("fold", self.fold.into()),
            ("fold_label", self.fold_label.as_str().into()),
            ("repeat", self.repeat.into()),
            ("held_out", self.held_out.into()),
            ("event", self.event.as_str().into()),
            ("rows", self.rows.into()),
            ("observations", self.observations.into()),
            ("events", self.events.into()),
            ("parameters", self.parameters.into()),
            ("log_likelihood", self.log_likelihood.into()),
            ("null_log_likelihood", self.null_log_likelihood.into()),
            ("aic", self.aic.into()),
            ("bic", self.bic.into()),
            ("mcfadden_r2", self.mcfadden_r2.into()),
            ("grad_norm", self.grad_norm.into()),
            ("distance", self.distance.into()),
            ("condition", self.condition.into()),
            ("level", self.level.into()),
            ("coefficients", coefficients.to_json()),
            ("notes", notes.collect::<Vec<_>>().into()),
        ])
    }
}

/// A number of rows, or a sum of weights that is none.
fn whole_or_sum(value: f64) -> String {
    if value.fract() == 0.0 {
        number::count(value as u64)
    } else {
        ParamValue::Float(value).to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_see_digits_and_programs_all_of_them() {
        let term = |feature: &str, coefficient: f64, standard_error: f64, p_value: f64| Term {
            feature: feature.to_owned(),
            coefficient,
            standard_error,
            z: coefficient / standard_error,
            p_value,
            interval: (coefficient - 1.6 * standard_error, coefficient + 1.6 * standard_error),
        };
        let inference = Inference {
            level: 0.9,
            terms: vec![
                term("(intercept)", -12.25, 0.5, 0.0),
                term("distance", 0.000_012_5, 1e-6, 0.000_312_4),
                term("x", 0.001_234_567, 0.01, 0.901_74),
            ],
            ..Inference::default()
        };
        insta::assert_snapshot!(inference.for_people().to_table(), @r"
        feature      coefficient  std error       z         p        5 %       95 %  odds ratio        5 %       95 %
        (intercept)       -12.25     0.5000  -24.50   <1e-307     -13.05     -11.45    4.785e-6   2.150e-6   1.065e-5
        distance       +1.250e-5   1.000e-6   12.50  0.000312  +1.090e-5  +1.410e-5   1.0000125  1.0000109  1.0000141
        x              +0.001235    0.01000    0.12     0.902   -0.01477   +0.01723     1.00124     0.9853      1.017
        ");
        let csv = inference.for_programs().to_csv();
        assert!(csv.contains("\nx,0.001234567,0.01,0.1234567,0.90174,"), "{csv}");
    }
}
