//! What polars says, cut to what concerns the user.

use std::fmt;

use polars::error::PolarsError;

/// An error of the library that parses files. Its text is one line of at most 200 characters: what follows is advice
/// on options of that library, and the file itself.
#[derive(Debug)]
pub struct ReaderError(PolarsError);

/// Characters shown.
const LONGEST: usize = 200;

impl From<PolarsError> for ReaderError {
    fn from(error: PolarsError) -> Self {
        Self(error)
    }
}

impl fmt::Display for ReaderError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let text = self.0.to_string();
        let line = text.lines().next().unwrap_or_default();
        match line.char_indices().nth(LONGEST) {
            Some((end, _)) => write!(f, "{}…", &line[..end]),
            None => f.write_str(line),
        }
    }
}

/// The whole text of polars is no cause to be printed, so there is no source.
impl std::error::Error for ReaderError {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_messages_are_one_short_line() {
        let error = ReaderError::from(PolarsError::ComputeError("bad\nset truncate_ragged_lines".into()));
        assert_eq!(error.to_string(), "bad");
        let long = ReaderError::from(PolarsError::ComputeError("ä".repeat(999).into()));
        assert_eq!(long.to_string().chars().count(), LONGEST + 1);
    }
}
