//! The trials of a stored plan.

use gradsweep_store::{ParamValue, PlanTable};

use super::search::paths;
use super::trial::Trial;
use crate::config::{Config, Value};
use crate::plan::param;

/// The trials of a plan whose parameters are those of the config, by number from 0; up to the first that is none.
pub(super) fn planned(config: &Config, plan: &PlanTable) -> Vec<Trial> {
    let mut rows: Vec<_> = plan.trials.iter().collect();
    rows.sort_by_key(|row| row.trial);
    let columns: Option<Vec<(&'static str, usize)>> = paths(config)
        .into_iter()
        .map(|path| Some((path, plan.params.iter().position(|own| own == path)?)))
        .collect();
    let Some(columns) = columns.filter(|columns| columns.len() == plan.params.len()) else {
        return Vec::new();
    };
    let trial = |(number, row): (usize, &&gradsweep_store::PlannedTrial)| {
        let params: Vec<(&'static str, Value)> = columns
            .iter()
            .map(|&(path, column)| (path, value(config, path, &row.params[column])))
            .collect();
        let trial = Trial {
            number: row.trial,
            ..Trial::new(config, &params)
        };
        let is_held = trial.number as usize == number
            && trial
                .params
                .iter()
                .zip(&params)
                .all(|((_, own), (_, held))| own == held);
        is_held.then_some(trial)
    };
    rows.iter().enumerate().map_while(trial).collect()
}

/// A cell of the plan as the config's value.
fn value(config: &Config, path: &str, held: &ParamValue) -> Value {
    let text = match held {
        ParamValue::Null => return Value::Null,
        ParamValue::Bool(value) => return Value::Bool(*value),
        ParamValue::Int(value) => return Value::Int(*value),
        ParamValue::Float(value) => return Value::Float(*value),
        ParamValue::Text(text) => text,
    };
    // Lists and tables are held as text, and so is everything in a column of numbers and words.
    let named = config.possible(path, config.base_value(path).unwrap_or(Value::Null));
    let is_it = |value: &Value| param(value).to_string() == *text;
    let base = config.base_value(path).filter(is_it);
    let number = || {
        let float = || text.parse().ok().map(Value::Float);
        text.parse().ok().map(Value::Int).or_else(float)
    };
    let found = named.into_iter().find(is_it).or(base).or_else(number);
    found.unwrap_or_else(|| Value::Text(text.clone()))
}

#[cfg(test)]
mod tests {
    use super::super::trials;
    use super::*;
    use crate::config::parse;
    use crate::plan::{Plan, Shape};

    #[test]
    fn a_plan_gives_its_trials_back() {
        let text = "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n[train]\nsolver = \"sgd\"\n[sweep]\nmethod = \"random\"\ntrials = 40\n\
            [sweep.parameters]\nmodel.C = { min = 1e-4, max = 1e4, log = true }\n\
            train.batch_rows = [64, 256, \"full\"]\nmodel.class_weight = { values = [\"none\", { yes = 3.0, no = 1.0 }] }\n\
            train.solver = [\"sgd\", \"adam\"]\ntrain.epochs = { min = 3, max = 9 }\nmodel.fit_intercept = [true, false]\n\
            train.momentum = { min = 0.0, max = 0.9, when = { \"train.solver\" = [\"sgd\"] } }\n\
            [[sweep.points]]\nmodel.C = inf\ntrain.init = { kind = \"glorot\" }\n";
        let config = parse(text, "a.toml", "a", &[]).unwrap_or_else(|problems| panic!("{problems}"));
        let trials = trials(&config).expect("trials");
        let folds = Shape {
            folds: 2,
            ..Shape::EMPTY
        };
        let plan = Plan::new(&config, trials.clone(), folds, "");
        let table = plan.table(&["0".to_owned(), "1".to_owned()]);
        // As the file holds a column of numbers and words.
        let mut held = table.clone();
        let column = held
            .params
            .iter()
            .position(|path| path == "train.batch_rows")
            .expect("swept");
        for trial in &mut held.trials {
            trial.params[column] = ParamValue::Text(trial.params[column].to_string());
        }
        for table in [table, held] {
            assert_eq!(planned(&config, &table), trials);
        }
        let other = parse(&text.replace("momentum", "weight_decay"), "a.toml", "a", &[]);
        let other = other.or_else(|_| {
            parse(
                &text.replace("train.epochs = { min = 3, max = 9 }\n", ""),
                "a.toml",
                "a",
                &[],
            )
        });
        let other = other.unwrap_or_else(|problems| panic!("{problems}"));
        assert!(planned(&other, &plan.table(&["0".to_owned(), "1".to_owned()])).is_empty());
    }
}
