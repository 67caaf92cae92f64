use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::error::{ExitKind, StoreError};
use crate::value::ParamValue;

fn model(coefficients: Vec<f64>, levels: &[String]) -> Model {
    let p = coefficients.len();
    let levels = levels.iter().enumerate().map(|(i, text)| ModelLevel {
        text: text.clone(),
        rows: i as u64,
        fate: Fate::Kept,
        feature: Some((i + 1) % p),
    });
    Model {
        info: ModelInfo {
            version: "0.1.0".into(),
            name: "flights".into(),
            kind: "logistic".into(),
            trial: 3,
            params: BTreeMap::from([("model.C".into(), ParamValue::Float(f64::INFINITY))]),
            identity: "0123".into(),
            target: ModelTarget {
                name: "late".into(),
                positive: "yes".into(),
                negative: "no".into(),
                positives: 4,
                drop_null: false,
            },
            threshold: 0.5,
            reading: Reading {
                missing: vec![String::new(), "NA".into()],
                delimiter: ',',
                quote: Some('"'),
                is_latin1: false,
                datetimes: Vec::new(),
            },
            id: None,
            rows: 10,
            fingerprint: "data".into(),
            features: (0..p).map(|i| format!("f{i}")).collect(),
            columns: vec![
                ModelColumn {
                    name: "x".into(),
                    nulls: 2,
                    shape: Shape::Numeric {
                        feature: 0,
                        indicator: None,
                        is_boolean: false,
                        is_text: false,
                        refuses_null: false,
                    },
                },
                ModelColumn {
                    name: "carrier".into(),
                    nulls: 0,
                    shape: Shape::Categorical {
                        levels: levels.collect(),
                        other: OtherRule::Group,
                        other_feature: None,
                    },
                },
            ],
            metrics: ModelMetrics::default(),
            keys: BTreeMap::new(),
            precision: "f64".into(),
            blas_core: String::new(),
        },
        numbers: ModelNumbers {
            coefficients,
            intercept: -0.1,
            impute: vec![1.0 / 3.0],
            mean: vec![2.0 / 3.0],
            scale: vec![1e-300],
        },
    }
}

pub(crate) fn sample() -> Model {
    model(vec![0.1, -1e-17, f64::MAX], &["UA".into(), "\u{1b}[31m\n\"".into()])
}

/// The two files, `model.json` first.
fn files(dir: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(dir)
        .expect("listing")
        .map(|e| e.expect("entry").path())
        .collect();
    files.sort_by_key(|path| !path.ends_with(FILE));
    files
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    #[test]
    fn every_bit_and_text_comes_back(
        coefficients in prop::collection::vec(-1e300_f64..1e300, 1..20),
        levels in prop::collection::vec(any::<String>(), 0..6),
    ) {
        let dir = tempfile::tempdir().expect("scratch directory");
        let written = model(coefficients, &levels);
        written.write(dir.path()).expect("written");
        let read = Model::read(dir.path()).expect("read");
        prop_assert_eq!(&read, &written);
        let bits = |model: &Model| model.numbers.coefficients.iter().map(|w| w.to_bits()).collect::<Vec<_>>();
        prop_assert_eq!(bits(&read), bits(&written));
    }
}

#[test]
fn a_new_model_takes_the_place_of_the_old_one() {
    let dir = tempfile::tempdir().expect("scratch directory");
    sample().write(dir.path()).expect("written");
    let second = model(vec![7.0], &["a".into()]);
    second.write(dir.path()).expect("written");
    assert_eq!(files(dir.path()).len(), 2, "the first one's numbers are gone");
    assert_eq!(Model::read(dir.path()).expect("read"), second);
}

#[test]
fn damage_anywhere_is_an_error_that_names_the_file() {
    let dir = tempfile::tempdir().expect("scratch directory");
    sample().write(dir.path()).expect("written");
    for path in files(dir.path()) {
        let whole = std::fs::read(&path).expect("readable");
        let refused = |bytes: &[u8], what: &str| {
            std::fs::write(&path, bytes).expect("written");
            let error = Model::read(dir.path()).expect_err(what);
            assert_eq!(error.exit_kind(), ExitKind::Disk, "{what}: {error}");
            let name = path.file_name().and_then(|name| name.to_str()).expect("a name");
            // A flip in the name of the other file is found as that file's absence.
            assert!(
                error.to_string().contains(name) || error.to_string().contains("safetensors"),
                "{what}: {error}"
            );
        };
        for length in 0..whole.len() {
            refused(&whole[..length], &format!("cut to {length} bytes"));
        }
        for at in 0..whole.len() {
            for bit in [0, 5] {
                let mut bytes = whole.clone();
                bytes[at] ^= 1 << bit;
                refused(&bytes, &format!("bit {bit} of byte {at}"));
            }
        }
        refused(&[&whole[..], b" "].concat(), "a byte more");
        std::fs::write(&path, whole).expect("written");
    }
    Model::read(dir.path()).expect("whole again");
}

#[test]
fn a_header_that_promises_more_than_the_file_holds_is_refused() {
    let dir = tempfile::tempdir().expect("scratch directory");
    sample().write(dir.path()).expect("written");
    let weights = files(dir.path()).remove(1);
    let mut bytes = std::fs::read(&weights).expect("readable");
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(ModelNumbers::from_bytes(&bytes, 3, 1).is_err());
    let header = br#"{"coefficients":{"dtype":"F64","shape":[1152921504606846976],"data_offsets":[0,8]}}"#;
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend_from_slice(header);
    bytes.extend_from_slice(&[0; 8]);
    assert!(ModelNumbers::from_bytes(&bytes, 1, 0).is_err());
}

#[test]
fn a_newer_model_is_named_and_a_folder_without_one_is_usage() {
    let dir = tempfile::tempdir().expect("scratch directory");
    assert!(matches!(Model::read(dir.path()), Err(StoreError::NoModel { .. })));
    sample().write(dir.path()).expect("written");
    let path = dir.path().join(FILE);
    let text = std::fs::read_to_string(&path).expect("readable");
    std::fs::write(&path, text.replace("\"format\": 1", "\"format\": 2")).expect("written");
    let error = Model::read(dir.path()).expect_err("newer");
    assert!(matches!(error, StoreError::ModelTooNew { .. }), "{error}");
    assert_eq!(error.exit_kind(), ExitKind::Disk);
}

#[test]
fn a_path_in_place_of_a_name_is_refused() {
    let dir = tempfile::tempdir().expect("scratch directory");
    let model = sample();
    let weights = Weights {
        file: "../../etc/passwd.safetensors".into(),
        bytes: 1,
    };
    std::fs::write(dir.path().join(FILE), model.to_json(&weights).expect("encoded")).expect("written");
    let error = Model::read(dir.path()).expect_err("a path");
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}
