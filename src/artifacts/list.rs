//! What goes into a zip: the files of a folder, less what ignore files and custom leave out.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ignore::WalkBuilder;
use sha2::{Digest, Sha256};

use crate::files::{Root, Unopened, ignore_files_problem};
use crate::finding::{Code, Finding, Place, code};

/// Names that are never packaged.
const NEVER: [&str; 7] = ["__pycache__", ".git", ".venv", ".DS_Store", ".gitignore", ".bedplateignore", ".bedplate"];

/// The most files of a folder. Links inside it can make many of few.
const MOST_FILES: usize = 100_000;

/// The coarsest clock a file system may stamp files with, with some to spare.
const GRAIN: Duration = Duration::from_secs(3);

/// A file to package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Listed {
    /// Its name in the zip, with `/` between folders.
    pub name: String,
    /// Where it is read from.
    pub path: PathBuf,
    pub size: u64,
    pub executable: bool,
    /// Last change of its content and, where the system tells, of anything about it; in nanoseconds since 1970.
    changed: [i128; 2],
    /// Which file it is, where the system tells.
    inode: u64,
}

/// The files of a folder of code or documents, in the order of their names.
///
/// Links that stay in the folder are followed and packaged as what they point at; a link that leaves it is an error,
/// because what it points at is not the same on another machine. Ignore files count inside the folder only, for the
/// same reason.
pub(super) fn code(folder: &Path, shown: &str, place: Option<&Place>) -> Result<Vec<Listed>, Vec<Finding>> {
    let root = folder.canonicalize().map_err(|error| {
        vec![problem(code::A003, format!("cannot read the folder `{shown}`: {error}"), "check the path", place)]
    })?;
    // A link that leaves the folder is not walked into: it may lead to all of this machine.
    let leaving = Arc::new(Mutex::new(Vec::new()));
    let (left, top) = (Arc::clone(&leaving), root.clone());
    let reach = Root::new(&root).map_err(|error| {
        vec![problem(code::A003, format!("cannot read the folder `{shown}`: {error}"), "check the path", place)]
    })?;
    // The walk opens ignore files itself: none is entered whose ignore files are not to be opened.
    let unread = Arc::new(Mutex::new(Vec::from_iter(ignore_files_problem(&reach, &root))));
    if unread.lock().is_ok_and(|unread| !unread.is_empty()) {
        return Err(ignore_files(&unread, &root, place));
    }
    let not_read = Arc::clone(&unread);
    let walk = WalkBuilder::new(&root)
        .standard_filters(false)
        .git_ignore(true)
        .require_git(false)
        .parents(false)
        .add_custom_ignore_filename(".bedplateignore")
        .follow_links(true)
        .filter_entry(move |entry| {
            let name = entry.file_name().to_string_lossy();
            if entry.depth() == 0 {
                return true;
            }
            if NEVER.contains(&name.as_ref()) || name.ends_with(".pyc") {
                return false;
            }
            let leaves = entry.path_is_symlink() && !entry.path().canonicalize().is_ok_and(|to| to.starts_with(&top));
            if leaves {
                if let Ok(mut left) = left.lock() {
                    left.push(entry.path().to_owned());
                }
                return false;
            }
            let is_folder = entry.file_type().is_some_and(|kind| kind.is_dir());
            let problem = is_folder.then(|| ignore_files_problem(&reach, entry.path())).flatten();
            let enters = problem.is_none();
            if let Ok(mut unread) = not_read.lock() {
                unread.extend(problem);
            }
            enters
        })
        .build();
    let mut files = Vec::new();
    let mut findings = Vec::new();
    for entry in walk {
        match entry {
            Ok(entry) if entry.depth() == 0 => {}
            Ok(entry) => match of_entry(&entry, &root) {
                Ok(Some(file)) => files.push(file),
                Ok(None) => {}
                Err((code, message, help)) => findings.push(problem(code, message, help, place)),
            },
            Err(error) => findings.push(walk_problem(&error, &root, place)),
        }
        if files.len() > MOST_FILES {
            let message = format!("the folder `{shown}` has more than {MOST_FILES} files, links counted");
            findings.push(problem(code::A003, message, "leave out what is not needed in `.bedplateignore`", place));
        }
        if findings.len() >= 20 || files.len() > MOST_FILES {
            break;
        }
    }
    findings.extend(ignore_files(&unread, &root, place));
    for path in leaving.lock().map(|paths| paths.clone()).unwrap_or_default() {
        let name = path.strip_prefix(&root).unwrap_or(&path).to_string_lossy().into_owned();
        let message = format!("the link `{name}` leaves the folder `{shown}`");
        let help = "copy what it points at into the folder, or leave it out in `.bedplateignore`";
        findings.push(problem(code::A001, message, help, place));
    }
    if !findings.is_empty() {
        return Err(findings);
    }
    files.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(files)
}

