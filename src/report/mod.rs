//! What the program says: events, plans, findings and what verbs come to, for a person, a program, GitHub's log and a
//! pipeline. Nothing here decides anything, and nothing but this writes to standard output and standard error.
//!
//! A [`Reporter`] is told what happens; [`Reporters`] tells it to several at once. What a verb has come to is a type of its own,
//! a [`VerbReport`], in the file named after the verb.

mod bootstrap;
pub mod changes;
pub mod check;
pub mod conclusion;
pub mod console;
mod deploy;
pub mod destination;
mod destroy;
pub mod destroy_plan;
pub mod explain;
pub mod findings;
mod github_reporter;
#[cfg(feature = "local")]
pub mod iam_report;
mod json_reporter;
mod junit_reporter;
pub mod list;
#[cfg(feature = "local")]
pub mod local;
pub mod lock;
pub mod logs;
pub mod new;
pub mod outputs;
pub mod plan;
pub mod progress;
mod reporter;
mod reporters;
mod run_record;
pub mod smoke;
pub mod status;
pub mod style;
mod text_reporter;

pub use github_reporter::GithubReporter;
pub use json_reporter::JsonReporter;
pub use junit_reporter::JunitReporter;
pub use reporter::{Look, Reporter, VerbReport};
pub use reporters::Reporters;
pub use run_record::{RunEnd, StackEnd};
pub use text_reporter::TextReporter;
