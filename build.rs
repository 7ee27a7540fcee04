//! Lists the files of the course's use cases, which `bedplate new --from` copies, for the binary, and takes the schema of a
//! spec apart into its definitions.

use std::error::Error;
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs};

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    fs::write(out.join("course.rs"), course()?)?;
    fs::write(out.join("language.rs"), language()?)?;
    Ok(())
}

/// The schema of a spec without its definitions, and those by name, sorted: each as text.
fn language() -> Result<String, Box<dyn Error>> {
    let source = "schemas/usecase.schema.json";
    println!("cargo::rerun-if-changed={source}");
    let mut schema: serde_json::Value = serde_json::from_str(&fs::read_to_string(source)?)?;
    let definitions = schema.as_object_mut().and_then(|schema| schema.shift_remove("$defs")).unwrap_or_default();
    let mut definitions: Vec<(String, String)> = definitions
        .as_object()
        .ok_or_else(|| format!("{source}: `$defs` is not an object"))?
        .iter()
        .map(|(name, definition)| (name.clone(), definition.to_string()))
        .collect();
    definitions.sort();
    Ok(format!("({:?}, &{definitions:?})\n", schema.to_string()))
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
