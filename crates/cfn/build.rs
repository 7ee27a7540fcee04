//! Turns the registry of findings, `schemas/findings.json`, into a table and a constant for each code, with examples from
//! `tests/findings`, and packs `schemas/cloudformation/*.json`: every resource type is compressed on its own, so that a
//! template pays for the types it uses and for no others. Files are cut at their lines, not parsed: `scripts/make-schemas`
//! starts each type with a quotation mark in the first column and ends it with a brace there.

use std::error::Error;
use std::fmt::Write as _;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::{env, fs, thread};

use flate2::Compression;
use flate2::write::DeflateEncoder;

/// A type's name and its JSON, braces included.
type Entry = (String, String);

/// The same, packed: name, length unpacked, deflate stream.
type Packed = (String, usize, Vec<u8>);

fn main() -> Result<(), Box<dyn Error>> {
    let source = Path::new("../../schemas/cloudformation");
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={}", source.display());

    let mut files: Vec<PathBuf> =
        fs::read_dir(source)?.map(|entry| entry.map(|entry| entry.path())).collect::<Result<_, _>>()?;
    files.sort();
    let mut entries: Vec<Entry> = Vec::new();
    for file in files {
        let is_types = file.extension().is_some_and(|extension| extension == "json")
            && file.file_stem().is_some_and(|stem| stem != "index");
        if is_types {
            cut(&fs::read_to_string(&file)?, &mut entries).map_err(|error| format!("{}: {error}", file.display()))?;
        }
    }
    entries.sort();

    let threads = thread::available_parallelism().map_or(1, usize::from);
    let share = entries.len().div_ceil(threads).max(1);
    let packed: Vec<Packed> = thread::scope(|scope| {
        let workers: Vec<_> =
            entries.chunks(share).map(|chunk| scope.spawn(move || chunk.iter().map(pack).collect())).collect();
        let mut all = Vec::with_capacity(entries.len());
        for worker in workers {
            let part: std::io::Result<Vec<Packed>> =
                worker.join().map_err(|_| std::io::Error::other("packing the schemas panicked"))?;
            all.extend(part?);
        }
        Ok::<_, std::io::Error>(all)
    })?;

    let mut index = String::from("&[\n");
    let mut bytes = Vec::new();
    for (name, length, stream) in packed {
        writeln!(index, "    ({name:?}, {}, {}, {length}),", bytes.len(), stream.len())?;
        bytes.extend_from_slice(&stream);
    }
    index.push_str("]\n");
    let out = PathBuf::from(env::var_os("OUT_DIR").ok_or("OUT_DIR is not set")?);
    let (table, codes) = findings()?;
    fs::write(out.join("findings.rs"), table)?;
    fs::write(out.join("codes.rs"), codes)?;
    fs::write(out.join("provider_schemas.rs"), index)?;
    fs::write(out.join("provider_schemas.bin"), bytes)?;
    Ok(())
}

/// The table of findings, and a constant for each code.
fn findings() -> Result<(String, String), Box<dyn Error>> {
    let source = "../../schemas/findings.json";
    println!("cargo::rerun-if-changed={source}");
    println!("cargo::rerun-if-changed=../../tests/findings");
    let registry: serde_json::Value = serde_json::from_str(&fs::read_to_string(source)?)?;
    let text = |value: &serde_json::Value, key: &str| {
        value[key].as_str().map(str::to_owned).ok_or_else(|| format!("{source}: `{key}` is missing in {value}"))
    };
    let list = |value: &serde_json::Value, key: &str| {
        value[key].as_array().cloned().ok_or_else(|| format!("{source}: `{key}` is not a list in {value}"))
    };
    let mut table = String::from("&[\n");
    let mut codes = String::new();
    let mut last = String::new();
    for group in list(&registry, "groups")? {
        let letter = text(&group, "letter")?;
        let title = text(&group, "title")?;
        writeln!(table, "    FindingGroup {{ letter: {letter:?}, title: {title:?}, kinds: &[")?;
        last.clear();
        for kind in list(&group, "findings")? {
            let code = text(&kind, "code")?;
            if !code.starts_with(&letter) || code <= last {
                return Err(format!("{source}: {code} is not in its place").into());
            }
            let (severity, title, fix) = (text(&kind, "severity")?, text(&kind, "title")?, text(&kind, "fix")?);
            let acceptable = kind["acceptable"].as_bool().unwrap_or_default();
            let example = example(&code)?;
            writeln!(
                table,
                "        FindingKind {{ code: {code:?}, severity: {severity:?}, title: {title:?}, fix: {fix:?}, \
                 acceptable: {acceptable}, example: {example:?} }},"
            )?;
            writeln!(codes, "#[doc = {title:?}]\npub const {code}: Code = Code({code:?});")?;
            last = code;
        }
        table.push_str("    ] },\n");
    }
    table.push_str("]\n");
    Ok((table, codes))
}

/// The most lines of a spec that is shown as an example.
const LONGEST_EXAMPLE: usize = 15;

/// A short spec that gives a finding: `tests/findings/CODE/usecase.yaml`, unless it takes other files than a function's code or
/// another command than `check`.
fn example(code: &str) -> Result<Option<String>, Box<dyn Error>> {
    let folder = Path::new("../../tests/findings").join(code);
    if !folder.is_dir() {
        return Ok(None);
    }
    let names: Vec<_> =
        fs::read_dir(&folder)?.map(|entry| entry.map(|entry| entry.file_name())).collect::<Result<_, _>>()?;
    if !names.iter().all(|name| name == "usecase.yaml" || name == "function") {
        return Ok(None);
    }
    let spec = fs::read_to_string(folder.join("usecase.yaml"))?;
    Ok(Some(spec).filter(|spec| spec.lines().count() <= LONGEST_EXAMPLE))
}

/// Appends the types of one file.
fn cut(text: &str, entries: &mut Vec<Entry>) -> Result<(), String> {
    let mut open: Option<Entry> = None;
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix('"') {
            let name = rest.strip_suffix("\": {").ok_or_else(|| format!("`{line}` starts no type"))?;
            if open.replace((name.to_owned(), String::from("{"))).is_some() {
                return Err(format!("{name} starts before the type above ends"));
            }
        } else if line.starts_with('}') {
            if let Some((name, mut body)) = open.take() {
                body.push('}');
                entries.push((name, body));
            }
        } else if let Some((_, body)) = &mut open {
            body.push_str(line.trim_start());
        }
    }
    match open {
        Some((name, _)) => Err(format!("{name} does not end")),
        None => Ok(()),
    }
}

fn pack((name, body): &Entry) -> std::io::Result<Packed> {
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::new(6));
    encoder.write_all(body.as_bytes())?;
    Ok((name.clone(), body.len(), encoder.finish()?))
}
