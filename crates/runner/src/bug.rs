//! Panics of the program, as values.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// What some work comes to, or what the panic said, in one line, that ended it. The panic's own text, with its place in the
/// source, is on standard error.
///
/// Whatever the work writes to may be left half done: the caller looks at it no more, but for what was whole before.
pub(crate) fn caught<R>(work: impl FnOnce() -> R) -> Result<R, String> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| message(panic.as_ref()))
}

/// What a panic said, in one line.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied());
    let line = text.and_then(|text| text.lines().next()).unwrap_or("it said nothing");
    line.chars().take(200).collect()
}

#[cfg(test)]
mod tests {
    use super::caught;

    #[test]
    fn a_panic_is_the_first_line_of_what_it_said() {
        let last = [1, 2].len();
        assert_eq!(caught(|| 2), Ok(2));
        assert_eq!(caught(|| panic!("a plain one")), Err::<(), _>("a plain one".to_owned()));
        assert_eq!(
            caught(|| panic!("{last} lines\nthe second")),
            Err::<(), _>("2 lines".to_owned())
        );
        assert_eq!(
            caught(|| std::panic::panic_any(7)),
            Err::<(), _>("it said nothing".to_owned())
        );
    }
}
