//! No fold sees its held-out rows: features computed through links, factors and offsets equal a naive preprocessing of
//! each fold's own training rows.

use gradsweep_data::{DataError, Dataset, Impute, LoadSpec, OneHotSpec, OtherLevels, Role, Strategy, load};
use polars::prelude::{Column, df};
use proptest::prelude::{
    Just, ProptestConfig, TestCaseError, any, prop, prop_assert, prop_assert_eq, prop_oneof, proptest,
};

use crate::files::{Folder, spec};

/// Raw rows in file order.
#[derive(Debug, Clone)]
struct Raw {
    numbers: Vec<Option<f64>>,
    levels: Vec<Option<&'static str>>,
    /// How often each row counts.
    weight: Option<Vec<u32>>,
}

const LEVELS: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

/// Feature name and value per row, computed the obvious way: a weight writes its row out so many times.
fn naive(raw: &Raw, is_training: &[bool], spec: &LoadSpec) -> Vec<(String, Vec<f64>)> {
    let times = |row: usize| raw.weight.as_ref().map_or(1, |weight| weight[row] as usize);
    let rows = || {
        let training = (0..is_training.len()).filter(|&row| is_training[row]);
        training.flat_map(move |row| std::iter::repeat_n(row, times(row)))
    };
    let mut features = Vec::new();

    let observed: Vec<f64> = rows().filter_map(|row| raw.numbers[row]).collect();
    if !observed.is_empty() {
        let fill = match spec.encode.impute {
            Impute::Zero => 0.0,
            Impute::Median => {
                let mut sorted = observed.clone();
                sorted.sort_by(f64::total_cmp);
                f64::midpoint(sorted[(sorted.len() - 1) / 2], sorted[sorted.len() / 2])
            }
            _ => observed.iter().sum::<f64>() / observed.len() as f64,
        };
        let value = |row: usize| raw.numbers[row].unwrap_or(fill);
        let count = rows().count() as f64;
        let mean = rows().map(value).sum::<f64>() / count;
        let std = (rows().map(|row| (value(row) - mean).powi(2)).sum::<f64>() / count).sqrt();
        let first = rows().next().map(value);
        if rows().any(|row| Some(value(row)) != first) {
            let (mean, std) = if spec.encode.standardize {
                (mean, std)
            } else {
                (0.0, 1.0)
            };
            let scaled = (0..is_training.len()).map(|row| (value(row) - mean) / std).collect();
            features.push(("x".to_owned(), scaled));
        }
        let missing = rows().filter(|row| raw.numbers[*row].is_none()).count();
        if spec.encode.indicator && missing > 0 {
            let is_missing = raw.numbers.iter().map(|v| f64::from(u8::from(v.is_none()))).collect();
            features.push(("x=(missing)".to_owned(), is_missing));
        }
    }

    let text = |row: usize| raw.levels[row].unwrap_or("(missing)");
    let mut levels: Vec<&str> = LEVELS.to_vec();
    levels.push("(missing)");
    let count = |level: &str| rows().filter(|&row| text(row) == level).count() as u64;
    let one_hot = &spec.encode.one_hot;
    let mut kept: Vec<&str> = levels
        .into_iter()
        .filter(|level| count(level) >= one_hot.min_frequency.max(1))
        .collect();
    let most = one_hot.max_categories - usize::from(one_hot.other != OtherLevels::Ignore);
    while kept.len() > most {
        let least = kept.iter().map(|level| count(level)).min().unwrap();
        let drop = kept.iter().position(|level| count(level) == least).unwrap();
        kept.remove(drop);
    }
    let all_kept = kept.clone();
    if one_hot.drop_first && !kept.is_empty() {
        kept.remove(0);
    }
    let training = rows().count() as u64;
    for level in kept.iter().filter(|level| count(level) < training) {
        let marks = (0..is_training.len())
            .map(|row| f64::from(u8::from(text(row) == *level)))
            .collect();
        features.push((format!("k={level}"), marks));
    }
    let is_other = |row: usize| !all_kept.contains(&text(row));
    let others = rows().filter(|row| is_other(*row)).count() as u64;
    if one_hot.other == OtherLevels::Group && others > 0 && others < training {
        let marks = (0..is_training.len())
            .map(|row| f64::from(u8::from(is_other(row))))
            .collect();
        features.push(("k=(other)".to_owned(), marks));
    }
    features
}

