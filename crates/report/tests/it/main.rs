//! What people and programs read, on stores made for it.

mod comparing;
mod errors;
mod exporting;
mod large;
mod listing;
mod reporting;
mod sample;
mod showing;
