//! Text helpers that every room shares.

pub mod credentials;
pub mod suggestion;
pub mod terminal;