/// A raw column, whether it is stored as one or stands in a column of codes.
fn raw_column(data: &Dataset<f64>, raw: usize) -> Vec<f64> {
    let numbers = data.encoding.numbers();
    if raw < numbers {
        return data.x.column(raw).to_vec();
    }
    let has_code = |x: &f64| f64::from(u8::from(*x as usize == raw - numbers));
    let columns = numbers..data.encoding.stored_columns();
    columns.fold(vec![0.0; data.x.nrows()], |mut sum, column| {
        sum.iter_mut()
            .zip(data.x.column(column))
            .for_each(|(sum, x)| *sum += has_code(x));
        sum
    })
}

/// Features of one fold as the data set says, per storage row; held ones are left out.
fn encoded(data: &Dataset<f64>, is_training: &[bool], factor_of: Option<usize>) -> Vec<(String, Vec<f64>)> {
    let encoding = &data.encoding;
    let fold = match factor_of {
        Some(fold) => encoding.folds[fold].clone(),
        None => encoding.for_training(is_training),
    };
    let mut values: Vec<Vec<f64>> = fold.offset.iter().map(|offset| vec![*offset; data.x.nrows()]).collect();
    for (link, factor) in encoding.links.iter().zip(&fold.factor) {
        for (value, x) in values[link.feature].iter_mut().zip(raw_column(data, link.raw)) {
            *value += factor * x;
        }
    }
    for (feature, value) in values.iter().enumerate().filter(|(feature, _)| fold.is_held[*feature]) {
        assert!(
            value.iter().all(|v| *v == 0.0),
            "a held feature moves: {}",
            encoding.features[feature].name
        );
    }
    let names = encoding.features.iter().map(|feature| feature.name.clone());
    let is_free = fold.is_held.iter().map(|held| !held);
    names
        .zip(values)
        .zip(is_free)
        .filter(|(_, free)| *free)
        .map(|(pair, _)| pair)
        .collect()
}

