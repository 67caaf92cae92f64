//! The parts of a sweep: immutable pieces, merged in generations.
//!
//! A part is one long table (run, kind, name, epoch, value, standardized), so that a small sweep costs one synced file. Numbers of files never
//! come back, so the names of the parts say what is in them; a run that lies in several parts is that of the last one.

mod files;
mod rows;

pub(crate) use files::{PartFile, PartWriter, STANDING, gone, list, numbers};
pub(crate) use rows::{Kind, field};