/// The ignore files that are not read, each as a finding.
fn ignore_files(unread: &Mutex<Vec<(PathBuf, Unopened)>>, root: &Path, place: Option<&Place>) -> Vec<Finding> {
    let unread = unread.lock().map(|mut unread| std::mem::take(&mut *unread)).unwrap_or_default();
    let found = unread.into_iter().take(20).map(|(path, why)| {
        let name = path.strip_prefix(root).unwrap_or(&path).to_string_lossy().into_owned();
        match why {
            Unopened::Outside => {
                let help = "copy what it points at into the folder";
                problem(code::A001, format!("the link `{name}` leaves the folder"), help, place)
            }
            why => {
                problem(code::A003, format!("`{name}` is not read: {why}"), "make it a text file of a few lines", place)
            }
        }
    });
    found.collect()
}

/// Every file under a folder that pip has filled, named from the folder's parent.
pub(super) fn list_files(folder: &Path, keep: &dyn Fn(&str) -> bool) -> Result<Vec<Listed>, Vec<Finding>> {
    let base = folder.parent().unwrap_or(folder);
    let walk = WalkBuilder::new(folder).standard_filters(false).follow_links(false).build();
    let mut files = Vec::new();
    for entry in walk {
        let entry = entry.map_err(|error| vec![walk_problem(&error, base, None)])?;
        let listed =
            of_entry(&entry, base).map_err(|(code, message, help)| vec![problem(code, message, help, None)])?;
        files.extend(listed.filter(|file| keep(&file.name)));
    }
    files.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok(files)
}

type Refused = (Code, String, &'static str);

fn of_entry(entry: &ignore::DirEntry, root: &Path) -> Result<Option<Listed>, Refused> {
    let path = entry.path();
    let relative = path.strip_prefix(root).unwrap_or(path);
    let Some(name) = relative.to_str() else {
        let message = format!("the name of the file `{}` is not UTF-8", relative.to_string_lossy());
        return Err((code::A009, message, "rename it"));
    };
    let metadata = entry.metadata().map_err(|error| {
        let message = format!("cannot read `{name}`: {error}");
        (code::A003, message, "check its permissions, or leave it out in `.bedplateignore`")
    })?;
    if metadata.is_dir() {
        return Ok(None);
    }
    if !metadata.is_file() {
        let message = format!("`{name}` is neither a file nor a folder");
        return Err((
            code::A004,
            message,
            "sockets, pipes and devices cannot be packaged; leave it out in `.bedplateignore`",
        ));
    }
    let (executable, status_changed, inode) = unix(&metadata);
    Ok(Some(Listed {
        name: name.replace(std::path::MAIN_SEPARATOR, "/"),
        path: path.to_owned(),
        size: metadata.len(),
        executable,
        changed: [nanoseconds(metadata.modified().unwrap_or(UNIX_EPOCH)), status_changed],
        inode,
    }))
}

#[cfg(unix)]
fn unix(metadata: &std::fs::Metadata) -> (bool, i128, u64) {
    use std::os::unix::fs::MetadataExt;
    let status_changed = i128::from(metadata.ctime()) * 1_000_000_000 + i128::from(metadata.ctime_nsec());
    (metadata.mode() & 0o100 != 0, status_changed, metadata.ino())
}

#[cfg(not(unix))]
fn unix(_: &std::fs::Metadata) -> (bool, i128, u64) {
    (false, 0, 0)
}

fn nanoseconds(time: SystemTime) -> i128 {
    match time.duration_since(UNIX_EPOCH) {
        Ok(since) => since.as_nanos() as i128,
        Err(before) => -(before.duration().as_nanos() as i128),
    }
}

fn problem(code: Code, message: String, help: &str, place: Option<&Place>) -> Finding {
    Finding::error(code, message).at(place.cloned()).help(help)
}

fn walk_problem(error: &ignore::Error, root: &Path, place: Option<&Place>) -> Finding {
    let text = error.to_string().replace(&format!("{}/", root.display()), "");
    let is_loop = text.contains("loop");
    let broken = error.io_error().is_some_and(|io| io.kind() == std::io::ErrorKind::NotFound);
    let (code, message, help) = match (is_loop, broken) {
        (true, _) => (code::A002, format!("links form a cycle: {text}"), "remove the link"),
        (_, true) => {
            (code::A002, format!("a link points at nothing: {text}"), "remove the link, or make what it points at")
        }
        _ => (code::A003, format!("cannot read the folder: {text}"), "check its permissions"),
    };
    problem(code, message, help, place)
}

/// A digest of everything about the files that changes when they do, short of reading them.
pub(super) fn key(files: &[Listed]) -> String {
    let mut hash = Sha256::new();
    hash.update(b"list 1\n");
    for file in files {
        hash.update((file.name.len() as u64).to_le_bytes());
        hash.update(file.name.as_bytes());
        hash.update(file.size.to_le_bytes());
        hash.update([u8::from(file.executable)]);
        for changed in file.changed {
            hash.update(changed.to_le_bytes());
        }
        hash.update(file.inode.to_le_bytes());
        // Two folders can hold the same files by hard links, and must not share what is remembered of them.
        hash.update((file.path.as_os_str().len() as u64).to_le_bytes());
        hash.update(file.path.as_os_str().as_encoded_bytes());
    }
    hex::encode(hash.finalize())
}

/// Whether every file had last changed long enough before a moment for a later change to show.
pub(super) fn settled(files: &[Listed], moment: SystemTime) -> bool {
    let limit = nanoseconds(moment) - GRAIN.as_nanos() as i128;
    files.iter().all(|file| file.changed.iter().all(|changed| *changed < limit))
}
