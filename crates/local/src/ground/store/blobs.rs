//! Object bodies: files named by their content, kept as long as a row of the database uses them.
//!
//! `objects/<aa>/<sha256>` holds a body once, however many objects have it. A body is written to a scratch file first
//! and renamed into place inside the transaction that first uses it; a file is removed inside a transaction that finds
//! its count of users at nought. As both hold the database's one write lock, no process can remove a body that another
//! is just about to use. A crash leaves at worst a file without a row, which the next start sweeps away.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::Transaction;
use sha2::{Digest, Sha256};

use super::scratch::{ScratchFile, remove_file};
use super::{Store, StoreError, private};

/// Bodies removed in one transaction, so that other writers are not kept waiting.
const SWEEP_BATCH: usize = 500;

/// A body that is in the store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blob {
    /// Its key in the table.
    pub id: i64,
    /// The SHA-256 of the content, in lower-case hexadecimal: its name.
    pub sha256: String,
    /// Bytes.
    pub size: u64,
}

/// A body on its way into the store. All of it blocks: use it within [`Store::blocking`].
#[derive(Debug)]
pub struct BlobWriter {
    file: io::BufWriter<File>,
    scratch: ScratchFile,
    hash: Sha256,
    size: u64,
}

/// A whole body in a scratch file, to be put in place by the transaction that uses it.
#[derive(Debug)]
pub struct Staged {
    sha256: String,
    size: u64,
    scratch: ScratchFile,
}

impl BlobWriter {
    /// An empty body.
    ///
    /// # Errors
    ///
    /// When no scratch file can be made.
    pub fn new(store: &Store) -> Result<Self, StoreError> {
        let scratch = store.scratch().file();
        let file = private::create_file(&scratch.path)?;
        Ok(Self { file: io::BufWriter::with_capacity(64 << 10, file), scratch, hash: Sha256::new(), size: 0 })
    }

    /// Adds to the body.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), StoreError> {
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        self.file.write_all(bytes).map_err(|source| StoreError::io(&self.scratch.path, source))
    }

    /// Ends the body.
    ///
    /// # Errors
    ///
    /// When the disk refuses.
    pub fn finish(mut self) -> Result<Staged, StoreError> {
        self.file.flush().map_err(|source| StoreError::io(&self.scratch.path, source))?;
        Ok(Staged { sha256: hex::encode(self.hash.finalize()), size: self.size, scratch: self.scratch })
    }
}

impl Staged {
    /// The SHA-256 of the content, in lower-case hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Puts the body in place, within a writing transaction that also adds a row that uses it.
    ///
    /// # Errors
    ///
    /// When the disk or the database refuses.
    pub fn place(self, store: &Store, tx: &Transaction<'_>) -> Result<Blob, StoreError> {
        let path = store.blob_path(&self.sha256);
        let put = || std::fs::rename(&self.scratch.path, &path);
        let renamed = match put() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                for folder in path.parent().and_then(Path::parent).into_iter().chain(path.parent()) {
                    private::create_folder(folder)?;
                }
                put()
            }
            renamed => renamed,
        };
        renamed.map_err(|source| StoreError::io(&path, source))?;
        tx.prepare_cached("INSERT INTO blobs (sha256, size) VALUES (?1, ?2) ON CONFLICT DO NOTHING")?
            .execute((&self.sha256, i64::try_from(self.size).unwrap_or(i64::MAX)))?;
        let id =
            tx.prepare_cached("SELECT id FROM blobs WHERE sha256 = ?1")?.query_row([&self.sha256], |row| row.get(0))?;
        Ok(Blob { id, sha256: self.sha256.clone(), size: self.size })
    }
}

impl Store {
    /// Where a body is, if it is there. A file opened from it stays readable even when the body is removed meanwhile.
    pub fn blob_path(&self, sha256: &str) -> PathBuf {
        self.dir().join("objects").join(sha256.get(..2).unwrap_or_default()).join(sha256)
    }

    /// Opens a body for reading.
    ///
    /// # Errors
    ///
    /// When it is not there or not readable.
    pub fn open_blob(&self, sha256: &str) -> Result<File, StoreError> {
        let path = self.blob_path(sha256);
        File::open(&path).map_err(|source| StoreError::io(path, source))
    }

    /// A whole body.
    ///
    /// # Errors
    ///
    /// When it is not there or not readable.
    pub fn read_blob(&self, sha256: &str) -> Result<Vec<u8>, StoreError> {
        let path = self.blob_path(sha256);
        std::fs::read(&path).map_err(|source| StoreError::io(path, source))
    }

    /// Removes the bodies that nothing uses any more; says how many. It blocks.
    ///
    /// # Errors
    ///
    /// When the database or the disk refuses.
    pub fn sweep_unused(&self) -> Result<usize, StoreError> {
        let mut swept = 0;
        loop {
            let batch = self.write_now::<_, StoreError>(|tx| {
                let unused: Vec<(i64, String)> = tx
                    .prepare_cached("SELECT id, sha256 FROM blobs WHERE users = 0 LIMIT ?1")?
                    .query_map([SWEEP_BATCH as i64], |row| Ok((row.get(0)?, row.get(1)?)))?
                    .collect::<Result<_, _>>()?;
                let mut forget = tx.prepare_cached("DELETE FROM blobs WHERE id = ?1")?;
                for (id, sha256) in &unused {
                    remove_file(&self.blob_path(sha256))?;
                    forget.execute([id])?;
                }
                Ok(unused.len())
            })?;
            swept += batch;
            if batch < SWEEP_BATCH {
                return Ok(swept);
            }
        }
    }

    /// Removes what crashed processes left: scratch files, unused bodies, and (looked for only when a process did crash, as
    /// it means looking at every file) bodies without a row. It blocks.
    ///
    /// # Errors
    ///
    /// When the database or the disk refuses.
    pub fn sweep_after_crash(&self) -> Result<(), StoreError> {
        let crashed = self.scratch().sweep_dead()?;
        self.sweep_unused()?;
        if !crashed {
            return Ok(());
        }
        let mut strays = Vec::new();
        for path in files_below(&self.dir().join("objects"))? {
            if let Some(name) = path.file_name().and_then(|name| name.to_str()) {
                strays.push(name.to_owned());
            }
        }
        let known = |tx: &Transaction<'_>, name: &str| -> Result<bool, StoreError> {
            Ok(tx.prepare_cached("SELECT 1 FROM blobs WHERE sha256 = ?1")?.exists([name])?)
        };
        let strays = self.read_now::<_, StoreError>(|tx| {
            let mut unknown = Vec::new();
            for name in strays {
                if !known(tx, &name)? {
                    unknown.push(name);
                }
            }
            Ok(unknown)
        })?;
        for batch in strays.chunks(SWEEP_BATCH) {
            self.write_now::<_, StoreError>(|tx| {
                for name in batch {
                    if !known(tx, name)? {
                        remove_file(&self.blob_path(name))?;
                    }
                }
                Ok(())
            })?;
        }
        Ok(())
    }
}

fn files_below(dir: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut files = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
            Err(source) => return Err(StoreError::io(folder, source)),
        };
        for entry in entries {
            let entry = entry.map_err(|source| StoreError::io(&folder, source))?;
            let kind = entry.file_type().map_err(|source| StoreError::io(entry.path(), source))?;
            if kind.is_dir() { folders.push(entry.path()) } else { files.push(entry.path()) }
        }
    }
    Ok(files)
}
