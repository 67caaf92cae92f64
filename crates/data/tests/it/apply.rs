//! A fitted model on new rows: the same scores as the training matrix gives, whatever the format, and what is refused.

use gradsweep_data::{
    Applied, ApplyError, ApplySpec, ColumnType, DataError, Dataset, LabelSpec, LoadSpec, OtherLevels, Scorer, load,
};
use polars::prelude::*;

use crate::files::{Folder, spec};

const ROWS: usize = 3000;

fn frame() -> DataFrame {
    let number = |row: usize| (row * 7919 % 1013) as f64 / 8.0 + 1e6;
    let level = |row: usize| match row % 1000 {
        7 => "rare",
        other => ["red", "green", "blue"][other % 3],
    };
    df!(
        "a" => (0..ROWS).map(|row| (row % 13 != 5).then(|| number(row))).collect::<Vec<_>>(),
        "k" => (0..ROWS).map(|row| (row % 11 != 3).then(|| level(row))).collect::<Vec<_>>(),
        "b" => (0..ROWS).map(|row| (row % 17 != 2).then_some(row % 3 == 0)).collect::<Vec<_>>(),
        "zip" => (0_i32..).take(ROWS).map(|row| row % 5).collect::<Vec<_>>(),
        "i" => (0_i64..).take(ROWS).map(|row| row % 97).collect::<Vec<_>>(),
        "name" => (0_i64..).take(ROWS).collect::<Vec<_>>(),
        "y" => (0..ROWS).map(|row| if row * 31 % 7 > 2 { "yes" } else { "no" }).collect::<Vec<_>>()
    )
    .unwrap()
}

fn csv(frame: &DataFrame) -> String {
    let mut bytes = Vec::new();
    CsvWriter::new(&mut bytes).finish(&mut frame.clone()).unwrap();
    String::from_utf8(bytes).unwrap()
}

fn fit_spec(path: String) -> LoadSpec {
    let mut spec = spec(&[path]);
    spec.roles.id = Some("name".to_owned());
    spec.roles.types = [("zip".to_owned(), ColumnType::Categorical)].into();
    spec.encode.indicator = true;
    spec
}

/// A data set, and a weight for each of its features.
struct Fit {
    data: Dataset<f64>,
    coefficients: Vec<f64>,
    scorer: Scorer,
}

/// Scores, labels, and what was read.
type Scored = (Vec<f64>, Vec<Option<bool>>, Applied);

const INTERCEPT: f64 = -0.25;

fn fit(spec: &LoadSpec) -> Fit {
    let data: Dataset<f64> = load(spec).unwrap();
    let everything = vec![true; data.groups.len()];
    let (columns, fold) = data.encoding.fitted(&everything, &data.summary, &spec.roles.types);
    let coefficients: Vec<f64> = (0..data.encoding.features.len())
        .map(|i| if fold.is_held[i] { 0.0 } else { (i as f64 * 0.7).sin() })
        .collect();
    let scorer = Scorer::new(&columns, &coefficients, INTERCEPT, data.y.len() as u64);
    Fit {
        data,
        coefficients,
        scorer,
    }
}

impl Fit {
    /// The score of each row of the file, from the stored matrix as training sees it.
    fn by_matrix(&self) -> Vec<f64> {
        let encoding = &self.data.encoding;
        let fold = encoding.for_training(&vec![true; self.data.groups.len()]);
        let mut z = vec![0.0; self.data.y.len()];
        for (stored, &row) in self.data.x.view().rows().into_iter().zip(&self.data.source_row) {
            let links = encoding.links.iter().zip(&fold.factor);
            let linked: f64 = links
                .map(|(link, factor)| factor * self.coefficients[link.feature] * stored[link.raw])
                .sum();
            let offset: f64 = self
                .coefficients
                .iter()
                .zip(&fold.offset)
                .map(|(w, offset)| w * offset)
                .sum();
            z[row as usize] = INTERCEPT + linked + offset;
        }
        z
    }

