//! Opening and writing the files of a project: nothing outside its folder, nothing but regular files, never more of one than
//! a bound.
//!
//! A project may come from a stranger. A link in it can lead anywhere on this machine, a pipe makes whoever opens it wait for
//! ever, and a device has no end although its size says 0. Whatever reads a file because a project names it does so here, and
//! so does whatever writes one that may come to lie in a project.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fmt;
use std::fs::{File, Metadata, OpenOptions, Permissions};
use std::io::{ErrorKind, Read, Write as _};
use std::path::{Component, Path, PathBuf};

use crate::finding::{Code, Finding, code};
use crate::helper::ProjectTree;

/// A folder that nothing is read outside of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// With every link resolved.
    real: PathBuf,
}

/// Why a file is not read.
#[derive(Debug)]
pub enum Unopened {
    /// Nothing has that name.
    Missing,
    /// It, or what it links to, is outside the root.
    Outside,
    /// It is something else than a file, in words such as `a folder`.
    NotRegular(&'static str),
    /// It has more bytes than are read.
    TooLarge {
        /// How many are.
        most: u64,
        /// How many it says it has, or how many were read.
        size: u64,
    },
    /// The system refuses.
    Failed(std::io::Error),
}

impl fmt::Display for Unopened {
    /// What is wrong, said of the file: "it is a folder".
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing => f.write_str("there is no such file"),
            Self::Outside => f.write_str("it lies outside the project"),
            Self::NotRegular(what) => write!(f, "it is {what}, not a file"),
            Self::TooLarge { most, .. } => write!(f, "it is larger than {most} bytes, the most that is read"),
            Self::Failed(error) if error.kind() == ErrorKind::PermissionDenied => f.write_str("you may not read it"),
            Self::Failed(error) => write!(f, "it cannot be read: {error}"),
        }
    }
}

impl From<std::io::Error> for Unopened {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            ErrorKind::NotFound | ErrorKind::NotADirectory => Self::Missing,
            // A path that goes through a link and cannot end is a link to nowhere.
            _ if is_loop(&error) => Self::Missing,
            _ => Self::Failed(error),
        }
    }
}

impl Root {
    /// The root at a folder that exists.
    ///
    /// # Errors
    /// When it does not, or cannot be reached.
    pub fn new(folder: &Path) -> std::io::Result<Self> {
        Ok(Self { real: folder.canonicalize()? })
    }

    /// The folder, with every link resolved.
    pub fn path(&self) -> &Path {
        &self.real
    }

    /// A path with every link resolved, when it still lies in the root.
    ///
    /// # Errors
    /// When it does not, or there is nothing.
    pub fn resolve(&self, path: &Path) -> Result<PathBuf, Unopened> {
        let real = path.canonicalize()?;
        if real.starts_with(&self.real) { Ok(real) } else { Err(Unopened::Outside) }
    }

    /// Opens a regular file in the root.
    ///
    /// # Errors
    /// When it is none, lies outside, or cannot be opened.
    pub fn open(&self, path: &Path) -> Result<File, Unopened> {
        let real = self.resolve(path)?;
        let file = open_regular(&real)?;
        // Somebody may have put a link into its way since: what was opened must still be what lies in the root.
        let again = self.resolve(&real)?;
        if same(&file.metadata()?, &std::fs::symlink_metadata(again)?) { Ok(file) } else { Err(Unopened::Outside) }
    }

    /// Reads a file in the root.
    ///
    /// # Errors
    /// As [`Root::open`], and when it has more than `most` bytes, whatever it says of its size.
    pub fn read(&self, path: &Path, most: u64) -> Result<Vec<u8>, Unopened> {
        at_most(self.open(path)?, most)
    }
}

/// Reads a file that the caller named, wherever it lies.
///
/// # Errors
/// When it is no regular file, has more than `most` bytes, or cannot be read.
pub fn read(path: &Path, most: u64) -> Result<Vec<u8>, Unopened> {
    at_most(open_regular(&path.canonicalize()?)?, most)
}

/// What may be where a file is written to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Manner {
    /// Its folder is there; a file of its name is replaced.
    Replace,
    /// Folders that are not there are made; a file of its name is replaced.
    MakeFolders,
    /// Folders that are not there are made; nothing of its name is there.
    New,
}

