//! Weight k counts as the row repeated k times, weight 0 as the row removed.

use std::collections::BTreeMap;

use gradsweep_data::{Dataset, Impute, LoadSpec, OtherLevels, Strategy};

use crate::files::{load_text, table};

const ROWS: usize = 60;

fn weight(row: usize) -> usize {
    row * 7 % 4
}

/// One line of the table: a number and a level with gaps, a level and a number that only rows of weight 0 have.
fn line(row: usize) -> String {
    let is_out = weight(row) == 0;
    let number = if row % 7 == 2 {
        String::new()
    } else {
        format!("{}", (row * 37 % 23) as f64 / 4.0)
    };
    let level = match row % 11 {
        3 => "",
        _ if is_out && row.is_multiple_of(2) => "gone",
        9 => "rare",
        k => ["red", "green", "blue"][k % 3],
    };
    let constant = if is_out { "5" } else { "3" };
    let full = if is_out { String::new() } else { row.to_string() };
    let label = if row * 5 % 7 < 3 { "yes" } else { "no" };
    format!("{number},{level},{constant},{full},{},{label}", row % 3)
}

fn weighted() -> String {
    table("x,k,c,full,f,y,w", ROWS, |row| format!("{},{}", line(row), weight(row)))
}

/// The same without weights, every row written out.
fn repeated() -> (String, Vec<usize>) {
    let rows: Vec<usize> = (0..ROWS)
        .flat_map(|row| std::iter::repeat_n(row, weight(row)))
        .collect();
    (table("x,k,c,full,f,y", rows.len(), |at| line(rows[at])), rows)
}

fn settings(spec: &mut LoadSpec) {
    spec.roles.fold = Some("f".into());
    spec.split.strategy = Strategy::Predefined;
    spec.deal = false;
    spec.encode.indicator = true;
    spec.encode.one_hot.min_frequency = 6;
}

/// Every free feature of a fold (or of all rows) at each row of the files, by name.
fn features(data: &Dataset<f64>, fold: Option<usize>) -> BTreeMap<String, BTreeMap<u32, f64>> {
    let encoding = &data.encoding;
    let fold = fold.map_or_else(
        || encoding.for_training(&vec![true; data.groups.len()]),
        |fold| encoding.folds[fold].clone(),
    );
    let mut values = BTreeMap::new();
    for (feature, name) in encoding
        .features
        .iter()
        .enumerate()
        .filter(|(feature, _)| !fold.is_held[*feature])
    {
        let links = || {
            encoding
                .links
                .iter()
                .zip(&fold.factor)
                .filter(|(link, _)| link.feature == feature)
        };
        let at = |stored: usize| {
            fold.offset[feature]
                + links()
                    .map(|(link, factor)| factor * data.x[[stored, link.raw]])
                    .sum::<f64>()
        };
        let rows = data
            .source_row
            .iter()
            .enumerate()
            .map(|(stored, row)| (*row, at(stored)));
        values.insert(name.name.clone(), rows.collect());
    }
    values
}

#[test]
fn weights_are_repeated_rows() {
    let (text, rows) = repeated();
    for impute in [Impute::Mean, Impute::Median, Impute::Zero] {
        for other in [OtherLevels::Group, OtherLevels::Ignore] {
            let change = |spec: &mut LoadSpec| {
                settings(spec);
                spec.encode.impute = impute;
                spec.encode.one_hot.other = other;
            };
            let repeated = load_text(&text, change).unwrap();
            let weighted = load_text(&weighted(), |spec| {
                change(spec);
                spec.roles.weight = Some("w".into());
            })
            .unwrap();
            assert_eq!(weighted.group_weight, repeated.group_weight);
            for fold in [Some(0), Some(1), Some(2), None] {
                let (few, many) = (features(&weighted, fold), features(&repeated, fold));
                assert_eq!(few.keys().collect::<Vec<_>>(), many.keys().collect::<Vec<_>>());
                assert!(!many.contains_key("c") && !many.contains_key("full=(missing)") && many.contains_key("full"));
                for (name, values) in many {
                    for (at, expected) in values {
                        let found = few[&name][&(rows[at as usize] as u32)];
                        let close = (found - expected).abs() <= 1e-12 * (1.0 + expected.abs());
                        assert!(close, "{name} row {at}: {found} is not {expected}");
                    }
                }
            }
        }
    }
}

#[test]
fn weights_stay_with_their_rows() {
    let text = weighted().replacen(",yes,", ",,", 3);
    let data = load_text(&text, |spec| {
        spec.roles.weight = Some("w".into());
        spec.roles.drop_null_target = true;
        spec.rows = Some(50);
    })
    .unwrap();
    let stored = data.weight.as_ref().unwrap();
    assert_eq!((stored.len(), data.summary.rows_dropped), (47, 3));
    let mut sums = vec![[0.0; 2]; data.groups.len()];
    for (group, rows) in data.groups.iter().enumerate() {
        for row in rows.clone() {
            let source = data.source_row[row] as usize;
            assert_eq!(stored[row], weight(source) as f64);
            sums[group][usize::from(data.y[row] == 1.0)] += stored[row];
        }
    }
    assert_eq!(data.group_weight, sums);
    let summary = data.summary.weight.unwrap();
    let zeros = stored.iter().filter(|weight| **weight == 0.0).count() as u64;
    assert_eq!((summary.name.as_str(), summary.zeros), ("w", zeros));
    assert_eq!(summary.sum, sums.iter().flatten().sum::<f64>());
    assert!(data.encoding.features.iter().all(|feature| feature.column != "w"));
}

#[test]
fn unweighted_rows_are_counted() {
    let data = load_text(&weighted(), |spec| spec.roles.exclude = vec!["w".into()]).unwrap();
    assert_eq!(data.weight, None);
    let rows: f64 = data.group_weight.iter().flatten().sum();
    assert_eq!(rows, ROWS as f64);
    let ones = data.group_weight.iter().map(|[_, positive]| positive).sum::<f64>();
    assert_eq!(ones, data.summary.target.positives as f64);
}

#[test]
fn the_fingerprint_includes_the_weights() {
    let print = |text: &str, is_weighted: bool| {
        let data = load_text(text, |spec| {
            spec.roles.exclude = vec!["w".into()];
            spec.roles.weight = is_weighted.then(|| "w".into());
        });
        data.unwrap().summary.fingerprint
    };
    let other = weighted().replacen(",1\n", ",2\n", 1);
    assert_ne!(other, weighted());
    assert_eq!(print(&other, false), print(&weighted(), false));
    assert_ne!(print(&weighted(), true), print(&weighted(), false));
    assert_ne!(print(&other, true), print(&weighted(), true));
    assert_eq!(
        print(&weighted().replace(",1\n", ",1.0\n"), true),
        print(&weighted(), true)
    );
}
