//! Text helpers that every module shares.

pub mod credentials;
pub mod suggestion;
pub mod terminal;
