//! What each column adds to the log odds, as nodes of a graph.

use std::collections::BTreeSet;

use super::super::model::{Levels, Meaning, Number, Texts};
use super::graph::{Attribute, DOUBLE, Graph, TEXT, Tensor, integer};

/// The numeric columns: `slope · (x − mean)`, and another number where x is NaN. Nothing without such a column.
pub(super) fn add_numbers(graph: &mut Graph<'_>, numbers: &[Number<'_>]) -> Option<String> {
    if numbers.is_empty() {
        return None;
    }
    for number in numbers {
        graph.input(number.name, DOUBLE);
    }
    let columns: Vec<String> = numbers.iter().map(|number| number.name.to_owned()).collect();
    let width = vec![integer(numbers.len())];
    let row = |of: fn(&Number<'_>) -> f64| Tensor::Doubles(width.clone(), numbers.iter().map(of).collect());
    let slope = |number: &Number<'_>| number.coefficient / number.scale;
    let null = |number: &Number<'_>| {
        number.coefficient / number.scale * (number.impute - number.mean) + number.indicator.unwrap_or(0.0)
    };
    let x = graph.concat("numbers", &columns);
    let mean = graph.constant("mean", &row(|number| number.mean));
    let slope = graph.constant("slope", &row(slope));
    let null = graph.constant("null", &row(null));
    let centered = graph.node("Sub", "centered", &[&x, &mean], &[]);
    let scaled = graph.node("Mul", "scaled", &[&centered, &slope], &[]);
    let is_missing = graph.node("IsNaN", "is_missing", &[&x], &[]);
    let added = graph.node("Where", "of_numbers", &[&is_missing, &null, &scaled], &[]);
    if !numbers.iter().any(|number| number.refuses_null) {
        return Some(added);
    }
    let refuses = numbers.iter().map(|number| number.refuses_null).collect();
    let refuses = graph.constant("refuses", &Tensor::Bools(width.clone(), refuses));
    let is_refused = graph.node("And", "is_refused", &[&is_missing, &refuses], &[]);
    Some(refuse(graph, &is_refused, &added))
}

/// `added`, or an error of the runtime where `is_refused` holds: it looks up the second entry of one.
fn refuse(graph: &mut Graph<'_>, is_refused: &str, added: &str) -> String {
    let index = graph.cast_to_integer("refusal_index", is_refused);
    let only = graph.constant("only", &Tensor::Doubles(vec![1], vec![0.0]));
    let nothing = graph.node("Gather", "refusal", &[&only, &index], &[]);
    graph.node("Add", "accepted", &[added, &nothing], &[])
}

/// A column of levels: the weight of the cell's level.
pub(super) fn add_levels(graph: &mut Graph<'_>, column: &Levels<'_>) -> String {
    if column.texts == Texts::Numbers {
        add_number_levels(graph, column)
    } else {
        add_text_levels(graph, column)
    }
}

/// Each text is given the place of its weight.
fn add_text_levels(graph: &mut Graph<'_>, column: &Levels<'_>) -> String {
    graph.input(column.name, TEXT);
    let mut weights: Vec<f64> = column.features.iter().map(|(_, weight)| *weight).collect();
    let zeros = integer(weights.len());
    weights.push(0.0);
    let nowhere = integer(weights.len());
    let place = |meaning: Meaning| match meaning {
        Meaning::Feature(feature) => integer(feature),
        Meaning::Zeros => zeros,
        Meaning::Error => nowhere,
    };
    let mut keys: Vec<&str> = Vec::new();
    let mut places: Vec<i64> = Vec::new();
    let mut known = BTreeSet::new();
    let mut know = |text, place| {
        if known.insert(text) {
            keys.push(text);
            places.push(place);
        }
    };
    // A missing text is empty; where training saw no null, a level that is empty keeps its weight.
    let is_level = column.known.iter().any(|(text, _)| text.is_empty());
    if column.null != column.unseen || !is_level {
        know("", place(column.null));
    }
    for (text, feature) in &column.known {
        let feature = feature.map_or(zeros, integer);
        know(*text, feature);
        if column.texts == Texts::Bools {
            for spelling in if *text == "true" {
                ["True", "TRUE"]
            } else {
                ["False", "FALSE"]
            } {
                know(spelling, feature);
            }
        }
    }
    let attributes = [
        Attribute::Texts("keys_strings", keys),
        Attribute::Integers("values_int64s", places),
        Attribute::Integer("default_int64", place(column.unseen)),
    ];
    let index = graph.node("LabelEncoder", "level", &[column.name], &attributes);
    let weights = graph.constant("weights", &Tensor::Doubles(vec![integer(weights.len())], weights));
    graph.node("Gather", "of_level", &[&weights, &index], &[])
}

/// Each number is compared with all levels.
fn add_number_levels(graph: &mut Graph<'_>, column: &Levels<'_>) -> String {
    graph.input(column.name, DOUBLE);
    let unseen = column.weight(column.unseen.feature());
    let values = column
        .known
        .iter()
        .map(|(text, _)| text.parse().unwrap_or(f64::NAN))
        .collect();
    let more = column
        .known
        .iter()
        .map(|(_, feature)| column.weight(*feature) - unseen)
        .collect();
    let width = vec![integer(column.known.len())];
    let values = graph.constant("values", &Tensor::Doubles(width.clone(), values));
    let more = graph.constant("weights", &Tensor::Doubles(width, more));
    let zero = graph.constant("zero", &Tensor::Doubles(vec![1], vec![0.0]));
    let unseen = graph.constant("unseen", &Tensor::Doubles(vec![1], vec![unseen]));
    let null = column.weight(column.null.feature());
    let null = graph.constant("null", &Tensor::Doubles(vec![1], vec![null]));
    let axis = graph.constant("axis", &Tensor::Integers(vec![1], vec![1]));

    let is_level = graph.node("Equal", "is_level", &[column.name, &values], &[]);
    let chosen = graph.node("Where", "chosen", &[&is_level, &more, &zero], &[]);
    let sum = graph.node("ReduceSum", "chosen_sum", &[&chosen, &axis], &[]);
    let weight = graph.node("Add", "of_value", &[&sum, &unseen], &[]);
    let is_missing = graph.node("IsNaN", "is_missing", &[column.name], &[]);
    let mut added = graph.node("Where", "of_level", &[&is_missing, &null, &weight], &[]);

    let (of_null, of_unseen) = (column.null == Meaning::Error, column.unseen == Meaning::Error);
    if of_unseen {
        let as_integers = graph.cast_to_integer("level_marks", &is_level);
        let marks = graph.node("ReduceSum", "level_count", &[&as_integers, &axis], &[]);
        let nought = graph.constant("nought", &Tensor::Integers(vec![1], vec![0]));
        let is_unseen = graph.node("Equal", "is_unseen", &[&marks, &nought], &[]);
        let is_refused = if of_null {
            is_unseen
        } else {
            let is_there = graph.node("Not", "is_there", &[&is_missing], &[]);
            graph.node("And", "is_refused", &[&is_unseen, &is_there], &[])
        };
        added = refuse(graph, &is_refused, &added);
    }
    added
}
