//! The one flag that everything which can end a sweep early sets, and that training looks at between batches.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

/// Why a sweep was told to stop.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StopCause {
    /// Somebody asked for it: a signal, or the caller.
    Asked,
    /// `run.time_limit` is over.
    TimeLimit,
    /// More runs failed than may.
    Failures {
        /// How many may.
        allowed: u32,
    },
}

impl std::fmt::Display for StopCause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Asked => f.write_str("as asked"),
            Self::TimeLimit => f.write_str("at run.time_limit"),
            Self::Failures { allowed: 0 } => f.write_str("at a run that failed"),
            Self::Failures { allowed: 1 } => f.write_str("when more than 1 run had failed"),
            Self::Failures { allowed } => write!(f, "when more than {allowed} runs had failed"),
        }
    }
}

/// Tells a sweep to stop at the next safe point: between two batches, or two trips over the rows.
///
/// Clones share the flag. A look at it costs as much as an atomic load, and a clock reading where there is a deadline.
#[derive(Debug, Clone, Default)]
pub struct StopFlag {
    is_asked: Arc<AtomicBool>,
    deadline: Option<Instant>,
    /// Runs that have failed, and how many may.
    failures: Option<(Arc<AtomicU32>, u32)>,
}

impl StopFlag {
    /// The same flag, which is also set when more than so many runs have failed from now on.
    #[must_use]
    pub fn allowing(&self, failures: u32) -> Self {
        Self {
            failures: Some((Arc::default(), failures)),
            ..self.clone()
        }
    }

    /// Takes note of a run that failed.
    pub fn count_failure(&self) {
        if let Some((failed, _)) = &self.failures {
            failed.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// The same flag, which is also set when `limit` from now is over.
    #[must_use]
    pub fn within(&self, limit: Option<Duration>) -> Self {
        // A limit beyond the clock's range is none.
        let end = limit.and_then(|limit| Instant::now().checked_add(limit));
        let deadline = match (self.deadline, end) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self {
            deadline,
            ..self.clone()
        }
    }

    /// Sets the flag.
    pub fn ask(&self) {
        self.is_asked.store(true, Ordering::Relaxed);
    }

    /// What a signal handler may set.
    pub fn shared(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.is_asked)
    }

    /// Whether it is time to stop.
    pub fn is_set(&self) -> bool {
        self.cause().is_some()
    }

    /// Why it is time to stop, if it is.
    pub fn cause(&self) -> Option<StopCause> {
        if self.is_asked.load(Ordering::Relaxed) {
            return Some(StopCause::Asked);
        }
        let is_over = self.deadline.is_some_and(|deadline| Instant::now() >= deadline);
        if is_over {
            return Some(StopCause::TimeLimit);
        }
        let (failed, allowed) = self.failures.as_ref()?;
        let allowed = *allowed;
        (failed.load(Ordering::Relaxed) > allowed).then_some(StopCause::Failures { allowed })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clones_share_the_flag_and_deadlines_only_come_nearer() {
        let flag = StopFlag::default();
        assert_eq!(flag.cause(), None);
        assert_eq!(flag.within(Some(Duration::MAX)).cause(), None);
        let over = flag.within(Some(Duration::ZERO));
        assert_eq!(over.cause(), Some(StopCause::TimeLimit));
        assert_eq!(
            over.within(Some(Duration::from_secs(3600))).cause(),
            Some(StopCause::TimeLimit)
        );
        let strict = flag.allowing(1).within(None);
        strict.count_failure();
        assert_eq!((strict.cause(), flag.allowing(0).cause()), (None, None));
        strict.count_failure();
        assert_eq!(strict.clone().cause(), Some(StopCause::Failures { allowed: 1 }));
        flag.ask();
        assert_eq!(over.cause(), Some(StopCause::Asked));
        let from_handler = StopFlag::default();
        from_handler.shared().store(true, Ordering::Relaxed);
        assert!(from_handler.is_set());
    }
}
