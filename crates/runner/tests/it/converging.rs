//! Converging solvers: a run in a sweep against the same run alone, and single against double precision.

use super::{finished, request};

const BODY: &str = "[train]\nepochs = 200\ntol = 1e-10\n[validation]\nfolds = 3\n[metrics]\n\
                    report = [\"log_loss\", \"brier_score\", \"roc_auc\"]\n";
const PATH: &str = "[sweep.parameters]\nmodel.C = { min = 1e-3, max = 1e3, num = 13, log = true }\n";

/// One run per trial and fold: weights with the intercept, and its epochs.
fn fits(dir: &std::path::Path, body: &str, sets: &[&str]) -> Vec<(Vec<f64>, u32)> {
    let (_, store) = finished(&request(dir, body, sets));
    let runs = store.runs().expect("runs");
    let fit = |run: &gradsweep_store::RunRow| {
        let record = run.record.as_ref().expect("finished");
        assert!(record.converged, "{record:?}");
        let rows = store.coefficients(run.run).expect("coefficients");
        (
            rows.iter().map(|row| row.coefficient_standardized).collect(),
            record.epochs,
        )
    };
    runs.iter().map(fit).collect()
}

#[test]
fn a_run_that_converges_alone_is_the_one_in_a_sweep() {
    for solver in ["lbfgs", "newton"] {
        for (l1_ratio, class_weight) in [(0.0, "none"), (0.5, "balanced"), (1.0, "none")] {
            let dir = tempfile::tempdir().expect("a temporary directory");
            let sets = [
                format!("train.solver={solver}"),
                format!("model.l1_ratio={l1_ratio}"),
                format!("model.class_weight={class_weight}"),
                "run.precision=f64".to_owned(),
            ];
            let sets: Vec<&str> = sets.iter().map(String::as_str).collect();
            let together = fits(dir.path(), &format!("{BODY}{PATH}"), &sets);
            let epochs: Vec<u32> = together.iter().map(|(_, epochs)| *epochs).collect();
            assert!(epochs.iter().min() < epochs.iter().max(), "columns retire on the way");
            // 10^-3 and 10^3 are solved first, 10^0.5 between neighbors.
            for (trial, strength) in [(0, "0.001"), (7, "3.1622776601683795"), (12, "1000.0")] {
                let alone = tempfile::tempdir().expect("a temporary directory");
                std::fs::copy(dir.path().join("table.csv"), alone.path().join("table.csv")).expect("copied");
                let set = format!("model.C={strength}");
                let separate = fits(alone.path(), BODY, &[&sets[..], &[set.as_str()]].concat());
                assert_eq!(separate.len(), 3);
                for (fold, (weights, _)) in separate.iter().enumerate() {
                    for (a, b) in weights.iter().zip(&together[trial * 3 + fold].0) {
                        assert!(
                            (a - b).abs() <= 1e-7 * a.abs().max(1.0),
                            "{solver}, L1 {l1_ratio}, C {strength}, fold {fold}: {a} {b}"
                        );
                        assert_eq!(*a == 0.0, *b == 0.0, "{solver}, L1 {l1_ratio}, C {strength}");
                    }
                }
            }
        }
    }
}

#[test]
fn single_precision_scores_as_double() {
    let scores = |precision: &str| {
        let dir = tempfile::tempdir().expect("a temporary directory");
        let body = format!("{}{PATH}", BODY.replace("1e-10", "1e-5"));
        let (_, store) = finished(&request(dir.path(), &body, &[&format!("run.precision={precision}")]));
        let runs = store.runs().expect("runs");
        let of_run = |run: gradsweep_store::RunRow| {
            let record = run.record.expect("finished");
            record.train.into_iter().chain(record.val).collect::<Vec<_>>()
        };
        runs.into_iter().flat_map(of_run).collect::<Vec<_>>()
    };
    let (single, double) = (scores("f32"), scores("f64"));
    assert_eq!(single.len(), 13 * 3 * (2 + 3));
    let mut worst = 0.0f64;
    for ((name, a), (_, b)) in single.iter().zip(&double) {
        assert!((a - b).abs() <= 1e-4, "{name}: {a} {b}");
        worst = worst.max((a - b).abs());
    }
    assert!(worst > 0.0, "both are the same precision");
}
