//! Lists the files of the course's use cases, which `bedplate new --from` copies, for the binary.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("course.rs"), course()?)?;
    Ok(())
}

/// The files of the course's use cases that `bedplate new --from` copies, as a table of names and contents: all but tests
/// and what tells of the original.
fn course() -> Result<String, Box<dyn Error>> {
    let root = PathBuf::from(env::var_os("CARGO_MANIFEST_DIR").ok_or("CARGO_MANIFEST_DIR is not set")?);
    println!("cargo::rerun-if-changed=stacks");
    let mut files = Vec::new();
    walk(&root.join("stacks"), "", &mut files)?;
    files.sort();
    let mut table = String::from("&[\n");
    for (name, path) in files {
        writeln!(table, "    ({name:?}, include_bytes!({path:?})),")?;
    }
    table.push_str("]\n");
    Ok(table)
}

/// Names in a use case's folder that are not copied.
const NOT_COPIED: [&str; 4] = ["README.md", "__pycache__", "node_modules", "tests"];

fn walk(folder: &Path, name: &str, files: &mut Vec<(String, PathBuf)>) -> std::io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        let Some(own) = entry.file_name().to_str().map(str::to_owned) else { continue };
        if own.starts_with('.') || NOT_COPIED.contains(&own.as_str()) {
            continue;
        }
        let name = if name.is_empty() { own } else { format!("{name}/{own}") };
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &name, files)?;
        } else {
            files.push((name, entry.path()));
        }
    }
    Ok(())
}
