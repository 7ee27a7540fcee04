//! Text helpers that every module shares.

#![warn(missing_docs, clippy::indexing_slicing)]

pub mod credentials;
pub mod suggestion;
pub mod terminal;
