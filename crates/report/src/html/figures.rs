//! Numbers as the page's data hold them: short.

use gradsweep_store::ParamValue;
use serde_json::Value;

/// So many significant digits; nothing where it is not finite.
pub(super) fn short(value: f64, digits: u8) -> Value {
    if !value.is_finite() {
        return Value::Null;
    }
    if value == 0.0 {
        return 0.into();
    }
    let size = value.abs().log10().floor() as i32;
    let shift = i32::from(digits) - 1 - size;
    // A power of ten above 1 is exact, so that dividing by it gives the nearest number with those digits.
    let rounded = if (0..=22).contains(&shift) {
        let power = 10_f64.powi(shift);
        (value * power).round() / power
    } else {
        format!("{value:.*e}", usize::from(digits.saturating_sub(1)))
            .parse()
            .unwrap_or(value)
    };
    if rounded.fract() == 0.0 && rounded.abs() < 1e15 {
        return (rounded as i64).into();
    }
    rounded.into()
}

/// A score or nothing.
pub(super) fn score(value: Option<f64>) -> Value {
    value.map_or(Value::Null, |value| short(value, 6))
}

/// A hyperparameter: numbers in full, infinities as text.
pub(super) fn param(value: &ParamValue) -> Value {
    match value {
        ParamValue::Null => Value::Null,
        ParamValue::Bool(value) => value.to_string().into(),
        ParamValue::Int(value) => (*value).into(),
        ParamValue::Float(value) if value.is_finite() => (*value).into(),
        ParamValue::Float(_) => value.to_string().into(),
        ParamValue::Text(text) => text.as_str().into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_so_many_digits() {
        assert_eq!(short(0.486_123_456, 5).to_string(), "0.48612");
        assert_eq!(short(-1_234.567, 3).to_string(), "-1230");
        assert_eq!(short(1.0, 4).to_string(), "1");
        assert_eq!(short(2.5e-30, 3).to_string(), "2.5e-30");
        assert_eq!(short(f64::INFINITY, 3), Value::Null);
        assert_eq!(param(&ParamValue::Float(f64::INFINITY)), "inf");
    }
}
