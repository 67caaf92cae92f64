//! A table, fitted by a sweep as a user would run it.

use std::fmt::Write;

use gradsweep_runner::config;
use gradsweep_runner::sweep::Request;
use gradsweep_store::{RunRecord, Store};

use super::problems::Table;

/// What a config says besides the table.
pub(super) struct Setting<'a> {
    pub(super) solver: &'a str,
    pub(super) tol: f64,
    pub(super) scale: &'a str,
    pub(super) fit_intercept: bool,
    pub(super) class_weight: &'a str,
    pub(super) is_weighted: bool,
    pub(super) l1_ratio: f64,
    /// Values of C; infinite ones for no penalty.
    pub(super) strengths: &'a [f64],
    pub(super) precision: &'a str,
}

impl Default for Setting<'_> {
    fn default() -> Self {
        Self {
            solver: "newton",
            tol: 1e-12,
            scale: "none",
            fit_intercept: true,
            class_weight: "none",
            is_weighted: false,
            l1_ratio: 0.0,
            strengths: &[1.0],
            precision: "f64",
        }
    }
}

/// One run of a sweep.
pub(super) struct Fit {
    pub(super) record: RunRecord,
    /// In the units of the table.
    pub(super) w: Vec<f64>,
    /// As the solver saw them.
    pub(super) standardized: Vec<f64>,
    pub(super) b: f64,
    /// The intercept beside `standardized`.
    pub(super) standardized_b: f64,
}

/// A number as TOML reads it.
fn toml_number(value: f64) -> String {
    if value.is_infinite() {
        "inf".to_owned()
    } else {
        format!("{value:e}")
    }
}

/// Fits a table for each value of C, in that order.
pub(super) fn fit(table: &Table, setting: &Setting<'_>) -> Vec<Fit> {
    let dir = tempfile::tempdir().expect("a temporary directory");
    let features = table.x.ncols();
    let mut csv = String::new();
    for j in 0..features {
        write!(csv, "x{j},").expect("text grows");
    }
    csv += "weight,y\n";
    for ((row, weight), y) in table.x.rows().into_iter().zip(&table.weight).zip(&table.y) {
        for x in row {
            write!(csv, "{x:e},").expect("text grows");
        }
        writeln!(csv, "{weight},{y}").expect("text grows");
    }
    let data = dir.path().join("table.csv");
    std::fs::write(&data, csv).expect("the temporary directory is writable");

    let role = if setting.is_weighted {
        "weight = \"weight\""
    } else {
        "exclude = [\"weight\"]"
    };
    let strengths: Vec<String> = setting.strengths.iter().map(|&value| toml_number(value)).collect();
    // A run with a penalty fixed at L2 keeps the key away, for solvers that know no other.
    let l1_ratio = if setting.l1_ratio > 0.0 {
        format!("l1_ratio = {}", setting.l1_ratio)
    } else {
        String::new()
    };
    let text = format!(
        "version = 1\n\
         [data]\ntrain = {data:?}\ntarget = \"y\"\n{role}\n\
         [preprocess]\nscale = \"{scale}\"\n\
         [model]\nfit_intercept = {fit_intercept}\nclass_weight = \"{class_weight}\"\n{l1_ratio}\n\
         [train]\nsolver = \"{solver}\"\ntol = {tol}\nepochs = 5000\n\
         [validation]\nstrategy = \"none\"\n[metrics]\nreport = [\"log_loss\"]\n\
         [sweep.parameters]\nmodel.C = [{strengths}]\n\
         [run]\nprecision = \"{precision}\"\n[output]\ndir = {store:?}\n",
        data = data.display().to_string(),
        scale = setting.scale,
        fit_intercept = setting.fit_intercept,
        class_weight = setting.class_weight,
        solver = setting.solver,
        tol = toml_number(setting.tol),
        strengths = strengths.join(", "),
        precision = setting.precision,
        store = dir.path().join("store").display().to_string(),
    );
    let config = config::parse(&text, "golden.toml", "golden", &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let (_, store) = crate::finished(&Request {
        config,
        text,
        rows: None,
    });
    let fits: Vec<Fit> = store
        .runs()
        .expect("runs")
        .into_iter()
        .map(|run| read(&store, run.record, features))
        .collect();
    assert_eq!(fits.len(), setting.strengths.len());
    fits
}

/// A run's coefficients in the order of the table's columns.
fn read(store: &Store, record: Option<RunRecord>, features: usize) -> Fit {
    let record = record.expect("every run finished");
    let rows = store.coefficients(record.run).expect("coefficients");
    let of = |name: &str| rows.iter().find(|row| &*row.feature == name);
    // A run that failed leaves no coefficients; not a number is equal to nothing.
    let of_feature = |j: usize| match of(&format!("x{j}")) {
        Some(row) => [row.coefficient, row.coefficient_standardized],
        None => [f64::NAN; 2],
    };
    Fit {
        w: (0..features).map(|j| of_feature(j)[0]).collect(),
        standardized: (0..features).map(|j| of_feature(j)[1]).collect(),
        b: of("(intercept)").map_or(0.0, |row| row.coefficient),
        standardized_b: of("(intercept)").map_or(0.0, |row| row.coefficient_standardized),
        record,
    }
}

impl Fit {
    /// Weights, then the intercept.
    pub(super) fn parameters(&self) -> Vec<f64> {
        self.w.iter().copied().chain([self.b]).collect()
    }
}
