//! `gradsweep`: trains all runs of a sweep of logistic regressions together.
#![deny(unsafe_code)]

mod allocator;
mod args;
mod commands;
mod diagnostics;
mod exit;
mod kernels;
mod live;
mod mapped;
mod progress;
mod signals;
mod standing;
mod terminal;

use clap::Parser;

fn main() -> std::process::ExitCode {
    mapped::tell_of_lost_pages();
    let arguments = args::Arguments::parse();
    if arguments.verb.multiplies() {
        kernels::restart_with_better_ones();
    }
    exit::code(|| commands::dispatch(&arguments))
}
