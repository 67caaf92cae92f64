//! JSON with its keys in the order given.

use gradsweep_store::ParamValue;
use serde::ser::{Serialize, SerializeMap, Serializer};

/// A JSON value whose objects keep their order.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// A number, text, bool or null; infinities are `"inf"`.
    Value(ParamValue),
    /// Something that was JSON before.
    Raw(serde_json::Value),
    List(Vec<Json>),
    Object(Vec<(String, Json)>),
}

impl Json {
    pub(crate) fn object<const N: usize>(pairs: [(&str, Json); N]) -> Self {
        Self::Object(pairs.map(|(key, value)| (key.to_owned(), value)).into())
    }

    /// The text, indented, with a newline at its end.
    pub(crate) fn render(&self) -> String {
        // Neither a map with keys that are no texts nor a failing writer can occur, and nothing else can go wrong.
        let mut text = serde_json::to_string_pretty(self).unwrap_or_else(|_| "null".to_owned());
        text.push('\n');
        text
    }
}

impl Json {
    /// The text in one line.
    pub(crate) fn line(&self) -> String {
        serde_json::to_string(self).unwrap_or_else(|_| "null".to_owned())
    }
}

impl Serialize for Json {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Value(value) => value.serialize(serializer),
            Self::Raw(value) => value.serialize(serializer),
            Self::List(items) => serializer.collect_seq(items),
            Self::Object(pairs) => {
                let mut map = serializer.serialize_map(Some(pairs.len()))?;
                for (key, value) in pairs {
                    map.serialize_entry(key, value)?;
                }
                map.end()
            }
        }
    }
}

impl From<Vec<Json>> for Json {
    fn from(items: Vec<Json>) -> Self {
        Self::List(items)
    }
}

impl From<ParamValue> for Json {
    fn from(value: ParamValue) -> Self {
        Self::Value(value)
    }
}

impl From<&str> for Json {
    fn from(text: &str) -> Self {
        Self::Value(ParamValue::Text(text.to_owned()))
    }
}

impl From<bool> for Json {
    fn from(value: bool) -> Self {
        Self::Value(ParamValue::Bool(value))
    }
}

impl From<usize> for Json {
    fn from(value: usize) -> Self {
        Self::Raw(value.into())
    }
}

impl From<u32> for Json {
    fn from(value: u32) -> Self {
        Self::Raw(value.into())
    }
}

impl From<u64> for Json {
    fn from(value: u64) -> Self {
        Self::Raw(value.into())
    }
}

impl From<f64> for Json {
    fn from(value: f64) -> Self {
        Self::Value(ParamValue::Float(value))
    }
}

impl<T: Into<Json>> From<Option<T>> for Json {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Value(ParamValue::Null), Into::into)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_keep_their_order_and_infinities_survive() {
        let json = Json::object([
            ("z", Json::from(1_u32)),
            ("a", Json::from(f64::INFINITY)),
            ("m", Json::from(None::<f64>)),
        ]);
        insta::assert_snapshot!(json.render(), @r#"
        {
          "z": 1,
          "a": "inf",
          "m": null
        }
        "#);
    }
}
