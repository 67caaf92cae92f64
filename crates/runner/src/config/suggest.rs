//! What a name that is no key was meant to be.

use strsim::{jaro_winkler, osa_distance};

use super::report::Draft;
use super::table::paths;

/// The candidates nearest to what was written, best first: none when nothing is near, two when two are equally near.
pub(super) fn nearest<'a>(written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Vec<&'a str> {
    let lower = written.to_lowercase();
    let mut near: Vec<(usize, f64, &str)> = candidates
        .into_iter()
        .filter_map(|candidate| {
            let target = candidate.to_lowercase();
            let edits = osa_distance(&lower, &target);
            let likeness = jaro_winkler(&lower, &target);
            let length = lower.chars().count().max(target.chars().count());
            let is_near = edits * 3 <= length.max(3) && edits < length;
            // "auc" is meant as "roc_auc", and "neg_log_loss" as "log_loss".
            let is_part = lower.len() > 2 && target.split('_').any(|part| part == lower);
            let is_whole = target.len() > 3 && lower.contains(&target);
            let is_alike = likeness > 0.9 && length > 4;
            (is_near || is_alike || is_part || is_whole).then_some((edits, -likeness, candidate))
        })
        .collect();
    near.sort_by(|a, b| a.0.cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let best = near.first().map_or(0, |first| first.0);
    near.into_iter()
        .take_while(|(edits, _, _)| *edits == best)
        .map(|(_, _, candidate)| candidate)
        .take(3)
        .collect()
}

/// Whether one edit makes the one of the other.
pub(super) fn is_slip(written: &str, candidate: &str) -> bool {
    osa_distance(&written.to_lowercase(), &candidate.to_lowercase()) <= 1
}

/// "did you mean `a`?" or "did you mean `a` or `b`?", or nothing.
pub(super) fn did_you_mean(candidates: &[impl AsRef<str>]) -> Option<String> {
    let quoted: Vec<_> = candidates.iter().map(|name| format!("`{}`", name.as_ref())).collect();
    (!quoted.is_empty()).then(|| format!("did you mean {}?", quoted.join(" or ")))
}

/// Where a name is a key: the paths that end in it.
pub(super) fn homes(name: &str) -> Vec<&'static str> {
    paths()
        .keys()
        .filter(|path| path.rsplit('.').next() == Some(name))
        .map(String::as_str)
        .collect()
}

/// A name that other tools have for something that has another name or meaning here.
pub(super) struct Foreign {
    /// The names, all refused.
    names: &'static [&'static str],
    /// The path that does it here.
    pub(super) path: &'static str,
    /// The conversion; empty where the name says it all.
    conversion: &'static str,
}

