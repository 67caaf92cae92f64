//! A computation graph: forward to the value, backward with the chain rule to every derivative.
//!
//! Nodes live in one arena in the order in which they were made, which is a topological order, so both passes are a
//! plain loop. It is the exact oracle of the fused kernels, and what `explain` prints.

use std::fmt::Write;

use ndarray::Array2;

use crate::loss::logistic;
use crate::reference::{Gradient, Problem};

/// A node of a [`Graph`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Node(usize);

/// What a node computes from its operands.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Operation {
    Input,
    Add(Node, Node),
    Multiply(Node, Node),
    Divide(Node, Node),
    Maximum(Node, Node),
    Exp(Node),
    Log(Node),
    Abs(Node),
    Square(Node),
    Reciprocal(Node),
    Sigmoid(Node),
    /// Of a score, for the label.
    LogisticLoss(Node, f64),
}

/// An arena of nodes with their values and, after [`Graph::backward`], the derivative of the output by each of them.
///
/// # Examples
/// The course's J = 3(a + bc) at a = 5, b = 3, c = 2, with u = bc and v = a + u:
/// ```
/// use gradsweep_math::check::graph::Graph;
///
/// let mut graph = Graph::default();
/// let (a, b, c) = (graph.input("a", 5.0), graph.input("b", 3.0), graph.input("c", 2.0));
/// let u = graph.multiply("u", b, c);
/// let v = graph.add("v", a, u);
/// let three = graph.input("3", 3.0);
/// let j = graph.multiply("J", three, v);
/// graph.backward(j);
/// assert_eq!(graph.value(j), 33.0);
/// let derivatives = [a, u, b, c].map(|node| graph.derivative(node));
/// assert_eq!(derivatives, [3.0, 3.0, 6.0, 9.0]);
/// ```
#[derive(Debug, Clone, Default)]
pub struct Graph {
    names: Vec<String>,
    operations: Vec<Operation>,
    values: Vec<f64>,
    derivatives: Vec<f64>,
}

impl Graph {
    /// A leaf with a value.
    pub fn input(&mut self, name: impl Into<String>, value: f64) -> Node {
        self.push(name.into(), Operation::Input, value)
    }

    /// a + b
    pub fn add(&mut self, name: impl Into<String>, a: Node, b: Node) -> Node {
        self.push(name.into(), Operation::Add(a, b), self.value(a) + self.value(b))
    }

    /// a · b
    pub fn multiply(&mut self, name: impl Into<String>, a: Node, b: Node) -> Node {
        self.push(name.into(), Operation::Multiply(a, b), self.value(a) * self.value(b))
    }

    /// a / b
    pub fn divide(&mut self, name: impl Into<String>, a: Node, b: Node) -> Node {
        self.push(name.into(), Operation::Divide(a, b), self.value(a) / self.value(b))
    }

    /// max(a, b); where they are equal the derivative goes to a.
    pub fn maximum(&mut self, name: impl Into<String>, a: Node, b: Node) -> Node {
        self.push(name.into(), Operation::Maximum(a, b), self.value(a).max(self.value(b)))
    }

    /// exp(a)
    pub fn exp(&mut self, name: impl Into<String>, a: Node) -> Node {
        self.push(name.into(), Operation::Exp(a), self.value(a).exp())
    }

    /// log(a), natural
    pub fn log(&mut self, name: impl Into<String>, a: Node) -> Node {
        self.push(name.into(), Operation::Log(a), self.value(a).ln())
    }

    /// |a|; its derivative at 0 is 0.
    pub fn abs(&mut self, name: impl Into<String>, a: Node) -> Node {
        self.push(name.into(), Operation::Abs(a), self.value(a).abs())
    }

    /// a²
    pub fn square(&mut self, name: impl Into<String>, a: Node) -> Node {
        self.push(name.into(), Operation::Square(a), self.value(a).powi(2))
    }

    /// 1 / a
    pub fn reciprocal(&mut self, name: impl Into<String>, a: Node) -> Node {
        self.push(name.into(), Operation::Reciprocal(a), 1.0 / self.value(a))
    }

    /// σ(a)
    pub fn sigmoid(&mut self, name: impl Into<String>, a: Node) -> Node {
        self.push(name.into(), Operation::Sigmoid(a), logistic::sigmoid(self.value(a)))
    }

