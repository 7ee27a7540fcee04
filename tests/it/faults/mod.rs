//! Faults on the way to the services, and whether what a run says at its end is true then.
//!
//! | file | holds |
//! | --- | --- |
//! | `proxy` | the proxy, its rules and its log |
//! | `operation` | what a request asks for |
//! | `refusal` | a service that says no |
//! | `proxied` | tests of the proxy itself |

pub mod operation;
mod proxied;
pub mod proxy;
pub mod refusal;

pub use proxy::{Fault, Proxy, When};
pub use refusal::ServiceError;