/// Names with a meaning elsewhere. Their conversions are spelled out because the same name means different things in
/// different tools.
const FOREIGN: &[Foreign] = &[
    foreign(
        &["alpha"],
        "model.C",
        "model.C = 1/(alpha·n) for the alpha of SGDClassifier, n = training rows of a fold",
    ),
    foreign(
        &["lambda", "reg", "reg_lambda", "regularization", "l2", "l2_reg"],
        "model.C",
        "model.C = 1/(lambda·S) for a penalty lambda/2·‖w‖² on the mean loss, S = summed training weights of a fold (rows, when unweighted)",
    ),
    foreign(
        &["l1", "l1_reg", "reg_alpha"],
        "model.C",
        "model.C = 1/(lambda·S) with model.l1_ratio = 1.0 for a penalty lambda·‖w‖₁ on the mean loss, S = summed training weights of a fold",
    ),
    foreign(&["c"], "model.C", "with a capital C, as in scikit-learn"),
    foreign(
        &["penalty"],
        "model.l1_ratio",
        "penalty \"l2\" is model.l1_ratio = 0.0, \"l1\" is 1.0, \"elasticnet\" lies between, none is model.C = inf",
    ),
    foreign(
        &["lr", "eta", "eta0", "learning_rate_init", "step_size"],
        "train.learning_rate",
        "with the same number",
    ),
    foreign(
        &[
            "n_jobs",
            "nthread",
            "nthreads",
            "num_threads",
            "n_threads",
            "jobs",
            "workers",
            "num_workers",
        ],
        "run.threads",
        "all cores are 0 instead of -1",
    ),
    foreign(
        &["random_state", "random_seed", "rng", "rng_seed"],
        "run.seed",
        "with the same number",
    ),
    foreign(
        &[
            "max_iter",
            "n_iter",
            "num_epochs",
            "n_epochs",
            "max_epochs",
            "iterations",
            "n_iterations",
        ],
        "train.epochs",
        "trips over all rows, whatever the solver",
    ),
    foreign(
        &["batch_size", "batch", "minibatch_size"],
        "train.batch_rows",
        "training rows per step of a run, or \"full\"",
    ),
    foreign(
        &["cv", "n_folds", "k_folds", "kfolds", "n_splits", "num_folds"],
        "validation.folds",
        "with the same number",
    ),
    foreign(
        &["n_repeats", "num_repeats"],
        "validation.repeats",
        "with the same number",
    ),
    foreign(
        &["test_size", "validation_fraction", "val_fraction", "test_fraction"],
        "validation.fraction",
        "with strategy = \"holdout\"",
    ),
    foreign(&["optimizer", "optim"], "train.solver", ""),
    foreign(
        &["tolerance"],
        "train.tol",
        "the largest element of the gradient of the mean objective",
    ),
    foreign(&["eps"], "train.epsilon", "with the same number"),
    foreign(&["decay"], "train.weight_decay", "for solver = \"adamw\""),
    foreign(
        &["bias", "intercept", "use_bias", "add_intercept"],
        "model.fit_intercept",
        "",
    ),
    foreign(
        &["scoring", "objective_metric", "goal"],
        "sweep.metric",
        "the direction follows from the metric's name",
    ),
    foreign(&["n_trials", "run_cap", "num_trials", "max_trials"], "sweep.trials", ""),
    foreign(
        &["param_grid", "search_space", "grid", "params"],
        "sweep.parameters",
        "",
    ),
    foreign(
        &["n_iter_no_change"],
        "train.early_stopping",
        "write train.early_stopping = { patience = … }",
    ),
    foreign(&["label", "y", "target_column", "response"], "data.target", ""),
    foreign(&["path", "paths", "file", "files", "source"], "data.train", ""),
    foreign(&["na_values", "null_values"], "data.missing", ""),
    foreign(&["sample_weight"], "data.weight", "the name of a column"),
    foreign(
        &["normalize", "standardize", "scaler", "scaling"],
        "preprocess.scale",
        "write preprocess.scale = \"standard\" or \"none\"",
    ),
    foreign(&["imputer", "imputation"], "preprocess.impute", ""),
    foreign(&["dtype"], "run.precision", "write run.precision = \"f32\" or \"f64\""),
    foreign(&["output_dir", "out_dir", "outdir"], "output.dir", ""),
];

/// Every foreign name with its path and conversion, for the reference.
pub(super) fn conversions() -> impl Iterator<Item = (&'static [&'static str], &'static str, &'static str)> {
    FOREIGN
        .iter()
        .map(|foreign| (foreign.names, foreign.path, foreign.conversion))
}

impl Foreign {
    /// What its numbers become.
    pub(super) fn conversion(&self) -> &'static str {
        self.conversion
    }

    /// Whether values of the name mean the same here.
    pub(super) fn is_same(&self) -> bool {
        let differs = ["model.C", "model.l1_ratio", "train.early_stopping", "preprocess.scale"];
        !differs.contains(&self.path)
    }

    /// Adds what to write instead, and `or`, what else may have been meant.
    pub(super) fn advise(&self, draft: Draft, or: Option<String>) -> Draft {
        let draft = draft.label(format!("use {}", self.path));
        match (self.conversion, or) {
            ("", None) => draft,
            ("", Some(or)) => draft.help(format!("or {or}")),
            (conversion, None) => draft.help(conversion),
            (conversion, Some(or)) => draft.help(format!("{conversion}; or {or}")),
        }
    }
}

const fn foreign(names: &'static [&'static str], path: &'static str, conversion: &'static str) -> Foreign {
    Foreign {
        names,
        path,
        conversion,
    }
}

/// The entry of a foreign name, in whatever case; a name that is a key of some table is not foreign.
pub(super) fn refused(name: &str) -> Option<&'static Foreign> {
    if !homes(name).is_empty() {
        return None;
    }
    let lower = name.to_lowercase();
    FOREIGN
        .iter()
        .find(|foreign| foreign.names.iter().any(|known| *known == lower))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn near_names_are_found() {
        assert_eq!(nearest("learning_rte", ["learning_rate", "epochs"]), ["learning_rate"]);
        assert_eq!(nearest("beta3", ["beta1", "beta2", "rho"]), ["beta1", "beta2"]);
        assert!(nearest("xyz", ["learning_rate", "id"]).is_empty());
        assert_eq!(did_you_mean(&["a", "b"]).as_deref(), Some("did you mean `a` or `b`?"));
        assert_eq!(homes("seed"), ["run.seed"]);
    }

    #[test]
    fn foreign_names_are_no_keys_and_lead_to_keys() {
        for foreign in FOREIGN {
            assert!(paths().contains_key(foreign.path), "{}", foreign.path);
            for name in foreign.names {
                assert!(homes(name).is_empty(), "{name} is a key");
            }
        }
        assert_eq!(refused("LR").map(|foreign| foreign.path), Some("train.learning_rate"));
    }
}
