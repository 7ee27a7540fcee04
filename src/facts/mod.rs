//! Facts that age: models, runtimes and their dates, as data in `schemas/`, each with its source and the day it was seen.
//!
//! Nothing here does I/O or knows what day it is: whoever asks "still?" says the date.

mod dates;
mod models;
mod runtimes;

pub use dates::Day;
pub use models::{Invoke, Model, Models, Status, models};
pub use runtimes::{Runtime, Runtimes, runtimes};
