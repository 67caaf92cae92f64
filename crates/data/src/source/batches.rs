//! The rows of a lazy frame in order, a batch at a time, while the next batch is being decoded.

use std::num::NonZeroUsize;
use std::sync::mpsc::{SyncSender, sync_channel};
use std::thread;

use polars::prelude::{DataFrame, Engine, LazyFrame, PlanCallback, PolarsError};

use super::guard::guarded;
use crate::error::DataError;

/// Rows of a batch: 28 columns of f32 are 7 MB, so the few batches in flight stay small.
const BATCH_ROWS: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");

/// Runs the query on its own thread and hands each batch to `take` on this one.
///
/// An error of `take` stops the query; a panic of the query is an error of `file`.
pub(super) fn for_each_batch<E: From<PolarsError> + From<DataError>>(
    frame: LazyFrame,
    file: &str,
    take: impl FnMut(DataFrame) -> Result<(), E>,
) -> Result<(), E> {
    decode_ahead(
        move |sender: SyncSender<DataFrame>| {
            let callback = PlanCallback::new(move |batch: DataFrame| Ok(sender.send(batch).is_err()));
            let query = frame.sink_batches(callback, true, Some(BATCH_ROWS))?;
            query.collect_with_engine(Engine::Streaming).map(|_| ())
        },
        file,
        take,
    )
}

/// Runs `read` on its own thread and hands what it sends to `take` on this one.
pub(super) fn decode_ahead<B: Send + 'static, E: From<PolarsError> + From<DataError>>(
    read: impl FnOnce(SyncSender<B>) -> Result<(), PolarsError> + Send + 'static,
    file: &str,
    mut take: impl FnMut(B) -> Result<(), E>,
) -> Result<(), E> {
    let (sender, receiver) = sync_channel(1);
    let name = file.to_owned();
    let reader = thread::spawn(move || guarded(&name, || read(sender).map_err(ReadError::Reader)));
    let mut taken = Ok(());
    for batch in &receiver {
        taken = take(batch);
        if taken.is_err() {
            break;
        }
    }
    drop(receiver);
    match reader.join() {
        Ok(read) => {
            taken?;
            read.map_err(|error| match error {
                ReadError::Reader(error) => error.into(),
                ReadError::Panic(error) => error.into(),
            })
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

/// How a reader stopped.
enum ReadError {
    Reader(PolarsError),
    Panic(DataError),
}

impl From<DataError> for ReadError {
    fn from(error: DataError) -> Self {
        Self::Panic(error)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::{Column, IntoLazy};

    use super::*;
    use crate::source::columnar::Stop;

    #[test]
    fn rows_arrive_in_order_and_an_error_stops_them() {
        let rows = 300_000_u32;
        let column = Column::new("row".into(), (0..rows).collect::<Vec<_>>());
        let frame = DataFrame::new_infer_height(vec![column]).unwrap().lazy();
        let mut next = 0;
        for_each_batch::<Stop>(frame.clone(), "a", |batch| {
            for row in batch.column("row")?.as_materialized_series().u32()?.iter() {
                assert_eq!(row, Some(next));
                next += 1;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(next, rows);
        let stopped = for_each_batch::<Stop>(frame, "a", |_| Err(DataError::NoPaths.into()));
        assert!(matches!(stopped, Err(Stop::Taker(DataError::NoPaths))));
    }
}
