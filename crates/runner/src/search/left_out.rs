//! What a search leaves out, and how that is said.

/// Settings that are no trials of their own.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct LeftOut {
    /// The same trial as one before.
    pub duplicates: u64,
    /// Matched by an entry of `[[sweep.exclude]]`.
    pub excluded: u64,
    /// Trials that a method was asked for and whose space has no more of them.
    pub missing: u64,
}

impl LeftOut {
    /// A sentence about it, where there is something to say.
    pub fn sentence(&self) -> Option<String> {
        let Self {
            duplicates,
            excluded,
            missing,
        } = *self;
        let counted = |count: u64, one: &str, many: &str| format!("{count} {}", if count == 1 { one } else { many });
        let mut parts = Vec::new();
        if duplicates > 0 {
            parts.push(counted(duplicates, "duplicate", "duplicates"));
        }
        if excluded > 0 {
            parts.push(counted(excluded, "excluded setting", "excluded settings"));
        }
        let left_out = (!parts.is_empty()).then(|| format!("{} left out", parts.join(" and ")));
        let short = (missing > 0).then(|| {
            let are = if missing == 1 { "is" } else { "are" };
            format!(
                "{} fewer than sweep.trials: no other settings {are} left",
                counted(missing, "trial", "trials")
            )
        });
        match (left_out, short) {
            (Some(left_out), Some(short)) => Some(format!("{left_out}; {short}")),
            (one, other) => one.or(other),
        }
    }
}
