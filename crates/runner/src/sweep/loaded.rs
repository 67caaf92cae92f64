//! The rows of one data view of the plan, in memory or in a file of the cache.

use std::ops::Deref;
use std::time::Instant;

use gradsweep_data::{self as data, Dataset, Element};

use crate::config::Config;
use crate::dataset::{self, cache_spec, repeat_spec};
use crate::error::RunError;
use crate::plan::Preparation;
use crate::summary::Seconds;

/// The rows in the groups and the order of one repeat of the folds, prepared in one way.
pub(super) struct Loaded<T> {
    pub(super) repeat: u32,
    pub(super) preparation: Preparation,
    pub(super) data: Dataset<T>,
}

impl<T: Element> Loaded<T> {
    pub(super) fn load(
        config: &Config,
        rows: Option<usize>,
        (repeat, preparation): (u32, &Preparation),
    ) -> Result<Self, RunError> {
        let data = dataset::load(&preparation.applied_to(config), rows, repeat)?;
        Ok(Self {
            repeat,
            preparation: preparation.clone(),
            data,
        })
    }

    /// The repeat of the folds, and how the rows are prepared.
    pub(super) fn rows(&self) -> (u32, &Preparation) {
        (self.repeat, &self.preparation)
    }

    /// The same rows in a file of the cache.
    pub(super) fn spill(self, config: &Config, rows: Option<usize>) -> Result<Self, RunError> {
        let own = self.preparation.applied_to(config);
        let data = data::spill(self.data, &repeat_spec(&own, rows, self.repeat), &cache_spec(&own))?;
        Ok(Self { data, ..self })
    }

    /// Loads them in every one of other ways that may refuse them, so that it does so before any training.
    pub(super) fn check_others(
        self,
        config: &Config,
        rows: Option<usize>,
        others: &[Preparation],
    ) -> Result<Self, RunError> {
        let mut seconds = Seconds::default();
        let (repeat, first) = (self.repeat, self.preparation.clone());
        let mut data = self;
        for other in others.iter().filter(|other| other.is_strict()) {
            data = data.switch(config, rows, (repeat, other), &mut seconds)?;
        }
        data.switch(config, rows, (repeat, &first), &mut seconds)
    }

    /// The same rows for another repeat or prepared in another way, in memory or in a file as these are; these go before those
    /// come.
    pub(super) fn switch(
        self,
        config: &Config,
        rows: Option<usize>,
        (repeat, preparation): (u32, &Preparation),
        seconds: &mut Seconds,
    ) -> Result<Self, RunError> {
        if self.rows() == (repeat, preparation) {
            return Ok(self);
        }
        let (fingerprint, is_in_file) = (self.data.summary.fingerprint.clone(), self.data.x.is_in_file());
        drop(self);
        let loading = Instant::now();
        let mut other = Self::load(config, rows, (repeat, preparation))?;
        if is_in_file && !other.data.x.is_in_file() {
            other = other.spill(config, rows)?;
        }
        seconds.load += loading.elapsed().as_secs_f64();
        if other.data.summary.fingerprint != fingerprint {
            return Err(RunError::DataChanged);
        }
        Ok(other)
    }
}

impl<T> Deref for Loaded<T> {
    type Target = Dataset<T>;

    fn deref(&self) -> &Dataset<T> {
        &self.data
    }
}
