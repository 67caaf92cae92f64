//! Whether the best value of a parameter lies at an end of what was tried.

use gradsweep_store::{ParamValue, TrialRow, TrialTable};

use crate::config::{Config, Domain, Kind, sweepable};

/// Share of a range next to an end of it: a number that is drawn never is the end itself.
const NEAR_AN_END: f64 = 0.02;

/// A sentence for every swept number whose best value lies at an end.
pub(super) fn edges(config: &Config, table: &TrialTable, best: &TrialRow) -> Vec<String> {
    let sentence = |(index, path): (usize, &String)| {
        let own = number(&best.params[index])?;
        let tried = table.rows.iter().filter_map(|row| number(&row.params[index]));
        let [first, last] = ends(config, path, tried.collect(), own).filter(|ends| can_be_wider(path, *ends, own))?;
        let name = path.rsplit('.').next().unwrap_or(path);
        Some(format!(
            "best {name} = {own} is at the edge of the range ({first} to {last}): widen it"
        ))
    };
    table.params.iter().enumerate().filter_map(sentence).collect()
}

/// The ends of what was tried of a parameter, of at least three values, or those of the range that it was drawn from; nothing
/// unless `best` lies at one of them.
fn ends(config: &Config, path: &str, mut tried: Vec<f64>, best: f64) -> Option<[f64; 2]> {
    tried.sort_by(f64::total_cmp);
    tried.dedup();
    let &[first, _, .., last] = tried.as_slice() else {
        return None;
    };
    let own = config.sweep.parameters.iter().find(|own| own.path == path);
    match own.map(|own| &own.domain) {
        Some(&Domain::Range {
            min,
            max,
            num: None,
            log,
            ..
        }) => {
            let scale = |value: f64| if log { value.ln() } else { value };
            let place = (scale(best) - scale(min)) / (scale(max) - scale(min));
            (!(NEAR_AN_END..=1.0 - NEAR_AN_END).contains(&place)).then_some([min, max])
        }
        _ => (best == first || best == last).then_some([first, last]),
    }
}

/// Whether the key takes values beyond the end that `best` is nearer to.
fn can_be_wider(path: &str, [first, last]: [f64; 2], best: f64) -> bool {
    let Some(Kind::Number(bounds)) = sweepable(path).map(|(_, key)| key.spec.kind) else {
        return true;
    };
    if best - first < last - best {
        first > bounds.min
    } else {
        last < bounds.max
    }
}

fn number(value: &ParamValue) -> Option<f64> {
    match value {
        ParamValue::Int(value) => Some(*value as f64),
        ParamValue::Float(value) => Some(*value),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_drawn_number_is_at_an_end_of_its_range_only_near_it() {
        let ends_of = |method: &str, best: f64| {
            let text = format!("[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[sweep]\n{method}");
            let config = crate::config::parse(&text, "a.toml", "a", &[]).expect("a config");
            ends(&config, "model.C", vec![0.02, 1.0, best], best)
        };
        let random =
            "method = \"random\"\ntrials = 3\n[sweep.parameters]\nmodel.C = { min = 1e-2, max = 1e2, log = true }";
        assert_eq!(ends_of(random, 50.0), None);
        assert_eq!(ends_of(random, 95.0), Some([1e-2, 1e2]));
        let grid = "[sweep.parameters]\nmodel.C = [0.02, 1.0, 50.0]";
        assert_eq!(ends_of(grid, 50.0), Some([0.02, 50.0]));
    }

    #[test]
    fn where_a_key_ends_there_is_nothing_to_widen() {
        assert!(!can_be_wider("model.l1_ratio", [0.0, 1.0], 1.0));
        assert!(!can_be_wider("model.l1_ratio", [0.0, 0.5], 0.0));
        assert!(can_be_wider("model.l1_ratio", [0.0, 0.5], 0.5));
        assert!(can_be_wider("model.C", [0.1, 1.0], 1.0));
        assert!(can_be_wider("train.epochs", [1.0, 5.0], 5.0));
    }
}
