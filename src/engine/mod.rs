//! Carries a plan out and tells what happens: artifacts, change set, approval, execution, events as they come, outputs;
//! and the way back, down to proof that nothing is left. It prints nothing and asks through [`Approver`].
//!
//! Every verb is one function that takes a [`Run`] and gives a [`Report`] with results of its own; whatever goes wrong is in
//! the report, with the outcome that decides the exit code.
//!
//! What is told of a run is data and imports no verb: `events`, `outcome`, `reports`, `ledger`, `effect`, `destroy_plan`, `operation_end`, `abort`.

mod abort;
mod artifact_bucket;
mod artifact_names;
mod bootstrap;
mod bucket_origin;
mod causes;
mod change_set;
mod claim;
mod deploy;
mod deploy_ends;
mod deployment;
mod desired;
mod destroy;
mod destroy_plan;
mod effect;
mod effect_words;
mod empty;
mod events;
mod execution;
mod exit_code;
mod finishers;
mod follow;
mod inventory;
mod ledger;
mod logs;
mod operation_end;
mod outcome;
mod package;
mod packaging;
mod plan;
mod recover;
mod reports;
mod run;
mod seconds;
mod side_by_side;
mod smoke;
mod status;
mod teardown;
mod uploads;

pub use artifact_names::{ARTIFACT_STACK, artifact_bucket_name};
pub use bootstrap::{bootstrap, bootstrap_named, remove_bootstrap};
pub use claim::{Claim, MadeHere, OWNER_TAG, STAGE_TAG, owner_of};
pub use deploy::deploy;
pub use deployment::DeployOptions;
pub use desired::Desired;
pub(crate) use desired::{names, without_value};
pub use destroy::{destroy, destroy_claimed};
pub use destroy_plan::{DestroyPlan, Disposition, Leftover, ObjectCount, PlannedDeletion};
pub use effect::Effect;
pub use events::{EngineVerb, Event, EventKind, EventSink, Recorder};
pub use exit_code::ExitCode;
pub use finishers::Finisher;
pub use ledger::{Account, Ledger, RecordedEffect};
pub use logs::{LogLine, LogReader, LogSource, log_sources};
pub use outcome::Outcome;
pub use package::{Package, Packaging, StackArtifact, Unbuilt};
pub use plan::plan;
pub use reports::{
    BootstrapReport, BootstrapResults, DeployReport, DeployResults, DestroyReport, DestroyResults, PlanReport,
    PlanResults, Report, SmokeReport, SmokeResults, VerbResults,
};
pub use run::{ApproveAll, Approver, DeclineAll, Proposal, Run};
pub use smoke::{PreparedSmokeTest, RETRY_FOR, SmokeResult, smoke};
pub use status::{Status, USE_CASE_TAG, list, outputs, status};