/// Why a file is not written.
#[derive(Debug)]
pub enum Unwritten {
    /// This part of its path is a link that the project brings along.
    Link(PathBuf),
    /// Its name is taken by something else than a file, in words such as `a folder`.
    NotRegular(&'static str),
    /// The system refuses.
    Failed(std::io::Error),
}

impl Unwritten {
    /// As a finding about a path. `code` and `help` are for a refusal of the system: a link has a code of its own.
    pub fn finding(&self, path: &Path, code: Code, help: &str) -> Finding {
        let shown = path.display();
        match self {
            Self::Link(link) => Finding::error(
                code::P043,
                format!("`{shown}` is not written: `{}` is a link that lies in the project", link.display()),
            )
            .help("nothing is written through links of a project; remove the link, or name a path outside the project"),
            Self::NotRegular(what) => {
                Finding::error(code::P043, format!("`{shown}` is not written: it is {what}, not a file"))
                    .help("remove it, or name another path")
            }
            Self::Failed(error) => Finding::error(code, format!("`{shown}` cannot be written: {error}")).help(help),
        }
    }
}

impl From<std::io::Error> for Unwritten {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

/// The most links on the way to a file; as many as Linux follows.
const MOST_LINKS: usize = 40;

/// Writes a file that may come to lie in a project, whole or not at all.
///
/// Nothing is written through a link that lies in the project (or in the repository around it): it may lead to any file of
/// whoever runs this. Links elsewhere are that person's own, and are followed.
///
/// # Errors
/// When a part of the path is such a link, something else than a file has its name, or the system refuses.
pub fn write(project: &ProjectTree, path: &Path, bytes: &[u8], manner: Manner) -> Result<(), Unwritten> {
    let path = std::path::absolute(path)?;
    // What is there, such as the program's own standard output, is no file that could be put in the place of another.
    if ["/dev", "/proc"].iter().any(|folder| path.starts_with(folder)) && !project.contains(&path) {
        return Ok(std::fs::write(path, bytes)?);
    }
    let target = destination(project, &path, manner)?;
    let Some(folder) = target.parent() else { return Err(Unwritten::NotRegular("a folder")) };
    let is_ours = project.contains(folder);
    let before = match std::fs::symlink_metadata(&target) {
        Ok(_) if manner == Manner::New => return Err(std::io::Error::from(ErrorKind::AlreadyExists).into()),
        Ok(about) => Some(about),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error.into()),
    };
    match before.as_ref().map(regular) {
        None | Some(Ok(())) => {}
        // A pipe or a device outside the project was named by the user.
        Some(Err(Unopened::NotRegular(what))) if is_ours || what == "a folder" || what == "a link" => {
            return Err(Unwritten::NotRegular(what));
        }
        Some(Err(_)) => return Ok(std::fs::write(&target, bytes)?),
    }
    match replace(folder, &target, bytes, before.map(|about| about.permissions()), manner) {
        // A folder may be closed to new files where one in it may be written.
        Err(Unwritten::Failed(_)) if !is_ours && manner != Manner::New => Ok(std::fs::write(&target, bytes)?),
        done => done,
    }
}

/// Opens a file for appending that may come to lie in a project. Where it does not exist it is made, for its owner only.
///
/// # Errors
/// As [`write`]: nothing is opened through a link that lies in the project.
pub fn append(project: &ProjectTree, path: &Path) -> Result<File, Unwritten> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let target = destination(project, &std::path::absolute(path)?, Manner::Replace)?;
    let is_ours = target.parent().is_some_and(|folder| project.contains(folder));
    if let Ok(about) = std::fs::symlink_metadata(&target)
        && let Err(Unopened::NotRegular(what)) = regular(&about)
        && (is_ours || what == "a folder" || what == "a link")
    {
        return Err(Unwritten::NotRegular(what));
    }
    // What somebody makes a link of meanwhile is refused.
    let flags = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or_default();
    let mut options = OpenOptions::new();
    Ok(options.append(true).create(true).mode(0o600).custom_flags(flags).open(target)?)
}

