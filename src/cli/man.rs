//! `bedplate man`: manual pages.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Command;

use super::session::Session;
use super::verb_result::VerbResult;
use crate::engine::ExitCode;
use crate::files::Manner;
use crate::finding::{Finding, code};

/// Print the manual page, or write one per verb into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bedplate man | man -l -\n  bedplate man --out /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The folder to write a page a verb into
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(session: &Session, args: &ManArgs, command: Command) -> VerbResult {
    match &args.out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(unwritable)?;
            session.reporters.data(&String::from_utf8_lossy(&page))?;
        }
        Some(dir) => {
            for (name, page) in pages(command).map_err(unwritable)? {
                session.write(
                    &dir.join(name),
                    &page,
                    Manner::MakeFolders,
                    code::P021,
                    "check its permissions and space",
                )?;
            }
            session.reporters.progress(&format!("Wrote the manual pages into {}", dir.display()));
        }
    }
    Ok(ExitCode::Done)
}

/// The pages, each with its file's name: made where nobody else writes, to be put where they were asked for.
fn pages(command: Command) -> std::io::Result<Vec<(OsString, Vec<u8>)>> {
    let made = tempfile::tempdir()?;
    clap_mangen::generate_to(command, made.path())?;
    let page = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry?;
        Ok((entry.file_name(), std::fs::read(entry.path())?))
    };
    std::fs::read_dir(made.path())?.map(page).collect()
}

fn unwritable(error: std::io::Error) -> Vec<Finding> {
    vec![Finding::error(code::P021, format!("the manual pages cannot be written: {error}"))]
}
