//! Values of hyperparameters.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// One hyperparameter's value in one trial.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum ParamValue {
    /// The parameter has no meaning in this trial.
    #[default]
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number; `model.C` may be infinite.
    Float(f64),
    /// Anything else, as the config writes it.
    Text(String),
}

impl ParamValue {
    /// The value as a number, if it is one.
    pub fn as_f64(&self) -> Option<f64> {
        match self {
            Self::Int(value) => Some(*value as f64),
            Self::Float(value) => Some(*value),
            Self::Null | Self::Bool(_) | Self::Text(_) => None,
        }
    }

    /// Whether there is no value.
    pub fn is_null(&self) -> bool {
        *self == Self::Null
    }
}

/// The shortest text that reads back as the same value; nothing for a null.
impl std::fmt::Display for ParamValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Null => Ok(()),
            Self::Bool(value) => value.fmt(f),
            Self::Int(value) => value.fmt(f),
            Self::Float(value) => {
                let size = value.abs();
                if *value == 0.0 || !value.is_finite() || (1e-5..1e16).contains(&size) {
                    write!(f, "{value}")
                } else {
                    write!(f, "{value:e}")
                }
            }
            Self::Text(value) => value.fmt(f),
        }
    }
}

/// JSON has no infinities: they are written as the texts `"inf"`, `"-inf"` and `"nan"`.
impl Serialize for ParamValue {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_none(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Int(value) => serializer.serialize_i64(*value),
            Self::Float(value) if value.is_finite() => serializer.serialize_f64(*value),
            Self::Float(value) if value.is_nan() => serializer.serialize_str("nan"),
            Self::Float(_) => serializer.collect_str(self),
            Self::Text(value) => serializer.serialize_str(value),
        }
    }
}

impl<'de> Deserialize<'de> for ParamValue {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        use serde::de::Error;
        match serde_json::Value::deserialize(deserializer)? {
            serde_json::Value::Null => Ok(Self::Null),
            serde_json::Value::Bool(value) => Ok(Self::Bool(value)),
            serde_json::Value::Number(number) => number
                .as_i64()
                .map(Self::Int)
                .or_else(|| number.as_f64().map(Self::Float))
                .ok_or_else(|| Error::custom("number out of range")),
            serde_json::Value::String(text) => Ok(match text.as_str() {
                "inf" => Self::Float(f64::INFINITY),
                "-inf" => Self::Float(f64::NEG_INFINITY),
                "nan" => Self::Float(f64::NAN),
                _ => Self::Text(text),
            }),
            _ => Err(Error::custom("expected null, a bool, a number or a text")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_print_short_and_read_back() {
        for (value, text) in [
            (1.0, "1"),
            (0.1, "0.1"),
            (1e-4, "0.0001"),
            (1e-7, "1e-7"),
            (1e20, "1e20"),
            (f64::INFINITY, "inf"),
            (0.0, "0"),
        ] {
            assert_eq!(ParamValue::Float(value).to_string(), text);
            assert_eq!(text.parse::<f64>().map(f64::to_bits), Ok(value.to_bits()));
        }
    }

    #[test]
    fn json_carries_infinities() {
        let values = vec![
            ParamValue::Null,
            ParamValue::Bool(true),
            ParamValue::Int(-3),
            ParamValue::Float(0.5),
            ParamValue::Float(f64::INFINITY),
            ParamValue::Text("adam".to_owned()),
        ];
        let text = serde_json::to_string(&values).expect("serializable");
        assert_eq!(text, r#"[null,true,-3,0.5,"inf","adam"]"#);
        let back: Vec<ParamValue> = serde_json::from_str(&text).expect("readable");
        assert_eq!(back, values);
    }
}
