//! A comparison as a table for people and as one for programs.

use gradsweep_store::{ParamValue, TrialState};

use super::comparison::{Comparison, Row};
use super::paired::Test;
use crate::format::Format;
use crate::number;
use crate::sheet::Sheet;
use crate::summary::headline;
use crate::table::{Grid, Side, float, whole};

impl Comparison {
    /// The ranking as text, with a newline at its end. JSON and CSV hold one column per quantity, under the names of the store's tables.
    pub fn render(&self, format: Format) -> String {
        let is_for_people = matches!(format, Format::Table | Format::Md);
        let sheet = Sheet {
            people: if is_for_people { self.for_people() } else { Grid::new() },
            programs: if is_for_people {
                Grid::new()
            } else {
                self.for_programs()
            },
            notes: self.notes(),
            facts: vec![
                ("by".to_owned(), self.by.name.as_str().into()),
                ("higher_is_better".to_owned(), self.by.higher_is_better.into()),
                ("on".to_owned(), if self.is_train { "train" } else { "val" }.into()),
                ("test".to_owned(), self.test_in_words().into()),
                ("trials".to_owned(), self.trials.into()),
            ],
        };
        sheet.render(format)
    }

    pub(crate) fn test_in_words(&self) -> &'static str {
        match self.test {
            Test::Valid => "corrected resampled t",
            Test::NotValid("group") => "not valid: folds by group",
            Test::NotValid("time") => "not valid: folds by time",
            Test::NotValid(_) => "not valid: predefined folds",
        }
    }

    fn for_people(&self) -> Grid {
        let mut grid = Grid::new();
        let has_states = self.rows.iter().any(|row| row.state != TrialState::Complete);
        let has_differences = self.rows.iter().any(|row| row.difference.is_some());
        let has_p = self
            .rows
            .iter()
            .any(|row| row.difference.and_then(|held| held.p).is_some());
        let has_chances = self.rows.iter().any(|row| row.p_best.is_some());
        grid.column("#", Side::Right);
        if self.is_over_sweeps {
            grid.column("sweep", Side::Left);
        }
        grid.column("trial", Side::Right);
        if has_states {
            grid.column("state", Side::Left);
        }
        for (index, header) in self.varying.headers.iter().enumerate() {
            let mut values = self.rows.iter().map(|row| &row.params[index]);
            let is_text = values.any(|value| matches!(value, ParamValue::Text(_)));
            grid.column(header, if is_text { Side::Left } else { Side::Right });
        }
        let of = if self.is_train { " (train)" } else { "" };
        grid.column(format!("{}{of}", self.by.name), Side::Right);
        if has_differences {
            grid.column("Δ to best (paired)", Side::Right);
        }
        if has_p {
            grid.column("p", Side::Right);
        }
        if has_chances {
            grid.column("P(best)", Side::Right);
        }
        for name in &self.others {
            grid.column(format!("{name}{of}"), Side::Right);
        }
        let differences = self.rows.iter().filter_map(|row| row.difference);
        let decimals = number::difference_decimals(differences.filter_map(|held| held.se));
        let or_none = |text: Option<String>| text.unwrap_or_else(|| number::NONE.to_owned());
        for row in &self.rows {
            let mut cells = vec![row.rank.to_string()];
            if self.is_over_sweeps {
                cells.push(row.sweep.clone());
            }
            cells.push(row.trial.to_string());
            if has_states {
                cells.push(row.state.to_string());
            }
            cells.extend(row.params.iter().map(number::param));
            let (mean, se) = headline(&row.score, self.is_train);
            cells.push(number::score_with_error(mean, se));
            if has_differences {
                let text = |held: super::paired::Difference| number::difference(held.mean, held.se, decimals);
                cells.push(or_none(row.difference.map(text)));
            }
            if has_p {
                cells.push(or_none(row.difference.and_then(|held| held.p).map(number::p_value)));
            }
            if has_chances {
                cells.push(or_none(row.p_best.map(|chance| format!("{chance:.2}"))));
            }
            cells.extend(row.others.iter().map(|score| {
                let mean = headline(score, self.is_train).0;
                or_none(mean.map(number::side_score))
            }));
            grid.texts(cells);
        }
        grid
    }

    /// What a reader of the table has to know beside it.
    fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if let Some([first, second]) = &self.pareto {
            let front = number::counted(self.trials as u64, "trial");
            notes.push(format!("{front} that no other beats in both {first} and {second}"));
        }
        let left_out = self.trials - self.rows.len();
        if left_out > 0 {
            let left_out = number::counted(left_out as u64, "more trial");
            notes.push(format!("{left_out} not shown"));
        }
        if self.n_filtered > 0 {
            let filtered = number::counted(self.n_filtered as u64, "trial");
            notes.push(format!("{filtered} left out by --where"));
        }
        let is_unpaired = |row: &&Row| row.difference.is_none() && row.rank > 1 && row.score.mean_val.is_some();
        if !self.is_train && self.rows.iter().any(|row| is_unpaired(&row)) {
            notes.push("Δ is given where a trial was scored on the same held-out rows as the best".to_owned());
        }
        if self
            .rows
            .iter()
            .any(|row| row.difference.is_some_and(|held| held.se.is_some()))
            && !self.is_train
        {
            notes.push(match self.test {
                Test::Valid => {
                    "Δ ± standard error and p: corrected resampled t-test (Nadeau and Bengio 2003), which allows for training rows that folds share".to_owned()
                }
                Test::NotValid(_) => {
                    format!("the corrected t-test is {}; no p, and the error of Δ is the plain one", self.test_in_words())
                }
            });
        }
        if self.rows.iter().any(|row| row.p_best.is_some()) {
            notes.push(format!(
                "P(best): share of 2,000 resamples of the {} fold scores in which the trial comes first",
                self.n_scores
            ));
        }
        for taken in &self.one_se {
            let of = if self.is_over_sweeps {
                format!(" in {}", taken.sweep)
            } else {
                String::new()
            };
            let which = if taken.is_best {
                "also the best"
            } else {
                "simpler and within one standard error of the best"
            };
            notes.push(format!(
                "the 1se rule takes trial {}{of} ({}): {which}",
                taken.trial, taken.params
            ));
        }
        if self.is_train {
            notes.push("no rows were held out: these are scores on the training rows".to_owned());
        }
        notes
    }

    fn for_programs(&self) -> Grid {
        let mut grid = Grid::new();
        let by = &self.by.name;
        grid.column("rank", Side::Right);
        grid.column("sweep", Side::Left);
        grid.column("trial", Side::Right);
        grid.column("state", Side::Left);
        for path in &self.varying.paths {
            grid.column(format!("param.{path}"), Side::Right);
        }
        for name in std::iter::once(by).chain(&self.others) {
            for quantity in ["mean_val", "std_val", "se_val", "mean_train"] {
                grid.column(format!("{quantity}_{name}"), Side::Right);
            }
        }
        grid.column(format!("delta_{by}"), Side::Right);
        grid.column(format!("se_delta_{by}"), Side::Right);
        grid.column(format!("p_delta_{by}"), Side::Right);
        grid.column("n_paired", Side::Right);
        grid.column("p_best", Side::Right);
        grid.column("one_se", Side::Right);
        for row in &self.rows {
            let mut cells = vec![
                whole(row.rank),
                ParamValue::Text(row.sweep.clone()),
                ParamValue::Int(i64::from(row.trial)),
                ParamValue::Text(row.state.to_string()),
            ];
            cells.extend(row.params.iter().cloned());
            for score in std::iter::once(&row.score).chain(&row.others) {
                let figures = [score.mean_val, score.std_val, score.se_val, score.mean_train];
                cells.extend(figures.map(float));
            }
            let difference = row.difference;
            cells.push(float(difference.map(|difference| difference.mean)));
            cells.push(float(difference.and_then(|difference| difference.se)));
            cells.push(float(difference.and_then(|difference| difference.p)));
            cells.push(difference.map_or(ParamValue::Null, |difference| whole(difference.folds)));
            cells.push(float(row.p_best));
            let is_taken = |taken: &super::comparison::OneSe| taken.sweep == row.sweep && taken.trial == row.trial;
            cells.push(ParamValue::Bool(self.one_se.iter().any(is_taken)));
            grid.row(cells);
        }
        grid
    }
}
