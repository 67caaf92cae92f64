//! The one screen that `run` and `resume` end with.

use gradsweep_runner::plan::{grouped, many};
use gradsweep_runner::resume::{Continued, Resumable};
use gradsweep_runner::summary::{Best, SweepSummary};
use gradsweep_store::REPORT;

use super::last_name;

/// The one screen a sweep ends with.
pub(super) fn closing(summary: &SweepSummary) -> String {
    let mut out = String::new();
    out += &chosen(summary);
    if let Some(test) = &summary.test {
        let scores = test
            .metrics
            .iter()
            .filter_map(|(name, value)| Some(format!("{name} {:.4}", (*value)?)));
        let scores: Vec<String> = scores.collect();
        out += &format!(
            "test    {}   ({} rows, scored once)\n",
            scores.join("   "),
            grouped(test.rows)
        );
    }
    for sentence in &summary.at_the_edge {
        out += &format!("        {sentence}\n");
    }
    if let Some(restarts) = &summary.restarts {
        out += &format!("        {}\n", restarts.sentence(&summary.metric));
    }
    if let Some([least, most]) = summary.learning_rates {
        let to = if least < most {
            format!(" to {most}")
        } else {
            String::new()
        };
        out += &format!("        learning_rate auto: runs took {least}{to}\n");
    }
    if let Some(target) = &summary.target {
        out += &format!("        {target}\n");
    }
    if let Some(missing) = &summary.missing {
        out += &format!("        {missing}\n");
    }
    out += &finished(summary);
    for sentence in summary.failures.iter().chain(&summary.lost) {
        out += &format!("        {sentence}\n");
    }
    out += &convergence(summary);
    out + &places(summary)
}

/// The selected trial and its scores.
fn chosen(summary: &SweepSummary) -> String {
    let mut out = String::new();
    let score = |value: Option<f64>| value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"));
    match &summary.best {
        None if summary.failed == 0 => {
            out += &format!(
                "best    none: no trial has a score by {}, so there is no model\n",
                summary.metric
            );
        }
        None => out += "best    none: every trial has failed runs, so there is no model\n",
        Some(best) => {
            let how = if summary.select == "1se" && summary.one_se.is_some() {
                " (by the 1se rule)"
            } else {
                ""
            };
            out += format!("best    trial {}{how}   {}", best.trial, params(best).join("   ")).trim_end();
            out.push('\n');
            let name = &summary.metric;
            match best.mean_val {
                Some(_) => {
                    let se = best.se_val.map_or_else(String::new, |se| format!(" ± {se:.4}"));
                    out += &format!("        validation {name} {}{se}", score(best.mean_val));
                    out += &match (best.mean_train, best.mean_val) {
                        (Some(train), Some(val)) => {
                            format!("   train {train:.4} (gap {:+.4})", val - train)
                        }
                        _ => String::new(),
                    };
                }
                None => {
                    out += &format!(
                        "        training {name} {} (nothing is held out)",
                        score(best.mean_train)
                    );
                }
            }
            if let Some(null) = summary.null_model {
                out += &format!("   guessing the rate: {null:.4}");
            }
            out += "\n";
            let others: Vec<String> = best
                .metrics
                .iter()
                .filter_map(|(name, value)| value.map(|value| format!("{name} {value:.4}")))
                .collect();
            if !others.is_empty() {
                out += &format!("        {}\n", others.join("   "));
            }
            out += &one_se(summary, best);
        }
    }
    out
}

/// How many runs finished, and what they took.
fn finished(summary: &SweepSummary) -> String {
    let mut out = String::new();
    let pruned = summary.pruned.unwrap_or(0);
    let finished = summary.runs - summary.failed - pruned - summary.waiting;
    if summary.nothing_to_do {
        let state = if summary.continued.is_some() && summary.resumable.runs == 0 {
            "were there already and none is left to converge"
        } else {
            "were there already"
        };
        out += &format!(
            "runs    all {} runs {state}: nothing to do\n",
            grouped(summary.runs as u64)
        );
    } else {
        out += &format!(
            "runs    {} of {} finished{}, {} column·epochs: {:.3} s of training, {:.2} s in all ({} threads, {}, {})\n",
            grouped(finished as u64),
            grouped(summary.runs as u64),
            if pruned > 0 {
                format!(" and {} pruned", grouped(pruned as u64))
            } else {
                String::new()
            },
            grouped(summary.epochs_trained),
            summary.seconds.train,
            summary.seconds.total,
            summary.threads,
            summary.precision,
            summary.blas_core,
        );
    }
    out
}

