//! `bedplate new`: a use case to start from.

mod course;

use std::path::Path;

use self::course::NewFile;
use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::files::Manner;
use crate::finding::{Finding, code, has_errors};
use crate::report::new::{NewReport, NextSteps, StarterUseCase, StartersReport};
use crate::spec;

/// Create a use case to start from; nothing is ever overwritten.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate new greetings                        a function behind an API, with smoke tests\n  bedplate new posters --from movie-poster      a copy of an example, under a name of your own\n  bedplate new --list                           what you can start from"
)]
pub struct NewArgs {
    /// The new use case's name, and its folder's under stacks/
    #[arg(value_name = "NAME", required_unless_present = "list")]
    name: Option<String>,
    /// A use case of the course to start from
    #[arg(long, value_name = "USE-CASE")]
    from: Option<String>,
    /// Show what you can start from
    #[arg(long, conflicts_with_all = ["name", "from"])]
    list: bool,
}

/// A small use case that works as it is; `NAME` stands for its name.
const STARTER: [(&str, &str); 2] = [
    ("usecase.yaml", include_str!("starter/usecase.yaml")),
    ("function/app.py", include_str!("starter/function/app.py")),
];

pub(super) fn run(session: &Session, args: &NewArgs) -> VerbResult {
    let Some(name) = &args.name else { return list(session) };
    // It becomes a part of a path and of YAML, so it must not be able to be more than a name.
    if !spec::is_use_case_name(name) {
        let message = format!("`{}` cannot be the name of a use case", spec::cut(name));
        return Err(vec![Finding::error(code::S015, message).help(spec::USE_CASE_NAME)]);
    }
    let files = match &args.from {
        Some(from) => course::copy(from, name)?,
        None => {
            STARTER.iter().map(|(file, text)| ((*file).to_owned(), text.replace("NAME", name).into_bytes())).collect()
        }
    };
    let project = session.project()?;
    if let Ok(other) = project.use_cases()
        && let Some(other) = other.iter().find(|other| other.name == *name)
    {
        return Err(vec![
            Finding::error(code::P041, format!("there is a use case `{name}` already: `{}`", other.shown))
                .help("choose another name"),
        ]);
    }
    let folder = project.stacks_dir().join(name);
    let shown = folder.strip_prefix(&project.root).unwrap_or(&folder).display().to_string();
    let findings = judge(&files, &format!("{shown}/usecase.yaml"));
    if has_errors(&findings) {
        return Err(findings);
    }
    write(session, &folder, &shown, &files)?;
    let names = files.iter().map(|(file, _)| file.as_str()).collect();
    session.reporters.result(&NewReport { use_case: name, folder: &shown, files: names })?;
    session.reporters.result(&NextSteps(name))?;
    Ok(ExitCode::Done)
}

/// What the language says of the spec before it is written: a name that cannot be one, above all.
fn judge(files: &[NewFile], shown: &str) -> Vec<Finding> {
    let text = files.iter().find(|(file, _)| file == "usecase.yaml").map(|(_, text)| String::from_utf8_lossy(text));
    spec::load_str(&text.unwrap_or_default(), shown).err().unwrap_or_default()
}

/// Writes the files into a folder that is not there yet.
fn write(session: &Session, folder: &Path, shown: &str, files: &[NewFile]) -> Result<(), Vec<Finding>> {
    if folder.symlink_metadata().is_ok() {
        return Err(vec![
            Finding::error(code::P041, format!("`{shown}` exists already, and nothing is overwritten"))
                .help("choose another name, or remove the folder"),
        ]);
    }
    for (file, content) in files {
        session.write(&folder.join(file), content, Manner::New, code::P042, "check its permissions and space")?;
    }
    Ok(())
}

fn list(session: &Session) -> VerbResult {
    let one = |(name, description)| StarterUseCase { name, description };
    session.reporters.result(&StartersReport { use_cases: course::all().into_iter().map(one).collect() })?;
    Ok(ExitCode::Done)
}
