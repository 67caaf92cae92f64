//! The rows of a lazy frame in order, a batch at a time, while the next batch is being decoded.

use std::num::NonZeroUsize;
use std::sync::mpsc::sync_channel;
use std::thread;

use polars::prelude::{DataFrame, Engine, LazyFrame, PlanCallback, PolarsError};

/// Rows of a batch: 28 columns of f32 are 7 MB, so the few batches in flight stay small.
pub(super) const BATCH_ROWS: NonZeroUsize = NonZeroUsize::new(1 << 16).expect("not zero");

/// Runs the query on its own thread and hands each batch to `take` on this one.
///
/// An error of `take` stops the query.
pub(super) fn for_each_batch<E: From<PolarsError>>(
    frame: LazyFrame,
    mut take: impl FnMut(DataFrame) -> Result<(), E>,
) -> Result<(), E> {
    let (sender, receiver) = sync_channel(1);
    let callback = PlanCallback::new(move |batch: DataFrame| Ok(sender.send(batch).is_err()));
    let query = frame.sink_batches(callback, true, Some(BATCH_ROWS))?;
    let reader = thread::spawn(move || query.collect_with_engine(Engine::Streaming).map(|_| ()));
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
            Ok(read?)
        }
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "a panic is the failure of a test")]

    use polars::prelude::{Column, IntoLazy};

    use super::*;

    #[test]
    fn rows_arrive_in_order_and_an_error_stops_them() {
        let rows = 300_000_u32;
        let column = Column::new("row".into(), (0..rows).collect::<Vec<_>>());
        let frame = DataFrame::new_infer_height(vec![column]).unwrap().lazy();
        let mut next = 0;
        for_each_batch::<PolarsError>(frame.clone(), |batch| {
            for row in batch.column("row")?.as_materialized_series().u32()?.iter() {
                assert_eq!(row, Some(next));
                next += 1;
            }
            Ok(())
        })
        .unwrap();
        assert_eq!(next, rows);
        let stopped = for_each_batch(frame, |_| Err(PolarsError::NoData("enough".into())));
        assert!(matches!(stopped, Err(PolarsError::NoData(_))));
    }
}