/// Which runs did not converge, what became of those that went on, and what to type next.
fn convergence(summary: &SweepSummary) -> String {
    let mut out = String::new();
    let Resumable { runs, named } = &summary.resumable;
    if let Some(longer) = &summary.longer {
        out += &format!(
            "        {} went on after {}; {} had ended by themselves\n",
            many(longer.runs, "run"),
            many(longer.after_epochs as usize, "epoch"),
            grouped(longer.ended as u64)
        );
    }
    if let Some(continued) = summary.continued.as_ref().filter(|continued| continued.runs > 0) {
        out += &format!(
            "        {} of {} that had not converged {} now",
            grouped(continued.converged as u64),
            many(continued.runs, "run"),
            if continued.converged == 1 { "has" } else { "have" },
        );
        if continued.failed > 0 {
            out += &format!("; {} failed: classes are separated", grouped(continued.failed as u64));
        }
        out.push('\n');
    }
    if *runs > 0 {
        let more = if *runs > named.len() { ", …" } else { "" };
        let dir = summary.store.display();
        let is_stuck = |continued: &Continued| continued.stuck > 0 && continued.stuck == *runs;
        let next = if summary.continued.as_ref().is_some_and(is_stuck) {
            "more epochs bring them no further; a larger train.tol or run.precision = \"f64\" may".to_owned()
        } else {
            format!("gradsweep resume {dir} --until-converged")
        };
        out += &format!(
            "        {} did not converge ({}{more}): {next}\n",
            many(*runs, "run"),
            named.join(", ")
        );
    }
    let others = summary.unconverged.saturating_sub(*runs);
    if others > 0 {
        out += &format!(
            "        {} of full-batch solvers used all epochs without a certificate of convergence\n",
            many(others, "run")
        );
    }
    if let Some(continued) = summary.continued.as_ref().filter(|continued| continued.first_order > 0) {
        out += &format!(
            "        {} of first-order solvers left as they are: only auto, lbfgs and newton go on to a certificate\n",
            many(continued.first_order, "run")
        );
    }
    out
}

/// Where the results lie, and what to type next.
fn places(summary: &SweepSummary) -> String {
    let dir = summary.store.display();
    let mut out = format!("store   {dir}\n");
    if let Some(model) = &summary.model {
        out += &format!("model   {}\n", model.display());
        if let Some(models) = summary.models {
            let place = summary.store.join("models");
            out += &format!(
                "        {} of single trials below {}\n",
                many(models, "model"),
                place.display()
            );
        }
    } else if let Some(failure) = &summary.refit_failure {
        out += &format!("model   none: {failure}\n");
    }
    if summary.report {
        out += &format!("report  {}\n", summary.store.join(REPORT).display());
    }
    out += &format!("next    gradsweep compare {dir} --top 10\n");
    out += &format!("        gradsweep show {dir} best\n");
    out += &format!("        gradsweep explain {dir} --row 1\n");
    if summary.model.is_some() {
        out += &format!("        gradsweep predict {dir} --data new.csv --out scores.parquet\n");
    }
    out
}

/// Which trial the rule of one standard error takes, where it did not choose already.
fn one_se(summary: &SweepSummary, best: &Best) -> String {
    let is_rule = summary.select == "1se";
    let Some(one_se) = &summary.one_se else {
        return if is_rule {
            "        the 1se rule needs the spread of two folds or more: the best trial is taken\n".to_owned()
        } else {
            String::new()
        };
    };
    if is_rule {
        return String::new();
    }
    if one_se.trial == best.trial {
        return "        the 1se rule would take the same trial\n".to_owned();
    }
    let score = one_se
        .mean_val
        .map_or_else(String::new, |value| format!("   {} {value:.4}", summary.metric));
    let params = params(one_se).join("   ");
    format!(
        "        the 1se rule would take trial {}   {params}{score}\n",
        one_se.trial
    )
}

fn params(best: &Best) -> Vec<String> {
    let params = best.params.iter();
    params
        .map(|(path, value)| format!("{} = {}", last_name(path), short(value)))
        .collect()
}

/// A parameter as a reader writes it.
fn short(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => {
            let number = number.as_f64().unwrap_or(f64::NAN);
            let rounded = format!("{number:.4e}").parse::<f64>().unwrap_or(number);
            if rounded != 0.0 && !(1e-4..1e6).contains(&rounded.abs()) {
                format!("{rounded:e}")
            } else {
                rounded.to_string()
            }
        }
        serde_json::Value::Null => "-".to_owned(),
        other => other.to_string(),
    }
}
