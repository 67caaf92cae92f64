//! A store from outside: what lies on disk, what reads back, what is refused.

mod contract;
mod damage;
mod lifecycle;
mod sample;
