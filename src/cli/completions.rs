//! `bedplate completions`: a shell's completion script.

use clap::Command;

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;

/// Print a shell's completion script.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate completions bash > /etc/bash_completion.d/bedplate\n  bedplate completions zsh > ~/.zfunc/_bedplate"
)]
pub struct CompletionsArgs {
    /// The shell
    shell: clap_complete::Shell,
}

pub(super) fn run(session: &Session, args: &CompletionsArgs, mut command: Command) -> VerbResult {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut command, "bedplate", &mut script);
    session.reporters.data(&String::from_utf8_lossy(&script))?;
    Ok(ExitCode::Done)
}
