//! Files and folders that nobody but their owner may read, whatever the umask says.
//!
//! The state holds secrets in clear: values of secrets, hidden parameters, environments of functions. On systems without
//! Unix permissions the folder has those that its parent gives it.

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;

use super::StoreError;

/// Makes a folder of the state; the one above it must be there, lest a state that was taken away comes back in parts.
///
/// # Errors
///
/// When the file system refuses.
pub fn create_folder(path: &Path) -> Result<(), StoreError> {
    let io = |source| StoreError::io(path, source);
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    match builder.create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made.map_err(io),
    }
}

/// How a file of the state is opened for writing; whoever makes it is the only one who may read it.
pub fn writing() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

/// Makes a file of the state, which must not be there.
///
/// # Errors
///
/// When the file system refuses.
pub fn create_file(path: &Path) -> Result<File, StoreError> {
    writing().create_new(true).open(path).map_err(|source| StoreError::io(path, source))
}

/// Looks at a state folder before it is used: it must be a folder, and the caller's own; so must be what the program opens
/// in it. What an older version left open to others is closed.
///
/// # Errors
///
/// [`StoreError::Link`] and [`StoreError::NotOurs`].
pub(super) fn secure(dir: &Path) -> Result<(), StoreError> {
    // A project from a stranger may bring the link along.
    if let Some(above) = dir.parent().filter(|above| above.file_name().is_some_and(|name| name == ".bedplate"))
        && std::fs::symlink_metadata(above).is_ok_and(|about| about.file_type().is_symlink())
    {
        return Err(StoreError::Link { path: above.to_path_buf() });
    }
    if let Some(above) = dir.parent().filter(|above| !above.as_os_str().is_empty()) {
        std::fs::create_dir_all(above).map_err(|source| StoreError::io(above, source))?;
    }
    create_folder(dir)?;
    check(dir)?;
    for name in ["state.db", "state.db-wal", "state.db-shm", "open.lock", "serving", ".gitignore"] {
        check(&dir.join(name))?;
    }
    for name in ["objects", "functions", "tmp", "locks"] {
        let folder = dir.join(name);
        check(&folder)?;
        if let Ok(entries) = std::fs::read_dir(&folder)
            && name != "functions"
        {
            for entry in entries.flatten() {
                if entry.file_type().is_ok_and(|kind| kind.is_symlink()) {
                    return Err(StoreError::Link { path: entry.path() });
                }
            }
        }
    }
    close(dir)
}

/// Refuses a link, and what belongs to somebody else. What is not there is fine.
#[cfg(unix)]
fn check(path: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::MetadataExt as _;
    let about = match std::fs::symlink_metadata(path) {
        Ok(about) => about,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(source) => return Err(StoreError::io(path, source)),
    };
    if about.file_type().is_symlink() {
        return Err(StoreError::Link { path: path.to_path_buf() });
    }
    if about.uid() != rustix::process::geteuid().as_raw() {
        return Err(StoreError::NotOurs { path: path.to_path_buf(), owner: about.uid() });
    }
    Ok(())
}

#[cfg(not(unix))]
fn check(path: &Path) -> Result<(), StoreError> {
    match std::fs::symlink_metadata(path) {
        Ok(about) if about.file_type().is_symlink() => Err(StoreError::Link { path: path.to_path_buf() }),
        _ => Ok(()),
    }
}

/// Takes others' rights from the folder, and, where it had any, from everything in it: behind a folder that is closed
/// nothing has to be looked at again.
#[cfg(unix)]
fn close(dir: &Path) -> Result<(), StoreError> {
    use std::os::unix::fs::PermissionsExt as _;
    let tighten = |path: &Path| -> Result<bool, StoreError> {
        let io = |source| StoreError::io(path, source);
        let mode = std::fs::symlink_metadata(path).map_err(io)?.permissions().mode();
        if mode & 0o077 == 0 {
            return Ok(false);
        }
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode & 0o700)).map_err(io)?;
        Ok(true)
    };
    if !tighten(dir)? {
        return Ok(());
    }
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).map_err(|source| StoreError::io(&folder, source))? {
            let entry = entry.map_err(|source| StoreError::io(&folder, source))?;
            let kind = entry.file_type().map_err(|source| StoreError::io(entry.path(), source))?;
            if kind.is_symlink() {
                continue;
            }
            match tighten(&entry.path()) {
                // Another process may have taken it away meanwhile.
                Err(StoreError::Io { source, .. }) if source.kind() == io::ErrorKind::NotFound => continue,
                tightened => tightened?,
            };
            if kind.is_dir() {
                folders.push(entry.path());
            }
        }
    }
    Ok(())
}

#[cfg(not(unix))]
fn close(_dir: &Path) -> Result<(), StoreError> {
    Ok(())
}
