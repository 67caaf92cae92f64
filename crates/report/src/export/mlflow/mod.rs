//! A tracking server: a sweep becomes a parent run with a child per trial.
//!
//! - [`http`]: the little of HTTP that this takes; the only code of the program that opens a socket
//!
//! Spoken is the REST API 2.0 of `MLflow`, whose limits for a batch are 1,000 metrics, 100 parameters and 100 tags.

mod http;

use std::path::Path;

use gradsweep_store::{ParamValue, Store, TrialRow, TrialState};
use serde_json::{Value, json};

use self::http::Server;
use super::curves::Curves;
use super::error::ExportError;
use super::results::Results;

const MOST_METRICS: usize = 1000;
const MOST_PARAMS: usize = 100;
/// Longer values of parameters are refused by older servers.
const LONGEST_VALUE: usize = 500;

/// What was sent to a server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Logged {
    /// The experiment's number on the server.
    pub experiment: String,
    /// The parent run.
    pub run: String,
    /// Children: one per trial.
    pub trials: usize,
    /// Where a browser shows it.
    pub url: String,
}

/// Sends the sweep in `dir` to the tracking server at `uri`, as a run of the experiment with the sweep's name.
pub fn log_to_mlflow(dir: &Path, uri: &str) -> Result<Logged, ExportError> {
    let server = Server::parse(uri)?;
    let store = Store::open(dir)?;
    let results = Results::read(&store)?;
    let curves = Curves::read(&results, &store)?;
    let log = Log {
        server: &server,
        experiment: experiment(&server, &results.manifest.name)?,
        begun: (results.begun() * 1e3) as i64,
    };
    let run = log.parent(&results)?;
    for row in &results.table.rows {
        log.child(&results, &curves, row, &run)?;
    }
    log.end(&run, "FINISHED", 0.0)?;
    Ok(Logged {
        url: format!("{server}/#/experiments/{}/runs/{run}", log.experiment),
        experiment: log.experiment,
        run,
        trials: results.table.rows.len(),
    })
}

/// The number of the experiment with this name, which is made if there is none.
fn experiment(server: &Server, name: &str) -> Result<String, ExportError> {
    let path = format!("experiments/get-by-name?experiment_name={}", http::encoded(name));
    if let Some(found) = server.find("experiments/get-by-name", &path)? {
        return Ok(text(&found["experiment"]["experiment_id"]));
    }
    let made = server.post("experiments/create", &json!({ "name": name }))?;
    Ok(text(&made["experiment_id"]))
}

struct Log<'a> {
    server: &'a Server,
    experiment: String,
    /// Milliseconds since 1970.
    begun: i64,
}

