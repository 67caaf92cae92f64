//! `--where`: which trials are compared, as a short expression.
//!
//! ```text
//! expression = term { "or" term }          term = factor { "and" factor }
//! factor     = "not" factor | "(" expression ")" | NAME operator VALUE | NAME "in" "[" VALUE { "," VALUE } "]" | NAME
//! operator   = "<" | "<=" | ">" | ">=" | "==" | "=" | "!="
//! VALUE      = a number, inf, true, false, null, "text" or 'text'
//! ```

use gradsweep_store::{ParamValue, TrialRow};

use crate::columns::Column;
use crate::error::ReportError;
use crate::params::Source;

use super::tokens::{Token, tokens};

/// Deepest nesting of brackets and `not`.
const DEEPEST: usize = 64;

/// A condition on trials.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Filter {
    Any(Vec<Filter>),
    All(Vec<Filter>),
    Not(Box<Filter>),
    Compare(Column, Operator, ParamValue),
    In(Column, Vec<ParamValue>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Operator {
    Less,
    AtMost,
    More,
    AtLeast,
    Equal,
    Unequal,
}

impl Filter {
    /// Reads an expression over the columns of these sweeps.
    pub(crate) fn parse(text: &str, sources: &[Source]) -> Result<Self, ReportError> {
        let mut parser = Parser {
            text,
            tokens: tokens(text)?,
            next: 0,
            depth: 0,
            sources,
        };
        let filter = parser.any()?;
        match parser.peek() {
            None => Ok(filter),
            Some(_) => Err(parser.error("expected and, or, or the end here")),
        }
    }

    /// Whether a trial meets the condition. What has no value meets no comparison but `== null` and `!= …`.
    pub(crate) fn holds(&self, source: &Source, row: &TrialRow) -> bool {
        match self {
            Self::Any(parts) => parts.iter().any(|part| part.holds(source, row)),
            Self::All(parts) => parts.iter().all(|part| part.holds(source, row)),
            Self::Not(part) => !part.holds(source, row),
            Self::Compare(column, operator, value) => operator.holds(&column.of(source, row), value),
            Self::In(column, values) => {
                let own = column.of(source, row);
                values.iter().any(|value| Operator::Equal.holds(&own, value))
            }
        }
    }
}

impl Operator {
    fn holds(self, own: &ParamValue, other: &ParamValue) -> bool {
        let is_equal = match (own.as_f64(), other.as_f64()) {
            (Some(own), Some(other)) => own == other,
            _ => own == other,
        };
        match self {
            Self::Equal => return is_equal,
            Self::Unequal => return !is_equal,
            _ => {}
        }
        let (Some(own), Some(other)) = (own.as_f64(), other.as_f64()) else {
            return false;
        };
        match self {
            Self::Less => own < other,
            Self::AtMost => own <= other,
            Self::More => own > other,
            Self::AtLeast => own >= other,
            Self::Equal | Self::Unequal => is_equal,
        }
    }

    fn is_order(self) -> bool {
        !matches!(self, Self::Equal | Self::Unequal)
    }
}

struct Parser<'a> {
    text: &'a str,
    /// Each with the byte it begins at.
    tokens: Vec<(usize, Token)>,
    next: usize,
    depth: usize,
    sources: &'a [Source<'a>],
}

