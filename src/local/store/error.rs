//! What can go wrong with the state, each with what to do about it.

use std::path::PathBuf;

use rusqlite::ErrorCode;

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
    /// No room on the disk.
    #[error("the disk is full or over its quota ({detail}); make room and try again")]
    Full {
        /// What the system said.
        detail: String,
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
            Some(ErrorCode::DiskFull) => Self::Full { detail: detail() },
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Corrupt { detail: detail() },
            _ => Self::Sqlite(error),
        }
    }
}

impl StoreError {
    /// A file system's refusal at a path; a full disk is told apart.
    pub fn io(path: impl Into<PathBuf>, source: std::io::Error) -> Self {
        use std::io::ErrorKind;
        match source.kind() {
            ErrorKind::StorageFull | ErrorKind::QuotaExceeded => Self::Full { detail: source.to_string() },
            _ => Self::Io { path: path.into(), source },
        }
    }
}
