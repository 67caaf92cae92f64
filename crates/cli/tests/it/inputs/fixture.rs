//! A case: files, a config, and what must come of them.

use std::path::Path;
use std::process::{Command, Output};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// What must come of a case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Outcome {
    /// A finished sweep.
    Works,
    /// A finished sweep, and something is said.
    Noted,
    /// The config is refused.
    Config,
    /// The data are refused.
    Data,
}

pub(super) use Outcome::{Config, Data, Noted, Works};

/// Address space of a case: the program, its threads' stacks and the data have room in it.
const CAP_KIB: u64 = 4 << 20;

/// Writes the files of a case.
type Make = Box<dyn Fn(&Path) + Send + Sync>;

/// One input.
pub(super) struct Case {
    name: &'static str,
    outcome: Outcome,
    make: Make,
    train: String,
    data: String,
    rest: String,
    says: Vec<String>,
    leaves_a_store: bool,
}

/// A case of the file `data.csv`.
pub(super) fn case(name: &'static str, outcome: Outcome) -> Case {
    Case {
        name,
        outcome,
        make: Box::new(|_| {}),
        train: "\"data.csv\"".to_owned(),
        data: String::new(),
        rest: String::new(),
        says: Vec::new(),
        leaves_a_store: false,
    }
}

impl Case {
    /// The text of `data.csv`.
    pub(super) fn csv(self, text: impl Into<Vec<u8>>) -> Self {
        let bytes: Vec<u8> = text.into();
        self.make(move |dir| std::fs::write(dir.join("data.csv"), &bytes).expect("written"))
    }

    /// What writes the files.
    pub(super) fn make(mut self, make: impl Fn(&Path) + Send + Sync + 'static) -> Self {
        self.make = Box::new(make);
        self
    }

    /// `[data] train`, as TOML.
    pub(super) fn train(mut self, value: &str) -> Self {
        value.clone_into(&mut self.train);
        self
    }

    /// More lines of `[data]`.
    pub(super) fn data(mut self, lines: &str) -> Self {
        self.data += lines;
        self.data.push('\n');
        self
    }

    /// More tables.
    pub(super) fn rest(mut self, lines: &str) -> Self {
        self.rest += lines;
        self.rest.push('\n');
        self
    }

    /// Pieces of what the program says.
    pub(super) fn says<const N: usize>(mut self, pieces: [&str; N]) -> Self {
        self.says = pieces.map(str::to_owned).to_vec();
        self
    }

    /// What is wrong shows after the training, whose results stay.
    pub(super) fn leaves_a_store(mut self) -> Self {
        self.leaves_a_store = true;
        self
    }

    fn config(&self) -> String {
        let Self { train, data, rest, .. } = self;
        let folds = if rest.contains("[validation]") {
            ""
        } else {
            "[validation]\nfolds = 2\n"
        };
        let epochs = if rest.contains("[train]") {
            ""
        } else {
            "[train]\nepochs = 3\n"
        };
        format!(
            "version = 1\n[data]\ntrain = {train}\ntarget = \"y\"\n{data}{folds}{epochs}{rest}[sweep.parameters]\nmodel.C = [0.1, 1.0]\n"
        )
    }

    /// What is wrong with what came of it.
    fn problem(&self) -> Option<String> {
        let dir = tempfile::tempdir().expect("a temporary directory");
        (self.make)(dir.path());
        std::fs::write(dir.path().join("sweep.toml"), self.config()).expect("written");
        let before = entries(dir.path());
        let output = run(dir.path(), &["run", "sweep.toml"]);
        let said = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
        let code = match self.outcome {
            Works | Noted => 0,
            Config => 2,
            Data => 3,
        };
        if output.status.code() != Some(code) {
            return Some(format!(
                "ended with {} instead of exit code {code}\n{said}",
                output.status
            ));
        }
        if let Some(piece) = self.says.iter().find(|piece| !said.contains(*piece)) {
            return Some(format!("does not say {piece:?}\n{said}"));
        }
        let is_refused = matches!(self.outcome, Config | Data);
        if is_refused && said.lines().count() > 40 {
            return Some(format!("says more than a screen\n{said}"));
        }
        if said.contains("panicked") || said.chars().any(|c| c.is_control() && c != '\n') {
            return Some(format!("shows what is not for people\n{said:?}"));
        }
        if self.outcome == Works && self.says.is_empty() && !dir.path().join("sweeps/sweep/trials.parquet").exists() {
            return Some(format!("left no results\n{said}"));
        }
        let after = entries(dir.path());
        (is_refused && !self.leaves_a_store && before != after)
            .then(|| format!("left something behind: {after:?}\n{said}"))
    }
}

fn entries(dir: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(dir).expect("readable");
    let mut names: Vec<String> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

/// Runs the program with a cap on its memory and on its time.
pub(crate) fn run(dir: &Path, arguments: &[&str]) -> Output {
    let script = format!("ulimit -v {CAP_KIB}; ulimit -c 0; exec timeout -s KILL 300 \"$0\" \"$@\"");
    Command::new("sh")
        .args(["-c", &script, env!("CARGO_BIN_EXE_gradsweep")])
        .args(arguments)
        .current_dir(dir)
        .env("NO_COLOR", "1")
        .output()
        .expect("the shell starts")
}

/// Calls `work` for each of `count` numbers on as many threads as there are processors, and collects what is wrong.
pub(super) fn in_parallel(count: usize, work: impl Fn(usize) -> Option<String> + Sync) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let problems = Mutex::new(Vec::new());
    let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    if number >= count {
                        break;
                    }
                    if let Some(problem) = work(number) {
                        problems.lock().expect("no panic").push(problem);
                    }
                }
            });
        }
    });
    problems.into_inner().expect("no panic")
}

/// Runs every case, prints how many had their outcome, and fails if one had not.
#[expect(clippy::print_stdout, reason = "the figures are the point")]
pub(super) fn report(name: &str, cases: &[Case]) {
    let problems = in_parallel(cases.len(), |number| {
        let case = &cases[number];
        case.problem().map(|problem| format!("{}: {problem}", case.name))
    });
    let passed = cases.len() - problems.len();
    let count = |outcome| cases.iter().filter(|case| case.outcome == outcome).count();
    println!(
        "{name}: {passed}/{} cases have their outcome ({} work, {} work with a note, {} exit 2, {} exit 3)",
        cases.len(),
        count(Works),
        count(Noted),
        count(Config),
        count(Data),
    );
    assert!(problems.is_empty(), "{}", problems.join("\n\n"));
}

/// A label that follows from nothing.
pub(super) fn label(row: usize) -> &'static str {
    if row * 7 % 5 < 2 { "yes" } else { "no" }
}

/// `header`, then `rows` lines made by `line`.
pub(super) fn table(header: &str, rows: usize, line: impl Fn(usize) -> String) -> String {
    let lines: String = (0..rows).map(|row| line(row) + "\n").collect();
    format!("{header}\n{lines}")
}

/// Forty good rows.
pub(super) fn good() -> String {
    table("x,y", 40, |row| format!("{},{}", row % 9, label(row)))
}

/// Forty rows of `x`, another column made by `cell`, and the target.
pub(super) fn with(column: &str, cell: impl Fn(usize) -> String) -> String {
    table(&format!("x,{column},y"), 40, |row| {
        format!("{},{},{}", row % 9, cell(row), label(row))
    })
}