impl Parser<'_> {
    fn peek(&self) -> Option<&Token> {
        self.tokens.get(self.next).map(|(_, token)| token)
    }

    fn take(&mut self) -> Option<Token> {
        let token = self.peek().cloned();
        self.next += 1;
        token
    }

    /// Whether the next token is this word; if so it is taken.
    fn takes(&mut self, word: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Word(held)) if held == word);
        self.next += usize::from(is_next);
        is_next
    }

    fn takes_sign(&mut self, sign: &str) -> bool {
        let is_next = matches!(self.peek(), Some(Token::Sign(held)) if *held == sign);
        self.next += usize::from(is_next);
        is_next
    }

    /// At the next token.
    fn error(&self, problem: impl Into<String>) -> ReportError {
        let at = self.tokens.get(self.next).map_or(self.text.len(), |(at, _)| *at);
        error_at(self.text, at, problem)
    }

    /// At the token before the next.
    fn error_before(&self, problem: impl Into<String>) -> ReportError {
        let at = self.tokens.get(self.next.saturating_sub(1)).map_or(0, |(at, _)| *at);
        error_at(self.text, at, problem)
    }

    fn any(&mut self) -> Result<Filter, ReportError> {
        let mut parts = vec![self.all()?];
        while self.takes("or") {
            parts.push(self.all()?);
        }
        Ok(one_or(parts, Filter::Any))
    }

    fn all(&mut self) -> Result<Filter, ReportError> {
        let mut parts = vec![self.factor()?];
        while self.takes("and") {
            parts.push(self.factor()?);
        }
        Ok(one_or(parts, Filter::All))
    }

    fn factor(&mut self) -> Result<Filter, ReportError> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(self.error("nested too deeply here"));
        }
        let filter = if self.takes("not") {
            Filter::Not(Box::new(self.factor()?))
        } else if self.takes_sign("(") {
            let inner = self.any()?;
            if !self.takes_sign(")") {
                return Err(self.error("expected ) here"));
            }
            inner
        } else {
            self.condition()?
        };
        self.depth -= 1;
        Ok(filter)
    }

    fn condition(&mut self) -> Result<Filter, ReportError> {
        let name = match self.peek() {
            Some(Token::Word(name)) => name.clone(),
            Some(Token::Value(_)) => return Err(self.error("a condition begins with a column, as in C < 1")),
            _ => return Err(self.error("expected a column here, as in C < 1")),
        };
        self.next += 1;
        let column = Column::named(&name, self.sources).map_err(|error| match error {
            ReportError::UnknownColumn { name, meant } => {
                let ReportError::Where { text, at, problem, .. } = self.error_before(format!("no column {name:?}"))
                else {
                    return ReportError::UnknownColumn { name, meant };
                };
                ReportError::Where {
                    text,
                    at,
                    problem,
                    meant,
                }
            }
            other => other,
        })?;
        if self.takes("in") {
            return self.list(column);
        }
        let operator = match self.peek() {
            Some(Token::Sign(sign)) => match *sign {
                "<" => Operator::Less,
                "<=" => Operator::AtMost,
                ">" => Operator::More,
                ">=" => Operator::AtLeast,
                "=" | "==" => Operator::Equal,
                "!=" => Operator::Unequal,
                _ => return self.flag(column),
            },
            _ => return self.flag(column),
        };
        self.next += 1;
        let value = self.value()?;
        self.check(&column, operator, &value)?;
        Ok(Filter::Compare(column, operator, value))
    }

    /// A column alone: whether it is true.
    fn flag(&self, column: Column) -> Result<Filter, ReportError> {
        let is_flag = self
            .sample(&column)
            .iter()
            .any(|value| matches!(value, ParamValue::Bool(_)));
        if is_flag {
            return Ok(Filter::Compare(column, Operator::Equal, ParamValue::Bool(true)));
        }
        Err(self.error("expected <, <=, >, >=, ==, != or in here"))
    }

    fn list(&mut self, column: Column) -> Result<Filter, ReportError> {
        let close = match () {
            () if self.takes_sign("[") => "]",
            () if self.takes_sign("(") => ")",
            () => return Err(self.error("expected a list here, as in [0.1, 1]")),
        };
        let mut values = Vec::new();
        loop {
            let value = self.value()?;
            self.check(&column, Operator::Equal, &value)?;
            values.push(value);
            if self.takes_sign(close) {
                return Ok(Filter::In(column, values));
            }
            if !self.takes_sign(",") {
                return Err(self.error(format!("expected , or {close} here")));
            }
        }
    }

    fn value(&mut self) -> Result<ParamValue, ReportError> {
        match self.take() {
            Some(Token::Value(value)) => Ok(value),
            Some(Token::Word(word)) => match word.as_str() {
                "true" => Ok(ParamValue::Bool(true)),
                "false" => Ok(ParamValue::Bool(false)),
                "null" => Ok(ParamValue::Null),
                "inf" => Ok(ParamValue::Float(f64::INFINITY)),
                text => Err(self.error_before(format!("a text stands in quotes: \"{text}\""))),
            },
            _ => {
                self.next -= 1;
                Err(self.error("expected a value here: a number, true, false, null or a text in quotes"))
            }
        }
    }

    /// Refuses comparisons that no trial could meet because kinds differ.
    fn check(&self, column: &Column, operator: Operator, value: &ParamValue) -> Result<(), ReportError> {
        if value.is_null() && !operator.is_order() {
            return Ok(());
        }
        if operator.is_order() && value.as_f64().is_none() {
            return Err(self.error_before("only numbers are smaller or greater"));
        }
        let mut held = self.sample(column);
        held.retain(|held| !held.is_null());
        let fits = |held: &ParamValue| {
            matches!(
                (held, value),
                (ParamValue::Bool(_), ParamValue::Bool(_)) | (ParamValue::Text(_), ParamValue::Text(_))
            ) || (held.as_f64().is_some() && value.as_f64().is_some())
        };
        if held.is_empty() || held.iter().any(fits) {
            return Ok(());
        }
        let mut examples: Vec<String> = Vec::new();
        for value in &held {
            let text = match value {
                ParamValue::Text(text) => format!("\"{text}\""),
                other => other.to_string(),
            };
            if !examples.contains(&text) && examples.len() < 4 {
                examples.push(text);
            }
        }
        Err(self.error_before(format!("that column holds {}", examples.join(", "))))
    }

    /// The column's values in all trials.
    fn sample(&self, column: &Column) -> Vec<ParamValue> {
        let sources = self.sources.iter();
        let values = sources.flat_map(|source| source.trials.rows.iter().map(|row| column.of(source, row)));
        values.collect()
    }
}