    /// The logistic loss of the score z under label y, as one node with the stable derivative σ(z) − y.
    pub fn logistic_loss(&mut self, name: impl Into<String>, z: Node, y: f64) -> Node {
        self.push(
            name.into(),
            Operation::LogisticLoss(z, y),
            logistic::loss(y, self.value(z)),
        )
    }

    /// The value of a node.
    pub fn value(&self, node: Node) -> f64 {
        self.values[node.0]
    }

    /// The derivative of the output by a node; 0 before [`Graph::backward`].
    pub fn derivative(&self, node: Node) -> f64 {
        self.derivatives[node.0]
    }

    /// The backward pass: the chain rule from `output` to every node it depends on.
    pub fn backward(&mut self, output: Node) {
        self.derivatives.fill(0.0);
        self.derivatives[output.0] = 1.0;
        for index in (0..=output.0).rev() {
            let d = self.derivatives[index];
            for (operand, slope) in self.slopes(index).into_iter().flatten() {
                self.derivatives[operand.0] += d * slope;
            }
        }
    }

    /// The graph in Graphviz's language: a box per node with its value and derivative.
    pub fn to_dot(&self) -> String {
        let mut out = String::from("digraph explain {\n  rankdir=LR\n  node [shape=box, fontname=\"monospace\"]\n");
        for (index, name) in self.names.iter().enumerate() {
            let name = name
                .replace('\\', "\\\\")
                .replace('"', "\\\"")
                .replace(char::is_control, " ");
            let (value, derivative) = (self.values[index], self.derivatives[index]);
            // Writing to a String cannot fail.
            let _ = writeln!(
                out,
                "  n{index} [label=\"{name}\\nvalue {value:.6}\\nderivative {derivative:.6}\"]"
            );
            for (operand, _) in self.slopes(index).into_iter().flatten() {
                let _ = writeln!(out, "  n{} -> n{index}", operand.0);
            }
        }
        out.push_str("}\n");
        out
    }

    fn push(&mut self, name: String, operation: Operation, value: f64) -> Node {
        self.names.push(name);
        self.operations.push(operation);
        self.values.push(value);
        self.derivatives.push(0.0);
        Node(self.values.len() - 1)
    }

    /// The operands of a node and the derivative of the node by each.
    fn slopes(&self, index: usize) -> [Option<(Node, f64)>; 2] {
        let own = self.values[index];
        let value = |node: Node| self.values[node.0];
        match self.operations[index] {
            Operation::Input => [None, None],
            Operation::Add(a, b) => [Some((a, 1.0)), Some((b, 1.0))],
            Operation::Multiply(a, b) => [Some((a, value(b))), Some((b, value(a)))],
            Operation::Divide(a, b) => [Some((a, 1.0 / value(b))), Some((b, -own / value(b)))],
            Operation::Maximum(a, b) => {
                let first = value(a) >= value(b);
                [
                    Some((a, f64::from(u8::from(first)))),
                    Some((b, f64::from(u8::from(!first)))),
                ]
            }
            Operation::Exp(a) => [Some((a, own)), None],
            Operation::Log(a) => [Some((a, 1.0 / value(a))), None],
            Operation::Abs(a) if value(a) == 0.0 => [Some((a, 0.0)), None],
            Operation::Abs(a) => [Some((a, value(a).signum())), None],
            Operation::Square(a) => [Some((a, 2.0 * value(a))), None],
            Operation::Reciprocal(a) => [Some((a, -own * own)), None],
            Operation::Sigmoid(a) => [Some((a, own * (1.0 - own))), None],
            Operation::LogisticLoss(z, y) => [Some((z, logistic::residual(y, value(z)))), None],
        }
    }
}

/// The graph of one example of logistic regression, with the nodes a reader asks for.
#[derive(Debug, Clone)]
pub struct ExampleGraph {
    /// The whole graph.
    pub graph: Graph,
    /// Weights, in feature order.
    pub weights: Vec<Node>,
    /// The intercept.
    pub intercept: Node,
    /// The score z.
    pub score: Node,
    /// The probability a = σ(z).
    pub probability: Node,
    /// The loss.
    pub loss: Node,
}

