//! `gradsweep`: trains all runs of a sweep of logistic regressions together.
#![forbid(unsafe_code)]

mod args;
mod commands;
mod diagnostics;
mod exit;
mod kernels;
mod progress;
mod signals;
mod terminal;

use clap::Parser;

fn main() -> std::process::ExitCode {
    kernels::restart_with_better_ones();
    let arguments = args::Arguments::parse();
    exit::code(commands::dispatch(&arguments))
}
