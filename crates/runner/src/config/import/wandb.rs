//! A W&B sweep file.

use serde_norway::Value as Yaml;

use super::draft::{Draft, Imported, bound};

/// Keys that say where and how W&B starts its runs.
const OF_WANDB: [&str; 8] = [
    "program",
    "command",
    "project",
    "entity",
    "name",
    "description",
    "controller",
    "scheduler",
];

/// A config that does what a W&B sweep file says.
///
/// # Errors
/// The text is no YAML, or no sweep.
pub fn from_wandb(text: &str, train: Option<&str>, target: Option<&str>) -> Result<Imported, String> {
    let root: Yaml = serde_norway::from_str(text).map_err(|error| format!("this is not YAML: {error}"))?;
    let Yaml::Mapping(keys) = &root else {
        return Err("a mapping is needed, with method and parameters".to_owned());
    };
    let mut draft = Draft::new("a W&B sweep");
    let method = root.get("method").and_then(Yaml::as_str).unwrap_or("random");
    match method {
        "grid" => draft.set_method("grid"),
        "bayes" => draft.set_method("tpe"),
        "random" => draft.set_method("random"),
        other => {
            draft.set_method("random");
            draft.note(format!("method {other:?} is not known: random takes its place"));
        }
    }
    if let Some(cap) = root.get("run_cap").and_then(Yaml::as_u64) {
        if draft.is_grid() {
            draft.note(format!("run_cap {cap} is left out: a grid takes every point"));
        } else {
            draft.set_trials(cap);
        }
    }
    if let Some(metric) = root.get("metric") {
        let goal = metric.get("goal").and_then(Yaml::as_str).unwrap_or("minimize");
        draft.set_metric(
            metric.get("name").and_then(Yaml::as_str).unwrap_or_default(),
            Some(goal),
        );
        if let Some(target) = metric.get("target").and_then(Yaml::as_f64) {
            draft.note(format!(
                "the metric's target {target} is left out: write it as sweep.target"
            ));
        }
    }
    if let Some(early) = root.get("early_terminate") {
        early_terminate(&mut draft, early);
    }
    if let Some(parameters) = root.get("parameters") {
        parameters_of(&mut draft, parameters);
    }
    let ignored: Vec<&str> = keys
        .keys()
        .filter_map(Yaml::as_str)
        .filter(|key| OF_WANDB.contains(key))
        .collect();
    if !ignored.is_empty() {
        draft.note(format!("not needed here: {}", ignored.join(", ")));
    }
    Ok(draft.finish(train, target))
}

fn early_terminate(draft: &mut Draft, early: &Yaml) {
    if draft.learns() {
        draft.note(
            "early_terminate is left out: tpe goes by scores at the end of training, which stopped trials have not",
        );
        return;
    }
    let number = |key: &str| early.get(key).and_then(Yaml::as_u64);
    let eta = number("eta").unwrap_or(3);
    // W&B names the first bracket or the last; eta to the power of s divides one into the other.
    let first = number("min_iter").or_else(|| {
        let (max, s) = (number("max_iter")?, number("s")?);
        max.checked_div(eta.checked_pow(u32::try_from(s).ok()?)?)
    });
    let keys = format!("factor = {eta}\nmin_epochs = {}\n", first.unwrap_or(1).max(1));
    draft.set_table("hyperband", keys, "early_terminate");
}

fn parameters_of(draft: &mut Draft, parameters: &Yaml) {
    let Yaml::Mapping(parameters) = parameters else {
        draft.note("parameters are no mapping: left out");
        return;
    };
    for (name, spec) in parameters {
        let Some(name) = name.as_str() else { continue };
        if let Some(nested) = spec.get("parameters") {
            parameters_of(draft, nested);
        } else if let Some(path) = draft.path(name) {
            parameter(draft, path, name, spec);
        }
    }
}

fn parameter(draft: &mut Draft, path: &'static str, name: &str, spec: &Yaml) {
    let number = |key: &str| spec.get(key).and_then(Yaml::as_f64);
    if let Some(value) = spec.get("value") {
        draft.set(path, name, value);
        return;
    }
    if let Some(values) = spec.get("values").and_then(Yaml::as_sequence) {
        let shares = spec.get("probabilities").and_then(Yaml::as_sequence);
        let shares: Option<Vec<f64>> = shares.map(|shares| shares.iter().filter_map(Yaml::as_f64).collect());
        draft.values(path, name, values, shares.as_deref());
        return;
    }
    let are_integers = ["min", "max"]
        .iter()
        .all(|key| spec.get(*key).is_some_and(Yaml::is_i64));
    let distribution = spec.get("distribution").and_then(Yaml::as_str);
    let distribution = distribution.unwrap_or(if are_integers { "int_uniform" } else { "uniform" });
    let (Some(min), Some(max)) = (number("min"), number("max")) else {
        draft.note(format!(
            "{name} is left out: {distribution} without min and max has no counterpart here"
        ));
        return;
    };
    let (min, max, is_log) = match distribution {
        "uniform" | "int_uniform" | "q_uniform" => (min, max, false),
        // The bounds of these two are exponents; those of inverse ones change places.
        "log_uniform" | "q_log_uniform" => (min.exp(), max.exp(), true),
        "inv_log_uniform" => ((-max).exp(), (-min).exp(), true),
        "log_uniform_values" | "q_log_uniform_values" | "inv_log_uniform_values" => (min, max, true),
        other => {
            draft.note(format!("{name} is left out: {other} has no counterpart here"));
            return;
        }
    };
    if matches!(distribution, "log_uniform" | "q_log_uniform" | "inv_log_uniform") {
        draft.note(format!(
            "{name}: the bounds of {distribution} were exponents; here they are values"
        ));
    }
    let is_stepped = distribution.starts_with("q_") || (distribution == "int_uniform" && draft.is_grid());
    let step = is_stepped.then(|| number("q").unwrap_or(1.0));
    let step = step.map_or_else(String::new, |step| format!(", step = {}", bound(path, step)));
    let log = if is_log { ", log = true" } else { "" };
    draft.sweep(
        path,
        name,
        format!(
            "{{ min = {}, max = {}{log}{step} }}",
            bound(path, min),
            bound(path, max)
        ),
    );
}
