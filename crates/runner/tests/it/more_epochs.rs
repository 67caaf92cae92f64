//! More epochs in the same directory: the sweep is the one that had as many at once.

use std::path::Path;
use std::sync::PoisonError;

use gradsweep_runner::RunError;
use gradsweep_runner::event::Silent;
use gradsweep_runner::resume::{More, ResumeRequest, resume};
use gradsweep_runner::sweep;
use gradsweep_store::{Reason, RunState, Store, prune};

use super::checkpoints::{CONVERGING, Counter, HALVED, SWEEP, checkpoints, copy, finish, numbers_of_best, settled};
use super::{PRODUCTS, finished, request, run};

/// Runs a sweep in a directory; the column epochs it trains.
fn train(dir: &Path, body: &str, epochs: u32) -> u64 {
    let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
    let counter = Counter::new(u64::MAX, || ());
    let request = request(dir, body, &[&format!("train.epochs={epochs}")]);
    sweep::run(&request, &counter, &|_, _| ()).unwrap_or_else(|error| panic!("{error}"));
    counter.count()
}

/// Kinds of sweeps with their epochs before and after, and whether those after cost no more than the difference.
fn kinds() -> Vec<(&'static str, String, [u32; 2], bool)> {
    let rungs = "[sweep]\nhalving = { factor = 3, min_epochs = 1 }\n[sweep.parameters]\n";
    let halved = HALVED.replace("[sweep.parameters]\n", rungs);
    let watched = "early_stopping = { metric = \"log_loss\", patience = 2, min_delta = 1e-3 }\n";
    let warm = format!("schedule = {{ kind = \"constant\", warmup_epochs = 3 }}\n{watched}");
    // More runs of a fold than a block is wide.
    let refilled = SWEEP
        .replace("[\"adam\", \"sgd\"]", "[\"adam\"]")
        .replace("[0.1, 10.0]", "{ min = 1e-3, max = 1e3, num = 75, log = true }");
    vec![
        ("watched steps", SWEEP.to_owned(), [5, 12], true),
        ("steps", SWEEP.replace(watched, ""), [5, 12], true),
        ("steps in columns that others left", refilled, [5, 12], false),
        ("a warmup", SWEEP.replace(watched, &warm), [5, 12], true),
        (
            "gradient descent",
            CONVERGING
                .replace("\"lbfgs\", \"newton\"", "\"gd\"")
                .replace("tol = 1e-7", "learning_rate = 0.3\ntol = 1e-2"),
            [20, 60],
            true,
        ),
        ("descents", CONVERGING.to_owned(), [5, 60], false),
        (
            "descents that had begun beside others",
            CONVERGING.to_owned(),
            [8, 11],
            false,
        ),
        ("halving", halved.clone(), [13, 30], true),
        ("halving that ends at the next rung", halved, [9, 13], true),
    ]
}

#[test]
fn a_sweep_with_more_epochs_is_the_one_that_had_them_at_once() {
    for (kind, body, [few, many], is_exact) in kinds() {
        let whole_dir = tempfile::tempdir().expect("scratch");
        let total = train(whole_dir.path(), &body, many);
        let whole = whole_dir.path().join("store");
        let expected = settled(&whole);
        let dir = tempfile::tempdir().expect("scratch");
        let before = train(dir.path(), &body, few);
        let (store, short) = (dir.path().join("store"), dir.path().join("short"));
        copy(&store, &short);
        assert!(
            !checkpoints(&store).is_empty(),
            "{kind}: some runs had all of their epochs"
        );
        let more = train(dir.path(), &body, many);
        assert!(settled(&store) == expected, "{kind}: other tables");
        assert_eq!(numbers_of_best(&store), numbers_of_best(&whole), "{kind}");
        assert_eq!(checkpoints(&store), checkpoints(&whole), "{kind}");
        assert!(more > 0 && before + more >= total, "{kind}: {before} + {more}, {total}");
        if is_exact {
            assert_eq!(before + more, total, "{kind}: an epoch was trained twice");
        } else {
            assert!(more < total, "{kind}: {more} of {total}");
        }
        // Killed on the way, before or after the store has become the longer one.
        for percent in [1, 60] {
            std::fs::remove_dir_all(&store).expect("it was there");
            copy(&short, &store);
            let killed = dir.path().join(format!("killed-{percent}"));
            let counter = Counter::new((more * percent / 100).max(1), || copy(&store, &killed));
            let sets = [
                format!("train.epochs={many}"),
                "run.checkpoint_every=\"1ms\"".to_owned(),
            ];
            let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
            {
                let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
                sweep::run(&request(dir.path(), &body, &sets), &counter, &|_, _| ()).expect("runs");
            }
            finish(&killed, &Silent);
            assert!(
                settled(&killed) == expected,
                "{kind}: other tables after a kill at {percent} %"
            );
        }
    }
}

