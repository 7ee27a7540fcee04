//! The packages functions and layers are made of: kept from the moment they are made, unpacked when they are first run.
//!
//! A function keeps its code when the object it came from is deleted, as on AWS: `lambda_code` counts as a user of the
//! body. Unpacked packages are in `functions/<digest>` of the state folder, each content once.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Seek as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension, Transaction};
use sha2::{Digest, Sha256};

use super::pool::Pool;
use super::unpack::{holds, unzip};
use crate::ground::store::{Blob, Schema, Store, StoreError};
use crate::ground::{ApiError, Host};

/// Where packages are unpacked, in the state folder.
const FOLDER: &str = "functions";

/// What the names of folders begin with that are no whole packages: on their way in, or out.
const UNPACKING: &str = "unpacking-";

/// Which package a function, a version or a layer version has; inline code is in its properties instead.
pub const SCHEMA: Schema = Schema {
    room: "lambda",
    steps: &["
        CREATE TABLE lambda_code (owner TEXT PRIMARY KEY, blob INTEGER NOT NULL) STRICT, WITHOUT ROWID;
        CREATE TRIGGER lambda_code_added AFTER INSERT ON lambda_code BEGIN
            UPDATE blobs SET users = users + 1 WHERE id = NEW.blob;
        END;
        CREATE TRIGGER lambda_code_changed AFTER UPDATE ON lambda_code BEGIN
            UPDATE blobs SET users = users + 1 WHERE id = NEW.blob;
            UPDATE blobs SET users = users - 1 WHERE id = OLD.blob;
        END;
        CREATE TRIGGER lambda_code_gone AFTER DELETE ON lambda_code BEGIN
            UPDATE blobs SET users = users - 1 WHERE id = OLD.blob;
        END;
    "],
};

/// Who a package is kept for: a function (of a region) by its name.
pub fn owner_of(region: &str, function: &str) -> String {
    format!("{region}/{function}")
}

/// Keeps a package for a function, version or layer version.
///
/// # Errors
///
/// When the database refuses.
pub fn keep(db: &Connection, owner: &str, blob: &Blob) -> rusqlite::Result<()> {
    db.prepare_cached("INSERT INTO lambda_code (owner, blob) VALUES (?1, ?2) ON CONFLICT DO UPDATE SET blob = ?2")?
        .execute((owner, blob.id))?;
    Ok(())
}

/// Forgets a package.
///
/// # Errors
///
/// When the database refuses.
pub fn forget(db: &Connection, owner: &str) -> rusqlite::Result<()> {
    db.prepare_cached("DELETE FROM lambda_code WHERE owner = ?1")?.execute([owner])?;
    Ok(())
}

/// Keeps for another owner what one has.
///
/// # Errors
///
/// When the database refuses.
pub fn copy(db: &Connection, from: &str, to: &str) -> rusqlite::Result<()> {
    if let Some(blob) = kept(db, from)? {
        keep(db, to, &blob)?;
    }
    Ok(())
}

/// The digest of a package that some owner has, as it is asked for from outside.
///
/// # Errors
///
/// When the database refuses.
pub(crate) fn is_kept(db: &Connection, sha256: &str) -> rusqlite::Result<bool> {
    db.prepare_cached("SELECT 1 FROM lambda_code WHERE blob = (SELECT id FROM blobs WHERE sha256 = ?1)")?
        .exists([sha256])
}

/// The package kept for an owner.
pub(super) fn kept(db: &Connection, owner: &str) -> rusqlite::Result<Option<Blob>> {
    db.prepare_cached("SELECT id, sha256, size FROM blobs WHERE id = (SELECT blob FROM lambda_code WHERE owner = ?1)")?
        .query_row([owner], |row| {
            let size = u64::try_from(row.get::<_, i64>(2)?).unwrap_or(0);
            Ok(Blob { id: row.get(0)?, sha256: row.get(1)?, size })
        })
        .optional()
}

/// A package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum CodePackage {
    /// A zip.
    Zip {
        /// Its name in the store.
        sha256: String,
        /// Bytes.
        size: u64,
    },
    /// The text of `index.py`, as a template has it.
    Inline(String),
}

impl From<Blob> for CodePackage {
    fn from(blob: Blob) -> Self {
        Self::Zip { sha256: blob.sha256, size: blob.size }
    }
}

impl CodePackage {
    /// The name of its content, in hexadecimal.
    pub fn digest(&self) -> String {
        match self {
            Self::Zip { sha256, .. } => sha256.clone(),
            Self::Inline(text) => hex::encode(Sha256::digest(text.as_bytes())),
        }
    }

    /// The same as Lambda tells it.
    pub fn sha256_base64(&self) -> String {
        STANDARD.encode(hex::decode(self.digest()).unwrap_or_default())
    }

