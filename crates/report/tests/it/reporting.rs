//! `report.html`: what is in it, and that nothing in it runs.

use base64::Engine;
use gradsweep_report::{Live, html, write_html};
use gradsweep_store::ParamValue;
use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::sample::{make, path, sgd, sweeps};

/// What stands between two texts, each time it does.
fn between<'a>(page: &'a str, start: &str, end: &str) -> Vec<&'a str> {
    let pieces = page.split(start).skip(1);
    pieces.filter_map(|piece| Some(piece.split_once(end)?.0)).collect()
}

fn data(page: &str) -> Value {
    let text = between(page, "<script type=\"application/json\" id=\"data\">", "</script>");
    assert_eq!(text.len(), 1);
    serde_json::from_str(text[0]).expect("JSON")
}

#[test]
fn the_page_says_the_answer_and_holds_the_evidence() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let page = html(&sweeps(scratch.path(), &[path()]), None).expect("a page");
    for text in [
        "Trial 1 <span class=\"params\">(C = 0.5179)</span> is the choice by log_loss; lower is better.",
        "0.48610<small> ± 0.0006</small>",
        "optimistic: the best of 4 trials",
        "no test rows",
        "<title>Best log_loss for each value of C</title>",
        "<title>log_loss by epoch</title>",
        "<title>Coefficients</title>",
        "327,346 rows, 19 columns, 159 features; late = &quot;yes&quot; counts as 1 (23.4 %)",
    ] {
        assert!(page.contains(text), "{text}");
    }
    let data = data(&page);
    assert_eq!(data["trials"]["trial"], serde_json::json!([1, 2, 3, 0]));
    assert_eq!(data["trials"]["params"][0]["values"][2], "inf");
    assert_eq!(
        data["details"]["trials"]["0"]["curve"]["epochs"],
        serde_json::json!([1, 2, 3, 4])
    );
    assert_eq!(data["details"]["trials"]["0"]["runs"].as_array().map(Vec::len), Some(3));
    assert_eq!(data["path"], serde_json::json!([3, 0, 1, 2]));
}

#[test]
fn only_the_pages_own_script_and_style_may_run() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let page = html(&sweeps(scratch.path(), &[path()]), None).expect("a page");
    let policy = between(&page, "http-equiv=\"Content-Security-Policy\" content=\"", "\"");
    assert!(policy[0].starts_with("default-src 'none'; "), "{policy:?}");
    assert!(!policy[0].contains("unsafe"));
    let scripts = between(&page, "<script>", "</script>");
    let styles = between(&page, "<style>", "</style>");
    assert_eq!((scripts.len(), styles.len()), (2, 1));
    for text in scripts.iter().chain(&styles) {
        let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(text.as_bytes()));
        assert!(policy[0].contains(&hash), "a script or style is not in the policy");
    }
    // What a policy refuses anyway would be an error in the console.
    let without = scripts
        .iter()
        .chain(&styles)
        .fold(page.clone(), |page, text| page.replace(text, ""));
    assert!(!without.contains(" style=") && !without.contains(" onclick=") && !without.contains("src="));
}

#[test]
fn names_from_files_are_texts_and_nothing_else() {
    const HOSTILE: [&str; 5] = [
        "</script><script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "\" onmouseover=\"alert(1)",
        "{{ 7 * 7 }}",
        "<!--<script>",
    ];
    let scratch = tempfile::tempdir().expect("scratch directory");
    let clean = html(&sweeps(scratch.path(), &[path()]), None).expect("a page");
    let mut recipe = path();
    recipe.id = 3;
    recipe.name = "flights-hostile";
    recipe.params = HOSTILE.to_vec();
    recipe.trials = (0..4)
        .map(|trial| {
            let values = HOSTILE.iter().map(|text| ParamValue::Text(format!("{text}{trial}")));
            (values.collect(), Some(0.5 + f64::from(trial)))
        })
        .collect();
    recipe.keys.push(("train.init", HOSTILE[1].into()));
    recipe.keys.push((HOSTILE[0], HOSTILE[0].into()));
    let page = html(&sweeps(scratch.path(), &[recipe]), None).expect("a page");
    for tag in ["<script", "<img", "<!--"] {
        assert_eq!(page.matches(tag).count(), clean.matches(tag).count(), "{tag}");
    }
    assert!(!page.contains("\" onmouseover=\"alert"));
    let data = data(&page);
    assert_eq!(data["trials"]["params"][0]["path"], HOSTILE[0]);
    assert_eq!(data["trials"]["params"][1]["values"][0], format!("{}0", HOSTILE[1]));
}

#[test]
fn several_sweeps_are_one_page() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let page = html(&sweeps(scratch.path(), &[sgd(), path()]), None).expect("a page");
    assert!(page.contains("What differs between the sweeps"));
    assert!(page.contains("<title>flights-sgd and flights-path compared"));
    assert!(page.contains("id=\"sweep-colors\""));
    assert!(page.contains("<td>train.solver</td><td>sgd</td><td>adam</td>"));
    assert!(page.contains("<td>diverged</td><td class=\"n\">3</td><td class=\"wrap\">1</td>"));
    let data = data(&page);
    assert_eq!(data["sweeps"].as_array().map(Vec::len), Some(2));
    assert_eq!(data["trials"]["sweep"], serde_json::json!([1, 1, 0, 1, 1, 0]));
}

#[test]
fn folds_by_time_are_said_to_have_no_valid_test() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.keys[1].1 = "time".into();
    let page = html(&sweeps(scratch.path(), &[recipe]), None).expect("a page");
    assert!(page.contains("away (paired over folds; the corrected t-test is not valid: folds by time)."));
    let valid = html(&sweeps(&scratch.path().join("valid"), &[path()]), None).expect("a page");
    assert!(valid.contains("away (paired over folds, p = ") && !valid.contains("not valid"));
}

#[test]
fn the_folds_scores_are_there_without_scripts() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let page = html(&sweeps(scratch.path(), &[path()]), None).expect("a page");
    let table = between(
        &page,
        "<caption>Held-out log_loss of the choice, by fold</caption>",
        "</table>",
    );
    assert_eq!((table.len(), table[0].matches("<tr>").count()), (1, 1 + 3));
}

#[test]
fn a_sweep_that_trains_shows_how_trials_stand() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    let mut recipe = path();
    recipe.waiting_from = 0;
    let sweeps = sweeps(scratch.path(), &[recipe]);
    let live = Live {
        runs: 12,
        done: 3,
        failed: 1,
        share: 0.25,
        scores: vec![(2, 0.4), (1, 0.5)],
        seconds: 3,
    };
    let page = html(&sweeps, Some(&live)).expect("a page");
    assert!(page.contains("3 of 12 runs done, 1 failed, 25 % of the epochs"));
    assert!(page.contains("<meta http-equiv=\"refresh\" content=\"3\">"));
    assert_eq!(data(&page)["trials"]["trial"], serde_json::json!([2, 1, 0, 3]));
    // Without anything to show there is a page all the same.
    assert!(
        html(&sweeps, None)
            .expect("a page")
            .contains("No trial has a score yet.")
    );
}

#[test]
fn the_page_replaces_the_one_before() {
    let scratch = tempfile::tempdir().expect("scratch directory");
    make(scratch.path(), &path());
    let sweeps = gradsweep_report::open(&[scratch.path().join("flights-path")]).expect("a store");
    let out = scratch.path().join("flights-path/report.html");
    for _ in 0..2 {
        write_html(&sweeps, None, &out).expect("written");
    }
    assert!(
        std::fs::read_to_string(&out)
            .expect("readable")
            .trim_end()
            .ends_with("</html>")
    );
}
