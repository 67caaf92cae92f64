//! Loading real files: what is refused, what is equal, and that no fold sees its held-out rows.

#![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

mod apply;
mod equal;
mod files;
mod oracle;
mod refused;
mod sources;
mod splits;
mod told;
mod weights;
