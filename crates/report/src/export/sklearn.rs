//! The model as JSON, with a script that makes it a fitted scikit-learn pipeline.

use gradsweep_store::Model;
use serde_json::{Value, json};

use super::model::{Labels, Levels, Meaning, levels, numbers};

/// The script. It is the same for every model, and finds its JSON file under its own name.
pub(super) const LOADER: &str = include_str!("sklearn_loader.py");

/// The JSON file.
pub(super) fn text(model: &Model) -> String {
    let numeric = numbers(model).into_iter().map(|number| {
        json!({
            "name": number.name,
            "impute": number.impute,
            "mean": number.mean,
            "scale": number.scale,
            "coefficient": number.coefficient,
            "indicator": number.indicator,
            "refuses_missing": number.refuses_null,
        })
    });
    let categorical = levels(model).into_iter().map(|column| {
        let known = column.known.iter().map(|(text, feature)| {
            let feature = feature.map(|feature| column.features[feature].0);
            ((*text).to_owned(), feature.map_or(Value::Null, Value::from))
        });
        json!({
            "name": column.name,
            "texts": column.texts.word(),
            "features": column.features.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            "coefficients": column.features.iter().map(|(_, weight)| weight).collect::<Vec<_>>(),
            "levels": known.collect::<serde_json::Map<_, _>>(),
            "missing": meaning(&column, column.null),
            "unseen": meaning(&column, column.unseen),
        })
    });
    let classes = match Labels::of(model) {
        Labels::Integers(labels) => json!(labels),
        Labels::Texts(labels) => json!(labels),
    };
    let file = json!({
        "format": 1,
        "gradsweep": model.info.version,
        "sweep": model.info.name,
        "trial": model.info.trial,
        "identity": model.info.identity,
        "target": model.info.target.name,
        "classes": classes,
        "threshold": model.info.threshold,
        "intercept": model.numbers.intercept,
        "numeric": numeric.collect::<Vec<_>>(),
        "categorical": categorical.collect::<Vec<_>>(),
    });
    format!("{file:#}\n")
}

fn meaning(column: &Levels<'_>, meaning: Meaning) -> Value {
    match meaning {
        Meaning::Feature(feature) => json!({ "feature": column.features[feature].0 }),
        Meaning::Zeros => json!({ "feature": null }),
        Meaning::Error => json!("error"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::model::sample;
    use super::*;

    #[test]
    fn numbers_read_back_bit_for_bit_and_levels_name_their_features() {
        let mut model = sample();
        model.numbers.coefficients[0] = 0.1 + 0.2;
        let file: Value = serde_json::from_str(&text(&model)).expect("JSON");
        assert_eq!(file["numeric"][0]["coefficient"].as_f64(), Some(0.1 + 0.2));
        let carrier = &file["categorical"][0];
        assert_eq!(carrier["levels"], json!({"AA": "AA", "ZZ": "(other)"}));
        assert_eq!(carrier["missing"], json!({"feature": "(missing)"}));
        assert_eq!(file["categorical"][1]["levels"], json!({"1": "1", "2": null}));
        assert_eq!(file["categorical"][1]["unseen"], "error");
    }
}
