//! The database: opening it, and transactions that never block the runtime.

use std::fs::{File, TryLockError};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, OpenFlags, Transaction, TransactionBehavior};

use super::room::AtWork;
use super::scratch::Scratch;
use super::{Schema, StoreError, private, schema};

/// How long a transaction waits for another process's; theirs are milliseconds long.
const BUSY: Duration = Duration::from_secs(10);

/// How long it waits when the one before it waited in vain.
const STILL_BUSY: Duration = Duration::from_millis(100);

/// How long a checkpoint that empties the journal waits for those who read; writers wait as long.
const CHECKPOINT: Duration = Duration::from_millis(100);

/// The largest a database may grow unless told otherwise, in bytes: far more than stacks need, far less than a disk has.
pub const DATABASE_LIMIT: u64 = 8 << 30;

/// The largest a database may be that is written anew to give room back, in bytes of what it holds.
const REWRITABLE: i64 = 256 << 20;

/// Pages given back in one transaction, so that other writers are not kept waiting.
const GIVEN_BACK: i64 = 2_048;

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
    /// The most bytes the database may have.
    limit: u64,
    /// Which file the database was when it was opened.
    identity: Option<(u64, u64)>,
    pool: Mutex<Vec<Connection>>,
    /// Writers of this process queue here, fairly and without polling; SQLite keeps other processes out.
    gate: Mutex<()>,
    /// Whether the last writer waited for another process in vain.
    held: AtomicBool,
    scratch: Scratch,
    /// Held shared while the folder is in use, so that a reset can tell.
    _open: File,
}

impl Store {
    /// Opens the state in a folder, making what is not there and bringing older tables up to date.
    ///
    /// # Errors
    ///
    /// See [`StoreError`]: made by a newer version, another program's, damaged, locked, no room, no permission, a link, another
    /// user's.
    pub fn open(dir: &Path, schemas: &[Schema]) -> Result<Self, StoreError> {
        Self::open_within(dir, schemas, DATABASE_LIMIT)
    }

    /// The same with a database of so many bytes at most.
    ///
    /// # Errors
    ///
    /// As [`Store::open`].
    pub fn open_within(dir: &Path, schemas: &[Schema], limit: u64) -> Result<Self, StoreError> {
        let _at_work = AtWork::on(dir, limit);
        private::secure(dir)?;
        ignore_in_git(dir)?;
        let open = open_lock(dir)?;
        let alone = open.try_lock().is_ok();
        if !alone {
            open.lock_shared().map_err(|source| StoreError::io(dir, source))?;
        }
        let mut connection = connect(dir, limit)?;
        if alone {
            // Room that it can't have now it has at the next start.
            let _ = shrink(&connection);
            open.unlock().and_then(|()| open.lock_shared()).map_err(|source| StoreError::io(dir, source))?;
        }
        let mut all = vec![schema::BLOBS];
        all.extend_from_slice(schemas);
        schema::migrate(&mut connection, dir, &all)?;
        let scratch = Scratch::make(dir)?;
        let inner = Inner {
            dir: dir.to_path_buf(),
            limit,
            identity: identity(dir),
            pool: Mutex::new(vec![connection]),
            gate: Mutex::new(()),
            held: AtomicBool::new(false),
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
        let _at_work = self.at_work();
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
        let _at_work = self.at_work();
        // In this order: whoever waits needs no connection yet.
        let gate = lock(&self.inner.gate);
        let mut connection = self.take()?;
        let result = {
            let tx = self.begin_writing(&mut connection)?;
            match work(&tx) {
                // SQLite undoes a whole transaction by itself when the disk is full: what came after it was not within one.
                Ok(_) if tx.is_autocommit() => Err(StoreError::from(undone()).into()),
                Ok(value) => tx.commit().map_err(StoreError::from).map(|()| value).map_err(E::from),
                // Dropping the transaction undoes it.
                Err(error) => Err(error),
            }
        };
        drop(gate);
        self.give_back(connection);
        result
    }

    /// Begins a writing transaction. While another process holds the database, only the first who waits waits for long.
    fn begin_writing<'c>(&self, connection: &'c mut Connection) -> Result<Transaction<'c>, StoreError> {
        let held = self.inner.held.load(Ordering::Relaxed);
        connection.busy_timeout(if held { STILL_BUSY } else { BUSY })?;
        let begun = connection.transaction_with_behavior(TransactionBehavior::Immediate).map_err(StoreError::from);
        self.inner.held.store(matches!(begun, Err(StoreError::Busy)), Ordering::Relaxed);
        begun
    }

    /// Leaves nothing of what was deleted in the database's files, and gives the room of what is free back to the disk. It
    /// blocks; what it can't have while others read it has the next time.
    ///
    /// # Errors
    ///
    /// When the database or the disk refuses.
    pub fn wipe_deleted(&self) -> Result<(), StoreError> {
        let _at_work = self.at_work();
        let connection = self.take()?;
        let wiped = (|| {
            loop {
                let free: i64 = connection.query_row("PRAGMA freelist_count", [], |row| row.get(0))?;
                if free < GIVEN_BACK {
                    break;
                }
                let gate = lock(&self.inner.gate);
                give_back(&connection, GIVEN_BACK)?;
                drop(gate);
                if connection.query_row("PRAGMA freelist_count", [], |row| row.get::<_, i64>(0))? >= free {
                    // A database of an older version: it is written anew when nobody else uses it.
                    break;
                }
            }
            if std::fs::metadata(self.inner.dir.join("state.db-wal")).is_ok_and(|about| about.len() > 0) {
                let gate = lock(&self.inner.gate);
                connection.busy_timeout(CHECKPOINT)?;
                let done = connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()));
                connection.busy_timeout(BUSY)?;
                drop(gate);
                done?;
            }
            Ok(())
        })();
        self.give_back(connection);
        wiped
    }

    fn at_work(&self) -> AtWork {
        AtWork::on(&self.inner.dir, self.inner.limit)
    }

    fn take(&self) -> Result<Connection, StoreError> {
        // SQLite would go on with a file that has no name any more, or make another one beside the running processes.
        if identity(&self.inner.dir) != self.inner.identity {
            return Err(StoreError::Gone { dir: self.inner.dir.clone() });
        }
        let kept = lock(&self.inner.pool).pop();
        kept.map_or_else(|| connect(&self.inner.dir, self.inner.limit), Ok)
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

/// Which file the database is now: device and number.
#[cfg(unix)]
fn identity(dir: &Path) -> Option<(u64, u64)> {
    use std::os::unix::fs::MetadataExt as _;
    let about = std::fs::metadata(dir.join("state.db")).ok()?;
    Some((about.dev(), about.ino()))
}

#[cfg(not(unix))]
fn identity(dir: &Path) -> Option<(u64, u64)> {
    dir.join("state.db").exists().then_some((0, 0))
}

/// What SQLite says when it has undone a transaction because there was no room.
pub(crate) fn undone() -> rusqlite::Error {
    let message = "the transaction was undone".to_owned();
    rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_FULL), Some(message))
}

