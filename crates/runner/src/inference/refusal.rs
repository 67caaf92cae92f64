//! Why a run has no standard errors.

use gradsweep_store::{Reason, RunId};

/// Names listed in a message.
const LISTED: usize = 6;

/// Why a run has no standard errors.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum Refusal {
    /// It did not end well, or has not ended.
    #[error("run {run} has no coefficients: its state is {state}{}", reason.map_or(String::new(), |reason| format!(" ({reason})")))]
    NotComplete {
        /// The run.
        run: RunId,
        /// Its state.
        state: &'static str,
        /// Why.
        reason: Option<Reason>,
    },
    /// It was fitted with a penalty.
    #[error(
        "run {run} was fitted with a penalty ({penalty}), which moves the coefficients off the maximum of the likelihood: \
         they have no standard errors from its Hessian"
    )]
    Penalized {
        /// The run.
        run: RunId,
        /// `C = 1`, `weight_decay = 0.1`.
        penalty: String,
        /// What to type.
        hint: String,
    },
    /// It was fitted with class weights.
    #[error("run {run} was fitted with class weights ({class_weight}): its Hessian counts rows that do not exist")]
    ClassWeighted {
        /// The run.
        run: RunId,
        /// The config's value.
        class_weight: String,
    },
    /// Its rows have weights that count nothing.
    #[error(
        "run {run} was fitted with weights that are not whole numbers, such as {weight}: they count no rows, and standard errors \
         would follow the scale they are given in"
    )]
    NotCounts {
        /// The run.
        run: RunId,
        /// The first that is not whole.
        weight: f64,
    },
    /// It is not at the maximum.
    #[error(
        "run {run} is {distance:.2} standard errors from the maximum of the likelihood (greatest gradient {grad_norm:.1e}): \
         standard errors hold at the maximum only"
    )]
    NotConverged {
        /// The run.
        run: RunId,
        /// In standard errors.
        distance: f64,
        /// Greatest entry of the gradient of the mean loss.
        grad_norm: f64,
        /// Whether the solver was Newton's.
        is_newton: bool,
    },
    /// There is no maximum.
    #[error("the classes are separated by run {run}: the likelihood has no maximum and no standard errors")]
    Separated {
        /// The run.
        run: RunId,
    },
    /// One-hot columns add up to the intercept, or to each other.
    #[error(
        "the one-hot columns of {} add up to a constant: the Hessian is singular",
        list(columns)
    )]
    FullOneHot {
        /// The columns of the data.
        columns: Vec<String>,
    },
    /// Features are combinations of others.
    #[error("the Hessian is singular: {}", combinations(features))]
    Collinear {
        /// Each with what it is made of.
        features: Vec<(String, Vec<String>)>,
        /// The columns of the data that the first of each pair comes from.
        columns: Vec<String>,
    },
    /// There are more parameters than rows.
    #[error("run {run} was trained on {rows} rows and has {parameters} parameters: its Hessian is singular")]
    TooFewRows {
        /// The run.
        run: RunId,
        /// Training rows.
        rows: usize,
        /// Parameters.
        parameters: usize,
    },
    /// Something overflowed.
    #[error("the Hessian of run {run} is not finite at its coefficients")]
    NotFinite {
        /// The run.
        run: RunId,
    },
}

impl Refusal {
    /// What to type next.
    pub fn hint(&self) -> Option<String> {
        match self {
            Self::NotComplete {
                reason: Some(Reason::Diverged),
                ..
            } => Some("train it with --set train.solver=newton --set output.dir=DIR".to_owned()),
            Self::NotComplete {
                reason: Some(Reason::Separated),
                ..
            } => Some("add a penalty (a finite model.C); its coefficients have no standard errors".to_owned()),
            Self::NotComplete { .. } => None,
            Self::Penalized { hint, .. } => Some(hint.clone()),
            Self::ClassWeighted { .. } => {
                Some("train it with --set model.class_weight=none --set output.dir=DIR".to_owned())
            }
            Self::NotCounts { .. } => Some("give weights that count rows, or train it without data.weight".to_owned()),
            Self::NotConverged { is_newton: false, .. } => {
                Some("train it to the end with --set train.solver=newton --set output.dir=DIR".to_owned())
            }
            Self::NotConverged { is_newton: true, .. } => Some("lower train.tol, or raise train.epochs".to_owned()),
            Self::Separated { .. } => {
                Some("add a penalty (a finite model.C); its coefficients have no standard errors".to_owned())
            }
            Self::FullOneHot { .. } => {
                Some("leave one level out: set one_hot.drop = \"first\" below [preprocess] and train again".to_owned())
            }
            Self::Collinear { columns, .. } => {
                let quoted: Vec<String> = columns.iter().map(|column| format!("{column:?}")).collect();
                Some(format!(
                    "leave columns out, as with exclude = [{}] below [data], and train again",
                    list(&quoted)
                ))
            }
            Self::TooFewRows { .. } => Some("take more rows, or fewer columns".to_owned()),
            Self::NotFinite { .. } => Some("set scale = \"standard\" below [preprocess] and train again".to_owned()),
        }
    }
}

/// `a, b and 3 more`.
pub(super) fn list(names: &[String]) -> String {
    let shown = names.iter().take(LISTED).map(String::as_str);
    let mut text = shown.collect::<Vec<_>>().join(", ");
    if names.len() > LISTED {
        text += &format!(" and {} more", names.len() - LISTED);
    }
    text
}

/// `c is made of a, b; d has no information of its own`.
fn combinations(features: &[(String, Vec<String>)]) -> String {
    let sentences: Vec<String> = features
        .iter()
        .take(LISTED)
        .map(|(name, of)| match of.as_slice() {
            [] => format!("{name} is constant where the fit is uncertain"),
            [one] => format!("{name} is {one} in other units"),
            several => format!("{name} is a combination of {}", list(several)),
        })
        .collect();
    let mut text = sentences.join("; ");
    if features.len() > LISTED {
        text += &format!("; and {} more", features.len() - LISTED);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn collinear_columns_are_named_on_one_screen() {
        let names = |range: std::ops::Range<usize>| range.map(|i| format!("x{i}")).collect::<Vec<_>>();
        let refusal = Refusal::Collinear {
            features: vec![
                ("twice".into(), names(1..2)),
                ("sum".into(), names(0..9)),
                ("one".into(), vec![]),
            ],
            columns: vec!["twice".into(), "sum".into()],
        };
        assert_eq!(
            refusal.to_string(),
            "the Hessian is singular: twice is x1 in other units; sum is a combination of x0, x1, x2, x3, x4, x5 and 3 more; \
             one is constant where the fit is uncertain"
        );
        assert!(
            refusal
                .hint()
                .is_some_and(|hint| hint.contains("exclude = [\"twice\", \"sum\"]"))
        );
    }
}
