//! `[run]`: the machine. Nothing here but the seed and the precision changes a result.

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
        /// What one diverged run does to the sweep.
        on_error "on_error": OnError = Spec::of(Kind::Choice(OnError::CHOICES), "\"stop\"").default("\"record\"");
        /// Stops the sweep when more runs have failed.
        max_failures "max_failures": u32 =
            Spec::of(Kind::Integer(0, u32::MAX as i64), "10").default("1000").unit("runs").later();
        /// Ends the sweep at a checkpoint after this time; absent = none.
        time_limit "time_limit": Option<String> = Spec::of(Kind::Formatted(DURATION), "\"2h\"").later();
        /// Time between two checkpoints.
        checkpoint_every "checkpoint_every": String =
            Spec::of(Kind::Formatted(DURATION), "\"5m\"").default("\"60s\"").later();
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
    /// What one diverged run does to the sweep.
    pub OnError {
        /// It is recorded as failed, and the others go on.
        Record "record";
        /// The sweep stops.
        Stop "stop" later;
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

fn has_unit(text: &str, units: &[&str]) -> Option<String> {
    let digits = text.trim_end_matches(|c: char| c.is_alphabetic() || c == '%');
    let unit = text[digits.len()..].trim();
    if digits.trim().parse::<f64>().is_ok_and(|n| n.is_finite() && n > 0.0) && units.contains(&unit) {
        None
    } else {
        Some(format!("a number and one of {}", units.join(", ")))
    }
}
