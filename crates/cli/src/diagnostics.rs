//! Temporary.
pub(crate) fn render(problems: &gradsweep_runner::config::Problems, _color: bool, _width: usize) -> String { problems.to_string() }
