//! What can be said on the command line beside any verb.

use clap::{Args, ValueEnum};

use crate::spec::{USUAL_STAGE, is_account_id, is_region_name, is_stage_name};

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
    /// The only account to use, by its twelve digits: any other is refused, and the account is not asked for
    #[arg(long, global = true, value_name = "ID", value_parser = account, help_heading = "Global options")]
    pub account: Option<String>,
    /// An `endpoint-url` of bedplate.yaml that requests may be sent to, exactly as it is written there; may be repeated
    #[arg(long, global = true, value_name = "URL", help_heading = "Global options")]
    pub allow_endpoint: Vec<String>,
    /// The region, where neither the spec nor the stage names one
    #[arg(long, global = true, value_name = "REGION", value_parser = region, help_heading = "Global options")]
    pub region: Option<String>,
    /// The stage: a part of the stack's name, and the key of its settings in bedplate.yaml
    #[arg(long, global = true, value_name = "STAGE", default_value = USUAL_STAGE, value_parser = stage, help_heading = "Global options")]
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
    /// Answer yes to every question, within limits: see `--allow` of deploy and destroy
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

/// A stage's name: a part of the stack's name, and of what some resources are called.
fn stage(text: &str) -> Result<String, String> {
    if is_stage_name(text) {
        Ok(text.to_owned())
    } else {
        Err("a stage is at most 32 letters, digits and hyphens, a letter first and no hyphen last".to_owned())
    }
}

/// An account's number.
fn account(text: &str) -> Result<String, String> {
    if is_account_id(text) { Ok(text.to_owned()) } else { Err("an account has twelve digits".to_owned()) }
}

/// A region as AWS writes it.
fn region(text: &str) -> Result<String, String> {
    if is_region_name(text) { Ok(text.to_owned()) } else { Err("write it as AWS does, such as `us-west-2`".to_owned()) }
}
