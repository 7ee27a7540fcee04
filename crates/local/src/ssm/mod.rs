//! Systems Manager's Parameter Store: the parameters that stacks make and those put by hand.
//!
//! Versions are kept, the last hundred of a parameter. Nothing is encrypted: a `SecureString` is only told in a sealed
//! form unless its value is asked for. Labels, policies and tiers do nothing.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `operations` | the operations |
//! | [`store`] | the table, and a parameter by any of its names |

mod actions;
pub(super) mod operations;
pub mod store;

pub use operations::SERVICE;
pub use store::SCHEMA;
