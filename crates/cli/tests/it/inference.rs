//! Standard errors of fits: as statsmodels has them, or refused.

use super::{good_table, refused, root, sandbox, succeeds};

/// Three columns of the breast cancer data without a penalty; the numbers are those of statsmodels 0.15.0.
#[test]
fn inference_on_real_data_is_that_of_statsmodels() {
    let dir = tempfile::tempdir().expect("a temporary directory");
    std::os::unix::fs::symlink(root().join("data"), dir.path().join("data")).expect("linked");
    let config = r#"
        version = 1
        [data]
        train = "data/breast-cancer.csv"
        target = "diagnosis"
        include = ["mean_texture", "mean_smoothness", "mean_symmetry"]
        [train]
        solver = "gd"
        learning_rate = 2.0
        epochs = 2000
        tol = 1e-11
        [validation]
        strategy = "none"
        [run]
        precision = "f64"
        [sweep.parameters]
        model.C = [0.01, inf]
    "#;
    std::fs::write(dir.path().join("sweep.toml"), config).expect("written");
    succeeds(dir.path(), &["run", "sweep.toml"]);
    let store = "sweeps/sweep";
    let answer = succeeds(dir.path(), &["show", store, "1", "--inference", "--format", "json"]);
    let answer: serde_json::Value = serde_json::from_str(&answer).expect("JSON");
    let close = |value: &serde_json::Value, expected: f64| {
        let value = value.as_f64().expect("a number");
        assert!((value / expected - 1.0).abs() < 1e-7, "{value}, not {expected}");
    };
    let expected = [
        ("(intercept)", -15.203_123_95, 1.355_410_369, 3.379_385_42e-29),
        ("mean_texture", 0.286_471_379_4, 0.030_127_842_33, 1.933_827_00e-21),
        ("mean_smoothness", 63.057_305_06, 9.950_925_729, 2.345_435_27e-10),
        ("mean_symmetry", 15.712_561_06, 4.731_814_949, 8.981_762_18e-4),
    ];
    for (row, (feature, coefficient, standard_error, p_value)) in expected.into_iter().enumerate() {
        let term = &answer["coefficients"][row];
        assert_eq!(term["feature"], feature);
        close(&term["coefficient"], coefficient);
        close(&term["standard_error"], standard_error);
        close(&term["p_value"], p_value);
        close(&term["odds_ratio"], coefficient.exp());
    }
    for (key, expected) in [
        ("log_likelihood", -267.517_670_083_8),
        ("aic", 543.035_340_167_7),
        ("bic", 560.410_861_904_2),
        ("mcfadden_r2", 0.287_986_617_2),
    ] {
        close(&answer[key], expected);
    }
    assert_eq!(
        (answer["rows"].as_u64(), answer["events"].as_f64()),
        (Some(569), Some(212.0))
    );
    for format in ["table", "csv", "md"] {
        let answer = succeeds(
            dir.path(),
            &["show", store, "1", "--inference", "--level", "0.9", "--format", format],
        );
        assert!(
            answer.contains("mean_texture") && (format == "csv" || answer.contains("90 % intervals")),
            "{answer}"
        );
    }
    refused(
        dir.path(),
        &["show", store, "0", "--inference"],
        2,
        &["penalty", "C = 0.01", "gradsweep show sweeps/sweep 1 --inference"],
    );
    refused(
        dir.path(),
        &["show", store, "1", "--inference", "--level", "95"],
        2,
        &["write 0.95"],
    );
    refused(dir.path(), &["show", store, "--inference"], 2, &["TRIAL|RUN"]);
}

#[test]
fn what_has_no_standard_errors_is_refused_with_what_to_type() {
    let inference = |data: &str, epochs: &str, words: &[&str]| {
        let config = format!(
            "[model]\nC = inf\n[train]\nsolver = \"gd\"\nlearning_rate = 0.5\nepochs = {epochs}\n\
             [validation]\nstrategy = \"none\"\n[preprocess]\none_hot = {{ min_frequency = 1 }}\n"
        );
        let dir = sandbox(data, &config);
        succeeds(dir.path(), &["run", "sweep.toml"]);
        refused(dir.path(), &["show", "sweeps/sweep", "best", "--inference"], 2, words);
    };
    inference(
        &good_table(),
        "1",
        &["standard errors from the maximum", "train.solver=newton"],
    );
    // A column in front, made of the row's number and its x.
    let with = |name: &str, value: &dyn Fn(usize, u32) -> String| -> String {
        let table = good_table();
        let (head, body) = table.split_once('\n').expect("a header");
        let rows = body.lines().enumerate().map(|(i, line)| {
            let x = line.split(',').next().and_then(|x| x.parse().ok()).expect("an integer");
            format!("{},{line}\n", value(i, x))
        });
        format!("{name},{head}\n{}", rows.collect::<String>())
    };
    let levels = with("letter", &|i, _| ["a", "b", "c"][i % 3].to_owned());
    inference(
        &levels,
        "400",
        &["letter", "add up to a constant", "one_hot.drop = \"first\""],
    );
    let twice = with("twice", &|_, x| (2 * x + 7).to_string());
    inference(&twice, "400", &["x is twice in other units", "exclude = [\"x\"]"]);
    let mut separated = "x,late\n".to_owned();
    (0..60).for_each(|i| separated += &format!("{i},{}\n", if i < 33 { "no" } else { "yes" }));
    inference(&separated, "400", &["separated", "add a penalty"]);
}
