//! An ONNX graph that is being built. Numbers of fields are those of `onnx.proto`.

use super::super::protobuf::Message;
use super::ML_DOMAIN;

/// Element types of tensors.
pub(super) const INTEGER: i64 = 7;
pub(super) const TEXT: i64 = 8;
pub(super) const BOOL: i64 = 9;
pub(super) const DOUBLE: i64 = 11;

/// A constant, its dimensions first.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tensor {
    Doubles(Vec<i64>, Vec<f64>),
    Integers(Vec<i64>, Vec<i64>),
    Bools(Vec<i64>, Vec<bool>),
    Texts(Vec<i64>, Vec<String>),
}

/// A dimension of an input or output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dimension {
    /// As many as there are rows.
    Rows,
    Of(i64),
}

/// What a node is told besides its inputs.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Attribute<'a> {
    Integer(&'static str, i64),
    Integers(&'static str, Vec<i64>),
    Texts(&'static str, Vec<&'a str>),
}

/// A graph that is being built.
#[derive(Debug)]
pub(super) struct Graph<'a> {
    columns: Vec<&'a str>,
    /// In front of every name that is not a column's.
    prefix: String,
    nodes: Vec<Message>,
    constants: Vec<Message>,
    inputs: Vec<Message>,
    outputs: Vec<Message>,
    names: usize,
}

impl<'a> Graph<'a> {
    /// A graph over columns, whose names no value inside may have.
    pub(super) fn new(columns: &[&'a str]) -> Self {
        let mut prefix = "gradsweep/".to_owned();
        while columns.iter().any(|name| name.starts_with(&prefix)) {
            prefix.insert(0, '_');
        }
        Self {
            columns: columns.to_vec(),
            prefix,
            nodes: Vec::new(),
            constants: Vec::new(),
            inputs: Vec::new(),
            outputs: Vec::new(),
            names: 0,
        }
    }

    /// A name for a value inside the graph.
    fn name(&mut self, what: &str) -> String {
        self.names += 1;
        format!("{}{what}_{}", self.prefix, self.names)
    }

    /// A name for an output: `name`, unless a column has it.
    pub(super) fn output(&self, name: &str) -> String {
        let mut name = name.to_owned();
        while self.columns.contains(&name.as_str()) {
            let prefix = if name.starts_with("output_") { "_" } else { "output_" };
            name.insert_str(0, prefix);
        }
        name
    }

    pub(super) fn input(&mut self, name: &str, kind: i64) {
        self.inputs
            .push(value(name, kind, &[Dimension::Rows, Dimension::Of(1)]));
    }

    pub(super) fn declare_output(&mut self, name: &str, kind: i64, dimensions: &[Dimension]) {
        self.outputs.push(value(name, kind, dimensions));
    }

    pub(super) fn constant(&mut self, what: &str, tensor: &Tensor) -> String {
        let name = self.name(what);
        self.constants.push(tensor.message(&name));
        name
    }

    pub(super) fn node(&mut self, operator: &str, what: &str, inputs: &[&str], attributes: &[Attribute<'_>]) -> String {
        let name = self.name(what);
        self.node_as(operator, &name, inputs, attributes);
        name
    }

    /// A node whose value has a name already.
    pub(super) fn node_as(&mut self, operator: &str, output: &str, inputs: &[&str], attributes: &[Attribute<'_>]) {
        let domain = if operator == "LabelEncoder" { ML_DOMAIN } else { "" };
        let node = Message::new()
            .each(inputs, |node, input| node.text(1, input))
            .text(2, output)
            .text(3, output)
            .text(4, operator)
            .each(attributes, |node, attribute| node.message(5, &attribute.message()))
            .text(7, domain);
        self.nodes.push(node);
    }

    /// Columns side by side.
    pub(super) fn concat(&mut self, what: &str, columns: &[String]) -> String {
        let name = self.name(what);
        self.concat_as(&name, columns);
        name
    }

    pub(super) fn concat_as(&mut self, output: &str, columns: &[String]) {
        let inputs: Vec<&str> = columns.iter().map(String::as_str).collect();
        self.node_as("Concat", output, &inputs, &[Attribute::Integer("axis", 1)]);
    }

    pub(super) fn cast_to_integer(&mut self, what: &str, input: &str) -> String {
        self.node("Cast", what, &[input], &[Attribute::Integer("to", INTEGER)])
    }

    pub(super) fn finish(self, name: &str) -> Message {
        Message::new()
            .each(&self.nodes, |graph, node| graph.message(1, node))
            .text(2, name)
            .each(&self.constants, |graph, constant| graph.message(5, constant))
            .each(&self.inputs, |graph, input| graph.message(11, input))
            .each(&self.outputs, |graph, output| graph.message(12, output))
    }
}

/// A length or a place as ONNX has it.
pub(super) fn integer(value: usize) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// An input or output.
pub(super) fn value(name: &str, kind: i64, dimensions: &[Dimension]) -> Message {
    let shape = Message::new().each(dimensions, |shape, dimension| {
        let size = match dimension {
            Dimension::Rows => Message::new().text(2, "rows"),
            Dimension::Of(size) => Message::new().int(1, *size),
        };
        shape.message(1, &size)
    });
    let tensor = Message::new().int(1, kind).message(2, &shape);
    Message::new()
        .text(1, name)
        .message(2, &Message::new().message(1, &tensor))
}

impl Tensor {
    fn message(&self, name: &str) -> Message {
        let raw = |dimensions: &[i64], kind, bytes: Vec<u8>| {
            Message::new()
                .each(dimensions, |tensor, size| tensor.int(1, *size))
                .int(2, kind)
                .text(8, name)
                .bytes(9, &bytes)
        };
        match self {
            Self::Doubles(dimensions, values) => raw(
                dimensions,
                DOUBLE,
                values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
            Self::Integers(dimensions, values) => raw(
                dimensions,
                INTEGER,
                values.iter().flat_map(|value| value.to_le_bytes()).collect(),
            ),
            Self::Bools(dimensions, values) => {
                raw(dimensions, BOOL, values.iter().map(|value| u8::from(*value)).collect())
            }
            Self::Texts(dimensions, values) => Message::new()
                .each(dimensions, |tensor, size| tensor.int(1, *size))
                .int(2, TEXT)
                .each(values, |tensor, text| tensor.text(6, text))
                .text(8, name),
        }
    }
}

impl Attribute<'_> {
    fn message(&self) -> Message {
        let [integer, integers, texts] = [2, 7, 8];
        match self {
            Self::Integer(name, value) => Message::new().text(1, name).int(3, *value).int(20, integer),
            Self::Integers(name, values) => Message::new()
                .text(1, name)
                .each(values, |attribute, value| attribute.int(8, *value))
                .int(20, integers),
            Self::Texts(name, values) => Message::new()
                .text(1, name)
                .each(values, |attribute, value| attribute.text(9, value))
                .int(20, texts),
        }
    }
}
