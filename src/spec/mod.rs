//! The language: its types, loading a spec with the place of every value, and references.

mod load;
mod text;
mod types;
mod values;

pub use load::{LoadedSpec, load, load_str, load_text};
pub use text::{Piece, Reference, Text, TextError};
pub use types::*;
pub use values::{Days, Seconds};
