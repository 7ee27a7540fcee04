//! Carries a plan out and tells what happens: artifacts, change set, approval, execution, events as they come, outputs;
//! and the way back, down to proof that nothing is left. It prints nothing and asks through [`Approver`].
//!
//! Every verb is one function that takes a [`Run`] and gives a [`Report`]; whatever goes wrong is in the report, with the
//! outcome that decides the exit code.
//!
//! What is told of a run is data and imports no verb: `events`, `outcome`, `ledger`, `effect`, `removal`, `end`, `stop`.

mod artifact_bucket;
mod artifact_names;
mod bootstrap;
mod bucket_origin;
mod causes;
mod change_set;
mod claim;
mod deploy;
mod deployment;
mod destroy;
mod effect;
mod effect_words;
mod empty;
mod end;
mod events;
mod execution;
mod finishers;
mod follow;
mod ledger;
mod logs;
mod look;
mod outcome;
mod package;
mod packaging;
mod plan_verb;
mod recover;
mod removal;
mod run;
mod seconds;
mod side_by_side;
mod smoke;
mod stop;
mod survey;
mod teardown;
mod uploads;
mod wanted;

pub use artifact_names::{ARTIFACT_STACK, artifact_bucket_name};
pub use bootstrap::{bootstrap, bootstrap_named, remove_bootstrap};
pub use claim::{Claim, MadeHere, OWNER_TAG, STAGE_TAG, owner_of};
pub use deploy::deploy;
pub use deployment::DeployOptions;
pub use destroy::{destroy, destroy_claimed};
pub use effect::Effect;
pub use events::{Event, EventKind, EventSink, Recorder};
pub use finishers::Finisher;
pub use ledger::{Account, Ledger, RecordedEffect};
pub use logs::{LogLine, LogReader, LogSource, log_sources};
pub use look::{Status, USE_CASE_TAG, list, outputs, status};
pub use outcome::{Outcome, Report};
pub use package::{Artifact, Package, Packaging, Unbuilt};
pub use plan_verb::plan;
pub use removal::{Fate, Leftover, ObjectCount, Removal, RemovedResource};
pub use run::{ApproveAll, Approver, DeclineAll, Proposal, Run};
pub use smoke::{PATIENCE, SmokeResult, SmokeTest, smoke};
pub use wanted::Desired;
pub(crate) use wanted::{names, without_value};