impl Log<'_> {
    fn parent(&self, results: &Results) -> Result<String, ExportError> {
        let manifest = &results.manifest;
        let run = self.create(&manifest.name, &[])?;
        let is_swept = |key: &String| results.table.params.contains(key);
        let keys = manifest.keys.iter().filter(|(key, _)| !is_swept(key));
        let params: Vec<(String, String)> = keys.map(|(key, value)| (key.clone(), text(value))).collect();
        let mut metrics = Vec::new();
        let mut tags = vec![
            tag("gradsweep.version", &manifest.version),
            tag("gradsweep.fingerprint", &manifest.fingerprint),
            tag("gradsweep.plan", &manifest.plan_hash),
            tag("gradsweep.select", &manifest.select),
        ];
        if let Some(row) = results.table.selected() {
            metrics = self.scores(results, row);
            tags.push(tag("gradsweep.selected_trial", &row.trial.to_string()));
        }
        self.batch(&run, &metrics, &params, &tags)?;
        Ok(run)
    }

    fn child(&self, results: &Results, curves: &Curves, row: &TrialRow, parent: &str) -> Result<(), ExportError> {
        let run = self.create(&format!("trial {}", row.trial), &[tag("mlflow.parentRunId", parent)])?;
        let params = results.params(row);
        let params: Vec<(String, String)> = params
            .map(|(path, value): (&str, &ParamValue)| (path.to_owned(), value.to_string()))
            .collect();
        let mut metrics = self.scores(results, row);
        for curve in curves.of(row.trial) {
            let key = format!("{}_{}", curve.split, curve.metric);
            let points = curve.points.iter();
            metrics.extend(points.map(|(epoch, value)| self.metric(&key, *value, *epoch)));
        }
        let tags = [
            tag("gradsweep.trial", &row.trial.to_string()),
            tag("gradsweep.rank", &row.rank.to_string()),
            tag("gradsweep.state", row.state.name()),
            tag("gradsweep.selected", &row.is_selected.to_string()),
        ];
        self.batch(&run, &metrics, &params, &tags)?;
        let own = results.runs.iter().filter(|run| run.trial == row.trial);
        let seconds: f64 = own.filter_map(|run| Some(run.record.as_ref()?.seconds)).sum();
        let status = match row.state {
            TrialState::Complete => "FINISHED",
            TrialState::Pruned => "KILLED",
            TrialState::Failed => "FAILED",
            TrialState::Waiting => "SCHEDULED",
        };
        self.end(&run, status, seconds)
    }

    /// A trial's scores over folds, as its table has them.
    fn scores(&self, results: &Results, row: &TrialRow) -> Vec<Value> {
        let mut metrics = Vec::new();
        for (metric, score) in results.table.metrics.iter().zip(&row.scores) {
            for (word, figure) in [
                ("mean_val", score.mean_val),
                ("std_val", score.std_val),
                ("se_val", score.se_val),
                ("mean_train", score.mean_train),
            ] {
                if let Some(figure) = figure.filter(|figure| figure.is_finite()) {
                    metrics.push(self.metric(&format!("{word}_{}", metric.name), figure, 0));
                }
            }
        }
        metrics
    }

    fn metric(&self, key: &str, value: f64, step: u32) -> Value {
        json!({ "key": key, "value": value, "timestamp": self.begun, "step": step })
    }

    fn create(&self, name: &str, tags: &[Value]) -> Result<String, ExportError> {
        let body = json!({
            "experiment_id": self.experiment,
            "run_name": name,
            "start_time": self.begun,
            "tags": tags,
        });
        let made = self.server.post("runs/create", &body)?;
        Ok(text(&made["run"]["info"]["run_id"]))
    }

    fn batch(
        &self,
        run: &str,
        metrics: &[Value],
        params: &[(String, String)],
        tags: &[Value],
    ) -> Result<(), ExportError> {
        let send = |metrics: &[Value], params: &[Value], tags: &[Value]| {
            let body = json!({ "run_id": run, "metrics": metrics, "params": params, "tags": tags });
            self.server.post("runs/log-batch", &body).map(drop)
        };
        let params: Vec<Value> = params
            .iter()
            .map(|(key, value)| json!({ "key": key, "value": value.chars().take(LONGEST_VALUE).collect::<String>() }))
            .collect();
        // A batch holds 1,000 things at most, whatever they are.
        let most = MOST_METRICS - MOST_PARAMS - tags.len();
        let (first, rest) = metrics.split_at(metrics.len().min(most));
        let (first_params, more_params) = params.split_at(params.len().min(MOST_PARAMS));
        send(first, first_params, tags)?;
        for params in more_params.chunks(MOST_PARAMS) {
            send(&[], params, &[])?;
        }
        for metrics in rest.chunks(MOST_METRICS) {
            send(metrics, &[], &[])?;
        }
        Ok(())
    }

    fn end(&self, run: &str, status: &str, seconds: f64) -> Result<(), ExportError> {
        let end = self.begun + (seconds * 1e3) as i64;
        let body = json!({ "run_id": run, "status": status, "end_time": end });
        self.server.post("runs/update", &body).map(drop)
    }
}

fn tag(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": value })
}

/// A text as it is, anything else as JSON.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}
