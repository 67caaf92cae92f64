//! Optuna's distributions: a JSON object of names, each with what `optuna.distributions.distribution_to_json` writes.

use serde_norway::Value as Yaml;

use super::draft::{Draft, Imported, bound};

/// A config that draws from the distributions of an Optuna study.
///
/// # Errors
/// The text is no JSON object of distributions.
pub fn from_optuna(text: &str, train: Option<&str>, target: Option<&str>) -> Result<Imported, String> {
    // JSON is YAML.
    let root: Yaml = serde_norway::from_str(text).map_err(|error| format!("this is not JSON: {error}"))?;
    let Yaml::Mapping(distributions) = root else {
        return Err("a JSON object is needed: names, each with a distribution".to_owned());
    };
    let mut draft = Draft::new("Optuna distributions");
    draft.set_method("tpe");
    for (name, distribution) in &distributions {
        let name = name.as_str().unwrap_or_default();
        // A study's storage keeps each distribution as a text of its own.
        let inner = match distribution {
            Yaml::String(text) => serde_norway::from_str(text).map_err(|error| format!("{name}: {error}"))?,
            other => other.clone(),
        };
        let kind = inner.get("name").and_then(Yaml::as_str);
        let (Some(kind), Some(attributes)) = (kind, inner.get("attributes")) else {
            return Err(format!(
                "{name:?} has no distribution: an object with name and attributes is needed"
            ));
        };
        if let Some(path) = draft.path(name) {
            distribution_of(&mut draft, path, name, kind, attributes);
        }
    }
    Ok(draft.finish(train, target))
}

fn distribution_of(draft: &mut Draft, path: &'static str, name: &str, kind: &str, attributes: &Yaml) {
    let number = |key: &str| attributes.get(key).and_then(Yaml::as_f64);
    let is_log = attributes.get("log").and_then(Yaml::as_bool) == Some(true) || kind.contains("LogUniform");
    match kind {
        "CategoricalDistribution" => {
            let none = Vec::new();
            let choices = attributes.get("choices").and_then(Yaml::as_sequence).unwrap_or(&none);
            draft.values(path, name, choices, None);
        }
        "FloatDistribution"
        | "IntDistribution"
        | "UniformDistribution"
        | "LogUniformDistribution"
        | "DiscreteUniformDistribution"
        | "IntUniformDistribution"
        | "IntLogUniformDistribution" => {
            let (Some(low), Some(high)) = (number("low"), number("high")) else {
                draft.note(format!("{name} is left out: it has no low and high"));
                return;
            };
            let step = number("step").or_else(|| number("q"));
            let step = step.filter(|step| !(kind.starts_with("Int") && *step == 1.0));
            let log = if is_log { ", log = true" } else { "" };
            let step = step.map_or_else(String::new, |step| format!(", step = {}", bound(path, step)));
            draft.sweep(
                path,
                name,
                format!(
                    "{{ min = {}, max = {}{log}{step} }}",
                    bound(path, low),
                    bound(path, high)
                ),
            );
        }
        other => draft.note(format!("{name} is left out: {other} is not known")),
    }
}