/// Where a path leads, without links of the project; folders that are not there are made where that is asked for.
fn destination(project: &ProjectTree, path: &Path, manner: Manner) -> Result<PathBuf, Unwritten> {
    let (mut at, mut ahead) = parts(path);
    let mut links = 0;
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        match std::fs::symlink_metadata(&next) {
            Ok(about) if about.is_symlink() => {
                if project.contains(&at) {
                    return Err(Unwritten::Link(next));
                }
                links += 1;
                if links > MOST_LINKS {
                    return Err(std::io::Error::other("links lead round in a circle").into());
                }
                let (start, parts) = parts(&std::fs::read_link(&next)?);
                if start.has_root() {
                    at = start;
                }
                for part in parts.into_iter().rev() {
                    ahead.push_front(part);
                }
            }
            Ok(_) => at = next,
            Err(error) if error.kind() == ErrorKind::NotFound && (ahead.is_empty() || manner != Manner::Replace) => {
                if !ahead.is_empty() {
                    std::fs::create_dir(&next)?;
                }
                at = next;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(at)
}

/// Where a path starts, and its parts from there.
fn parts(path: &Path) -> (PathBuf, VecDeque<OsString>) {
    let (mut start, mut parts) = (PathBuf::new(), VecDeque::new());
    for component in path.components() {
        match component {
            Component::Prefix(_) | Component::RootDir => start.push(component),
            Component::CurDir => {}
            Component::ParentDir | Component::Normal(_) => parts.push_back(component.as_os_str().to_owned()),
        }
    }
    (start, parts)
}

/// Puts a file into its place in one piece. What somebody makes a link of meanwhile is replaced or refused, not followed.
fn replace(
    folder: &Path,
    target: &Path,
    bytes: &[u8],
    permissions: Option<Permissions>,
    manner: Manner,
) -> Result<(), Unwritten> {
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    builder.permissions(std::os::unix::fs::PermissionsExt::from_mode(0o666));
    let mut file = builder.tempfile_in(folder)?;
    if folder.canonicalize()? != folder {
        return Err(Unwritten::Link(folder.to_owned()));
    }
    file.write_all(bytes)?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    let put = if manner == Manner::New { file.persist_noclobber(target) } else { file.persist(target) };
    put.map(|_| ()).map_err(|error| error.error.into())
}

/// The names of files that say what of a folder is left out.
pub const IGNORE_FILES: [&str; 2] = [".gitignore", ".bedplateignore"];

/// The largest of them, in bytes: each line is compiled to a pattern.
const LARGEST_IGNORE_FILE: u64 = 64 << 10;

/// What keeps the ignore files of a folder below `root` from being read, and by which. To be asked before a walk enters the
/// folder, because a walk opens whatever has such a name.
pub fn ignore_files_problem(root: &Root, folder: &Path) -> Option<(PathBuf, Unopened)> {
    IGNORE_FILES.iter().map(|name| folder.join(name)).find_map(|path| {
        std::fs::symlink_metadata(&path).ok()?;
        let problem = root.read(&path, LARGEST_IGNORE_FILE).err()?;
        Some((path, problem))
    })
}

/// A path without `.` and `..`, as a person reads it; as the system reads it where the two differ, because a part of it is a
/// link.
pub fn plain(path: &Path) -> PathBuf {
    let mut plain = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                plain.pop();
            }
            part => plain.push(part),
        }
    }
    match (path.canonicalize(), plain.canonicalize()) {
        (Ok(real), Ok(other)) if real != other => real,
        (Ok(real), Err(_)) => real,
        _ => plain,
    }
}

fn at_most(file: File, most: u64) -> Result<Vec<u8>, Unopened> {
    let said = file.metadata()?.len();
    if said > most {
        return Err(Unopened::TooLarge { most, size: said });
    }
    let mut bytes = Vec::new();
    // What it says of its size is not to be relied on: it may grow, and some files say 0.
    file.take(most.saturating_add(1)).read_to_end(&mut bytes)?;
    let size = bytes.len() as u64;
    if size > most { Err(Unopened::TooLarge { most, size }) } else { Ok(bytes) }
}

/// Opens a file without waiting for whoever holds the other end, should it be a pipe, and without following a link.
fn open_regular(real: &Path) -> Result<File, Unopened> {
    // To open a device can already do something.
    regular(&std::fs::symlink_metadata(real)?)?;
    let mut options = OpenOptions::new();
    options.read(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::OpenOptionsExt as _;
        let flags = rustix::fs::OFlags::NONBLOCK | rustix::fs::OFlags::NOFOLLOW;
        options.custom_flags(flags.bits().cast_signed());
    }
    let file = options.open(real)?;
    regular(&file.metadata()?)?;
    Ok(file)
}

fn regular(metadata: &Metadata) -> Result<(), Unopened> {
    match metadata {
        it if it.is_file() => Ok(()),
        it if it.is_dir() => Err(Unopened::NotRegular("a folder")),
        it if it.is_symlink() => Err(Unopened::NotRegular("a link")),
        _ => Err(Unopened::NotRegular("a device, a pipe or a socket")),
    }
}

#[cfg(unix)]
fn same(one: &Metadata, other: &Metadata) -> bool {
    use std::os::unix::fs::MetadataExt as _;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn same(_: &Metadata, _: &Metadata) -> bool {
    true
}

/// Whether links lead round in a circle.
fn is_loop(error: &std::io::Error) -> bool {
    #[cfg(unix)]
    return error.raw_os_error() == Some(rustix::io::Errno::LOOP.raw_os_error());
    #[cfg(not(unix))]
    return false;
}
