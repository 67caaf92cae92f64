//! Runs the cases of a target, and keeps the inputs that it fails on.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::mutate::{Draw, mutate};
use crate::inputs::run_capped;

/// How long a target is tried, and from where.
pub(super) struct Hunt {
    name: String,
    seed: u64,
    cases: usize,
    seconds: Option<u64>,
}

/// What is wrong with how the program ends: with one of these exit codes, and with an error where that is not 0.
pub(super) fn said_by_program(dir: &Path, arguments: &[&str], codes: &[i32]) -> Result<(), String> {
    let output = run_capped(dir, arguments);
    let said = String::from_utf8_lossy(&output.stderr);
    match output.status.code() {
        Some(0) if codes.contains(&0) => Ok(()),
        Some(code) if codes.contains(&code) && said.contains("error: ") => Ok(()),
        _ => Err(format!("{arguments:?} ends with {}: {said}", output.status)),
    }
}

impl Hunt {
    pub(super) fn of_cases(name: &str, cases: usize) -> Self {
        Self {
            name: name.to_owned(),
            seed: 0,
            cases,
            seconds: None,
        }
    }

    pub(super) fn of_seconds(name: &str, seconds: u64) -> Self {
        let seed = std::env::var("TORTURE_SEED").ok().and_then(|text| text.parse().ok());
        Self {
            name: name.to_owned(),
            seed: seed.unwrap_or(0),
            cases: usize::MAX,
            seconds: Some(seconds),
        }
    }

    /// Mutates an input of the corpus for each case and lets `check` say what is wrong. A panic is wrong.
    ///
    /// # Panics
    /// If anything is, with the first inputs that showed it.
    #[expect(clippy::print_stdout, reason = "the figures are the point")]
    pub(super) fn run(
        &self,
        corpus: &[Vec<u8>],
        words: &[&str],
        check: impl Fn(&[u8], &mut Draw) -> Result<(), String> + Sync,
    ) {
        let end = self
            .seconds
            .map(|seconds| Instant::now() + Duration::from_secs(seconds));
        let next = AtomicUsize::new(0);
        let wrong = Mutex::new(Vec::new());
        let threads = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        std::thread::scope(|scope| {
            for _ in 0..threads {
                scope.spawn(|| {
                    loop {
                        let is_over = end.is_some_and(|end| Instant::now() >= end);
                        let case = if is_over {
                            self.cases
                        } else {
                            next.fetch_add(1, Ordering::Relaxed)
                        };
                        if case >= self.cases {
                            break;
                        }
                        if let Err(complaint) = self.case(case, corpus, words, &check) {
                            wrong.lock().expect("no panic").push(complaint);
                        }
                    }
                });
            }
        });
        let wrong = wrong.into_inner().expect("no panic");
        let total = next.into_inner().min(self.cases);
        println!("fuzz: {} {}/{total}", self.name, total - wrong.len());
        for complaint in wrong.iter().take(5) {
            println!("failed {complaint}");
        }
        assert!(wrong.is_empty(), "{}", wrong[0]);
    }

    fn case(
        &self,
        case: usize,
        corpus: &[Vec<u8>],
        words: &[&str],
        check: &impl Fn(&[u8], &mut Draw) -> Result<(), String>,
    ) -> Result<(), String> {
        let mut draw = Draw::new(self.seed, &self.name, case);
        let input = mutate(corpus, words, &mut draw);
        let outcome = catch_unwind(AssertUnwindSafe(|| check(&input, &mut draw)));
        let complaint = match outcome {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(complaint)) => complaint,
            Err(panic) => {
                let text = panic.downcast_ref::<String>().map(String::as_str);
                let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
                format!("a panic: {}", text.unwrap_or("without a word"))
            }
        };
        let place = std::env::temp_dir().join(format!("gradsweep-fuzz-{}-{case}", self.name.replace(' ', "-")));
        std::fs::write(&place, &input).expect("the temporary directory is writable");
        let complaint: String = complaint.chars().take(2000).collect();
        Err(format!("{} case {case} ({}): {complaint}", self.name, place.display()))
    }
}