    /// The files of code in a template.
    fn texts(&self) -> BTreeMap<&'static str, &str> {
        let Self::Inline(text) = self else { return BTreeMap::new() };
        let mut texts = BTreeMap::from([("index.py", text.as_str())]);
        // AWS gives code in a template the module that answers CloudFormation.
        if text.contains("cfnresponse") {
            texts.insert("cfnresponse.py", include_str!("cfnresponse.py"));
        }
        texts
    }

    /// The zip, held against its digest.
    fn package(&self, store: &Store) -> Result<Option<File>, ApiError> {
        let Self::Zip { sha256, .. } = self else { return Ok(None) };
        let path = store.blob_path(sha256);
        let disk = |error| ApiError::from(StoreError::io(&path, error));
        let mut file = store.open_blob(sha256)?;
        let mut hash = Sha256::new();
        io::copy(&mut file, &mut hash).map_err(disk)?;
        if hex::encode(hash.finalize()) != *sha256 {
            return Err(disk(io::Error::new(
                io::ErrorKind::InvalidData,
                "it is not what its name says: remake the stack",
            )));
        }
        file.rewind().map_err(disk)?;
        Ok(Some(file))
    }

    /// Bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Zip { size, .. } => *size,
            Self::Inline(text) => text.len() as u64,
        }
    }
}

/// The folder a package is unpacked in, unpacking it when it is not there. What an earlier endpoint has unpacked is held
/// against the package once: what was changed in it since is not run.
///
/// # Errors
///
/// When it is no zip, too large, or holds a path that leads out of it; when the disk refuses.
pub(super) async fn unpacked(host: &Arc<Host>, source: &CodePackage) -> Result<PathBuf, ApiError> {
    let source = source.clone();
    let digest = source.digest();
    let mut verified = Pool::of(host).verified(&digest).await;
    let (store, from) = (host.store.clone(), host.store.clone());
    store
        .blocking(move || {
            // Absolute: a process works in the folder itself.
            let folder =
                std::path::absolute(from.dir().join(FOLDER)).map_err(|error| StoreError::io(from.dir(), error))?;
            let place = folder.join(&digest);
            if *verified && place.is_dir() {
                return Ok(place);
            }
            let texts = source.texts();
            let package = source.package(&from)?;
            if place.is_dir() {
                if holds(&place, package.as_ref(), &texts)? {
                    *verified = true;
                    return Ok(place);
                }
                remove(&folder, &place).map_err(|error| StoreError::io(&place, error))?;
            }
            crate::ground::store::private::create_folder(&folder)?;
            let scratch = tempfile::Builder::new()
                .prefix(UNPACKING)
                .tempdir_in(&folder)
                .map_err(|error| StoreError::io(&folder, error))?;
            for (name, text) in &texts {
                let file = scratch.path().join(name);
                fs::write(&file, text).map_err(|error| StoreError::io(&file, error))?;
            }
            if let Some(package) = package {
                unzip(package, scratch.path())?;
            }
            match fs::rename(scratch.path(), &place) {
                // Somebody else was quicker.
                Err(_) if place.is_dir() => {}
                Err(error) => return Err(StoreError::io(&place, error).into()),
                Ok(()) => drop(scratch.keep()),
            }
            *verified = true;
            Ok(place)
        })
        .await
}

/// Removes a package. Renamed first: a half-removed one must never be found under its name.
fn remove(folder: &Path, place: &Path) -> io::Result<()> {
    let doomed = folder.join(format!("{UNPACKING}{}", uuid::Uuid::new_v4()));
    fs::rename(place, &doomed)?;
    if doomed.symlink_metadata()?.is_dir() { fs::remove_dir_all(&doomed) } else { fs::remove_file(&doomed) }
}

/// Removes what is unpacked of packages that no function has any more. It blocks.
///
/// # Errors
///
/// When the database or the disk refuses.
pub(crate) fn sweep(store: &Store) -> Result<(), StoreError> {
    let folder = store.dir().join(FOLDER);
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
    let inline = |tx: &Transaction<'_>| -> Result<Vec<String>, StoreError> {
        let code = tx
            .prepare(
                "SELECT json_extract(properties, '$.Code.ZipFile') FROM resource WHERE type = 'AWS::Lambda::Function'",
            )?
            .query_map([], |row| row.get::<_, Option<String>>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(code.into_iter().flatten().map(|text| CodePackage::Inline(text).digest()).collect())
    };
    let (used, now) = store.read_now::<_, StoreError>(|tx| {
        let mut used = inline(tx)?;
        let mut zips = tx.prepare("SELECT sha256 FROM blobs WHERE id IN (SELECT blob FROM lambda_code)")?;
        for sha256 in zips.query_map([], |row| row.get(0))? {
            used.push(sha256?);
        }
        Ok((used, std::time::SystemTime::now()))
    })?;
    for entry in entries.flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        // What is being unpacked now is not to be taken away; an hour later nobody is at work on it.
        let fresh = entry
            .metadata()
            .and_then(|about| about.modified())
            .is_ok_and(|at| now.duration_since(at).is_ok_and(|age| age.as_secs() < 3600));
        let stays = used.contains(&name) || (name.starts_with(UNPACKING) && fresh);
        if !stays {
            remove(&folder, &entry.path()).map_err(|error| StoreError::io(entry.path(), error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_digest_is_told_as_lambda_tells_it() {
        let source = CodePackage::Inline("print(1)".to_owned());
        assert_eq!(source.sha256_base64(), STANDARD.encode(Sha256::digest(b"print(1)")));
        assert_eq!(source.digest().len(), 64);
    }
}
