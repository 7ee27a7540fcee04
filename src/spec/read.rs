//! Reading a spec or project file, no larger than one may be and from nowhere but the project.

use std::path::Path;

use crate::files::{Root, Unopened};
use crate::finding::{Finding, Place, code};
use crate::yaml;

/// Reads a file of the project at `root`.
pub(super) fn read(root: &Root, path: &Path, shown: &str) -> Result<Vec<u8>, Vec<Finding>> {
    let limit = yaml::MAX_BYTES as u64;
    let refuse = |code, message: String, help: &str| {
        let start = Place { file: shown.to_owned(), line: 1, column: 1 };
        Err(vec![Finding::error(code, message).at(Some(start)).help(help)])
    };
    match root.read(path, limit) {
        Ok(bytes) => Ok(bytes),
        Err(Unopened::TooLarge { size, .. }) => Err(vec![yaml::too_large(size).finding(shown)]),
        Err(Unopened::Outside) => refuse(
            code::S230,
            format!("`{shown}` is a link to something outside the project"),
            "nothing outside the project is read: put the file itself there",
        ),
        Err(why @ Unopened::NotRegular(_)) => refuse(
            code::S007,
            format!("`{shown}` cannot be read: {why}"),
            "name the spec file itself, such as `usecase.yaml`",
        ),
        Err(why) => {
            refuse(code::S007, format!("cannot read `{shown}`: {why}"), "check the path and the file's permissions")
        }
    }
}
