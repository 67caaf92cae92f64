//! What people and programs read, on stores made for it.

mod comparing;
mod errors;
mod exporting;
mod listing;
mod sample;
mod showing;
