//! The database: opening it, and transactions that never block the runtime.

use std::fs::{File, OpenOptions, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::blobs::{self, Scratch};
use super::{Schema, StoreError, schema};

/// How long a transaction waits for another process's; theirs are milliseconds long.
const BUSY: Duration = Duration::from_secs(30);

/// Connections kept open between transactions.
const POOL: usize = 8;

/// The state of a local target; cheap to clone.
#[derive(Debug, Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    dir: PathBuf,
    pool: Mutex<Vec<Connection>>,
    /// Writers of this process queue here, fairly and without polling; SQLite keeps other processes out.
    gate: Mutex<()>,
    scratch: Scratch,
    /// Held shared while the folder is in use, so that a reset can tell.
    _open: File,
}

impl Store {
    /// Opens the state in a folder, making what is not there and bringing older tables up to date.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]: made by a newer version, another program's, damaged, locked, no room, no permission.
    pub fn open(dir: &Path, schemas: &[Schema]) -> Result<Self, StoreError> {
        std::fs::create_dir_all(dir).map_err(|source| StoreError::io(dir, source))?;
        ignore_in_git(dir)?;
        let open = open_lock(dir)?;
        open.lock_shared().map_err(|source| StoreError::io(dir, source))?;
        let mut connection = connect(dir)?;
        let mut all = vec![blobs::SCHEMA];
        all.extend_from_slice(schemas);
        schema::migrate(&mut connection, dir, &all)?;
        let scratch = Scratch::make(dir)?;
        let inner = Inner {
            dir: dir.to_path_buf(),
            pool: Mutex::new(vec![connection]),
            gate: Mutex::new(()),
            scratch,
            _open: open,
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Removes all state of a folder; says whether there was any.
    ///
    /// # Errors
    ///
    /// [`StoreError::InUse`] while a process has it open; otherwise when a file can't be removed.
    pub fn reset(dir: &Path) -> Result<bool, StoreError> {
        if !dir.join("state.db").exists() && !dir.join("objects").exists() {
            return Ok(false);
        }
        let open = open_lock(dir)?;
        match open.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(StoreError::InUse { dir: dir.to_path_buf() }),
            Err(TryLockError::Error(source)) => return Err(StoreError::io(dir, source)),
        }
        for file in ["state.db-wal", "state.db-shm", "state.db"] {
            remove(&dir.join(file), |path| std::fs::remove_file(path))?;
        }
        for folder in ["objects", "functions", "tmp", "locks"] {
            remove(&dir.join(folder), |path| std::fs::remove_dir_all(path))?;
        }
        Ok(true)
    }

    /// The state folder.
    pub fn dir(&self) -> &Path {
        &self.inner.dir
    }

    pub(super) fn scratch(&self) -> &Scratch {
        &self.inner.scratch
    }

    /// Runs a reading transaction on a thread that may block; it sees one moment of the state.
    ///
    /// # Errors
    ///
    /// What the closure says, or why the transaction could not be had.
    pub async fn read<T, E>(&self, work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        self.blocking(move || store.read_now(work)).await
    }

    /// Runs a writing transaction on a thread that may block: committed when the closure succeeds, undone when it fails.
    /// No other writer, of any process, comes between its reads and its writes; so it must be short, and must not begin
    /// another writing transaction, which would wait for itself.
    ///
    /// # Errors
    ///
    /// What the closure says, or why the transaction could not be had or committed.
    pub async fn write<T, E>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let store = self.clone();
        self.blocking(move || store.write_now(work)).await
    }

    /// Runs work that blocks (files, transactions) away from the runtime's own threads.
    ///
    /// # Errors
    ///
    /// What the work says, or that the runtime is shutting down.
    pub async fn blocking<T, E>(&self, work: impl FnOnce() -> Result<T, E> + Send + 'static) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        match tokio::task::spawn_blocking(work).await {
            Ok(result) => result,
            Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
            Err(_) => Err(StoreError::ShuttingDown.into()),
        }
    }

    /// [`Store::read`] on this thread, which blocks.
    ///
    /// # Errors
    ///
    /// As [`Store::read`].
    pub fn read_now<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.take()?;
        let result = {
            let tx = connection.transaction().map_err(StoreError::from)?;
            work(&tx)
        };
        self.give_back(connection);
        result
    }

    /// [`Store::write`] on this thread, which blocks.
    ///
    /// # Errors
    ///
    /// As [`Store::write`].
    pub fn write_now<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&Transaction<'_>) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut connection = self.take()?;
        let gate = lock(&self.inner.gate);
        let result = {
            let tx = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from)?;
            match work(&tx) {
                Ok(value) => tx.commit().map_err(StoreError::from).map(|()| value).map_err(E::from),
                // Dropping the transaction undoes it.
                Err(error) => Err(error),
            }
        };
        drop(gate);
        self.give_back(connection);
        result
    }

    fn take(&self) -> Result<Connection, StoreError> {
        let kept = lock(&self.inner.pool).pop();
        kept.map_or_else(|| connect(&self.inner.dir), Ok)
    }

    fn give_back(&self, connection: Connection) {
        let mut pool = lock(&self.inner.pool);
        if pool.len() < POOL {
            pool.push(connection);
        }
    }
}

/// A panic elsewhere leaves nothing half done behind these locks.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn connect(dir: &Path) -> Result<Connection, StoreError> {
    let file = dir.join("state.db");
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags)?;
    connection.busy_timeout(BUSY)?;
    schema::claim(&connection, &file)?;
    use_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    // Pages: 16 MiB between checkpoints, each of which waits for the disk.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.set_prepared_statement_cache_capacity(128);
    Ok(connection)
}

/// Switching the journal needs the database to itself for a moment, and SQLite does not wait for that by itself.
fn use_wal(connection: &Connection) -> Result<(), StoreError> {
    let mut waited = Duration::ZERO;
    loop {
        let set: Result<String, _> = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0));
        match set.map_err(StoreError::from) {
            Ok(_) => return Ok(()),
            Err(StoreError::Busy) if waited < BUSY => {
                let step = Duration::from_millis(5);
                std::thread::sleep(step);
                waited += step;
            }
            Err(error) => return Err(error),
        }
    }
}

fn open_lock(dir: &Path) -> Result<File, StoreError> {
    let path = dir.join("open.lock");
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .open(&path)
        .map_err(|source| StoreError::io(&path, source))
}

/// State is never to be committed to the project's repository.
fn ignore_in_git(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(".gitignore");
    if path.exists() {
        return Ok(());
    }
    std::fs::write(&path, "*\n").map_err(|source| StoreError::io(&path, source))
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), StoreError> {
    match how(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => Ok(()),
    }
}
