//! Without a penalty: separated classes are named, overlapping ones are fitted.

use gradsweep_store::{Reason, RunState};
use serde::Deserialize;

use super::fits::{Setting, fit};
use super::problems::Lattice;
use super::read;

#[derive(Deserialize)]
struct Problem {
    #[serde(flatten)]
    lattice: Lattice,
    verdict: String,
}

/// (separated ones named, all separated ones, overlapping ones called separated, overlapping ones that did not converge).
fn outcomes(solver: &str, problems: &[Problem]) -> (usize, usize, usize, usize) {
    let (mut named, mut separated, mut alarms, mut unconverged) = (0, 0, 0, 0);
    for problem in problems {
        let setting = Setting {
            solver,
            tol: 1e-8,
            scale: "standard",
            strengths: &[f64::INFINITY],
            ..Setting::default()
        };
        let record = &fit(&problem.lattice.make(), &setting)[0].record;
        let is_named = record.state == RunState::Failed && record.reason == Some(Reason::Separated);
        if problem.verdict == "overlap" {
            alarms += usize::from(is_named);
            unconverged += usize::from(!record.converged);
        } else {
            separated += 1;
            named += usize::from(is_named);
        }
        if is_named == (problem.verdict == "overlap") {
            println!("{solver}, {}: {record:?} of {:?}", problem.verdict, problem.lattice);
        }
    }
    println!("{solver}: {named} of {separated} separated named, {alarms} false alarms, {unconverged} not converged");
    (named, separated, alarms, unconverged)
}

#[test]
fn separated_classes_are_named_and_overlapping_ones_are_not() {
    let problems = read::<Problem>("separation.json", "problems");
    assert_eq!(problems.len(), 220);
    assert_eq!(outcomes("newton", &problems), (20, 20, 0, 0));
}

#[test]
#[ignore = "slow: scripts/test --all"]
fn separation_is_named_whatever_the_solver() {
    let problems = read::<Problem>("separation.json", "problems");
    let (named, separated, alarms, _) = outcomes("lbfgs", &problems);
    assert_eq!((named, separated, alarms), (20, 20, 0));
}
