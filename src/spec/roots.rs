//! Where a project begins: the folder beyond which nothing is read.

use std::path::Path;

use crate::files::{Root, plain};

/// The project file's name.
pub(super) const FILE: &str = "bedplate.yaml";

/// The spec file's name in a use case's folder.
pub(super) const SPEC: &str = "usecase.yaml";

/// The folder of the use cases, unless the project file names another.
pub(super) const STACKS: &str = "stacks";

/// The root of the project that a folder belongs to: the nearest one upwards that is marked as one, else itself. Nothing
/// outside of it is read for what lies in the folder.
///
/// # Errors
/// When there is no such folder.
pub fn root_of(dir: &Path) -> std::io::Result<Root> {
    let dir = plain(&std::path::absolute(dir)?);
    Root::new(marked(&dir).unwrap_or(&dir))
}

/// The nearest folder upwards that is the root of a project: it has a `bedplate.yaml`, or a `stacks` folder with a use
/// case in it. A project that another one only has by way of a link that leads out of it is no project: its files are not
/// the other's to read.
pub(super) fn marked(dir: &Path) -> Option<&Path> {
    let has_use_case = |folder: &Path| {
        let entries = std::fs::read_dir(folder.join(STACKS));
        entries.is_ok_and(|entries| entries.flatten().any(|entry| is_there(&entry.path().join(SPEC))))
    };
    let mut marked = dir.ancestors().filter(|folder| is_there(&folder.join(FILE)) || has_use_case(folder));
    let nearest = marked.next()?;
    let Ok(inner) = Root::new(nearest) else { return Some(nearest) };
    let holds = |outer: &&Path| Root::new(outer).is_ok_and(|outer| outer.resolve(inner.path()).is_ok());
    Some(marked.find(|outer| !holds(outer)).unwrap_or(nearest))
}

/// Whether there is a file, or a link that may lead to one.
pub(super) fn is_there(path: &Path) -> bool {
    std::fs::symlink_metadata(path).is_ok_and(|metadata| !metadata.is_dir())
}
