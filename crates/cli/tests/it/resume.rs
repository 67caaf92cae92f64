//! What a user is told of runs that did not converge, and how they go on.

use super::{QUICK, good_table, gradsweep, refused, sandbox, succeeds, text};

const SHORT: &str =
    "[train]\nepochs = 2\ntol = 1e-9\n[sweep.parameters]\nmodel.C = [0.1, 1.0]\ntrain.solver = [\"lbfgs\"]\n";

#[test]
fn a_sweep_names_what_did_not_converge_and_the_command_that_goes_on() {
    let dir = sandbox(&good_table(), SHORT);
    let screen = succeeds(dir.path(), &["run", "sweep.toml"]);
    let line = "10 runs did not converge (trial 0 fold 0, trial 0 fold 1, trial 0 fold 2, …): gradsweep resume \
                sweeps/sweep --until-converged";
    assert!(screen.contains(line), "{screen}");
    let same = succeeds(dir.path(), &["resume", "sweeps/sweep"]);
    assert!(same.contains("nothing to do") && same.contains(line), "{same}");

    let some = gradsweep(
        dir.path(),
        &[
            "resume",
            "sweeps/sweep",
            "--until-converged",
            "--epochs",
            "1",
            "--threads",
            "1",
        ],
    );
    let said = text(&some.stdout);
    assert!(said.contains("0 of 10 runs") && said.contains(line), "{said}");
    assert!(text(&some.stderr).contains("120 rows"));

    let all = succeeds(dir.path(), &["resume", "sweeps/sweep", "--until-converged"]);
    assert!(all.contains("10 of 10 runs that had not converged have now"), "{all}");
    assert!(!all.contains("did not converge"), "{all}");
    assert!(succeeds(dir.path(), &["resume", "sweeps/sweep", "--until-converged"]).contains("nothing to do"));
    let answer = gradsweep(
        dir.path(),
        &[
            "resume",
            "sweeps/sweep",
            "--until-converged",
            "--quiet",
            "--format",
            "json",
        ],
    );
    assert!(answer.stderr.is_empty());
    let answer: serde_json::Value = serde_json::from_slice(&answer.stdout).expect("one JSON object");
    assert_eq!(answer["unconverged"], 0);
    assert_eq!(
        (&answer["nothing_to_do"], &answer["continued"]["runs"]),
        (&true.into(), &0.into())
    );

    refused(
        dir.path(),
        &["resume", "sweeps/sweep", "--epochs", "3"],
        2,
        &["--until-converged"],
    );
    refused(dir.path(), &["resume", "sweeps/nothing"], 2, &["nothing"]);
}

#[test]
fn more_epochs_go_on_where_the_runs_had_ended() {
    let dir = sandbox(
        &good_table(),
        &QUICK.replace("epochs = 3", "epochs = 3\nsolver = \"adam\""),
    );
    succeeds(dir.path(), &["run", "sweep.toml"]);
    let longer = ["run", "sweep.toml", "--set", "train.epochs=5"];
    let screen = succeeds(dir.path(), &longer);
    assert!(
        screen.contains("10 runs went on after 3 epochs; 0 had ended by themselves"),
        "{screen}"
    );
    assert!(screen.contains(" 20 column·epochs"), "{screen}");
    assert!(succeeds(dir.path(), &longer).contains("nothing to do"));
    refused(dir.path(), &["run", "sweep.toml"], 2, &["train.epochs: 5 → 3"]);
    succeeds(dir.path(), &["prune", "sweeps/sweep"]);
    refused(
        dir.path(),
        &["run", "sweep.toml", "--set", "train.epochs=9"],
        2,
        &["gradsweep prune"],
    );
}

#[test]
fn steps_on_batches_are_not_called_unconverged() {
    let dir = sandbox(
        &good_table(),
        &QUICK.replace("epochs = 3", "epochs = 3\nsolver = \"adam\""),
    );
    let screen = succeeds(dir.path(), &["run", "sweep.toml"]);
    assert!(!screen.contains("converge"), "{screen}");
    let same = succeeds(dir.path(), &["resume", "sweeps/sweep", "--until-converged"]);
    assert!(same.contains("nothing to do"), "{same}");
    assert!(
        same.contains("10 runs of first-order solvers left as they are"),
        "{same}"
    );
}
