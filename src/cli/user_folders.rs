//! Folders of whoever runs this program, outside any project: the cache of what was packaged, and the list of the local targets
//! that were made here. A project can bring along neither, so what they say can be believed.

use std::ffi::OsStr;
use std::fs::{self, DirBuilder};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use sha2::{Digest, Sha256};
use tempfile::TempDir;

use crate::files::{self, Manner};
use crate::finding::{Finding, code};
use crate::helper::ProjectTree;

/// How long the cache of a project is kept after it was last used.
const UNUSED: Duration = Duration::from_secs(90 * 24 * 60 * 60);

/// The file in a project's cache whose time says when it was last used, and whose text whose it is.
const USED: &str = "project";

/// Where what is packaged for a project is kept.
#[derive(Debug)]
pub struct CacheFolder {
    /// The folder.
    pub path: PathBuf,
    /// It goes with this run.
    _for_this_run: Option<TempDir>,
    /// Why it does.
    pub warning: Option<Finding>,
}

impl CacheFolder {
    /// The cache of a project; one for this run alone where there is none that could not be a stranger's.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn for_project(project: &Path) -> Result<Self, Vec<Finding>> {
        let for_this_run = |why: String| {
            let folder =
                TempDir::with_prefix("bedplate-").map_err(|error| vec![not_written("a temporary folder", &error)])?;
            let warning = Finding::warning(code::A030, format!("nothing that is packaged is kept: {why}"))
                .help("set XDG_CACHE_HOME to a folder of your own outside the project");
            Ok(Self { path: folder.path().to_owned(), _for_this_run: Some(folder), warning: Some(warning) })
        };
        let Some(base) = base("XDG_CACHE_HOME", ".cache") else {
            return for_this_run("there is no home folder".to_owned());
        };
        let base = base.join("bedplate");
        if ProjectTree::of(project).contains(&base) {
            return for_this_run(format!(
                "`{}` is in the project, which could bring along what is in it",
                base.display()
            ));
        }
        let real = project.canonicalize().unwrap_or_else(|_| project.to_owned());
        let digest = hex::encode(Sha256::digest(real.as_os_str().as_encoded_bytes()));
        let name = real.file_name().and_then(OsStr::to_str).unwrap_or_default();
        let name: String = name.chars().filter(|c| c.is_ascii_alphanumeric() || "-_.".contains(*c)).take(40).collect();
        let path = base.join(format!("{name}-{}", digest.get(..16).unwrap_or_default()));
        let made = private(&base).and_then(|()| {
            if !path.is_dir() {
                forget_unused(&base);
            }
            private(&path)?;
            fs::write(path.join(USED), real.as_os_str().as_encoded_bytes())
        });
        made.map_err(|error| vec![not_written(&path.display().to_string(), &error)])?;
        match shared(&base).or_else(|| shared(&path)) {
            Some(why) => for_this_run(why),
            None => Ok(Self { path, _for_this_run: None, warning: None }),
        }
    }
}

/// Why what is in a folder may be somebody else's.
fn shared(folder: &Path) -> Option<String> {
    let shown = folder.display();
    let about = match fs::metadata(folder) {
        Ok(about) => about,
        Err(error) => return Some(format!("`{shown}` cannot be looked at: {error}")),
    };
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Some(format!("`{shown}` belongs to another user"));
    }
    (about.mode() & 0o022 != 0).then(|| format!("others may write to `{shown}`"))
}