pub(super) fn error_at(text: &str, at: usize, problem: impl Into<String>) -> ReportError {
    ReportError::Where {
        text: text.to_owned(),
        at,
        problem: problem.into(),
        meant: Vec::new(),
    }
}

fn one_or(mut parts: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        Some(last) => {
            parts.push(last);
            many(parts)
        }
        None => many(parts),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use gradsweep_store::{Manifest, MetricInfo, Score, TrialState, TrialTable};

    fn table() -> TrialTable {
        let row = |trial: u32, c: f64, solver: &str, loss: f64| TrialRow {
            trial,
            params: vec![
                ParamValue::Float(c),
                ParamValue::Text(solver.to_owned()),
                ParamValue::Bool(trial == 1),
            ],
            scores: vec![Score {
                mean_val: Some(loss),
                ..Score::default()
            }],
            rank: 1,
            state: TrialState::Complete,
            rung: None,
            n_runs: 1,
            n_failed: 0,
            is_selected: trial == 0,
        };
        TrialTable {
            params: ["model.C", "train.solver", "train.nesterov"].map(str::to_owned).into(),
            metrics: vec![MetricInfo {
                name: "log_loss".to_owned(),
                higher_is_better: false,
            }],
            rows: vec![
                row(0, 0.1, "sgd", 0.5),
                row(1, 1.0, "adam", 0.4),
                row(2, f64::INFINITY, "sgd", 0.6),
            ],
        }
    }

    fn kept(text: &str) -> Vec<u32> {
        let (manifest, trials) = (Manifest::default(), table());
        let sources = [Source {
            name: "s",
            manifest: &manifest,
            trials: &trials,
        }];
        let filter = Filter::parse(text, &sources).unwrap_or_else(|error| panic!("{text}: {error} {:?}", error.hint()));
        let rows = trials.rows.iter().filter(|row| filter.holds(&sources[0], row));
        rows.map(|row| row.trial).collect()
    }

    fn refused(text: &str) -> String {
        let (manifest, trials) = (Manifest::default(), table());
        let sources = [Source {
            name: "s",
            manifest: &manifest,
            trials: &trials,
        }];
        let error = Filter::parse(text, &sources).expect_err(text);
        format!("{error}\n{}", error.hint().unwrap_or_default())
    }

    #[test]
    fn conditions_hold_as_they_read() {
        assert_eq!(kept("param.model.C < 1"), [0]);
        assert_eq!(kept("model.C >= 1"), [1, 2]);
        assert_eq!(kept("C == inf"), [2]);
        assert_eq!(kept("C in [0.1, 1]"), [0, 1]);
        assert_eq!(kept("solver = 'sgd' and not log_loss < 0.55"), [2]);
        assert_eq!(kept("(solver == \"adam\" or C < 1) and log_loss <= .45"), [1]);
        assert_eq!(kept("C < 0.5 or solver == \"adam\" and C > 5"), [0]);
        assert_eq!(kept("nesterov"), [1]);
        assert_eq!(kept("not selected and state == \"complete\""), [1, 2]);
        assert_eq!(kept("trial != 1"), [0, 2]);
        assert_eq!(kept("rung == null"), [0, 1, 2]);
        assert_eq!(kept("C > -1e-3"), [0, 1, 2]);
    }

    #[test]
    fn mistakes_are_shown_where_they_are() {
        insta::assert_snapshot!(refused("param.model.c < 1"), @r#"
        --where: no column "param.model.c"
        param.model.c < 1
        ^ did you mean param.model.C?
        "#);
        insta::assert_snapshot!(refused("C <"), @"
        --where: expected a value here: a number, true, false, null or a text in quotes
        C <
           ^
        ");
        insta::assert_snapshot!(refused("solver == sgd"), @r#"
        --where: a text stands in quotes: "sgd"
        solver == sgd
                  ^
        "#);
        insta::assert_snapshot!(refused("solver == 3"), @r#"
        --where: that column holds "sgd", "adam"
        solver == 3
                  ^
        "#);
        insta::assert_snapshot!(refused("C < 1 C > 0"), @"
        --where: expected and, or, or the end here
        C < 1 C > 0
              ^
        ");
        insta::assert_snapshot!(refused("(C < 1"), @"
        --where: expected ) here
        (C < 1
              ^
        ");
        insta::assert_snapshot!(refused("C ~ 1"), @"
        --where: `~` means nothing here
        C ~ 1
          ^
        ");
        insta::assert_snapshot!(refused("solver == 'sgd"), @"
        --where: this text has no closing quote
        solver == 'sgd
                  ^
        ");
        insta::assert_snapshot!(refused(""), @"
        --where: expected a column here, as in C < 1

        ^
        ");
        assert!(refused(&"(".repeat(1000)).contains("nested too deeply"));
    }
}