/// A kill after the records were taken over, and before the plan that has them.
#[test]
fn a_store_that_was_about_to_become_the_longer_one_is_still_the_shorter() {
    let dir = tempfile::tempdir().expect("scratch");
    let (store, other) = (dir.path().join("store"), dir.path().join("longer"));
    train(dir.path(), SWEEP, 5);
    let (short, keep) = (settled(&store), dir.path().join("short"));
    copy(&store, &keep);
    train(dir.path(), SWEEP, 12);
    let long = settled(&store);
    std::fs::rename(&store, &other).expect("renamed");
    copy(&keep, &store);
    // The first part that the longer one wrote, and nothing else of it.
    let parts = |store: &Path| -> Vec<_> {
        let files = std::fs::read_dir(store.join("parts")).expect("parts");
        let mut names: Vec<_> = files.map(|file| file.expect("readable").file_name()).collect();
        names.sort();
        names
    };
    let first = parts(&other)
        .into_iter()
        .find(|name| !parts(&keep).contains(name))
        .expect("a new part");
    std::fs::copy(other.join("parts").join(&first), store.join("parts").join(&first)).expect("copied");
    assert!(settled(&store) == short);
    assert!(
        run(&request(dir.path(), SWEEP, &["train.epochs=5"]))
            .expect("the same sweep")
            .epochs_trained
            == 0
    );
    assert!(settled(&store) == short);
    train(dir.path(), SWEEP, 12);
    assert!(settled(&store) == long);
}

#[test]
fn a_sweep_that_got_more_trials_gets_more_epochs() {
    let dir = tempfile::tempdir().expect("scratch");
    let wide = SWEEP.replace("model.C = [0.1, 10.0]", "model.C = [0.1, 1.0, 10.0]");
    train(dir.path(), SWEEP, 5);
    train(dir.path(), &wide, 5);
    let store = Store::open(&dir.path().join("store")).expect("a store");
    let out = |store: &Store, epochs: u32| {
        let rows = store.runs().expect("runs").into_iter();
        let records = rows.filter_map(|row| row.record);
        let out = records.filter(|record| record.reason == Some(Reason::MaxEpochs));
        out.filter(|record| record.epochs == epochs).count()
    };
    assert!(out(&store, 5) > 0);
    train(dir.path(), &wide, 12);
    assert_eq!(out(&store, 5), 0, "all of them went on");
}

#[test]
fn what_would_have_begun_otherwise_is_refused_with_its_reason() {
    let refused = |dir: &Path, body: &str, sets: &[&str], reason: &str| {
        let before = settled(&dir.join("store"));
        match run(&request(dir, body, sets)) {
            Err(error @ RunError::Changed { .. }) => {
                assert!(error.to_string().contains(reason) && error.exit_code() == 2, "{error}");
            }
            other => panic!("{reason}: {other:?}"),
        }
        assert!(settled(&dir.join("store")) == before, "{reason}: something was written");
    };
    let halved = |rule: &str| HALVED.replace("[sweep.parameters]", &format!("[sweep]\n{rule}\n[sweep.parameters]"));
    let scheduled = |kind: &str| {
        let schedule = format!("schedule = {{ kind = \"{kind}\" }}\nrestarts");
        SWEEP.replace("restarts", &schedule)
    };
    for (body, reason) in [
        (scheduled("cosine"), "a cosine schedule is over at its last epoch"),
        (scheduled("step"), "a step schedule is over at its last epoch"),
        (halved("hyperband = {}"), "brackets"),
        (halved("target = 0.1"), "target"),
    ] {
        let dir = tempfile::tempdir().expect("scratch");
        train(dir.path(), &body, 6);
        refused(dir.path(), &body, &["train.epochs=9"], reason);
        assert_eq!(
            checkpoints(&dir.path().join("store")),
            Vec::<String>::new(),
            "nobody goes on from them"
        );
    }
    let dir = tempfile::tempdir().expect("scratch");
    train(dir.path(), SWEEP, 6);
    refused(dir.path(), SWEEP, &["train.epochs=5"], "train.epochs: 6 → 5");
    refused(dir.path(), SWEEP, &["train.epochs=9", "run.seed=1"], "run.seed");
    let wide = SWEEP.replace("model.C = [0.1, 10.0]", "model.C = [0.1, 1.0, 10.0]");
    refused(dir.path(), &wide, &["train.epochs=9"], "cannot change at once");
    prune(&dir.path().join("store")).expect("pruned");
    refused(dir.path(), SWEEP, &["train.epochs=9"], "gradsweep prune");
}

/// Runs that went on until they had converged have what more epochs would give them.
#[test]
fn runs_that_went_further_keep_what_they_have() {
    let dir = tempfile::tempdir().expect("scratch");
    let body = CONVERGING.replace("\"lbfgs\", \"newton\"", "\"lbfgs\", \"adam\"");
    let body = body.replace("1e3, 1e4, inf", "1e3").replace("tol = 1e-7", "tol = 1e-5");
    train(dir.path(), &body, 5);
    let path = dir.path().join("store");
    {
        let _shared = PRODUCTS.read().unwrap_or_else(PoisonError::into_inner);
        let request = ResumeRequest {
            store: path.clone(),
            threads: Some(1),
            more: Some(More::UntilConverged),
            retry_failed: false,
        };
        resume(&request, &Silent, &|_, _| ()).expect("goes on");
    }
    let before = Store::open(&path).expect("a store").runs().expect("runs");
    let (_, store) = finished(&request(dir.path(), &body, &["train.epochs=9"]));
    let after = store.runs().expect("runs");
    let mut went_further = 0;
    for (before, after) in before.iter().zip(&after) {
        let (before, after) = (
            before.record.as_ref().expect("ended"),
            after.record.as_ref().expect("ended"),
        );
        assert_eq!(after.state, RunState::Complete);
        if before.reason == Some(Reason::Tol) {
            went_further += usize::from(before.epochs > 9);
            assert_eq!((before.epochs, before.objective), (after.epochs, after.objective));
        } else {
            assert_eq!((before.epochs, after.epochs), (5, 9));
        }
    }
    assert!(went_further > 0);
}
