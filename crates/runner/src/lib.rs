//! From TOML to a filled store.
//!
//! A [`config::Config`] is checked into a [`plan::Plan`] in which every run is known before any training; the plan is cut
//! into cohorts, runs that can share a pass; [`mod@train`] drives each cohort and emits [`event::Event`]s; [`sweep::run`] puts
//! it together and fills the store.
//!
//! ```
//! use gradsweep_runner::config;
//!
//! let text = r#"
//!     version = 1
//!     [data]
//!     train = "data/flights.parquet"
//!     target = "late"
//!     [sweep.parameters]
//!     model.C = { min = 1e-3, max = 1e3, num = 7, log = true }
//! "#;
//! let config = config::parse(text, "flights.toml", "flights", &[]).expect("a valid config");
//! assert_eq!(gradsweep_runner::search::trials(&config).expect("seven trials").len(), 7);
//! ```

mod bug;
pub mod calibrate;
mod card;
mod checkpoint;
pub mod config;
pub mod dataset;
pub mod doctor;
mod error;
pub mod event;
pub mod explain;
pub mod gradcheck;
pub mod inference;
pub mod init;
pub mod memory;
mod model;
pub mod more_epochs;
mod oof;
pub mod plan;
pub mod predict;
mod record;
pub mod refit;
pub mod resume;
pub mod rungs;
pub mod search;
pub mod stop;
pub mod summary;
pub mod sweep;
pub mod train;

pub use error::RunError;
pub use gradsweep_data::{CacheEntry, CacheError, clear_cache, list_cache};
