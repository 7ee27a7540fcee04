//! `bedplate man`: manual pages.

use std::path::PathBuf;

use clap::Command;

use super::exit::Exit;
use super::outcome::Outcome;
use super::session::Session;
use crate::finding::Finding;

/// Print the manual page, or write one a verb into a folder.
#[derive(Debug, clap::Args)]
#[command(after_help = "Examples:\n  bedplate man | man -l -\n  bedplate man --out /usr/local/share/man/man1")]
pub struct ManArgs {
    /// The folder to write a page a verb into
    #[arg(long, value_name = "DIR")]
    out: Option<PathBuf>,
}

pub(super) fn run(session: &Session, args: &ManArgs, command: Command) -> Outcome {
    match &args.out {
        None => {
            let mut page = Vec::new();
            clap_mangen::Man::new(command).render(&mut page).map_err(unwritable)?;
            session.ui.out(&String::from_utf8_lossy(&page))?;
        }
        Some(dir) => {
            std::fs::create_dir_all(dir).and_then(|()| clap_mangen::generate_to(command, dir)).map_err(unwritable)?;
            session.ui.status(&format!("Wrote the manual pages into {}", dir.display()));
        }
    }
    Ok(Exit::Done)
}

fn unwritable(error: std::io::Error) -> Vec<Finding> {
    vec![Finding::error("P021", format!("the manual pages cannot be written: {error}"))]
}
