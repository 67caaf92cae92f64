//! `report.html`: one page that a reader scrolls from the answer to the evidence.
//!
//! The page is one file. Numbers for the charts lie in it as JSON; charts are drawn by a bundled `ECharts`, and the three that matter most are
//! there as SVG for readers without JavaScript. A Content-Security-Policy names the page's own scripts and style by their hashes and allows
//! nothing else, so that neither a column's name nor anything in a config can run or load anything. Templates escape all texts.

mod board;
mod context;
mod details;
mod figures;
mod live;
mod outcome;
mod page;
mod quality;
mod svg;

pub use live::Live;
pub use page::{html, write_html};
