//! The packages functions and layers are made of: kept from the moment they are made, unpacked when they are first run.
//!
//! A function keeps its code when the object it came from is deleted, as on AWS: `lambda_code` counts as a user of the
//! body. Unpacked packages are in `functions/<digest>` of the state folder, each content once.

use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rusqlite::{Connection, OptionalExtension, Transaction};
use sha2::{Digest, Sha256};

use crate::local::errors::ApiError;
use crate::local::store::{Blob, Schema, Store, StoreError};

/// Bytes of a function's code and layers, unpacked. Source: Lambda quotas, "Deployment package (.zip file archive) size".
const LARGEST_UNPACKED: u64 = 250 << 20;

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
pub(in crate::local) fn is_kept(db: &Connection, sha256: &str) -> rusqlite::Result<bool> {
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
pub(super) enum Source {
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

impl From<Blob> for Source {
    fn from(blob: Blob) -> Self {
        Self::Zip { sha256: blob.sha256, size: blob.size }
    }
}

impl Source {
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

    /// Bytes.
    pub fn size(&self) -> u64 {
        match self {
            Self::Zip { size, .. } => *size,
            Self::Inline(text) => text.len() as u64,
        }
    }
}

/// The folder a package is unpacked in, unpacking it when it is not there.
///
/// # Errors
///
/// When it is no zip, too large, or holds a path that leads out of it; when the disk refuses.
pub(super) async fn unpacked(store: &Store, source: &Source) -> Result<PathBuf, ApiError> {
    let (from, source) = (store.clone(), source.clone());
    store
        .blocking(move || {
            // Absolute: a process works in the folder itself.
            let folder =
                std::path::absolute(from.dir().join(FOLDER)).map_err(|error| StoreError::io(from.dir(), error))?;
            let place = folder.join(source.digest());
            if place.is_dir() {
                return Ok(place);
            }
            crate::local::store::private::create_folder(&folder)?;
            let scratch = tempfile::Builder::new()
                .prefix(UNPACKING)
                .tempdir_in(&folder)
                .map_err(|error| StoreError::io(&folder, error))?;
            match &source {
                Source::Inline(text) => {
                    let write = |name: &str, text: &str| {
                        let file = scratch.path().join(name);
                        fs::write(&file, text).map_err(|error| StoreError::io(&file, error))
                    };
                    write("index.py", text)?;
                    // AWS gives code in a template the module that answers CloudFormation.
                    if text.contains("cfnresponse") {
                        write("cfnresponse.py", include_str!("cfnresponse.py"))?;
                    }
                }
                Source::Zip { sha256, .. } => unzip(from.open_blob(sha256)?, scratch.path())?,
            }
            match fs::rename(scratch.path(), &place) {
                // Somebody else was quicker.
                Err(_) if place.is_dir() => {}
                Err(error) => return Err(StoreError::io(&place, error).into()),
                Ok(()) => drop(scratch.keep()),
            }
            Ok(place)
        })
        .await
}

/// The most entries of a package. Our own: an empty file takes room on the disk, too.
const MOST_ENTRIES: usize = 100_000;

fn bad(message: impl std::fmt::Display) -> ApiError {
    ApiError::sender("InvalidZipFileException", format!("Lambda could not unzip the deployment package: {message}"))
        .with_status(http::StatusCode::BAD_GATEWAY)
}

fn unzip(file: File, into: &Path) -> Result<(), ApiError> {
    let mut archive = zip::ZipArchive::new(io::BufReader::new(file)).map_err(bad)?;
    let mut left = LARGEST_UNPACKED;
    if archive.len() > MOST_ENTRIES {
        return Err(bad(format!("it has {} entries, and the local target takes {MOST_ENTRIES}", archive.len())));
    }
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(bad)?;
        let shown = entry.name().map(std::borrow::Cow::into_owned).unwrap_or_default();
        let name = entry.enclosed_name().ok_or_else(|| bad(format!("`{shown}` leads out of it")))?;
        let path = into.join(name);
        let disk = |error| ApiError::from(StoreError::io(&path, error));
        if entry.is_dir() {
            fs::create_dir_all(&path).map_err(disk)?;
            continue;
        }
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent).map_err(disk)?;
        }
        if entry.is_symlink() {
            let mut target = String::new();
            entry.by_ref().take(4096).read_to_string(&mut target).map_err(disk)?;
            let inside = Path::new(&target)
                .components()
                .all(|part| matches!(part, std::path::Component::Normal(_) | std::path::Component::CurDir));
            if !inside {
                return Err(bad(format!("the link `{shown}` leads out of its folder")));
            }
            std::os::unix::fs::symlink(&target, &path).map_err(disk)?;
            continue;
        }
        // A link of the archive itself must not be written through.
        let mut out = File::create_new(&path).map_err(disk)?;
        let copied = io::copy(&mut entry.by_ref().take(left + 1), &mut out).map_err(disk)?;
        left = left.checked_sub(copied).ok_or_else(|| {
            ApiError::sender(
                "InvalidParameterValueException",
                format!("Unzipped size must be smaller than {LARGEST_UNPACKED} bytes"),
            )
        })?;
        if entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0) {
            use std::os::unix::fs::PermissionsExt as _;
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(disk)?;
        }
    }
    Ok(())
}

