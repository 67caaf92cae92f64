//! The table of keys as a JSON Schema, for editors and other programs.

use serde_json::{Map, Value as Json, json};

use super::config::Config;
use super::key::{Bounds, Choice, Key, Kind};
use super::sweep::DOMAIN_KEYS;
use super::table::paths;
use super::value::Value;

/// The JSON Schema (draft 7, which the TOML editors read) of a config.
///
/// It says what a schema can say: names, types, ranges and words. What must hold between keys only [`parse`](super::parse)
/// knows.
pub fn schema() -> Json {
    let mut schema = object(Config::KEYS);
    schema["$schema"] = "http://json-schema.org/draft-07/schema#".into();
    schema["title"] = "gradsweep config, version 1".into();
    schema
}

fn object(keys: &[Key]) -> Json {
    let properties: Map<String, Json> = keys
        .iter()
        .filter(|key| key.spec.is_built || key.spec.default.is_some())
        .map(|key| (key.name.to_owned(), property(key)))
        .collect();
    let required: Vec<&str> = keys.iter().filter(|key| is_required(key)).map(|key| key.name).collect();
    let mut object = json!({ "type": "object", "properties": properties, "additionalProperties": false });
    if !required.is_empty() {
        object["required"] = json!(required);
    }
    object
}

/// Whether a key, or one below it, must be written.
fn is_required(key: &Key) -> bool {
    let is_always_there = key.spec.default.is_some();
    key.spec.is_required || (is_always_there && key.fields().iter().any(is_required))
}

fn property(key: &Key) -> Json {
    let default = key.default_value();
    let mut property = if key.spec.is_built || !key.fields().is_empty() {
        of(&key.spec.kind)
    } else {
        json!({ "enum": [to_json(&default)] })
    };
    let mut description = key.doc().to_owned();
    if !key.spec.unit.is_empty() {
        description += &format!(" ({})", key.spec.unit);
    }
    if !key.spec.is_built {
        description += " Only the default is built yet.";
    }
    property["description"] = description.into();
    if key.spec.default.is_some() && key.fields().is_empty() {
        property["default"] = to_json(&default);
    }
    property
}

/// A value as JSON, which has no infinities.
fn to_json(value: &Value) -> Json {
    value.to_toml().map_or(Json::Null, |value| crate::sweep::json(&value))
}

fn of(kind: &Kind) -> Json {
    match kind {
        Kind::Bool => json!({ "type": "boolean" }),
        Kind::Integer(min, max) if *max >= i64::from(u32::MAX) => json!({ "type": "integer", "minimum": min }),
        Kind::Integer(min, max) => json!({ "type": "integer", "minimum": min, "maximum": max }),
        Kind::Number(bounds) => number(bounds),
        Kind::Text => json!({ "type": "string", "minLength": 1 }),
        Kind::AnyText | Kind::Formatted(_) => json!({ "type": "string" }),
        Kind::Label => json!({ "type": ["string", "number", "boolean"] }),
        Kind::Choice(choices) => words(choices),
        Kind::Either(choices, other) => json!({ "anyOf": [words(choices), of(other)] }),
        Kind::List(item, least) => json!({ "type": "array", "items": of(item), "minItems": least }),
        Kind::OneOrMore(item) => {
            json!({ "anyOf": [of(item), { "type": "array", "items": of(item), "minItems": 1 }] })
        }
        Kind::Map(item) => json!({ "type": "object", "additionalProperties": of(item) }),
        Kind::Fields(keys) => object(keys),
        Kind::Parameters => by_path(&parameter),
        Kind::Assignments => json!({ "type": "array", "items": by_path(&|key| of(&key.spec.kind)) }),
        Kind::Any => json!({}),
    }
}

fn number(bounds: &Bounds) -> Json {
    let mut number = json!({ "type": "number" });
    if bounds.min.is_finite() {
        number[if bounds.has_min { "minimum" } else { "exclusiveMinimum" }] = bounds.min.into();
    }
    if bounds.max.is_finite() {
        number[if bounds.has_max { "maximum" } else { "exclusiveMaximum" }] = bounds.max.into();
    }
    number
}

fn words(choices: &[Choice]) -> Json {
    let built: Vec<&str> = choices
        .iter()
        .filter(|choice| choice.is_built)
        .map(|choice| choice.name)
        .collect();
    json!({ "enum": built })
}

/// Tables that hold something for every key that a sweep may vary; a path may also be one quoted name.
fn by_path(leaf: &dyn Fn(&Key) -> Json) -> Json {
    let mut root = empty();
    for (path, key) in paths().iter().filter(|(_, key)| key.spec.is_sweepable) {
        let mut table = &mut root;
        let segments: Vec<&str> = path.split('.').collect();
        for segment in &segments[..segments.len() - 1] {
            let below = &mut table["properties"][*segment];
            if below.is_null() {
                *below = empty();
            }
            table = below;
        }
        let mut own = leaf(key);
        own["description"] = key.doc().into();
        table["properties"][segments[segments.len() - 1]] = own.clone();
        root["properties"][path.as_str()] = own;
    }
    root
}

