//! Whole configs: broken, mistyped, good, and written back.

mod broken;
mod good;
mod property;
mod round_trip;
mod typos;

use super::{Config, Problems, parse};

/// The least config, and the one that the other tests add to.
const LEAST: &str = "[data]\ntrain = \"a.csv\"\ntarget = \"y\"\n";

fn read(text: &str) -> Result<Config, Problems> {
    parse(text, "sweep.toml", "sweep", &[])
}

fn read_with(text: &str, sets: &[&str]) -> Result<Config, Problems> {
    let sets: Vec<String> = sets.iter().map(|set| (*set).to_owned()).collect();
    parse(text, "sweep.toml", "sweep", &sets)
}

fn good(text: &str) -> Config {
    read(text).unwrap_or_else(|problems| panic!("{text}\n{problems}"))
}
