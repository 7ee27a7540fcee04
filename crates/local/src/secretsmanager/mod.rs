//! Secrets Manager: the secrets that stacks make, and their values.
//!
//! A secret exists because a stack made it (`AWS::SecretsManager::Secret`); its value is what the template says, or what
//! [`generate`] draws once. Values have versions with staging labels, as on AWS. Nothing is encrypted here and no key is
//! looked for; nothing is rotated or replicated.
//!
//! | file | holds |
//! | --- | --- |
//! | `actions` | the permissions that operations need |
//! | `operations` | the operations |
//! | [`generate`] | values made at random |
//! | [`store`] | the table of values; a secret by any of its names |
//! | [`reveal`] | dynamic references in what a resource is made of |

mod actions;
pub mod generate;
mod operations;
pub mod reveal;
pub mod store;

pub use operations::SERVICE;
pub(super) use operations::policy_of;
pub use store::SCHEMA;
