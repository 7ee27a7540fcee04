//! Scratch files, which go with the process that made them.

use std::fs::{File, OpenOptions, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::{StoreError, private};

/// This process's own folder for scratch files, with a lock beside it that tells others it is alive.
#[derive(Debug)]
pub(super) struct Scratch {
    root: PathBuf,
    dir: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// A scratch file that goes when nobody has renamed it.
#[derive(Debug)]
pub(super) struct ScratchFile {
    /// Where it is.
    pub path: PathBuf,
}

impl Drop for ScratchFile {
    fn drop(&mut self) {
        // After a rename there is nothing to remove, and that is the usual case.
        let _ = std::fs::remove_file(&self.path);
    }
}

impl Scratch {
    /// One in a state folder.
    pub(super) fn make(dir: &Path) -> Result<Self, StoreError> {
        let root = dir.join("tmp");
        private::create_folder(&root)?;
        let name = Uuid::new_v4().to_string();
        // The lock is taken before the folder is there, so a sweep that sees the folder sees its owner alive.
        let lock_path = root.join(format!("{name}.lock"));
        let lock = private::create_file(&lock_path)?;
        lock.lock().map_err(|source| StoreError::io(&lock_path, source))?;
        let dir = root.join(name);
        private::create_folder(&dir)?;
        Ok(Self { root, dir, lock_path, _lock: lock })
    }

    /// A new file, which is not there yet.
    pub(super) fn file(&self) -> ScratchFile {
        ScratchFile { path: self.dir.join(Uuid::new_v4().to_string()) }
    }

    /// Removes the scratch folders of processes that are no more; says whether there was one.
    pub(super) fn sweep_dead(&self) -> Result<bool, StoreError> {
        let mut any = false;
        let entries = std::fs::read_dir(&self.root).map_err(|source| StoreError::io(&self.root, source))?;
        for entry in entries {
            let path = entry.map_err(|source| StoreError::io(&self.root, source))?.path();
            if path.extension().is_none_or(|extension| extension != "lock") || path == self.lock_path {
                continue;
            }
            let Ok(file) = OpenOptions::new().write(true).open(&path) else { continue };
            match file.try_lock() {
                Ok(()) => {
                    any = true;
                    remove_dir(&path.with_extension(""))?;
                    remove_file(&path)?;
                }
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            }
        }
        Ok(any)
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What stays behind is swept by the next process.
        let _ = std::fs::remove_dir_all(&self.dir);
        let _ = std::fs::remove_file(&self.lock_path);
    }
}

/// Removes a file, if it is there.
pub(super) fn remove_file(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => Ok(()),
    }
}

fn remove_dir(path: &Path) -> Result<(), StoreError> {
    match std::fs::remove_dir_all(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => Ok(()),
    }
}
