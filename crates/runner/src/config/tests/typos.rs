//! One-edit typos of real keys and words: the suggestion must be what was meant.

#![expect(clippy::print_stdout, reason = "the figure is what a reader of the log wants")]

use super::{LEAST, read};
use crate::config::{Kind, reference};

/// A small generator: the typos must be the same on every machine.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        ((self.0 >> 33) as usize) % n
    }

    /// `word` with one letter left out, put in, exchanged, or swapped with the next.
    fn typo(&mut self, word: &str) -> String {
        let mut letters: Vec<char> = word.chars().collect();
        let at = self.below(letters.len());
        let letter = char::from(b'a' + self.below(26) as u8);
        match self.below(4) {
            0 if letters.len() > 1 => drop(letters.remove(at)),
            1 => letters.insert(at, letter),
            2 if letters.len() > 1 && at + 1 < letters.len() => letters.swap(at, at + 1),
            _ => letters[at] = letter,
        }
        letters.into_iter().collect()
    }
}

/// Every key with its table.
fn keys() -> Vec<(&'static str, &'static str)> {
    reference()
        .iter()
        .flat_map(|table| table.keys.iter().map(|key| (table.path.as_str(), key.name)))
        .collect()
}

#[test]
fn suggestions_are_right_for_98_of_100_typos() {
    let keys = keys();
    let mut random = Random(2024);
    let (mut right, mut wrong) = (0, Vec::new());
    while right + wrong.len() < 1000 {
        let (table, key) = keys[random.below(keys.len())];
        let typo = random.typo(key);
        if keys.contains(&(table, &typo)) || typo == key {
            continue;
        }
        let typed = if table.is_empty() {
            format!("{typo} = 1\n")
        } else {
            format!("[{table}]\n{typo} = 1\n")
        };
        let text = match table {
            "data" => format!("[data]\n{typo} = 1\ntrain = \"a\"\ntarget = \"y\"\n"),
            "" => format!("{typed}{LEAST}"),
            _ => format!("{LEAST}{typed}"),
        };
        let text = if table == "data" && matches!(key, "train" | "target") {
            text.replace(&format!("\n{key} ="), "\n#")
        } else {
            text
        };
        let shown = read(&text).expect_err(&text).to_string();
        let meant = [format!("`{key}`"), format!("[{key}]"), format!(".{key}")];
        if meant.iter().any(|meant| {
            shown.contains(&format!("mean {meant}"))
                || shown.contains(&format!("or {meant}"))
                || shown.contains(&format!("use {table}{meant}"))
        }) {
            right += 1;
        } else {
            wrong.push(format!("{key} as {typo}: {shown}"));
        }
    }
    println!(
        "typos of keys: {right} of {} suggestions are what was meant",
        right + wrong.len()
    );
    assert!(
        wrong.len() <= 20,
        "{} of 1000 are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}

#[test]
fn words_are_suggested_too() {
    let mut random = Random(7);
    let (mut all, mut wrong) = (0, Vec::new());
    for table in reference().iter().filter(|table| !table.path.is_empty()) {
        for key in table.keys {
            let Kind::Choice(choices) = key.spec.kind else {
                continue;
            };
            for choice in choices.iter().filter(|choice| choice.name.len() > 2) {
                let typo = random.typo(choice.name);
                if choices.iter().any(|choice| choice.name == typo) {
                    continue;
                }
                all += 1;
                let text =
                    format!("{LEAST}[{}]\n{} = \"{typo}\"\n", table.path, key.name).replace("[data]\nnull", "null");
                let shown = read(&text).expect_err(&text).to_string();
                if !shown.contains(&format!("{:?}", choice.name)) || !shown.contains("did you mean") {
                    wrong.push(format!("{} as {typo}: {shown}", choice.name));
                }
            }
        }
    }
    println!(
        "typos of words: {} of {all} suggestions are what was meant",
        all - wrong.len()
    );
    assert!(
        all > 40 && wrong.len() * 50 <= all,
        "{} of {all} are wrong:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
}
