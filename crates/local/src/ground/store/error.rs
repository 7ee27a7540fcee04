//! What can go wrong with the state, each with what to do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;

use super::room;

/// An error of the state folder or its database.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The database was made by a later version of this program.
    #[error(
        "the state in `{}` was made by a newer version of bedplate (its `{room}` tables are at version {found}, this \
         bedplate knows {known}); use that version, or start afresh with `bedplate local reset`",
        dir.display()
    )]
    Newer {
        /// The state folder.
        dir: PathBuf,
        /// Whose tables.
        room: String,
        /// Their version.
        found: i64,
        /// The version this program makes.
        known: i64,
    },
    /// The file is a database, but not ours.
    #[error("`{}` is a database of another program; move it out of the state folder", file.display())]
    Foreign {
        /// The file.
        file: PathBuf,
    },
    /// The file is damaged, or no database at all.
    #[error(
        "the state database is damaged or is not a database ({detail}); start afresh with `bedplate local reset`, which \
         removes all local stacks and objects"
    )]
    Corrupt {
        /// What SQLite said.
        detail: String,
    },
    /// A reset was asked for while someone serves the state.
    #[error("`{}` is in use: end the `bedplate` processes that work with it, then try again", dir.display())]
    InUse {
        /// The state folder.
        dir: PathBuf,
    },
    /// Another process has held the database for longer than we wait.
    #[error("the state is locked by another process for too long; end it, or try again")]
    Busy,
    /// No room on the disk, or the database is as large as it may be.
    #[error("no space left on the device: {detail}; make room and try again")]
    Full {
        /// Where, how much is free, and what the system said.
        detail: String,
    },
    /// The database can be read and not written.
    #[error("the state{} is read-only ({detail}); see to the permissions of the folder and its files", of(dir))]
    ReadOnly {
        /// The state folder, where it is known.
        dir: Option<PathBuf>,
        /// What SQLite said.
        detail: String,
    },
    /// The folder, or the database in it, was taken away or replaced while it was in use.
    #[error(
        "the state in `{}` was removed or replaced while it was in use; end the `bedplate` processes that work with it and \
         start again",
        dir.display()
    )]
    Gone {
        /// The state folder.
        dir: PathBuf,
    },
    /// A link where the state keeps something: it may lead anywhere.
    #[error("`{}` is a link, and the state of the local target follows none; remove it", path.display())]
    Link {
        /// The link.
        path: PathBuf,
    },
    /// The folder, or something in it, belongs to another user.
    #[error(
        "`{}` belongs to another user (id {owner}), who could read and change the state; remove it or run as that user",
        path.display()
    )]
    NotOurs {
        /// The file or folder.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// The file system refused.
    #[error("could not use `{}`: {source}", path.display())]
    Io {
        /// Which file or folder.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// Anything else SQLite said.
    #[error("the state database refused: {0}")]
    Sqlite(rusqlite::Error),
    /// A task of ours ended before its time, because the runtime is shutting down.
    #[error("the local target is shutting down")]
    ShuttingDown,
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        let detail = || error.to_string();
        match error.sqlite_error_code() {
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            Some(ErrorCode::DiskFull) => Self::Full { detail: room::full(&detail()) },
            Some(ErrorCode::ReadOnly) => Self::ReadOnly { dir: room::folder(), detail: detail() },
            Some(ErrorCode::CannotOpen) if room::folder().is_some_and(|dir| !dir.join("state.db").exists()) => {
                Self::Gone { dir: room::folder().unwrap_or_default() }
            }
            // Writing failed below SQLite, as it does when the disk is full in places where SQLite does not look for it.
            Some(ErrorCode::SystemIoFailure) if room::is_short() => Self::Full { detail: room::full(&detail()) },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { detail: detail() },
            _ => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// A file system's refusal at a path; a full disk is told apart.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        let path = path.into();
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded | ErrorKind::FileTooLarge => {
                Self::Full { detail: room::full_at(&path, &source.to_string()) }
            }
            ErrorKind::ReadOnlyFilesystem => {
                Self::ReadOnly { dir: room::folder(), detail: format!("{}: {source}", path.display()) }
            }
            _ => Self::Io { path, source },
        }
    }
}

fn of(dir: &Option<PathBuf>) -> String {
    dir.as_ref().map_or_else(String::new, |dir| format!(" in `{}`", dir.display()))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use std::io::Write as _;

    use super::*;
    use crate::ground::errors::{ApiError, STATE_FULL, STATE_READ_ONLY};

    /// Code and status of what a caller is told.
    fn told(error: StoreError) -> (String, u16) {
        let error = ApiError::from(error);
        (error.code, error.status.as_u16())
    }

    #[test]
    fn a_full_device_is_told_as_such_and_not_tried_again() {
        let full = std::fs::OpenOptions::new().write(true).open("/dev/full").expect("a device that is full");
        let source = (&full).write_all(b"x").expect_err("no room");
        let error = StoreError::io("/dev/full", source);
        assert!(error.to_string().contains("no space left on the device"), "{error}");
        assert_eq!(told(error), (STATE_FULL.to_owned(), 507));
    }

    #[test]
    fn a_database_that_can_only_be_read_is_told_as_such() {
        let file = tempfile::NamedTempFile::new().expect("a file");
        rusqlite::Connection::open(file.path()).and_then(|db| db.execute_batch("CREATE TABLE t (x)")).expect("a table");
        let flags = rusqlite::OpenFlags::SQLITE_OPEN_READ_ONLY;
        let reader = rusqlite::Connection::open_with_flags(file.path(), flags).expect("the database");
        let error = reader.execute_batch("INSERT INTO t VALUES (1)").expect_err("read-only");
        assert_eq!(told(error.into()), (STATE_READ_ONLY.to_owned(), 507));
    }
}