fn empty() -> Json {
    json!({ "type": "object", "properties": {}, "additionalProperties": false })
}

/// A list of values, or a table that describes them.
fn parameter(key: &Key) -> Json {
    let values = json!({ "type": "array", "items": of(&key.spec.kind), "minItems": 1 });
    let mut spec = object(DOMAIN_KEYS);
    spec["properties"]["values"] = values.clone();
    for end in ["min", "max", "step"] {
        spec["properties"][end] = json!({ "type": if key.spec.kind.is_integer() { "integer" } else { "number" } });
    }
    spec["properties"]["when"] = json!({ "type": "object" });
    if key.spec.kind.is_container() {
        return spec;
    }
    json!({ "anyOf": [values, spec] })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether a value is valid, as far as the words that this schema uses go.
    fn is_valid(schema: &Json, value: &Json) -> bool {
        let is_type = |name: &str| match name {
            "object" => value.is_object(),
            "array" => value.is_array(),
            "string" => value.is_string(),
            "boolean" => value.is_boolean(),
            "integer" => value.is_i64() || value.is_u64(),
            "number" => value.is_number(),
            other => panic!("{other}"),
        };
        let types = match &schema["type"] {
            Json::Null => true,
            Json::String(name) => is_type(name),
            names => names
                .as_array()
                .is_some_and(|names| names.iter().filter_map(Json::as_str).any(is_type)),
        };
        let within = |key: &str, holds: fn(f64, f64) -> bool| match (schema[key].as_f64(), value.as_f64()) {
            (Some(bound), Some(own)) => holds(own, bound),
            _ => true,
        };
        let list = |key: &str| schema[key].as_array();
        let properties = value.as_object().is_none_or(|own| {
            let of = |name: &String| match &schema["properties"][name] {
                Json::Null => &schema["additionalProperties"],
                own => own,
            };
            own.iter().all(|(name, value)| match of(name) {
                Json::Bool(is_allowed) => *is_allowed,
                Json::Null => true,
                schema => is_valid(schema, value),
            })
        });
        types
            && list("enum").is_none_or(|words| words.contains(value))
            && list("anyOf").is_none_or(|any| any.iter().any(|schema| is_valid(schema, value)))
            && list("required")
                .is_none_or(|names| names.iter().filter_map(Json::as_str).all(|name| !value[name].is_null()))
            && within("minimum", |own, bound| own >= bound)
            && within("exclusiveMinimum", |own, bound| own > bound)
            && within("maximum", |own, bound| own <= bound)
            && within("exclusiveMaximum", |own, bound| own < bound)
            && value.as_array().is_none_or(|items| {
                items.len() as u64 >= schema["minItems"].as_u64().unwrap_or(0)
                    && (schema["items"].is_null() || items.iter().all(|item| is_valid(&schema["items"], item)))
            })
            && value
                .as_str()
                .is_none_or(|text| text.len() as u64 >= schema["minLength"].as_u64().unwrap_or(0))
            && properties
    }

    fn of_toml(text: &str) -> Json {
        let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{text}\n{error}"));
        crate::sweep::json(&toml::Value::Table(table))
    }

    #[test]
    fn good_configs_are_valid() {
        let schema = schema();
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../configs");
        let mut texts: Vec<String> = std::fs::read_dir(folder)
            .expect("configs")
            .map(|entry| std::fs::read_to_string(entry.expect("an entry").path()).expect("text"))
            .collect();
        assert!(texts.len() > 5);
        texts.push(Config::full("a.csv", "y", "all"));
        for text in texts {
            assert!(is_valid(&schema, &of_toml(&text)), "{text}");
        }
    }

    #[test]
    fn what_is_wrong_by_itself_is_not_valid() {
        let schema = schema();
        let least = "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n";
        assert!(is_valid(&schema, &of_toml(least)));
        for wrong in [
            "[train]\nlearning_rte = 0.1",
            "[train]\nepochs = 0",
            "[train]\nepochs = 1.5",
            "[train]\nsolver = \"adm\"",
            "[model]\nkind = \"mlp\"",
            "[model]\nl1_ratio = 1.5",
            "[train]\nmomentum = 1.0",
            "[sweep.parameters]\nmodel.CC = [1.0]",
            "[sweep.parameters]\nmodel.C = 1.0",
            "[sweep.parameters]\nmodel.C = { mn = 1, max = 3 }",
            "[[sweep.points]]\nrun.seed = 1",
            "[validation]\nfolds = \"5\"",
        ] {
            assert!(!is_valid(&schema, &of_toml(&format!("{least}{wrong}"))), "{wrong}");
        }
        assert!(!is_valid(&schema, &of_toml("[data]\ntrain = \"a.csv\"\n")));
    }
}
