//! The page of a data set: its columns and its folds.

use gradsweep_store::ParamValue;

use crate::json::Json;
use crate::number;
use crate::page::{Block, Page};
use crate::table::{Grid, Side, float, whole};

/// What a page of a data set shows, in plain numbers.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Profile {
    /// What was checked, for the title.
    pub title: String,
    /// Trials of the sweep.
    pub trials: u64,
    /// The files in the order they were read.
    pub files: Vec<String>,
    /// Rows taken.
    pub rows: u64,
    /// Rows left out for want of a target.
    pub rows_dropped: u64,
    /// Hash of the content.
    pub fingerprint: String,
    /// The target's column.
    pub target: String,
    /// The label that counts as 1, with its rows.
    pub positive: (String, u64),
    /// The label that counts as 0, with its rows.
    pub negative: (String, u64),
    /// Name, sum and rows of weight 0 of the column of weights.
    pub weight: Option<(String, f64, u64)>,
    /// Every column of the files that counts, in file order.
    pub columns: Vec<ProfileColumn>,
    /// The folds.
    pub folds: Vec<ProfileFold>,
    /// What the user should look at, in whole sentences.
    pub notes: Vec<String>,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProfileColumn {
    /// Its name.
    pub name: String,
    /// `feature`, `target`, another role, or `skipped`.
    pub role: String,
    /// `numeric`, `boolean`, `categorical`, or nothing.
    pub kind: String,
    /// Rows with a value.
    pub rows: Option<u64>,
    /// Rows without one.
    pub missing: Option<u64>,
    /// Features made from it.
    pub width: Option<u64>,
    /// Mean of the values.
    pub mean: Option<f64>,
    /// Population standard deviation.
    pub std: Option<f64>,
    /// The least value.
    pub min: Option<f64>,
    /// The greatest value.
    pub max: Option<f64>,
    /// Levels with their rows.
    pub levels: Vec<(String, f64)>,
    /// Of each fold's training rows.
    pub folds: Vec<ProfileFoldColumn>,
    /// What is to be said of it in a few words.
    pub note: String,
}

/// A column in the training rows of a fold.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct ProfileFoldColumn {
    /// Rows with a value.
    pub rows: f64,
    /// Rows without one.
    pub missing: f64,
    /// Mean of the values.
    pub mean: Option<f64>,
    /// Population standard deviation.
    pub std: Option<f64>,
    /// Levels that occur.
    pub levels: usize,
}

/// A fold.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct ProfileFold {
    /// What it is called.
    pub label: String,
    /// Training rows that count as 0 and as 1.
    pub train: [f64; 2],
    /// Held-out rows that count as 0 and as 1.
    pub val: [f64; 2],
}

/// Columns printed for people; programs get all of them.
const COLUMNS_SHOWN: usize = 200;
/// Levels named in a row of the table.
const LEVELS_SHOWN: usize = 3;

impl Profile {
    /// The page.
    pub fn page(&self) -> Page {
        let mut blocks = vec![
            Block::Facts(self.facts()),
            Block::Table("Columns".to_owned(), self.columns_for_people()),
            Block::Table("Folds".to_owned(), self.folds_for_people()),
        ];
        if self.columns.len() > COLUMNS_SHOWN {
            let more = number::count((self.columns.len() - COLUMNS_SHOWN) as u64);
            let line = format!("and {more} more columns: --format csv prints all of them");
            blocks.insert(2, Block::Facts(vec![("…", line)]));
        }
        if !self.notes.is_empty() {
            blocks.push(Block::Lines("Notes".to_owned(), self.notes.clone()));
        }
        Page {
            title: self.title.clone(),
            blocks,
            json: self.json(),
            csv: self.columns_for_programs(),
        }
    }

    fn facts(&self) -> Vec<(&'static str, String)> {
        let files = match self.files.as_slice() {
            [one] => one.clone(),
            several => format!(
                "{} files, {} to {}",
                number::count(several.len() as u64),
                several.first().map_or("", String::as_str),
                several.last().map_or("", String::as_str)
            ),
        };
        let dropped = match self.rows_dropped {
            0 => String::new(),
            rows => format!(" ({} without a target left out)", number::count(rows)),
        };
        let class = |(label, rows): &(String, u64)| {
            let share = number::percent(*rows as f64 / self.rows.max(1) as f64);
            format!("{label:?} {} ({share})", number::count(*rows))
        };
        let features = self.columns.iter().filter_map(|column| column.width).sum();
        let mut facts = vec![
            ("files", files),
            ("rows", format!("{}{dropped}", number::count(self.rows))),
            (
                "target",
                format!(
                    "{}: {} counts as 1, {} as 0",
                    self.target,
                    class(&self.positive),
                    class(&self.negative)
                ),
            ),
            ("features", number::count(features)),
            ("content", self.fingerprint.chars().take(16).collect()),
        ];
        if let Some((name, sum, zeros)) = &self.weight {
            let sum = ParamValue::Float(*sum);
            facts.insert(
                3,
                (
                    "weights",
                    format!("{name}: sum {sum}, {} of 0", number::counted(*zeros, "row")),
                ),
            );
        }
        facts
    }

