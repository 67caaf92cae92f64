//! `[output]`: what is written, and where.

use super::key::{Format, Kind, Spec, choices, settings};

settings! {
    /// What is written, and where.
    pub OutputConfig {
        /// The directory of the store; `{name}`, `{hash}` and `{date}` are filled in.
        dir "dir": String = Spec::of(Kind::Formatted(TEMPLATE), "\"sweeps/{name}-{hash}\"").default("\"sweeps/{name}\"");
        /// What to do when the directory holds a store.
        if_exists "if_exists": IfExists = Spec::of(Kind::Choice(IfExists::CHOICES), "\"error\"").default("\"resume\"");
        /// Which models are saved.
        save_models "save_models": SaveModels = Spec::of(Kind::Choice(SaveModels::CHOICES), "\"none\"").default("\"best\"");
        /// Which trials' out-of-fold predictions are saved.
        predictions "predictions": Predictions =
            Spec::of(Kind::Choice(Predictions::CHOICES), "\"all\"").default("\"selected\"");
        /// Writes report.html at the end.
        report "report": bool = Spec::of(Kind::Bool, "false").default("true");
    }
}

choices! {
    /// What to do when the directory holds a store.
    pub IfExists {
        /// Go on where it stopped, or extend it.
        Resume "resume";
        /// Stop.
        Error "error";
        /// Write a new one in its place.
        Replace "replace";
    }
}

choices! {
    /// Which models are saved.
    pub SaveModels {
        /// No model.
        None "none";
        /// The model of the selected trial, fitted on all rows.
        Best "best";
        /// That one, and the model of every other trial that is complete, below `models/`.
        All "all";
    }
}

choices! {
    /// Which trials' out-of-fold predictions are saved.
    pub Predictions {
        /// No predictions.
        None "none";
        /// Those of the selected trial.
        Selected "selected";
        /// Those of every trial.
        All "all";
    }
}

/// What a directory's template may name.
pub(super) const PLACEHOLDERS: [&str; 3] = ["name", "hash", "date"];

const TEMPLATE: Format = Format {
    what: "a directory",
    check: check_template,
};

fn check_template(text: &str) -> Option<String> {
    if text.trim().is_empty() {
        return Some("the text is empty".into());
    }
    if text.chars().any(char::is_control) {
        return Some("control characters are not allowed".into());
    }
    let mut rest = text;
    while let Some(at) = rest.find(['{', '}']) {
        let inside = rest[at..].strip_prefix('{').and_then(|tail| tail.split_once('}'));
        match inside {
            Some((name, tail)) if PLACEHOLDERS.contains(&name) => rest = tail,
            Some((name, _)) => {
                return Some(format!("{{{name}}} is none of {{name}}, {{hash}}, {{date}}"));
            }
            None => return Some("a brace is not closed or not opened".into()),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn templates_take_three_names() {
        assert_eq!(check_template("a/{name}-{hash}/{date}"), None);
        for wrong in ["", "a/{seed}", "a/{name", "a}", "{}", "a\u{1b}"] {
            assert!(check_template(wrong).is_some(), "{wrong}");
        }
    }
}
