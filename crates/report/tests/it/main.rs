//! What people and programs read, on stores made for it.

mod comparing;
mod errors;
mod large;
mod listing;
mod reporting;
mod sample;
mod showing;
