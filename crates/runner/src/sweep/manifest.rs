//! What a store says of its sweep.

use std::collections::{BTreeMap, BTreeSet};

use gradsweep_data::Dataset;
use gradsweep_math::{Real, blas};
use gradsweep_store::{Manifest, MetricInfo};

use super::json;
use crate::config::Config;
use crate::plan::{COUNTS, Plan};
use crate::search::Trial;
use crate::summary::data_json;

/// The manifest of a sweep before it is trained.
pub(super) fn manifest<T: Real>(config: &Config, plan: &Plan, data: &Dataset<T>, rows: Option<usize>) -> Manifest {
    let mut keys: BTreeMap<String, serde_json::Value> = config
        .result_keys()
        .into_iter()
        .map(|(key, value)| (key, json(&value)))
        .collect();
    for key in COUNTS {
        keys.remove(*key);
    }
    if let Some(rows) = rows {
        keys.insert("--rows".to_owned(), rows.into());
    }
    let swept: BTreeSet<&String> = plan
        .trials
        .iter()
        .flat_map(|trial: &Trial| trial.params.iter().map(|(path, _)| path))
        .collect();
    // A swept key's base value decides nothing.
    keys.retain(|key, _| !swept.contains(key));
    let absolute = |path: &str| {
        std::path::absolute(path)
            .map(|path| path.display().to_string())
            .unwrap_or_default()
    };
    Manifest {
        version: env!("CARGO_PKG_VERSION").to_owned(),
        name: config.name.clone(),
        created: jiff::Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        seed: config.run.seed,
        blas_core: blas::core_name(),
        threads: rayon::current_num_threads(),
        precision: T::NAME.to_owned(),
        plan_hash: hash(plan),
        select: config.sweep.metric.name().to_owned(),
        metrics: config
            .metrics()
            .iter()
            .map(|metric| MetricInfo {
                name: metric.name().to_owned(),
                higher_is_better: metric.higher_is_better(),
            })
            .collect(),
        fingerprint: data.summary.fingerprint.clone(),
        data: data_json(&data.summary, data.encoding.features.len()),
        keys,
        paths: BTreeMap::from([("data.train".to_owned(), absolute(&config.data.train.join(", ")))]),
        ..Manifest::default()
    }
}

/// What tells plans apart: the runs they have.
pub(super) fn hash(plan: &Plan) -> String {
    let mut digest = blake3::Hasher::new();
    for run in &plan.runs {
        digest.update(&run.id.0.to_be_bytes());
    }
    digest.finalize().to_hex().to_string()
}
