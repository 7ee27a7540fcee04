//! Smoke tests: what a spec says must hold of what is deployed, tried from outside as its users would. Calls go to the
//! addresses the stack gives, functions are invoked by the names it gave them, knowledge bases and agents asked by the ids
//! of its outputs.
//!
//! | file | holds |
//! | --- | --- |
//! | `test`, `result` | a test and how it ended, as data |
//! | `from_spec` | the tests of a spec, and which resources they ask |
//! | `trial` | trying all of them |
//! | `attempt` | one try of one of them |
//! | `deployed`, `failure` | what is asked, and why a try failed |
//! | `http` | calls and invocations, and what comes back of them |
//! | `dialogue` | searches and conversations, and what comes back of them |
//! | `socket` | conversations over a WebSocket |
//! | `picture` | whether bytes are a picture |
//! | `text` | whether a text is as it is expected, and what of it a reason repeats |
//! | `retry` | what is tried a second time |

mod attempt;
mod deployed;
mod dialogue;
mod failure;
mod from_spec;
mod http;
mod picture;
mod result;
mod retry;
mod socket;
mod test;
mod text;
mod trial;

pub(super) use from_spec::from_spec;
pub use result::SmokeResult;
pub use retry::RETRY_FOR;
pub use test::PreparedSmokeTest;
pub use trial::smoke;
pub(super) use trial::{Trial, tried};