/// Removes what is unpacked of packages that no function has any more. It blocks.
///
/// # Errors
///
/// When the database or the disk refuses.
pub(in crate::local) fn sweep(store: &Store) -> Result<(), StoreError> {
    let folder = store.dir().join(FOLDER);
    let Ok(entries) = fs::read_dir(&folder) else { return Ok(()) };
    let inline = |tx: &Transaction<'_>| -> Result<Vec<String>, StoreError> {
        let code = tx
            .prepare(
                "SELECT json_extract(properties, '$.Code.ZipFile') FROM resource WHERE type = 'AWS::Lambda::Function'",
            )?
            .query_map([], |row| row.get::<_, Option<String>>(0))?
            .collect::<Result<Vec<_>, _>>()?;
        Ok(code.into_iter().flatten().map(|text| Source::Inline(text).digest()).collect())
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
            // Renamed first: a half-removed package must never be found under its name.
            let doomed = folder.join(format!("{UNPACKING}{}", uuid::Uuid::new_v4()));
            let removed = fs::rename(entry.path(), &doomed).and_then(|()| fs::remove_dir_all(&doomed));
            removed.map_err(|error| StoreError::io(entry.path(), error))?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::Write as _;

    use super::*;

    fn zip_of(entries: &[(&str, &str)]) -> File {
        let mut file = tempfile::tempfile().expect("a file");
        let mut writer = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        for (name, text) in entries {
            writer.start_file(*name, zip::write::SimpleFileOptions::default()).expect("an entry");
            writer.write_all(text.as_bytes()).expect("its content");
        }
        let bytes = writer.finish().expect("a zip").into_inner();
        file.write_all(&bytes).expect("written");
        file
    }

    #[test]
    fn a_package_stays_in_its_folder() {
        let folder = tempfile::tempdir().expect("a folder");
        unzip(zip_of(&[("app.py", "x"), ("lib/a.py", "y")]), folder.path()).expect("unpacked");
        assert_eq!(fs::read_to_string(folder.path().join("lib/a.py")).expect("a file"), "y");
        let other = tempfile::tempdir().expect("a folder");
        let error = unzip(zip_of(&[("../out.py", "x")]), other.path()).expect_err("refused");
        assert!(error.message.contains("../out.py"), "{error}");
        let mut text = tempfile::tempfile().expect("a file");
        text.write_all(b"not a zip").expect("written");
        assert_eq!(unzip(text, other.path()).expect_err("refused").code, "InvalidZipFileException");
    }

    #[test]
    fn the_digest_is_told_as_lambda_tells_it() {
        let source = Source::Inline("print(1)".to_owned());
        assert_eq!(source.sha256_base64(), STANDARD.encode(Sha256::digest(b"print(1)")));
        assert_eq!(source.digest().len(), 64);
    }
}
