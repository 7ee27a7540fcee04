//! What can be said on the command line.

use clap::{Args, Parser, Subcommand, ValueEnum};

#[cfg(feature = "local")]
use super::local;
use super::{
    bootstrap, check, completions, deploy, destroy, explain, list, lock, logs, man, new, outputs, plan, render, schema,
    smoke, status,
};

/// Turns short YAML use-case specs into CloudFormation stacks, deploys them, and takes them away again.
#[derive(Debug, Parser)]
#[command(
    name = "bedplate",
    version,
    propagate_version = true,
    arg_required_else_help = true,
    after_help = "Examples:\n  bedplate check movie-poster            what is wrong with a spec, offline\n  bedplate deploy movie-poster           to the local target, no account needed\n  bedplate plan movie-poster --target aws --profile sandbox\n  bedplate deploy movie-poster --target aws --profile sandbox --account 111122223333 --yes\n  bedplate destroy movie-poster          the stack and everything it left\n\nExit codes: 0 done · 1 failed · 2 usage · 3 changes present · 4 declined · 10 rolled back · 11 stack left failed ·\n12 preflight refused · 13 smoke failed · 14 leftovers remain · 130 interrupted"
)]
pub struct Cli {
    /// What every verb takes.
    #[command(flatten)]
    pub globals: Globals,
    /// The verb.
    #[command(subcommand)]
    pub verb: Verb,
}

/// Flags every verb takes.
#[derive(Debug, Clone, Args)]
pub struct Globals {
    /// Where to: `local`, the endpoint inside this program, or `aws`; else what the stage says in bedplate.yaml, else local
    #[arg(long, global = true, value_name = "TARGET", help_heading = "Global options")]
    pub target: Option<TargetName>,
    /// Another AWS-compatible endpoint to send everything to
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub endpoint_url: Option<String>,
    /// The profile in your AWS configuration; its credentials are used, also where the environment has keys
    #[arg(long, global = true, value_name = "NAME", help_heading = "Global options")]
    pub profile: Option<String>,
    /// The account this may go to, by its twelve digits: any other is refused; it is then not asked for
    #[arg(long, global = true, value_name = "ID", value_parser = account, help_heading = "Global options")]
    pub account: Option<String>,
    /// An `endpoint-url` of bedplate.yaml that requests may be sent to, exactly as it is written there; may be repeated
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub allow_endpoint: Vec<String>,
    /// The region, where neither the spec nor the stage names one
    #[arg(long, global = true, value_name = "REGION", value_parser = region, help_heading = "Global options")]
    pub region: Option<String>,
    /// The stage: a part of the stack's name, and the key of its settings in bedplate.yaml
    #[arg(long, global = true, value_name = "STAGE", default_value = "dev", value_parser = stage, help_heading = "Global options")]
    pub stage: String,
    /// How results and diagnostics are written
    #[arg(long, global = true, value_name = "FORMAT", default_value = "text", help_heading = "Global options")]
    pub format: Format,
    /// Say nothing but results and errors
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub quiet: bool,
    /// Say more
    #[arg(long, short, global = true, action = clap::ArgAction::Count, help_heading = "Global options")]
    pub verbose: u8,
    /// No colour (the NO_COLOR variable does the same)
    #[arg(long, global = true, help_heading = "Global options")]
    pub no_color: bool,
    /// Answer yes to every question, as far as that goes: see `--allow` of deploy and destroy
    #[arg(long, short, global = true, help_heading = "Global options")]
    pub yes: bool,
}

/// Where a stack goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum TargetName {
    /// An AWS account.
    Aws,
    /// The endpoint inside this program.
    Local,
}

/// How results and diagnostics are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For a person.
    Text,
    /// For a program: one JSON value, or one a line for what goes on over time; the last line of events is of kind `finished`.
    Json,
    /// As text, with findings as GitHub Actions annotations.
    Github,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Write a use case to start from
    New(new::NewArgs),
    /// List the use cases here, and what is deployed of them
    List(list::ListArgs),
    /// Check specs and the templates they make, offline
    Check(check::CheckArgs),
    /// Print the CloudFormation template a spec makes
    Render(render::RenderArgs),
    /// Show what a deploy would change, and why
    Plan(plan::PlanArgs),
    /// Pin the packages of layers, with their digests
    Lock(lock::LockArgs),
    /// Deploy: plan, ask, execute exactly that plan, follow it to the end
    Deploy(deploy::DeployArgs),
    /// Try the spec's smoke tests on what is deployed
    Smoke(smoke::SmokeArgs),
    /// Show the state of what is deployed, and why it is so
    Status(status::StatusArgs),
    /// Print what a deployed stack gives back
    Outputs(outputs::OutputsArgs),
    /// Show what functions and APIs have logged
    Logs(logs::LogsArgs),
    /// Take a stack away, with everything it left
    Destroy(destroy::DestroyArgs),
    /// The local target: an AWS-compatible endpoint on this machine
    #[cfg(feature = "local")]
    #[command(subcommand)]
    Local(local::LocalVerb),
    /// Make (or remove) the artifact bucket of an account and region
    Bootstrap(bootstrap::BootstrapArgs),
    /// Explain a finding: what its code means, and what to do
    Explain(explain::ExplainArgs),
    /// Print the JSON Schema of the spec language
    Schema(schema::SchemaArgs),
    /// Print a shell's completion script
    Completions(completions::CompletionsArgs),
    /// Print the manual page, or write one a verb into a folder
    Man(man::ManArgs),
}

impl Verb {
    /// Whether it changes or tries what is deployed, and so tells events.
    pub fn tells_events(&self) -> bool {
        matches!(self, Verb::Deploy(_) | Verb::Destroy(_) | Verb::Bootstrap(_) | Verb::Smoke(_))
    }
}

/// A stage's name: a part of the stack's name, and of what some resources are called.
fn stage(text: &str) -> Result<String, String> {
    if crate::spec::is_stage_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a stage is at most 32 letters, digits and hyphens, a letter first".to_owned())
    }
}

/// An account's number.
fn account(text: &str) -> Result<String, String> {
    if crate::spec::is_account_id(text) { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

/// A region as AWS writes it.
fn region(text: &str) -> Result<String, String> {
    if crate::spec::is_region_name(text) {
        Ok(text.to_owned())
    } else {
        Err("write it as AWS does, such as `us-west-2`".to_owned())
    }
}
