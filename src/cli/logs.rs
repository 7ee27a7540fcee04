//! `bedplate logs`: what the functions and APIs of a deployed stack have logged.

use std::time::Duration;

use super::session::Session;
use super::stack_outputs::not_deployed;
use super::verb_result::VerbResult;
use crate::aws::{Clients, TargetKind};
use crate::engine::{self, ExitCode, LogReader, LogSource};
use crate::finding::{Finding, code};
use crate::report::logs::LogsReport;
use jiff::{SignedDuration, Timestamp};

/// How often is looked for new lines: CloudWatch Logs takes ten requests of this kind a second.
const PAUSE: Duration = Duration::from_secs(1);
/// The same on this machine.
const PAUSE_HERE: Duration = Duration::from_millis(200);

/// Show what the functions and APIs of a deployed stack have logged.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate logs movie-poster                       the last ten minutes of all functions\n  bedplate logs movie-poster design --follow       of one function, and new lines as they come\n  bedplate logs movie-poster --since 2h --filter '?ERROR ?Traceback'\n  bedplate logs movie-poster --format json | jq -r .message\n\nExit codes: 0 printed, or nothing was logged · 1 not deployed, no such function, or the log cannot be read · 130 interrupted,\nwhich is how --follow ends"
)]
pub struct LogsArgs {
    /// A use case: a name under stacks/, a folder or a spec file
    #[arg(value_name = "USE-CASE")]
    use_case: String,
    /// Functions by their names in the spec, or other logs by the names that the output shows; all by default
    #[arg(value_name = "FUNCTION")]
    functions: Vec<String>,
    /// How far back, such as 30s, 10m, 2h or 1d
    #[arg(long, value_name = "DURATION", default_value = "10m", value_parser = age)]
    since: SignedDuration,
    /// Go on with what comes, until interrupted
    #[arg(long)]
    follow: bool,
    /// Only what this pattern of CloudWatch Logs lets through, such as ERROR or '?ERROR ?WARN'
    #[arg(long, value_name = "PATTERN")]
    filter: Option<String>,
}

/// A length of time: a whole number and `s`, `m`, `h` or `d`.
fn age(text: &str) -> Result<SignedDuration, String> {
    let wrong = || "write a number and a unit: 30s, 10m, 2h or 1d".to_owned();
    let unit = text.chars().last().ok_or_else(wrong)?;
    let amount = text.strip_suffix(unit).and_then(|amount| amount.parse::<u32>().ok()).ok_or_else(wrong)?;
    let seconds: i64 = match unit {
        's' => 1,
        'm' => 60,
        'h' => 60 * 60,
        'd' => 24 * 60 * 60,
        _ => return Err(wrong()),
    };
    Ok(SignedDuration::from_secs(i64::from(amount) * seconds))
}

pub(super) fn run(session: &Session, args: &LogsArgs) -> VerbResult {
    let specs = session.load(std::slice::from_ref(&args.use_case))?;
    session.block_on(async {
        let cancel = session.interrupted();
        for spec in &specs {
            let stack = session.stack_name(spec);
            let claim = session.claim(&spec.spec.name)?;
            let rendered = session.render(spec)?;
            let connection = session.connect("logs of", &stack, session.region(Some(spec))?).await?;
            let sources = engine::log_sources(&connection.clients, &stack, &claim, &rendered).await;
            let told = match sources {
                Err(finding) => Err(vec![finding]),
                Ok(None) => Err(vec![not_deployed(&stack, &spec.spec.name)]),
                Ok(Some(sources)) => match chosen(sources, &args.functions, &stack) {
                    Ok(sources) => tell(session, args, &connection.clients, sources, &cancel).await,
                    Err(finding) => Err(vec![finding]),
                },
            };
            connection.close().await;
            match told? {
                ExitCode::Done => {}
                other => return Ok(other),
            }
        }
        Ok(ExitCode::Done)
    })
}

/// The sources asked for.
fn chosen(sources: Vec<LogSource>, wanted: &[String], stack: &str) -> Result<Vec<LogSource>, Finding> {
    if sources.is_empty() {
        return Err(Finding::error(code::D067, format!("`{stack}` has nothing that logs"))
            .help("functions log, and APIs with `access-logs`"));
    }
    let known: Vec<&str> = sources.iter().map(|source| source.name.as_str()).collect();
    if let Some(unknown) = wanted.iter().find(|name| !known.contains(&name.as_str())) {
        let known: Vec<String> = known.iter().map(|name| format!("`{name}`")).collect();
        return Err(Finding::error(code::D068, format!("`{stack}` has no log of `{unknown}`"))
            .help(format!("it has those of {}", known.join(", "))));
    }
    Ok(sources.into_iter().filter(|source| wanted.is_empty() || wanted.contains(&source.name)).collect())
}

async fn tell(
    session: &Session,
    args: &LogsArgs,
    clients: &Clients,
    sources: Vec<LogSource>,
    cancel: &tokio_util::sync::CancellationToken,
) -> VerbResult {
    let width = sources.iter().map(|source| source.name.chars().count()).max().unwrap_or(0);
    let since = Timestamp::now().checked_sub(args.since).unwrap_or(Timestamp::UNIX_EPOCH).as_millisecond();
    let pause = if session.target_kind()? == TargetKind::Local { PAUSE_HERE } else { PAUSE };
    let mut reader = LogReader::new(sources, since.max(0), args.filter.clone());
    loop {
        let lines = tokio::select! {
            () = cancel.cancelled() => return Ok(ExitCode::Interrupted),
            lines = reader.poll(clients) => lines.map_err(|finding| vec![finding])?,
        };
        for line in &lines {
            session.reporters.result(&LogsReport { line, width })?;
        }
        if !args.follow {
            return Ok(ExitCode::Done);
        }
        tokio::select! {
            () = cancel.cancelled() => return Ok(ExitCode::Interrupted),
            () = tokio::time::sleep(pause) => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_age_is_a_number_and_a_unit() {
        for (text, seconds) in [("30s", 30), ("10m", 600), ("2h", 7200), ("1d", 86_400)] {
            assert_eq!(age(text), Ok(SignedDuration::from_secs(seconds)), "{text}");
        }
        for text in ["", "10", "m", "-1m", "1.5h", "1y", "10 m"] {
            assert!(age(text).is_err(), "{text}");
        }
    }
}
