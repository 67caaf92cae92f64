//! `[run]`: the machine. Nothing here but the seed and the precision changes a result.

use std::time::Duration;

use super::key::{Format, Kind, Spec, choices, settings};

settings! {
    /// The machine. Nothing here but the seed and the precision changes a result.
    pub RunConfig {
        /// Where all random numbers come from.
        seed "seed": u64 = Spec::of(Kind::Integer(0, i64::MAX), "42").default("0");
        /// Threads of work; 0 = all cores.
        threads "threads": usize = Spec::of(Kind::Integer(0, 4096), "4").default("0").unit("threads");
        /// Above this much memory, tiles live in a memory-mapped cache: a share of the machine's memory or a size.
        memory_limit "memory_limit": String = Spec::of(Kind::Formatted(SIZE), "\"8GiB\"").default("\"75%\"");
        /// The type of the numbers.
        precision "precision": Precision = Spec::of(Kind::Choice(Precision::CHOICES), "\"f64\"").default("\"auto\"");
        /// What a run that fails does to the sweep: as it diverged, or its classes are separated.
        on_error "on_error": OnError = Spec::of(Kind::Choice(OnError::CHOICES), "\"stop\"").default("\"record\"");
        /// Stops the sweep when more runs have failed since the command began, with exit code 75: it can be gone on with.
        max_failures "max_failures": u32 =
            Spec::of(Kind::Integer(0, u32::MAX as i64), "10").default("1000").unit("runs");
        /// Ends the sweep at a checkpoint after this time; absent = none.
        time_limit "time_limit": Option<String> = Spec::of(Kind::Formatted(DURATION), "\"2h\"");
        /// Time between two checkpoints; from one second on it is longer where writing one takes more than a hundredth of it.
        checkpoint_every "checkpoint_every": String =
            Spec::of(Kind::Formatted(DURATION), "\"5m\"").default("\"60s\"");
    }
}

choices! {
    /// The type of the numbers.
    pub Precision {
        /// As `tol` asks for.
        Auto "auto";
        /// 32 bits; sums over tiles have 64.
        F32 "f32";
        /// 64 bits throughout.
        F64 "f64";
    }
}

choices! {
    /// What a run that fails does to the sweep.
    pub OnError {
        /// It is recorded as failed, and the others go on.
        Record "record";
        /// The sweep stops, as with `max_failures = 0`.
        Stop "stop";
    }
}

const SIZE: Format = Format {
    what: "a size, as \"75%\" or \"8GiB\"",
    check: |text| has_unit(text, &["%", "B", "KiB", "MiB", "GiB", "TiB", "kB", "MB", "GB", "TB"]),
};

const DURATION: Format = Format {
    what: "a time, as \"60s\" or \"2h\"",
    check: |text| has_unit(text, &["ms", "s", "m", "h", "d"]),
};

impl RunConfig {
    /// The time between two checkpoints.
    pub fn checkpoint_every(&self) -> Option<Duration> {
        duration(&self.checkpoint_every)
    }

    /// Runs that may fail before the sweep stops.
    pub(crate) fn allowed_failures(&self) -> u32 {
        match self.on_error {
            OnError::Record => self.max_failures,
            OnError::Stop => 0,
        }
    }

    /// The time after which the sweep ends.
    pub fn time_limit(&self) -> Option<Duration> {
        self.time_limit.as_deref().and_then(duration)
    }
}

/// A checked time.
fn duration(text: &str) -> Option<Duration> {
    let number = text.trim_end_matches(char::is_alphabetic);
    let seconds = match text[number.len()..].trim() {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        "d" => 86400.0,
        _ => return None,
    };
    let seconds = number.trim().parse::<f64>().ok()? * seconds;
    Some(Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX))
}

fn has_unit(text: &str, units: &[&str]) -> Option<String> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = text[digits.len()..].trim();
    if digits.trim().parse::<f64>().is_ok_and(|n| n.is_finite() && n > 0.0) && units.contains(&unit) {
        None
    } else {
        Some(format!("a number and one of {}", units.join(", ")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_by_their_unit() {
        let read = ["250ms", "60s", "1.5m", "2 h", "1d", "1e300d"].map(duration);
        let seconds = [0.25, 60.0, 90.0, 7200.0, 86400.0].map(Duration::from_secs_f64);
        assert_eq!(read[..5], seconds.map(Some));
        assert_eq!(read[5], Some(Duration::MAX));
        assert!((DURATION.check)("2 weeks").is_some());
    }
}
