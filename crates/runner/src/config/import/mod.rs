//! Sweeps of other programs, as configs with a note for what could not be translated.

mod draft;
mod optuna;
mod wandb;

pub use draft::Imported;
pub use optuna::from_optuna;
pub use wandb::from_wandb;

#[cfg(test)]
mod tests;
