//! What can be said on the command line: the list of the verbs, each with its own arguments.

use clap::{Parser, Subcommand};

use super::globals::Globals;
#[cfg(feature = "local")]
use super::local;
use super::{
    bootstrap, check, completions, deploy, destroy, explain, list, lock, logs, man, new, outputs, plan, render, schema,
    smoke, status,
};
use crate::engine::ExitCode;

/// Examples, and the table of exit codes.
fn after_help() -> String {
    let codes: Vec<String> = ExitCode::ALL.iter().map(|it| format!("{} {}", it.code(), it.summary())).collect();
    format!("{EXAMPLES}\n\nExit codes: {}", codes.join(" · "))
}

const EXAMPLES: &str = "\
Examples:
  bedplate check movie-poster            check a spec, offline
  bedplate deploy movie-poster           deploy to the local target; no account needed
  bedplate plan movie-poster --target aws --profile sandbox
  bedplate deploy movie-poster --target aws --profile sandbox --account 111122223333 --yes
  bedplate destroy movie-poster          delete the stack and everything it left";

/// Turns short YAML use-case specs into CloudFormation stacks, deploys them, and deletes them again.
#[derive(Debug, Parser)]
#[command(
    name = "bedplate",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = after_help()
)]
pub struct Cli {
    /// What every verb takes.
    #[command(flatten)]
    pub globals: Globals,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Create a use case to start from
    New(new::NewArgs),
    /// List the use cases of the project, and what is deployed of them
    List(list::ListArgs),
    /// Check specs and their templates, offline
    Check(check::CheckArgs),
    /// Print the CloudFormation template of a spec
    Render(render::RenderArgs),
    /// Show what a deploy would change, and why
    Plan(plan::PlanArgs),
    /// Pin the packages of layers, with their digests
    Lock(lock::LockArgs),
    /// Deploy: plan, ask, execute exactly that plan, follow it to the end
    Deploy(deploy::DeployArgs),
    /// Run the spec's smoke tests against what is deployed
    Smoke(smoke::SmokeArgs),
    /// Show the state of what is deployed, and why it is so
    Status(status::StatusArgs),
    /// Print the outputs of a deployed stack
    Outputs(outputs::OutputsArgs),
    /// Show what functions and APIs have logged
    Logs(logs::LogsArgs),
    /// Delete a stack, with everything it left
    Destroy(destroy::DestroyArgs),
    /// The local target: an AWS-compatible endpoint on this machine
    #[cfg(feature = "local")]
    #[command(subcommand)]
    Local(local::LocalVerb),
    /// Create (or delete) the artifact bucket of an account and region
    Bootstrap(bootstrap::BootstrapArgs),
    /// Explain a finding: what its code means, and what to do
    Explain(explain::ExplainArgs),
    /// Print the JSON Schema of the spec language
    Schema(schema::SchemaArgs),
    /// Print a shell's completion script
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write one per verb into a folder
    Man(man::ManArgs),
}

impl Verb {
    /// Whether it changes or tries what is deployed, and so tells events.
    pub fn emits_events(&self) -> bool {
        matches!(self, Verb::Deploy(_) | Verb::Destroy(_) | Verb::Bootstrap(_) | Verb::Smoke(_))
    }
}