    fn score(&self, path: String, labels: Option<LabelSpec>) -> Result<Scored, ApplyError> {
        let spec = ApplySpec {
            source: spec(&[path]).source,
            datetimes: Vec::new(),
            id: None,
            labels,
        };
        let (mut z, mut labels) = (Vec::new(), Vec::new());
        let applied = self.scorer.score::<ApplyError>(&spec, |batch| {
            z.extend(batch.z);
            labels.extend(batch.labels);
            Ok(())
        })?;
        Ok((z, labels, applied))
    }
}

fn labels() -> LabelSpec {
    LabelSpec {
        column: "y".to_owned(),
        positive: "yes".to_owned(),
        negative: Some("no".to_owned()),
        drop_null: false,
        weight: None,
    }
}

#[test]
fn raw_rows_score_as_the_training_matrix_does() {
    let folder = Folder::new();
    let path = folder.parquet("a.parquet", &frame(), 700);
    for change in [
        |_: &mut LoadSpec| (),
        |spec: &mut LoadSpec| spec.encode.standardize = false,
        |spec: &mut LoadSpec| spec.encode.impute = gradsweep_data::Impute::Zero,
        |spec: &mut LoadSpec| spec.encode.one_hot.drop_first = true,
        |spec: &mut LoadSpec| spec.encode.one_hot.other = OtherLevels::Ignore,
        |spec: &mut LoadSpec| spec.encode.one_hot.max_categories = 2,
    ] {
        let mut spec = fit_spec(path.clone());
        change(&mut spec);
        let fit = fit(&spec);
        let (z, labels, applied) = fit.score(path.clone(), Some(labels())).unwrap();
        for (row, (found, expected)) in z.iter().zip(fit.by_matrix()).enumerate() {
            // Unscaled numbers near 1e6 cancel against each other in the matrix.
            let tolerance = if spec.encode.standardize { 1e-9 } else { 1e-8 };
            assert!((found - expected).abs() < tolerance, "row {row}: {found} {expected}");
        }
        assert_eq!(
            labels.iter().filter(|label| **label == Some(true)).count() as u64,
            fit.data.summary.target.positives
        );
        assert_eq!((applied.rows, applied.ignored), (ROWS as u64, vec!["name".to_owned()]));
        assert!(
            applied
                .drift
                .iter()
                .all(|column| column.unseen == 0 && !column.has_other_nulls(ROWS as u64))
        );
    }
}

#[test]
fn parquet_csv_files_and_threads_give_the_same_bits() {
    let folder = Folder::new();
    let frame = frame();
    let whole = folder.parquet("whole.parquet", &frame, 1 << 20);
    let text = folder.text("a.csv", &csv(&frame));
    let from_parquet = fit(&fit_spec(whole.clone()));
    let (expected, ..) = from_parquet.score(whole.clone(), None).unwrap();
    let bits = |z: &[f64]| z.iter().map(|z| z.to_bits()).collect::<Vec<_>>();
    for fit in [&from_parquet, &fit(&fit_spec(text.clone()))] {
        for path in [
            whole.clone(),
            text.clone(),
            folder.parquet("small.parquet", &frame, 100),
        ] {
            assert_eq!(bits(&fit.score(path, None).unwrap().0), bits(&expected));
        }
    }
    for (part, (first, rows)) in [(0_i64, 999), (999, 1), (1000, 2000)].into_iter().enumerate() {
        folder.parquet(&format!("part-{part}.parquet"), &frame.slice(first, rows), 77);
    }
    assert_eq!(
        bits(&from_parquet.score(folder.path("part-*.parquet"), None).unwrap().0),
        bits(&expected)
    );
    let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    let alone = pool.install(|| from_parquet.score(whole, None)).unwrap();
    assert_eq!(bits(&alone.0), bits(&expected));
}

/// Scores a file with one row changed, under a rule.
fn with_level(other: OtherLevels, level: Option<&str>) -> (Fit, Result<Scored, ApplyError>) {
    let folder = Folder::new();
    let mut spec = fit_spec(folder.parquet("a.parquet", &frame(), 1000));
    spec.encode.one_hot.other = other;
    let fit = fit(&spec);
    let mut new = frame().slice(0, 2);
    new.with_column(Column::new("k".into(), [Some("red"), level])).unwrap();
    let scored = fit.score(folder.parquet("new.parquet", &new, 1000), None);
    (fit, scored)
}

