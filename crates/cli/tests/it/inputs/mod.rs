//! Every kind of input that users have, good or bad: each states its outcome and what the program says.
//!
//! No case may panic, abort, hang or take more memory than its cap, and one that is refused leaves nothing behind.

mod csv;
mod damaged;
mod files;
mod fixture;
mod parquet;
mod slow;
mod values;

pub(crate) use damaged::{sample as many_types, stored};
use fixture::report;
pub(crate) use fixture::run as run_capped;

#[test]
fn every_input_has_its_outcome() {
    let mut cases = values::cases();
    cases.extend(csv::cases());
    cases.extend(files::cases());
    cases.extend(parquet::cases());
    report("inputs", &cases);
}
