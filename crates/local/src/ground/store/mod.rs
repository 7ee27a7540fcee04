//! The local target's state: one SQLite database, object bodies beside it, and leases.
//!
//! Many processes may have the same folder open at once. A transaction is the only way to change anything, and what
//! one has committed survives the process (`kill -9` included; after a power cut the last moments may be missing, never
//! half of a transaction).

mod blobs;
mod database;
mod error;
mod lease;
pub mod private;
mod room;
mod schema;
mod scratch;

pub use blobs::{Blob, BlobWriter, Staged};
pub(crate) use database::undone;
pub use database::{DATABASE_LIMIT, Store};
pub use error::StoreError;
pub use lease::Lease;
pub use schema::Schema;
