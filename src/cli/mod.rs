//! The command line: one file a verb, each with its arguments and one function; this file wires them up.

mod approval;
mod args;
mod bootstrap;
mod check;
mod completions;
mod deploy;
mod destroy;
mod exit;
mod follow;
mod iam_report;
mod list;
mod local;
mod logs;
mod man;
mod needs;
mod new;
mod outputs;
mod plan;
mod render;
mod schema;
mod session;
mod smoke;
mod status;
mod ui;

use std::process::ExitCode;

use clap::Parser as _;

use self::args::{Cli, Verb};
use self::exit::Exit;
use self::session::Session;
use crate::finding::Finding;

/// How a verb ends: with an exit code, or with findings that are shown and exit code 1.
type Outcome = Result<Exit, Vec<Finding>>;

/// Parses the command line, runs the verb and gives its exit code.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come this way too, with exit code 0; anything else is usage, 2.
            let _ = error.print();
            return if error.use_stderr() { Exit::Usage.into() } else { Exit::Done.into() };
        }
    };
    let session = Session::new(cli.globals);
    let exit = run(&session, &cli.verb).unwrap_or_else(|findings| {
        session.ui.findings(&findings);
        Exit::Failed
    });
    exit.into()
}

fn run(session: &Session, verb: &Verb) -> Outcome {
    match verb {
        Verb::New(args) => new::run(session, args),
        Verb::List(args) => list::run(session, args),
        Verb::Check(args) => check::run(session, args),
        Verb::Render(args) => render::run(session, args),
        Verb::Plan(args) => plan::run(session, args),
        Verb::Deploy(args) => deploy::run(session, args),
        Verb::Smoke(args) => smoke::run(session, args),
        Verb::Status(args) => status::run(session, args),
        Verb::Outputs(args) => outputs::run(session, args),
        Verb::Logs(args) => logs::run(session, args),
        Verb::Destroy(args) => destroy::run(session, args),
        Verb::Local(verb) => local::run(session, verb),
        Verb::Bootstrap(args) => bootstrap::run(session, args),
        Verb::Schema(args) => schema::run(session, args),
        Verb::Completions(args) => completions::run(session, args),
        Verb::Man(args) => man::run(session, args),
    }
}
