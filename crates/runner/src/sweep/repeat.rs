//! The rows of one repeat of the folds, in memory or in a file of the cache.

use std::ops::Deref;
use std::time::Instant;

use gradsweep_data::{self as data, Dataset, Element};

use crate::config::Config;
use crate::dataset::{self, cache_spec, repeat_spec};
use crate::error::RunError;
use crate::summary::Seconds;

/// The rows in the groups and the order of one repeat of the folds.
pub(super) struct Repeat<T> {
    pub(super) repeat: u32,
    pub(super) data: Dataset<T>,
}

impl<T: Element> Repeat<T> {
    pub(super) fn load(config: &Config, rows: Option<usize>, repeat: u32) -> Result<Self, RunError> {
        let data = dataset::load(config, rows, repeat)?;
        Ok(Self { repeat, data })
    }

    /// The same rows in a file of the cache.
    pub(super) fn spill(self, config: &Config, rows: Option<usize>) -> Result<Self, RunError> {
        let Self { repeat, data } = self;
        let data = spill(data, config, rows, repeat)?;
        Ok(Self { repeat, data })
    }

    /// The same rows for another repeat, in memory or in a file as these are; these go before those come.
    pub(super) fn switch(
        self,
        config: &Config,
        rows: Option<usize>,
        repeat: u32,
        seconds: &mut Seconds,
    ) -> Result<Self, RunError> {
        if self.repeat == repeat {
            return Ok(self);
        }
        let (fingerprint, is_in_file) = (self.data.summary.fingerprint.clone(), self.data.x.is_in_file());
        drop(self);
        let loading = Instant::now();
        let mut other = Self::load(config, rows, repeat)?;
        if is_in_file {
            other = other.spill(config, rows)?;
        }
        seconds.load += loading.elapsed().as_secs_f64();
        if other.data.summary.fingerprint != fingerprint {
            return Err(RunError::DataChanged);
        }
        Ok(other)
    }
}

/// Moves rows from memory to a file of the cache.
fn spill<T: Element>(
    data: Dataset<T>,
    config: &Config,
    rows: Option<usize>,
    repeat: u32,
) -> Result<Dataset<T>, RunError> {
    Ok(data::spill(
        data,
        &repeat_spec(config, rows, repeat),
        &cache_spec(config),
    )?)
}

impl<T> Deref for Repeat<T> {
    type Target = Dataset<T>;

    fn deref(&self) -> &Dataset<T> {
        &self.data
    }
}
