//! Power cuts, simulated: what a disk may hold when it comes back, and what a store makes of that.

mod cut;
mod recorder;
mod tests;

pub(crate) use recorder::disk;