/// Builds the graph of one example, `L = −y·log a − (1−y)·log(1−a)` with `a = σ(w·x + b)` node by node, and runs it
/// backward.
///
/// # Numerical notes
/// Where a rounds to 0 or 1 the loss is the stable node of the score instead of the two logarithms.
///
/// # Panics
/// If names, features and weights differ in length.
pub fn example(names: &[String], x: &[f64], y: f64, w: &[f64], b: f64) -> ExampleGraph {
    assert!(
        names.len() == x.len() && x.len() == w.len(),
        "{} names, {} features, {} weights",
        names.len(),
        x.len(),
        w.len()
    );
    let mut graph = Graph::default();
    let intercept = graph.input("b", b);
    let mut score = intercept;
    let mut weights = Vec::with_capacity(w.len());
    for ((name, &x), &w) in names.iter().zip(x).zip(w) {
        let weight = graph.input(format!("w {name}"), w);
        let feature = graph.input(format!("x {name}"), x);
        let product = graph.multiply(format!("w·x {name}"), weight, feature);
        score = graph.add("sum", score, product);
        weights.push(weight);
    }
    let probability = graph.sigmoid("a = σ(z)", score);
    let a = graph.value(probability);
    let loss = if a > 1e-12 && a < 1.0 - 1e-12 {
        let minus_one = graph.input("−1", -1.0);
        let of_label = if y > 0.5 {
            probability
        } else {
            let one = graph.input("1", 1.0);
            let negative = graph.multiply("−a", minus_one, probability);
            graph.add("1 − a", one, negative)
        };
        let log = graph.log("log", of_label);
        graph.multiply("L", minus_one, log)
    } else {
        graph.logistic_loss("L", score, y)
    };
    graph.backward(loss);
    ExampleGraph {
        graph,
        weights,
        intercept,
        score,
        probability,
        loss,
    }
}

/// The rung: the graph of every example of every run, gradients summed.
pub fn evaluate(problem: &Problem<'_>) -> Gradient {
    let (d, k) = problem.w.dim();
    let names = vec![String::new(); d];
    let mut out = Gradient {
        loss: vec![0.0; k],
        dw: Array2::zeros((d, k)),
        db: vec![0.0; k],
    };
    for run in 0..k {
        let w = problem.w.column(run).to_vec();
        let share = 1.0 / problem.selection.training_rows(run) as f64;
        for (i, (x, &y)) in problem.x.rows().into_iter().zip(problem.y).enumerate() {
            if problem.selection.trains(i, run) {
                let one = example(&names, &x.to_vec(), y, &w, problem.b[run]);
                out.loss[run] += one.graph.value(one.loss) * share;
                out.db[run] += one.graph.derivative(one.intercept) * share;
                for (sum, &weight) in out.dw.column_mut(run).iter_mut().zip(&one.weights) {
                    *sum += one.graph.derivative(weight) * share;
                }
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::check::finite_difference::{derivative, relative_error};

    /// Every operation against a small step.
    #[test]
    fn every_node_has_the_slope_of_its_function() {
        type Build = fn(&mut Graph, Node) -> Node;
        let operations: [(&str, Build); 12] = [
            ("add", |graph, a| graph.add("", a, a)),
            ("multiply", |graph, a| graph.multiply("", a, a)),
            ("divide", |graph, a| {
                let two = graph.input("", 2.0);
                graph.divide("", two, a)
            }),
            ("divide by", |graph, a| {
                let two = graph.input("", 2.0);
                graph.divide("", a, two)
            }),
            ("maximum", |graph, a| {
                let one = graph.input("", 1.0);
                graph.maximum("", a, one)
            }),
            ("exp", |graph, a| graph.exp("", a)),
            ("log", |graph, a| graph.log("", a)),
            ("abs", |graph, a| graph.abs("", a)),
            ("square", |graph, a| graph.square("", a)),
            ("reciprocal", |graph, a| graph.reciprocal("", a)),
            ("sigmoid", |graph, a| graph.sigmoid("", a)),
            ("logistic loss", |graph, a| graph.logistic_loss("", a, 1.0)),
        ];
        for (name, build) in operations {
            for at in [0.3, 2.5] {
                let value = |a: f64| {
                    let mut graph = Graph::default();
                    let input = graph.input("a", a);
                    let output = build(&mut graph, input);
                    graph.value(output)
                };
                let mut graph = Graph::default();
                let input = graph.input("a", at);
                let output = build(&mut graph, input);
                graph.backward(output);
                let slope = graph.derivative(input);
                assert!(
                    relative_error(slope, derivative(value, at)) < 1e-8,
                    "{name} at {at}: {slope}"
                );
            }
        }
    }

    #[test]
    fn a_label_in_a_name_cannot_leave_its_quotes() {
        let mut graph = Graph::default();
        graph.input("x\"]; evil [label=\"", 1.0);
        assert!(graph.to_dot().contains("x\\\"]; evil [label=\\\""));
    }
}