    fn columns_for_people(&self) -> Grid {
        let mut grid = Grid::new();
        for (name, side) in [
            ("column", Side::Left),
            ("role", Side::Left),
            ("type", Side::Left),
            ("rows", Side::Right),
            ("missing", Side::Right),
            ("mean", Side::Right),
            ("std", Side::Right),
            ("min", Side::Right),
            ("max", Side::Right),
            ("features", Side::Right),
            ("notes", Side::Left),
        ] {
            grid.column(name, side);
        }
        let short = |value: Option<f64>| value.map_or_else(String::new, short);
        let count = |value: Option<u64>| value.map_or_else(String::new, number::count);
        for column in self.columns.iter().take(COLUMNS_SHOWN) {
            let missing = match (column.missing, column.rows) {
                (Some(0) | None, _) => String::new(),
                (Some(missing), rows) => {
                    let all = missing + rows.unwrap_or(0);
                    number::percent(missing as f64 / all.max(1) as f64)
                }
            };
            grid.texts(vec![
                column.name.clone(),
                column.role.clone(),
                column.kind.clone(),
                count(column.rows),
                missing,
                short(column.mean),
                short(column.std),
                short(column.min),
                short(column.max),
                count(column.width),
                column.note_for_people(),
            ]);
        }
        grid.without_empty_columns()
    }

    fn folds_for_people(&self) -> Grid {
        let mut grid = Grid::new();
        grid.column("fold", Side::Left);
        for name in ["training rows", "counting as 1", "held-out rows", "counting as 1 "] {
            grid.column(name, Side::Right);
        }
        let rows = |side: [f64; 2]| {
            let all = side[0] + side[1];
            if all == 0.0 {
                return [String::new(), String::new()];
            }
            [number_of_rows(all), number::percent(side[1] / all)]
        };
        for fold in &self.folds {
            let [train, train_share] = rows(fold.train);
            let [val, val_share] = rows(fold.val);
            grid.texts(vec![fold.label.clone(), train, train_share, val, val_share]);
        }
        grid.without_empty_columns()
    }

    fn columns_for_programs(&self) -> Grid {
        let mut grid = Grid::new();
        for name in [
            "column", "role", "type", "rows", "missing", "mean", "std", "min", "max", "features", "levels", "note",
        ] {
            grid.column(name, Side::Left);
        }
        for column in &self.columns {
            let count = |value: Option<u64>| value.map_or(ParamValue::Null, whole);
            let is_of_levels = column.kind == "categorical";
            grid.row(vec![
                ParamValue::Text(column.name.clone()),
                ParamValue::Text(column.role.clone()),
                ParamValue::Text(column.kind.clone()),
                count(column.rows),
                count(column.missing),
                float(column.mean),
                float(column.std),
                float(column.min),
                float(column.max),
                count(column.width),
                count(is_of_levels.then_some(column.levels.len() as u64)),
                ParamValue::Text(column.note.clone()),
            ]);
        }
        grid
    }

    fn json(&self) -> Json {
        let texts = |texts: &[String]| texts.iter().map(|text| Json::from(text.as_str())).collect::<Vec<_>>();
        let class =
            |(label, rows): &(String, u64)| Json::object([("label", label.as_str().into()), ("rows", (*rows).into())]);
        let side = |side: [f64; 2]| Json::object([("rows", (side[0] + side[1]).into()), ("positives", side[1].into())]);
        let folds = self.folds.iter().map(|fold| {
            Json::object([
                ("fold", fold.label.as_str().into()),
                ("train", side(fold.train)),
                ("val", side(fold.val)),
            ])
        });
        let weight = self.weight.as_ref().map(|(name, sum, zeros)| {
            Json::object([
                ("column", name.as_str().into()),
                ("sum", (*sum).into()),
                ("zeros", (*zeros).into()),
            ])
        });
        Json::object([
            ("trials", self.trials.into()),
            ("files", texts(&self.files).into()),
            ("rows", self.rows.into()),
            ("rows_dropped", self.rows_dropped.into()),
            ("fingerprint", self.fingerprint.as_str().into()),
            (
                "target",
                Json::object([
                    ("column", self.target.as_str().into()),
                    ("positive", class(&self.positive)),
                    ("negative", class(&self.negative)),
                ]),
            ),
            ("weight", weight.unwrap_or(Json::Value(ParamValue::Null))),
            (
                "columns",
                self.columns.iter().map(ProfileColumn::json).collect::<Vec<_>>().into(),
            ),
            ("folds", folds.collect::<Vec<_>>().into()),
            ("notes", texts(&self.notes).into()),
        ])
    }
}

