//! Zips into folders, and folders held against the zips they came from.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{self, BufRead as _, BufReader, Read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use crate::ground::ApiError;
use crate::ground::store::StoreError;

/// Bytes of a function's code and layers, unpacked. Source: Lambda quotas, "Deployment package (.zip file archive) size".
const LARGEST_UNPACKED: u64 = 250 << 20;

/// Where Python keeps byte code beside what it was made from.
const BYTE_CODE: &str = "__pycache__";

/// The most entries of a package. Our own: an empty file takes room on the disk, too.
const MOST_ENTRIES: usize = 100_000;

fn bad(message: impl std::fmt::Display) -> ApiError {
    ApiError::sender("InvalidZipFileException", format!("Lambda could not unzip the deployment package: {message}"))
        .with_status(http::StatusCode::BAD_GATEWAY)
}

/// Unpacks a zip into an empty folder.
///
/// # Errors
///
/// When it is no zip, too large, or holds a path that leads out of it; when the disk refuses.
pub(super) fn unzip(file: File, into: &Path) -> Result<(), ApiError> {
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
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).map_err(disk)?;
        }
    }
    Ok(())
}

/// Whether a folder holds what a package does, or some texts, and nothing else but byte code that Python has put there.
///
/// # Errors
///
/// When the package is no zip.
pub(super) fn holds(folder: &Path, package: Option<&File>, texts: &BTreeMap<&str, &str>) -> Result<bool, ApiError> {
    let mut known: BTreeSet<PathBuf> = BTreeSet::new();
    for (name, text) in texts {
        let path = folder.join(name);
        if !same_file(&path, text.as_bytes(), text.len() as u64) {
            return Ok(false);
        }
        known.insert(path);
    }
    if let Some(file) = package {
        let mut archive = zip::ZipArchive::new(BufReader::new(file)).map_err(bad)?;
        for index in 0..archive.len() {
            let entry = archive.by_index(index).map_err(bad)?;
            let Some(name) = entry.enclosed_name() else { return Ok(false) };
            let path = folder.join(name);
            let (size, executable) = (entry.size(), entry.unix_mode().is_some_and(|mode| mode & 0o111 != 0));
            let same = if entry.is_dir() {
                continue;
            } else if entry.is_symlink() {
                let mut target = String::new();
                entry.take(4096).read_to_string(&mut target).is_ok()
                    && fs::read_link(&path).is_ok_and(|link| link == Path::new(&target))
            } else {
                let mode = fs::metadata(&path).map(|about| about.permissions().mode() & 0o100 != 0);
                mode.is_ok_and(|mode| mode == executable) && same_file(&path, entry, size)
            };
            if !same {
                return Ok(false);
            }
            known.insert(path);
        }
    }
    Ok(only(folder, &known).unwrap_or(false))
}

/// Whether a file, not a link to one, has just these bytes.
fn same_file(path: &Path, bytes: impl Read, size: u64) -> bool {
    let is_file = path.symlink_metadata().is_ok_and(|about| about.is_file() && about.len() == size);
    is_file && File::open(path).and_then(|file| same_bytes(file, bytes)).unwrap_or(false)
}

fn same_bytes(one: impl Read, other: impl Read) -> io::Result<bool> {
    let (mut one, mut other) = (BufReader::with_capacity(1 << 16, one), BufReader::with_capacity(1 << 16, other));
    loop {
        let (left, right) = (one.fill_buf()?, other.fill_buf()?);
        let count = left.len().min(right.len());
        if count == 0 {
            return Ok(left.is_empty() && right.is_empty());
        }
        if left.get(..count) != right.get(..count) {
            return Ok(false);
        }
        one.consume(count);
        other.consume(count);
    }
}

/// Whether a folder has no files or links but those known, and byte code.
fn only(folder: &Path, known: &BTreeSet<PathBuf>) -> io::Result<bool> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let (path, kind) = (entry.path(), entry.file_type()?);
        let is_byte_code = kind.is_file()
            && folder.file_name().is_some_and(|name| name == BYTE_CODE)
            && path.extension().is_some_and(|extension| extension == "pyc");
        let fits = if kind.is_dir() { only(&path, known)? } else { is_byte_code || known.contains(&path) };
        if !fits {
            return Ok(false);
        }
    }
    Ok(true)
}

#[cfg(test)]
mod tests {
    use std::io::{Seek as _, Write as _};

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
    fn what_was_changed_in_a_folder_shows() {
        let dir = tempfile::tempdir().expect("a folder");
        let folder = dir.path().join("unpacked");
        fs::create_dir(&folder).expect("a folder");
        let package = || {
            let mut file = zip_of(&[("app.py", "x = 1"), ("lib/a.py", "y")]);
            file.rewind().expect("rewound");
            file
        };
        unzip(package(), &folder).expect("unpacked");
        let same = || holds(&folder, Some(&package()), &BTreeMap::new()).expect("a zip");
        assert!(same());
        fs::create_dir(folder.join("lib/__pycache__")).expect("a folder");
        fs::write(folder.join("lib/__pycache__/a.cpython-313.pyc"), "byte code").expect("a file");
        assert!(same(), "what Python puts there is no change");
        for (name, text) in [("app.py", "x = 2"), ("more.py", ""), ("lib/__pycache__/a.py", ""), ("lib.pyc", "")] {
            let path = folder.join(name);
            let before = fs::read(&path).ok();
            fs::write(&path, text).expect("a file");
            assert!(!same(), "{name}");
            match before {
                Some(before) => fs::write(&path, before).expect("a file"),
                None => fs::remove_file(&path).expect("removed"),
            }
            assert!(same(), "{name}");
        }
        fs::rename(folder.join("lib"), dir.path().join("lib")).expect("moved");
        std::os::unix::fs::symlink(dir.path().join("lib"), folder.join("lib")).expect("a link");
        assert!(!same(), "a folder elsewhere");
    }
}
