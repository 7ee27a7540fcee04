//! Who is at work on something: a lock of the operating system that goes when its owner dies, however it dies.

use std::fs::{File, TryLockError};

use sha2::{Digest, Sha256};

use super::{Store, StoreError, private};

/// The exclusive right to work on something, held until it is dropped or the process ends.
#[derive(Debug)]
pub struct Lease {
    _file: File,
}

impl Lease {
    /// Takes the lease of a name, or says that a living owner (this process or another) has it.
    ///
    /// The name may be anything, a stack's ARN for example.
    ///
    /// # Errors
    ///
    /// When the lock file can't be made.
    pub fn try_acquire(store: &Store, name: &str) -> Result<Option<Self>, StoreError> {
        let dir = store.dir().join("locks");
        private::create_folder(&dir)?;
        let path = dir.join(hex::encode(Sha256::digest(name.as_bytes())));
        let file = private::writing().create(true).open(&path).map_err(|source| StoreError::io(&path, source))?;
        match file.try_lock() {
            Ok(()) => Ok(Some(Self { _file: file })),
            Err(TryLockError::WouldBlock) => Ok(None),
            Err(TryLockError::Error(source)) => Err(StoreError::io(&path, source)),
        }
    }
}
