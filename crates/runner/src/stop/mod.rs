//! Ending a sweep before its time, at a point from which it can go on.

mod flag;

pub use flag::{StopCause, StopFlag};