/// Takes away the caches of projects that were not used for long.
fn forget_unused(base: &Path) {
    for entry in fs::read_dir(base).into_iter().flatten().flatten() {
        let used = fs::metadata(entry.path().join(USED)).and_then(|about| about.modified());
        let old = used.is_ok_and(|used| SystemTime::now().duration_since(used).is_ok_and(|age| age > UNUSED));
        if old {
            // Somebody else may be doing the same; what stays is looked at again.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

/// The local target's folder of a project, `.bedplate/local`: its path, once it is known to be of this user's making or not to
/// be there.
///
/// # Errors
/// When it came along with the project, or is a link.
pub fn known_state(project: &Path) -> Result<PathBuf, Vec<Finding>> {
    let own = project.join(".bedplate");
    let dir = own.join("local");
    for folder in [&own, &dir] {
        match folder.symlink_metadata() {
            Ok(about) if !about.is_dir() => return Err(vec![no_folder(folder)]),
            Ok(_) | Err(_) => {}
        }
    }
    let is_there = dir.read_dir().is_ok_and(|mut entries| entries.next().is_some());
    if !is_there || is_own(&dir) {
        return Ok(dir);
    }
    let message = format!("`{}` was not made here by you: it came along with the project", dir.display());
    Err(vec![Finding::error(code::A037, message).help(
        "nothing of it was read or run; `bedplate local reset` forgets it, and the next deploy starts from nothing",
    )])
}

/// The same, made where it is not there and noted as this user's.
///
/// # Errors
/// As [`known_state`], and when it cannot be made.
pub fn own_state(project: &Path) -> Result<PathBuf, Vec<Finding>> {
    let dir = known_state(project)?;
    let shown = dir.display().to_string();
    let failed = |error: io::Error| vec![not_written(&shown, &error)];
    let own = project.join(".bedplate");
    for folder in [&own, &dir] {
        private(folder).map_err(failed)?;
    }
    ignore_in_git(&own)?;
    if is_own(&dir) {
        return Ok(dir);
    }
    let token = uuid::Uuid::new_v4().simple().to_string();
    let list = list().ok_or_else(|| failed(io::Error::other("there is no home folder to record it in")))?;
    let note = |path: &Path| {
        private(path.parent().unwrap_or(path))?;
        let mut file = fs::File::create_new(path)?;
        file.write_all(dir.as_os_str().as_encoded_bytes())
    };
    let noted = list.join(&token);
    note(&noted).map_err(|error| vec![not_written(&noted.display().to_string(), &error)])?;
    // In one piece: another process that makes the same folder at this moment must find a token that is noted.
    let written = tempfile::NamedTempFile::new_in(&dir).and_then(|mut file| {
        file.write_all(token.as_bytes())?;
        file.persist(dir.join(OWNER)).map(|_| ()).map_err(|error| error.error)
    });
    written.map_err(failed)?;
    Ok(dir)
}

/// Takes a local target's folder that is not known to be this user's out of the way, with all that is in it; says whether there
/// was one.
///
/// # Errors
/// When it cannot be removed.
#[cfg(feature = "local")]
pub fn remove_unknown_state(project: &Path) -> Result<bool, Vec<Finding>> {
    let own = project.join(".bedplate");
    for path in [&own, &own.join("local")] {
        let removed = match path.symlink_metadata() {
            // A link goes, and not what it leads to.
            Ok(about) if !about.is_dir() => fs::remove_file(path),
            Ok(_) if path != &own => fs::remove_dir_all(path),
            Ok(_) | Err(_) => continue,
        };
        removed.map_err(|error| vec![not_written(&path.display().to_string(), &error)])?;
        return Ok(true);
    }
    Ok(false)
}

/// The file by which a local target's folder is known.
const OWNER: &str = "owner";

fn is_own(dir: &Path) -> bool {
    let path = dir.join(OWNER);
    let is_file = path.symlink_metadata().is_ok_and(|about| about.is_file() && about.len() == 32);
    let token = fs::read_to_string(path).ok().filter(|_| is_file);
    let token = token.filter(|token| token.bytes().all(|b| b.is_ascii_hexdigit()));
    token.zip(list()).is_some_and(|(token, list)| list.join(token).is_file())
}

/// The folder with a file for each local target that was made here.
fn list() -> Option<PathBuf> {
    Some(base("XDG_STATE_HOME", ".local/state")?.join("bedplate/local-targets"))
}

/// What this program keeps in a project is never to be committed.
fn ignore_in_git(own: &Path) -> Result<(), Vec<Finding>> {
    let path = own.join(".gitignore");
    match path.symlink_metadata() {
        Ok(about) if !about.is_file() => return Err(vec![no_folder(&path)]),
        Ok(_) | Err(_) => {}
    }
    let ignores_all = fs::read_to_string(&path).is_ok_and(|text| text == "*\n");
    if ignores_all {
        return Ok(());
    }
    let project = ProjectTree::of(own.parent().unwrap_or(own));
    files::write(&project, &path, b"*\n", Manner::Replace)
        .map_err(|why| vec![why.finding(&path, code::A039, OWN_FOLDERS)])
}

fn no_folder(path: &Path) -> Finding {
    Finding::error(code::A038, format!("`{}` is a link, or not what it has to be", path.display()))
        .help("remove it; `bedplate local reset` does, without touching its target")
}

fn not_written(path: &str, error: &io::Error) -> Finding {
    Finding::error(code::A039, format!("`{path}` cannot be written: {error}")).help(OWN_FOLDERS)
}

/// The way on when a folder of the user's cannot be written to.
const OWN_FOLDERS: &str =
    "check its permissions and the free space, or set XDG_CACHE_HOME and XDG_STATE_HOME to folders of your own";

/// Makes a folder that only this user can look into, where it is not there.
fn private(folder: &Path) -> io::Result<()> {
    DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

/// A folder by the XDG base directory specification: as the variable says, if it says a whole path, else below the home folder.
fn base(variable: &str, below_home: &str) -> Option<PathBuf> {
    let said = std::env::var_os(variable).map(PathBuf::from).filter(|path| path.is_absolute());
    said.or_else(|| Some(std::env::home_dir().filter(|home| home.is_absolute())?.join(below_home)))
}