/// Gives pages that nothing uses back to the disk.
fn give_back(connection: &Connection, pages: i64) -> Result<(), StoreError> {
    let mut statement = connection.prepare(&format!("PRAGMA incremental_vacuum({pages})"))?;
    let mut rows = statement.query([])?;
    while rows.next()?.is_some() {}
    Ok(())
}

/// Gives back all the room that a database has for nothing, which nobody else uses. One that an older version made is written
/// anew, so that it can give room back later.
fn shrink(connection: &Connection) -> Result<(), StoreError> {
    let number = |pragma: &str| connection.query_row(&format!("PRAGMA {pragma}"), [], |row| row.get::<_, i64>(0));
    let free = number("freelist_count")?;
    if number("auto_vacuum")? == 0 {
        let held = (number("page_count")? - free).saturating_mul(number("page_size")?);
        if held < REWRITABLE {
            connection.execute_batch("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")?;
        }
    } else if free >= GIVEN_BACK {
        give_back(connection, free)?;
    }
    connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(()))?;
    Ok(())
}

fn connect(dir: &Path, limit: u64) -> Result<Connection, StoreError> {
    let file = dir.join("state.db");
    // Made here, and closed to others: what SQLite puts beside it has the same rights.
    private::writing().create(true).open(&file).map_err(|source| StoreError::io(&file, source))?;
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(&file, flags)?;
    connection.busy_timeout(BUSY)?;
    schema::claim(&connection, &file)?;
    // Takes effect in a database that has nothing in it yet. Setting it writes, so that it is not set each time.
    if connection.query_row("PRAGMA page_count", [], |row| row.get::<_, i64>(0))? == 0 {
        connection.pragma_update(None, "auto_vacuum", "INCREMENTAL")?;
    }
    use_wal(&connection)?;
    connection.pragma_update(None, "synchronous", "NORMAL")?;
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.pragma_update(None, "cache_size", -16_384)?;
    // Pages: 16 MiB between checkpoints, each of which waits for the disk.
    connection.pragma_update(None, "wal_autocheckpoint", 4096)?;
    connection.pragma_update(None, "journal_size_limit", 32 << 20)?;
    // Deleted secrets are overwritten, not only forgotten.
    connection.pragma_update(None, "secure_delete", true)?;
    let page: u64 =
        connection.query_row("PRAGMA page_size", [], |row| row.get::<_, i64>(0))?.try_into().unwrap_or(4096);
    let pages = i64::try_from(limit / page.max(1)).unwrap_or(i64::MAX).clamp(1, i64::from(u32::MAX - 1));
    connection.query_row(&format!("PRAGMA max_page_count = {pages}"), [], |_| Ok(()))?;
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
    private::writing().create(true).open(&path).map_err(|source| StoreError::io(&path, source))
}

/// State is never to be committed to the project's repository.
fn ignore_in_git(dir: &Path) -> Result<(), StoreError> {
    let path = dir.join(".gitignore");
    if path.exists() {
        return Ok(());
    }
    let io = |source| StoreError::io(&path, source);
    let mut file = private::writing().create(true).open(&path).map_err(io)?;
    std::io::Write::write_all(&mut file, b"*\n").map_err(io)
}

fn remove(path: &Path, how: impl FnOnce(&Path) -> std::io::Result<()>) -> Result<(), StoreError> {
    match how(path) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(StoreError::io(path, error)),
        _ => Ok(()),
    }
}
