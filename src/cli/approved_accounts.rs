//! Which accounts a user has agreed to, for each project and stage: kept in the user's own state folder, where a project
//! that somebody else wrote brings nothing of its own.

use std::collections::BTreeSet;
use std::io::Write as _;
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// The largest file that can be one of these.
const LARGEST: u64 = 64 << 10;

/// What was agreed to for one project, stage and place. The first three say to a reader what the file is about.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct ApprovedAccounts {
    project: String,
    stage: String,
    place: String,
    /// The accounts that were agreed to.
    approved: BTreeSet<String>,
    /// Where the last verb that changes something went.
    last: Option<String>,
    #[serde(skip)]
    file: Option<PathBuf>,
}

impl ApprovedAccounts {
    /// Reads what is known. What cannot be read is not known.
    pub(super) fn load(project: &Path, stage: &str, place: &str) -> Self {
        let project = project.canonicalize().unwrap_or_else(|_| project.to_owned());
        let mut digest = Sha256::new();
        for part in [project.as_os_str().as_encoded_bytes(), stage.as_bytes(), place.as_bytes()] {
            digest.update((part.len() as u64).to_be_bytes());
            digest.update(part);
        }
        let name = format!("{}.json", hex::encode(digest.finalize()));
        let file = folder(&project).map(|folder| folder.join(name));
        let known = file.as_deref().and_then(read).unwrap_or_default();
        Self { project: project.display().to_string(), stage: stage.to_owned(), place: place.to_owned(), file, ..known }
    }

    /// Whether an account was agreed to.
    pub(super) fn holds(&self, account: &str) -> bool {
        self.approved.contains(account)
    }

    /// The account that the last run went to, when it was another one.
    pub(super) fn changed_from(&self, account: &str) -> Option<&str> {
        self.last.as_deref().filter(|last| *last != account)
    }

    /// Keeps that a run goes to an account, and that the user has agreed to it.
    ///
    /// # Errors
    /// In words, when it cannot be kept.
    pub(super) fn keep(&mut self, account: &str, agreed: bool) -> Result<(), String> {
        let known = self.clone();
        self.last = Some(account.to_owned());
        if agreed {
            self.approved.insert(account.to_owned());
        }
        if *self == known {
            return Ok(());
        }
        let file = self.file.as_deref().ok_or("there is no state folder outside the project")?;
        self.write(file).map_err(|error| format!("`{}` cannot be written: {error}", file.display()))
    }

    fn write(&self, file: &Path) -> std::io::Result<()> {
        let folder = file.parent().unwrap_or(file);
        let mut builder = std::fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(folder)?;
        // Readable by its owner alone, and whole whenever somebody reads it.
        let mut temporary = tempfile::NamedTempFile::new_in(folder)?;
        temporary.write_all(&serde_json::to_vec_pretty(self)?)?;
        temporary.persist(file).map(|_| ()).map_err(|error| error.error)
    }
}

fn read(file: &Path) -> Option<ApprovedAccounts> {
    let found = std::fs::symlink_metadata(file).ok()?;
    if !found.is_file() || found.len() > LARGEST {
        return None;
    }
    serde_json::from_slice(&std::fs::read(file).ok()?).ok()
}

/// The user's state folder; none when there is none outside the project.
/// Source: XDG Base Directory Specification 0.8, `XDG_STATE_HOME`: a relative path is to be ignored.
fn folder(project: &Path) -> Option<PathBuf> {
    let set = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from).filter(|path| path.is_absolute());
    let base = set.or_else(|| {
        let home = std::env::home_dir().filter(|home| home.is_absolute())?;
        Some(home.join(if cfg!(target_os = "macos") { "Library/Application Support" } else { ".local/state" }))
    })?;
    // As far as it exists; what is made below it lies where it does.
    let real = base.ancestors().find_map(|path| path.canonicalize().ok())?;
    (!real.starts_with(project)).then(|| base.join("bedplate").join("accounts"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_agreed_to_is_known_by_its_file_alone() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("a/b.json");
        let mut known = ApprovedAccounts { file: Some(file.clone()), ..ApprovedAccounts::default() };
        assert!(!known.holds("111122223333") && known.changed_from("111122223333").is_none());
        known.keep("111122223333", true).expect("written");
        let again = read(&file).expect("a file");
        assert!(again.holds("111122223333") && !again.holds("444455556666"));
        assert_eq!(again.changed_from("444455556666"), Some("111122223333"));
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt as _;
            let mode = |path: &Path| std::fs::metadata(path).expect("it exists").permissions().mode() & 0o777;
            assert_eq!((mode(&file), mode(file.parent().expect("a folder"))), (0o600, 0o700));
        }
        // Where a run goes does not mean that somebody agreed.
        known.keep("444455556666", false).expect("written");
        assert!(!read(&file).expect("a file").holds("444455556666"));
    }

    #[test]
    fn what_is_no_such_file_is_not_known() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("x.json");
        std::fs::write(&file, "{").expect("a file");
        assert_eq!(read(&file), None);
        std::fs::File::create(&file).and_then(|file| file.set_len(1 << 30)).expect("a large file");
        assert_eq!(read(&file), None);
        assert_eq!(read(folder.path()), None);
    }
}
