//! The model for any ONNX runtime, preprocessing included.
//!
//! - [`graph`]: nodes, constants and values as they are collected
//! - [`terms`]: what each column adds to the log odds
//!
//! One input per column, named as the column, of shape (rows, 1): text for words, double for numbers; a missing number is NaN,
//! a missing text is empty. The outputs are `label` (rows) and `probabilities` (rows, 2), the negative class first. Everything is
//! computed in double. What `predict` refuses, a runtime refuses too: such a cell looks up an entry that is not there.

mod graph;
mod terms;

use gradsweep_store::Model;

use self::graph::{Dimension, Graph, Tensor};
use super::model::{Labels, cut, levels, numbers};
use super::protobuf::Message;

/// The newest operators that are used came with this version of the operator set, of September 2020.
const OPERATORS: i64 = 13;
/// `LabelEncoder` from texts to whole numbers.
const ML_OPERATORS: i64 = 2;
/// The version of the file format that belongs to [`OPERATORS`].
const FORMAT: i64 = 7;
pub(super) const ML_DOMAIN: &str = "ai.onnx.ml";

/// The bytes of the file.
pub(super) fn encode(model: &Model) -> Vec<u8> {
    let target = &model.info.target;
    let properties = [
        ("target", target.name.clone()),
        ("positive", target.positive.clone()),
        ("negative", target.negative.clone()),
        ("threshold", model.info.threshold.to_string()),
        ("sweep", model.info.name.clone()),
        ("trial", model.info.trial.to_string()),
        ("identity", model.info.identity.clone()),
    ];
    let operators = |domain: &str, version| Message::new().text(1, domain).int(2, version);
    Message::new()
        .int(1, FORMAT)
        .text(2, "gradsweep")
        .text(3, &model.info.version)
        .message(7, &graph(model))
        .message(8, &operators("", OPERATORS))
        .message(8, &operators(ML_DOMAIN, ML_OPERATORS))
        .each(properties, |message, (key, value)| {
            message.message(14, &Message::new().text(1, key).text(2, &value))
        })
        .into_bytes()
}

fn graph(model: &Model) -> Message {
    let names: Vec<&str> = model.info.columns.iter().map(|column| column.name.as_str()).collect();
    let mut graph = Graph::new(&names);
    let mut added = Vec::new();
    added.extend(terms::add_numbers(&mut graph, &numbers(model)));
    for column in levels(model) {
        added.push(terms::add_levels(&mut graph, &column));
    }
    let all = graph.concat("terms", &added);
    let one = graph.constant("axis", &Tensor::Integers(vec![1], vec![1]));
    let sum = graph.node("ReduceSum", "sum", &[&all, &one], &[]);
    let intercept = graph.constant("intercept", &Tensor::Doubles(vec![1], vec![model.numbers.intercept]));
    let z = graph.node("Add", "log_odds", &[&sum, &intercept], &[]);

    let minus_z = graph.node("Neg", "minus_log_odds", &[&z], &[]);
    // Both from the log odds: 1 − p would lose the digits of a small probability.
    let negative = graph.node("Sigmoid", "negative", &[&minus_z], &[]);
    let positive = graph.node("Sigmoid", "positive", &[&z], &[]);
    let probabilities = graph.output("probabilities");
    graph.concat_as(&probabilities, &[negative, positive]);

    let threshold = graph.constant("cut", &Tensor::Doubles(vec![1], vec![cut(model)]));
    let is_positive = graph.node("Greater", "is_positive", &[&z, &threshold], &[]);
    let class = graph.cast_to_integer("class", &is_positive);
    let (labels, kind) = match Labels::of(model) {
        Labels::Integers(labels) => (Tensor::Integers(vec![2], labels.to_vec()), graph::INTEGER),
        Labels::Texts(labels) => (Tensor::Texts(vec![2], labels.to_vec()), graph::TEXT),
    };
    let labels = graph.constant("labels", &labels);
    let chosen = graph.node("Gather", "chosen", &[&labels, &class], &[]);
    let label = graph.output("label");
    graph.node_as("Squeeze", &label, &[&chosen, &one], &[]);

    graph.declare_output(&label, kind, &[Dimension::Rows]);
    graph.declare_output(&probabilities, graph::DOUBLE, &[Dimension::Rows, Dimension::Of(2)]);
    graph.finish(&model.info.name)
}

#[cfg(test)]
mod tests {
    use super::super::model::sample;
    use super::*;

    fn count(bytes: &[u8], text: &str) -> usize {
        bytes
            .windows(text.len())
            .filter(|window| *window == text.as_bytes())
            .count()
    }

    #[test]
    fn every_column_is_an_input_under_its_own_name() {
        let bytes = encode(&sample());
        for (name, kind) in [
            ("hour", graph::DOUBLE),
            ("carrier", graph::TEXT),
            ("month", graph::DOUBLE),
        ] {
            let input = graph::value(name, kind, &[Dimension::Rows, Dimension::Of(1)]).into_bytes();
            assert!(bytes.windows(input.len()).any(|window| window == input), "{name}");
        }
        assert_eq!(count(&bytes, "LabelEncoder"), 1);
    }

    #[test]
    fn a_column_may_be_called_as_anything_in_the_graph() {
        let mut model = sample();
        model.info.columns[0].name = "label".to_owned();
        model.info.columns[1].name = "gradsweep/sum".to_owned();
        let bytes = encode(&model);
        assert!(count(&bytes, "output_label") > 0);
        assert!(count(&bytes, "_gradsweep/sum") > 0);
        assert_eq!(count(&encode(&sample()), "output_label"), 0);
    }

    #[test]
    fn equal_models_make_equal_files() {
        assert_eq!(encode(&sample()), encode(&sample()));
    }
}