impl ProfileColumn {
    /// The commonest levels stand beside what else is to be said.
    fn note_for_people(&self) -> String {
        let mut levels: Vec<&(String, f64)> = self.levels.iter().collect();
        levels.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut parts: Vec<String> = Vec::new();
        if !levels.is_empty() {
            let shown = levels.iter().take(LEVELS_SHOWN);
            let shown: Vec<String> = shown
                .map(|(text, rows)| format!("{text} {}", number_of_rows(*rows)))
                .collect();
            let more = levels.len().saturating_sub(LEVELS_SHOWN);
            let more = if more > 0 {
                format!(", {} more", number::count(more as u64))
            } else {
                String::new()
            };
            parts.push(format!("{}{more}", shown.join(", ")));
        }
        if !self.note.is_empty() {
            parts.push(self.note.clone());
        }
        parts.join("; ")
    }

    fn json(&self) -> Json {
        let count = |value: Option<u64>| value.map_or(Json::Value(ParamValue::Null), Json::from);
        let number = |value: Option<f64>| Json::Value(float(value));
        let levels = self
            .levels
            .iter()
            .map(|(text, rows)| Json::object([("level", text.as_str().into()), ("rows", (*rows).into())]));
        let folds = self.folds.iter().map(|fold| {
            Json::object([
                ("rows", fold.rows.into()),
                ("missing", fold.missing.into()),
                ("mean", number(fold.mean)),
                ("std", number(fold.std)),
                ("levels", fold.levels.into()),
            ])
        });
        Json::object([
            ("column", self.name.as_str().into()),
            ("role", self.role.as_str().into()),
            ("type", self.kind.as_str().into()),
            ("rows", count(self.rows)),
            ("missing", count(self.missing)),
            ("mean", number(self.mean)),
            ("std", number(self.std)),
            ("min", number(self.min)),
            ("max", number(self.max)),
            ("features", count(self.width)),
            ("levels", levels.collect::<Vec<_>>().into()),
            ("folds", folds.collect::<Vec<_>>().into()),
            ("note", self.note.as_str().into()),
        ])
    }
}

/// Five digits, or a whole number as it is.
fn short(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e12 {
        format!("{value:.0}")
    } else {
        number::precise(value, 5)
    }
}

/// A number of rows, or a sum of weights that is none.
fn number_of_rows(value: f64) -> String {
    if value.fract() == 0.0 {
        number::count(value as u64)
    } else {
        number::precise(value, 6)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::format::Format;

    fn sample() -> Profile {
        Profile {
            title: "data of flights.toml".to_owned(),
            trials: 4,
            files: vec!["flights.csv".to_owned()],
            rows: 1000,
            fingerprint: "0123456789abcdef0123".to_owned(),
            target: "late".to_owned(),
            positive: ("yes".to_owned(), 182),
            negative: ("no".to_owned(), 818),
            columns: vec![
                ProfileColumn {
                    name: "distance".to_owned(),
                    role: "feature".to_owned(),
                    kind: "numeric".to_owned(),
                    rows: Some(990),
                    missing: Some(10),
                    width: Some(1),
                    mean: Some(1e9 + 0.25),
                    std: Some(0.5),
                    min: Some(-1.0),
                    max: Some(1e9 + 1.0),
                    ..ProfileColumn::default()
                },
                ProfileColumn {
                    name: "carrier".to_owned(),
                    role: "feature".to_owned(),
                    kind: "categorical".to_owned(),
                    rows: Some(1000),
                    missing: Some(0),
                    width: Some(4),
                    levels: [("AA", 400.0), ("B6", 350.0), ("DL", 150.0), ("UA", 100.0)]
                        .map(|(text, rows)| (text.to_owned(), rows))
                        .to_vec(),
                    ..ProfileColumn::default()
                },
            ],
            folds: vec![ProfileFold {
                label: "0".to_owned(),
                train: [654.0, 146.0],
                val: [164.0, 36.0],
            }],
            notes: vec!["column \"distance\" is large".to_owned()],
            ..Profile::default()
        }
    }

    #[test]
    fn a_page_shows_columns_folds_and_notes() {
        let page = sample().page().render(Format::Table);
        for piece in [
            "  target    late: \"yes\" 182 (18.2 %) counts as 1, \"no\" 818 (81.8 %) as 0\n",
            "  content   0123456789abcdef\n",
            "  distance  feature  numeric",
            "1.0 %",
            "AA 400, B6 350, DL 150, 1 more\n",
            "  0               800         18.2 %            200          18.0 %\n",
            "Notes\n  column \"distance\" is large\n",
        ] {
            assert!(page.contains(piece), "no {piece:?} in\n{page}");
        }
        assert!(!page.contains("levels"), "a column of nothing is not shown");
    }

    #[test]
    fn programs_get_every_digit() {
        let csv = sample().page().render(Format::Csv);
        assert!(
            csv.contains("distance,feature,numeric,990,10,1000000000.25,0.5,-1,1000000001,1,,"),
            "{csv}"
        );
        let json: serde_json::Value = serde_json::from_str(&sample().page().render(Format::Json)).expect("JSON");
        assert_eq!(json["columns"][1]["levels"][3]["rows"], 100.0);
        assert_eq!(json["folds"][0]["val"]["positives"], 36.0);
    }
}
