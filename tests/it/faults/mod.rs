//! Faults on the way to the services, and whether what a run says at its end is true then.
//!
//! | file | holds |
//! | --- | --- |
//! | `proxy` | the proxy, its rules and its log |
//! | `operation` | what a request asks for |
//! | `refusal` | a service that says no |
//! | `oracle` | what there is afterwards, and whether a report is true of it |
//! | `proxied` | tests of the proxy itself |
//! | `lost_answers` | requests that were carried out, or were not, and that nobody told of |
//! | `broken_off` | credentials that expire, denials and interrupts at every step |
//! | `endings` | the program: its last line, its exit code, its words |
//! | `interrupts` | an interrupt after something was changed, and while a stack is destroyed |
//! | `smoke_ends` | smoke tests without an answer or a stack, and a knowledge base that is not read |
//! | `following` | events that are missing, and how often they are asked for |
//! | `campaign` | many random sessions of the program |
//! | `words` | where it may be said that nothing was changed |

mod broken_off;
mod campaign;
mod endings;
mod following;
mod interrupts;
mod lost_answers;
pub mod operation;
pub mod oracle;
mod proxied;
pub mod proxy;
pub mod refusal;
mod smoke_ends;
mod words;

pub use proxy::{Fault, Proxy, When};
pub use refusal::ServiceError;
