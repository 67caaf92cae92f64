//! How numbers are written for people. JSON and CSV never come here: they hold numbers in full.

use gradsweep_store::ParamValue;

/// What stands where there is no number.
pub const NONE: &str = "–";

/// A score by which trials are ranked: five significant digits, five decimals below 1.
pub fn score(value: f64) -> String {
    significant(value, 5)
}

/// A score shown beside: four significant digits.
pub fn side_score(value: f64) -> String {
    significant(value, 4)
}

/// A standard error: four decimals, more where its first digit comes later.
pub fn error(value: f64) -> String {
    if !value.is_finite() {
        return plain(value);
    }
    if value == 0.0 {
        return "0.0000".to_owned();
    }
    if value < 1e-8 {
        return format!("{value:.0e}");
    }
    let decimals = error_decimals(value);
    format!("{value:.decimals$}")
}

/// `score ± error`, or the score alone where there is no error.
pub fn score_with_error(mean: Option<f64>, se: Option<f64>) -> String {
    match (mean, se) {
        (None, _) => NONE.to_owned(),
        (Some(mean), None) => score(mean),
        (Some(mean), Some(se)) => format!("{} ± {}", score(mean), error(se)),
    }
}

/// A difference with its sign, and its error, both with so many decimals.
pub fn difference(value: f64, se: Option<f64>, decimals: usize) -> String {
    if !value.is_finite() {
        return plain(value);
    }
    match se.filter(|se| se.is_finite()) {
        Some(se) => format!("{value:+.decimals$} ± {se:.decimals$}"),
        None => format!("{value:+.decimals$}"),
    }
}

/// Decimals for a column of differences: five, more where an error's first digit comes later.
pub fn difference_decimals(errors: impl Iterator<Item = f64>) -> usize {
    let needed = errors.filter(|se| se.is_finite() && *se > 0.0);
    needed.map(error_decimals).max().map_or(5, |most| most.clamp(5, 7))
}

/// A hyperparameter: as it is if that is short, otherwise four significant digits.
pub fn param(value: &ParamValue) -> String {
    const SHORT: usize = 6;
    match value {
        ParamValue::Null => NONE.to_owned(),
        ParamValue::Float(number) => {
            let text = value.to_string();
            if text.len() <= SHORT {
                text
            } else {
                significant(*number, 4)
            }
        }
        ParamValue::Bool(_) | ParamValue::Int(_) | ParamValue::Text(_) => value.to_string(),
    }
}

/// A whole number with its thousands apart.
pub fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// `1 run`, `2 runs`.
pub fn counted(value: u64, noun: &str) -> String {
    let plural = if value == 1 { "" } else { "s" };
    format!("{} {noun}{plural}", count(value))
}

/// A share of a whole in per cent, with one decimal.
pub fn percent(share: f64) -> String {
    format!("{:.1} %", 100.0 * share)
}

/// A duration in the unit that suits it.
pub fn seconds(value: f64) -> String {
    if !value.is_finite() {
        plain(value)
    } else if value < 1e-3 {
        format!("{:.0} µs", value * 1e6)
    } else if value < 1.0 {
        format!("{:.0} ms", value * 1e3)
    } else if value < 100.0 {
        format!("{value:.1} s")
    } else {
        let whole = value.round() as u64;
        let (hours, minutes) = (whole / 3600, whole % 3600 / 60);
        if hours > 0 {
            format!("{hours} h {minutes:02} min")
        } else {
            format!("{minutes} min {:02} s", whole % 60)
        }
    }
}

/// A number of bytes, in decimal units as disks are sold.
pub fn bytes(value: u64) -> String {
    const UNITS: [&str; 4] = ["kB", "MB", "GB", "TB"];
    if value < 1000 {
        return format!("{value} B");
    }
    let mut size = value as f64 / 1000.0;
    let mut unit = 0;
    while size >= 999.5 && unit + 1 < UNITS.len() {
        size /= 1000.0;
        unit += 1;
    }
    if size < 9.95 {
        format!("{size:.1} {}", UNITS[unit])
    } else {
        format!("{size:.0} {}", UNITS[unit])
    }
}

/// `digits` significant digits; below 1 that many decimals, so that columns of scores align; far from 1 in scientific notation.
pub fn significant(value: f64, digits: usize) -> String {
    if !value.is_finite() {
        return plain(value);
    }
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e6).contains(&size) {
        let text = format!("{value:.*e}", digits.saturating_sub(1).min(3));
        return text;
    }
    let whole = if size < 1.0 {
        0
    } else {
        size.log10().floor() as usize + 1
    };
    let decimals = digits.saturating_sub(whole);
    format!("{value:.decimals$}")
}

/// `digits` significant digits wherever the first of them is; far from 1 in scientific notation.
pub fn precise(value: f64, digits: usize) -> String {
    let size = value.abs();
    if !(1e-4..1.0).contains(&size) {
        return significant(value, digits);
    }
    let first_digit = -size.log10().floor() as usize;
    let decimals = first_digit + digits.saturating_sub(1);
    format!("{value:.decimals$}")
}