fn weight(fit: &Fit, feature: &str) -> f64 {
    let position = fit.data.encoding.features.iter().position(|own| own.name == feature);
    position.map_or(0.0, |position| fit.coefficients[position])
}

#[test]
fn an_unseen_level_goes_by_the_rule() {
    let difference = |other, level| {
        let (fit, scored) = with_level(other, level);
        let (unseen, ..) = scored.unwrap();
        let (red, ..) = with_level(other, Some("red")).1.unwrap();
        (unseen[1] - red[1] + weight(&fit, "k=red"), fit)
    };
    let (grouped, fit) = difference(OtherLevels::Group, Some("violet"));
    assert!((grouped - weight(&fit, "k=(other)")).abs() < 1e-12 && grouped != 0.0);
    let (ignored, _) = difference(OtherLevels::Ignore, Some("violet"));
    assert!(ignored.abs() < 1e-12);
    let (null, fit) = difference(OtherLevels::Group, None);
    assert!((null - weight(&fit, "k=(missing)")).abs() < 1e-12 && null != 0.0);
    let error = with_level(OtherLevels::Error, Some("violet")).1.unwrap_err();
    assert!(
        matches!(&error, ApplyError::UnseenLevel { row: 2, level, .. } if level == "violet"),
        "{error}"
    );
    let (_, _, applied) = with_level(OtherLevels::Group, Some("violet")).1.unwrap();
    let k = applied.drift.iter().find(|column| column.column == "k").unwrap();
    assert_eq!((k.unseen, k.unseen_levels.as_slice()), (1, &["violet".to_owned()][..]));
}

#[test]
fn what_does_not_fit_the_model_is_named() {
    let folder = Folder::new();
    let fit = fit(&fit_spec(folder.parquet("a.parquet", &frame(), 1000)));
    let small = frame().slice(0, 5);
    let refused = |frame: &DataFrame, labels: Option<LabelSpec>| {
        fit.score(folder.parquet("new.parquet", frame, 1000), labels)
            .unwrap_err()
    };
    let without = small.drop("k").unwrap().drop("i").unwrap();
    let error = refused(&without, None);
    assert!(
        error
            .to_string()
            .ends_with("new.parquet lacks 2 columns that the model needs: \"k\", \"i\""),
        "{error}"
    );
    let with = |column: Column| small.clone().with_column(column).unwrap().clone();

    let error = refused(&with(Column::new("a".into(), ["1", "2", "3", "4", "5"])), None);
    assert!(
        matches!(&error, ApplyError::Retyped { column, expected: "numbers", .. } if column == "a"),
        "{error}"
    );
    let error = refused(&with(Column::new("k".into(), [1_i64, 2, 3, 4, 5])), None);
    assert!(
        matches!(&error, ApplyError::Retyped { column, expected: "text", .. } if column == "k"),
        "{error}"
    );
    let error = refused(
        &with(Column::new("a".into(), [1.0, 2.0, f64::NEG_INFINITY, 4.0, 5.0])),
        None,
    );
    assert!(
        matches!(&error, ApplyError::Data(DataError::Infinite { row: 3, .. })),
        "{error}"
    );
    let error = refused(&small.drop("y").unwrap(), Some(labels()));
    assert!(
        matches!(&error, ApplyError::NoTarget { column, .. } if column == "y"),
        "{error}"
    );
    let error = refused(
        &with(Column::new("y".into(), ["yes", "no", "no", "maybe", "no"])),
        Some(labels()),
    );
    assert!(error.to_string().contains("\"maybe\" in row 4"), "{error}");
    let error = refused(
        &with(Column::new("y".into(), [Some("yes"), None, None, None, None])),
        Some(labels()),
    );
    assert!(matches!(&error, ApplyError::NullLabel { row: 2, .. }), "{error}");

    let text = csv(&small).replacen("1000000.0", "many", 1);
    let error = fit.score(folder.text("new.csv", &text), None).unwrap_err();
    assert!(matches!(&error, ApplyError::NotANumber { row: 1, .. }), "{error}");
    assert!(error.hint().is_some());
}
