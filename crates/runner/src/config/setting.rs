//! How plain types are read from a checked value and written back.

use std::collections::BTreeMap;

use super::key::Setting;
use super::value::Value;

impl Setting for bool {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Bool(value) => Some(*value),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Bool(*self)
    }
}

impl Setting for f64 {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Float(value) => Some(*value),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Float(*self)
    }
}

impl Setting for String {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(value) => Some(value.clone()),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Text(self.clone())
    }
}

impl Setting for char {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => text.chars().next(),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Text(self.to_string())
    }
}

/// Empty text is no character.
impl Setting for Option<char> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text.chars().next()),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Text(self.map(String::from).unwrap_or_default())
    }
}

impl<T: Setting> Setting for Vec<T> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::List(items) => items.iter().map(T::read).collect(),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::List(self.iter().map(T::write).collect())
    }
}

impl<T: Setting> Setting for BTreeMap<String, T> {
    fn read(value: &Value) -> Option<Self> {
        match value {
            Value::Table(entries) => entries
                .iter()
                .map(|(name, value)| Some((name.clone(), T::read(value)?)))
                .collect(),
            _ => None,
        }
    }

    fn write(&self) -> Value {
        Value::Table(self.iter().map(|(name, value)| (name.clone(), value.write())).collect())
    }
}

macro_rules! integers {
    ($($type:ty)+) => {$(
        impl Setting for $type {
            fn read(value: &Value) -> Option<Self> {
                match value {
                    Value::Int(value) => Self::try_from(*value).ok(),
                    _ => None,
                }
            }

            fn write(&self) -> Value {
                // The bounds of every key lie inside i64, as TOML's integers do.
                Value::Int(i64::try_from(*self).unwrap_or(i64::MAX))
            }
        }
    )+};
}
integers!(u32 u64 usize);

/// Absent keys without a default. (A blanket implementation would take `Option<char>` with it.)
macro_rules! optional {
    ($($type:ty)+) => {$(
        impl $crate::config::key::Setting for Option<$type> {
            fn read(value: &$crate::config::value::Value) -> Option<Self> {
                match value {
                    $crate::config::value::Value::Null => Some(None),
                    value => <$type as $crate::config::key::Setting>::read(value).map(Some),
                }
            }

            fn write(&self) -> $crate::config::value::Value {
                self.as_ref().map_or(
                    $crate::config::value::Value::Null,
                    $crate::config::key::Setting::write,
                )
            }
        }
    )+};
}
pub(super) use optional;

optional!(String u32 u64 f64);