/// A ratio: four significant digits, or three of its difference from 1 where that is small.
pub fn ratio(value: f64) -> String {
    let difference = (value - 1.0).abs();
    if !(1e-9..0.01).contains(&difference) {
        return precise(value, 4);
    }
    let decimals = -difference.log10().floor() as usize + 2;
    format!("{value:.decimals$}")
}

/// A p-value: three significant digits, and never 0.
pub fn p_value(value: f64) -> String {
    if value < f64::MIN_POSITIVE {
        "<1e-307".to_owned()
    } else if value < 1e-4 {
        format!("{value:.1e}")
    } else {
        precise(value, 3)
    }
}

fn error_decimals(value: f64) -> usize {
    let first_digit = (-value.log10().floor()).max(0.0) as usize;
    // Rounding may carry into the digit before: 0.00096 is 0.001, and has four decimals as well as 0.0010.
    first_digit.clamp(4, 8)
}

fn plain(value: f64) -> String {
    if value.is_nan() {
        NONE.to_owned()
    } else if value > 0.0 {
        "inf".to_owned()
    } else {
        "-inf".to_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_align_and_stay_short() {
        assert_eq!(score(0.4861), "0.48610");
        assert_eq!(score(12.3456), "12.346");
        assert_eq!(score(0.0), "0.00000");
        assert_eq!(score(2.5e-7), "2.500e-7");
        assert_eq!(score(f64::INFINITY), "inf");
        assert_eq!(score(123_456_789.0), "1.235e8");
        assert_eq!(side_score(0.72176), "0.7218");
    }

    #[test]
    fn precise_numbers_keep_their_digits() {
        assert_eq!(precise(0.001_234_567, 4), "0.001235");
        assert_eq!(precise(-12.345_67, 4), "-12.35");
        assert_eq!(precise(123_456.7, 4), "123457");
        assert_eq!(precise(1.234_56e-7, 4), "1.235e-7");
        assert_eq!(precise(f64::INFINITY, 4), "inf");
        assert_eq!(ratio(1.250_01), "1.250");
        assert_eq!(ratio(0.999_987_65), "0.9999877");
        assert_eq!(ratio(1.0), "1.000");
        assert_eq!(p_value(0.049_99), "0.0500");
        assert_eq!(p_value(2.454e-6), "2.5e-6");
        assert_eq!(p_value(0.0), "<1e-307");
    }

    #[test]
    fn errors_show_at_least_one_digit() {
        assert_eq!(error(0.0007), "0.0007");
        assert_eq!(error(0.0118), "0.0118");
        assert_eq!(error(0.000_012), "0.00001");
        assert_eq!(error(3e-12), "3e-12");
        assert_eq!(error(0.0), "0.0000");
        assert_eq!(score_with_error(Some(0.4861), Some(0.0007)), "0.48610 ± 0.0007");
        assert_eq!(score_with_error(Some(0.4861), None), "0.48610");
        assert_eq!(score_with_error(None, None), "–");
    }

    #[test]
    fn differences_carry_their_sign() {
        assert_eq!(difference(0.00045, Some(0.00009), 5), "+0.00045 ± 0.00009");
        assert_eq!(difference(-0.01, None, 5), "-0.01000");
        assert_eq!(difference(f64::INFINITY, None, 5), "inf");
    }

    #[test]
    fn a_column_of_differences_has_the_decimals_of_its_smallest_error() {
        let decimals = |errors: &[f64]| difference_decimals(errors.iter().copied());
        assert_eq!(decimals(&[]), 5);
        assert_eq!(decimals(&[0.01, 0.000_09, 0.0]), 5);
        assert_eq!(decimals(&[0.01, 0.000_006]), 6);
        assert_eq!(decimals(&[1e-12, f64::NAN]), 7);
    }

    #[test]
    fn parameters_are_as_written_where_that_is_short() {
        assert_eq!(param(&ParamValue::Float(0.05)), "0.05");
        assert_eq!(param(&ParamValue::Float(0.517_947_467_923_121)), "0.5179");
        assert_eq!(param(&ParamValue::Float(1e-4)), "0.0001");
        assert_eq!(param(&ParamValue::Float(1.291_549_665_014_884e-5)), "1.292e-5");
        assert_eq!(param(&ParamValue::Float(f64::INFINITY)), "inf");
        assert_eq!(param(&ParamValue::Int(1_000_000)), "1000000");
        assert_eq!(param(&ParamValue::Null), "–");
    }

    #[test]
    fn counts_times_and_sizes() {
        assert_eq!(count(327_346), "327,346");
        assert_eq!(count(12), "12");
        assert_eq!(counted(1, "run"), "1 run");
        assert_eq!(counted(2000, "run"), "2,000 runs");
        assert_eq!(seconds(0.61), "610 ms");
        assert_eq!(seconds(2.54), "2.5 s");
        assert_eq!(seconds(3725.0), "1 h 02 min");
        assert_eq!(bytes(208_000_000), "208 MB");
        assert_eq!(bytes(1234), "1.2 kB");
        assert_eq!(bytes(999_999), "1.0 MB");
        assert_eq!(percent(0.2341), "23.4 %");
    }
}