fn compare(raw: &Raw, y: &[bool], change: impl FnOnce(&mut LoadSpec)) -> Result<(), TestCaseError> {
    let folder = Folder::new();
    let mut frame = df!("x" => raw.numbers.clone(), "k" => raw.levels.clone(), "y" => y).unwrap();
    if let Some(weight) = &raw.weight {
        frame.with_column(Column::new("w".into(), weight)).unwrap();
    }
    let mut spec = spec(&[folder.parquet("a.parquet", &frame, 7)]);
    spec.roles.include = vec!["x".into(), "k".into()];
    spec.roles.weight = raw.weight.as_ref().map(|_| "w".into());
    change(&mut spec);
    let data = match load::<f64>(&spec) {
        Ok(data) => data,
        Err(
            DataError::OneClass { .. }
            | DataError::ClassSmallerThanFolds { .. }
            | DataError::FoldWithOneClass { .. }
            | DataError::FoldWithoutWeight { .. },
        ) => {
            return Ok(());
        }
        Err(error) => return Err(TestCaseError::fail(error.to_string())),
    };
    let groups = data.groups.len();
    let mut group_of = vec![0; data.x.nrows()];
    for (group, rows) in data.groups.iter().enumerate() {
        group_of[rows.clone()].fill(group);
    }
    let mut trainings: Vec<(Option<usize>, Vec<bool>)> = (0..data.folds.len())
        .map(|fold| (Some(fold), data.folds.is_training(fold)))
        .collect();
    trainings.push((None, vec![true; groups]));
    for (fold, training) in trainings {
        let mut is_training = vec![false; data.x.nrows()];
        for (stored, row) in data.source_row.iter().enumerate() {
            is_training[*row as usize] = training[group_of[stored]];
        }
        let expected = naive(raw, &is_training, &spec);
        let mut found = encoded(&data, &training, fold);
        found.sort_by_key(|(name, _)| name.clone());
        let mut names: Vec<&String> = expected.iter().map(|(name, _)| name).collect();
        names.sort();
        prop_assert_eq!(found.iter().map(|(name, _)| name).collect::<Vec<_>>(), names);
        for (name, values) in &found {
            let naive = &expected.iter().find(|(other, _)| other == name).unwrap().1;
            for (value, row) in values.iter().zip(&data.source_row) {
                let expected = naive[*row as usize];
                let close = (value - expected).abs() <= 1e-12 * (1.0 + expected.abs());
                prop_assert!(close, "{} row {}: {} is not {}", name, row, value, expected);
            }
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 120, ..ProptestConfig::default() })]

    #[test]
    fn features_of_every_fold_are_those_of_its_training_rows(
        cells in prop::collection::vec(
            (
                prop::option::weighted(0.8, -50.0..70.0_f64),
                prop::option::weighted(0.9, prop::sample::select(&LEVELS[..])),
                any::<bool>(),
                prop_oneof![1 => Just(0_u32), 3 => 1..5_u32],
            ),
            30..120,
        ),
        is_weighted: bool, impute in prop::sample::select(&[Impute::Mean, Impute::Median, Impute::Zero][..]),
        min_frequency in 0_u64..12, max_categories in 1_usize..9, seed: u64,
        (indicator, standardize, drop_first, is_group, is_coded) in any::<(bool, bool, bool, bool, bool)>(),
        strategy in prop::sample::select(&[Strategy::Stratified, Strategy::KFold, Strategy::Holdout, Strategy::None][..]),
    ) {
        let raw = Raw {
            numbers: cells.iter().map(|cell| cell.0).collect(),
            levels: cells.iter().map(|cell| cell.1).collect(),
            weight: is_weighted.then(|| cells.iter().map(|cell| cell.3).collect()),
        };
        let y: Vec<bool> = cells.iter().map(|cell| cell.2).collect();
        compare(&raw, &y, |spec| {
            spec.seed = seed;
            spec.split.strategy = strategy;
            spec.split.folds = 3;
            spec.encode.impute = impute;
            spec.encode.indicator = indicator;
            spec.encode.standardize = standardize;
            let other = if is_group { OtherLevels::Group } else { OtherLevels::Ignore };
            let sparse_above = if is_coded { 0 } else { usize::MAX };
            spec.encode.one_hot = OneHotSpec { min_frequency, max_categories, other, drop_first, sparse_above };
        })?;
    }
}

#[test]
fn far_from_zero_nothing_is_lost() {
    let rows = 200;
    let raw = Raw {
        numbers: (0..rows)
            .map(|row| (row % 17 != 4).then(|| 1e6 + f64::from(row * 37 % 101) / 16.0))
            .collect(),
        levels: (0..rows).map(|row| Some(LEVELS[row as usize % 6])).collect(),
        weight: None,
    };
    let y: Vec<bool> = (0..rows).map(|row| row % 3 == 0).collect();
    // The naive mean itself is good to 1e6·eps/std only.
    let folder = Folder::new();
    let frame = df!("x" => raw.numbers.clone(), "y" => y).unwrap();
    let data = load::<f64>(&spec(&[folder.parquet("a.parquet", &frame, 50)])).unwrap();
    let features = encoded(&data, &[], Some(0));
    let training: Vec<f64> = data
        .groups
        .iter()
        .zip(&data.folds.roles[0])
        .filter(|(_, role)| **role == Role::Train)
        .flat_map(|(rows, _)| features[0].1[rows.clone()].to_vec())
        .collect();
    let mean = training.iter().sum::<f64>() / training.len() as f64;
    let variance = training.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / training.len() as f64;
    assert!(
        mean.abs() < 1e-13 && (variance - 1.0).abs() < 1e-13,
        "{mean} {variance}"
    );
}
