//! The command line: one file a verb, each with its arguments and one function; this file wires them up.
//! What several verbs share has a file of its own, which imports no verb.

mod approval;
mod approved_accounts;
mod bootstrap;
mod check;
mod completions;
mod connection;
mod consent;
mod deploy;
mod destroy;
mod destroy_stack;
mod explain;
mod globals;
#[cfg(feature = "local")]
mod iam_report;
mod interrupts;
mod list;
#[cfg(feature = "local")]
mod local;
mod local_target;
mod lock;
mod logs;
mod man;
mod needs;
mod new;
mod outputs;
mod parameter;
mod plan;
mod render;
mod schema;
mod session;
mod smoke;
mod stack_outputs;
mod status;
mod ui;
mod user_folders;
mod verb_result;
mod verbs;

use clap::{CommandFactory as _, Parser as _};

use self::session::Session;
use self::verb_result::VerbResult;
use self::verbs::{Cli, Verb};
use crate::engine::ExitCode;
use crate::finding::{Finding, code};

/// Parses the command line, runs the verb and gives its exit code.
pub fn main() -> std::process::ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // `--help` and `--version` come this way too, with exit code 0; anything else is usage, 2.
            let _ = error.print();
            return if error.use_stderr() { ExitCode::Usage.into() } else { ExitCode::Done.into() };
        }
    };
    let session = Session::new(cli.globals, cli.verb.emits_events());
    if cli.verb.emits_events() {
        // From the first moment on: an interrupt that comes early ends in order too.
        session.interrupted();
    }
    let (exit, findings) = match catch_panic(|| session.reporters.complete(run(&session, &cli.verb))) {
        Ok(exit) => (exit, Vec::new()),
        Err(findings) => (consent::exit_of(&findings).unwrap_or(ExitCode::Failed), findings),
    };
    session.reporters.end(exit, &findings);
    exit.into()
}

/// How a verb ended, though the program itself went down.
fn catch_panic(verb: impl FnOnce() -> VerbResult) -> VerbResult {
    std::panic::catch_unwind(std::panic::AssertUnwindSafe(verb)).unwrap_or_else(|_| {
        Err(vec![Finding::error(code::D096, "the program failed").help(
            "this is a defect of Bedplate: please report the message above; see the state of the stack with `bedplate status`",
        )])
    })
}

fn run(session: &Session, verb: &Verb) -> VerbResult {
    match verb {
        Verb::New(args) => new::run(session, args),
        Verb::List(args) => list::run(session, args),
        Verb::Check(args) => check::run(session, args),
        Verb::Render(args) => render::run(session, args),
        Verb::Plan(args) => plan::run(session, args),
        Verb::Lock(args) => lock::run(session, args),
        Verb::Deploy(args) => deploy::run(session, args),
        Verb::Smoke(args) => smoke::run(session, args),
        Verb::Status(args) => status::run(session, args),
        Verb::Outputs(args) => outputs::run(session, args),
        Verb::Logs(args) => logs::run(session, args),
        Verb::Destroy(args) => destroy::run(session, args),
        #[cfg(feature = "local")]
        Verb::Local(verb) => local::run(session, verb),
        Verb::Bootstrap(args) => bootstrap::run(session, args),
        Verb::Explain(args) => explain::run(session, args),
        Verb::Schema(args) => schema::run(session, args),
        Verb::Completions(args) => completions::run(session, args, Cli::command()),
        Verb::Man(args) => man::run(session, args, Cli::command()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_verb_that_goes_down_still_ends_with_a_finding() {
        let findings = catch_panic(|| panic!("on purpose")).expect_err("findings");
        assert_eq!(findings[0].code, "D096");
        assert_eq!(catch_panic(|| Ok(ExitCode::Declined)), Ok(ExitCode::Declined));
    }
}
