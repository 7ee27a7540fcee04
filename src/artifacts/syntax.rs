//! Whether the Python code of functions can be read at all, and has the function that the handler names.
//!
//! A Python of this machine parses the sources and runs nothing of them; what it said is kept by their content, so that a
//! check of unchanged code starts no process. See `docs/decisions/how-python-code-is-checked.md`.

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::cache::Cache;
use super::list::{self, Listed};
use super::pip::PYTHONS;
use crate::files::Root;
use crate::finding::{Finding, Place, code};
use crate::helper::{Ended, ProjectTree, Script, Search, environment};
use crate::spec::{LoadedSpec, escape, handler_files, suggest};

/// The largest file that is parsed, and the most of all files of a use case together, in bytes.
const LARGEST: u64 = 256 << 10;
const MOST_BYTES: u64 = 512 << 10;

/// The most files of a use case that are parsed.
const MOST_FILES: usize = 300;

/// How long the Python may take on a machine that does much else; it has two seconds of a processor.
const PATIENCE: Duration = Duration::from_secs(6);

const SCRIPT: &str = include_str!("parse.py");

/// What a Python says of a source.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Parsed {
    /// Which Python said it, such as `3.13`.
    #[serde(default)]
    version: String,
    #[serde(default)]
    error: Option<String>,
    #[serde(default)]
    line: usize,
    #[serde(default)]
    column: usize,
    /// The names that the module defines.
    #[serde(default)]
    names: Vec<String>,
    /// Whether it may define others.
    #[serde(default)]
    open: bool,
    /// Whether it was too much to parse.
    #[serde(default)]
    unknown: bool,
}

/// The script's answer.
#[derive(Debug, Deserialize)]
struct ParserAnswer {
    version: String,
    answers: Vec<Parsed>,
}

/// A file of a function's code.
struct PythonFile {
    function: String,
    /// As findings name it.
    shown: String,
    text: String,
    digest: String,
    /// Whether it is what the handler names.
    is_handler: bool,
}

impl PythonFile {
    fn new(function: &str, path: &Path, text: String, is_handler: bool) -> Self {
        let digest = hex::encode(Sha256::new_with_prefix(SCRIPT).chain_update(&text).finalize());
        Self { function: function.to_owned(), shown: shown(path), text, digest, is_handler }
    }
}

/// What is wrong with the Python code of a use case's functions. `cache` is where what was parsed is kept; without one all
/// is parsed each time.
pub fn python_problems(loaded: &LoadedSpec, cache: Option<&Path>, project: &Path) -> Vec<Finding> {
    let mut findings = Vec::new();
    let sources = sources(loaded);
    if sources.is_empty() {
        return findings;
    }
    let cache = cache.and_then(|cache| Cache::open(cache).ok());
    let mut parsed: BTreeMap<String, Parsed> = BTreeMap::new();
    if let Some(cache) = &cache {
        for source in &sources {
            let kept = cache.parsed(&source.digest).and_then(|text| serde_json::from_slice(&text).ok());
            parsed.extend(kept.map(|kept| (source.digest.clone(), kept)));
        }
    }
    let mut missing: BTreeMap<&str, &str> = BTreeMap::new();
    for source in sources.iter().filter(|source| !parsed.contains_key(&source.digest)) {
        missing.insert(&source.digest, &source.text);
    }
    if !missing.is_empty() {
        match ask(&missing.values().copied().collect::<Vec<_>>(), project) {
            Ok(answers) => {
                for (digest, answer) in missing.keys().zip(answers) {
                    if let (Some(cache), Ok(text)) = (&cache, serde_json::to_vec(&answer)) {
                        cache.remember_parsed(digest, &text);
                    }
                    parsed.insert((*digest).to_owned(), answer);
                }
            }
            Err(why) => findings.push(
                Finding::note(code::A043, format!("the Python code of the functions was not parsed: {why}"))
                    .at(loaded.key_place("/functions"))
                    .help("syntax errors show when it is deployed and called; a `python3` on PATH finds them before"),
            ),
        }
    }
    for source in &sources {
        if let Some(parsed) = parsed.get(&source.digest) {
            findings.extend(judge(loaded, source, parsed));
        }
    }
    findings
}

/// The Python files of all functions, those of their handlers first.
fn sources(loaded: &LoadedSpec) -> Vec<PythonFile> {
    let mut found = Vec::new();
    let mut room = MOST_BYTES;
    let beside = Path::new(&loaded.file).parent().map(Path::to_owned).unwrap_or_default();
    for (name, function) in loaded.spec.functions.iter().filter(|(_, it)| it.runtime.starts_with("python")) {
        let inline = function.inline.as_ref().zip(loaded.files.get(&format!("/functions/{}/inline", escape(name))));
        if let Some((file, text)) = inline {
            found.push(PythonFile::new(name, &beside.join(file), text.clone(), true));
        }
        let Some(folder) = &function.code else { continue };
        let handlers = handler_files(&function.runtime, &function.handler).unwrap_or_default();
        // What cannot be listed is reported when it is packaged.
        let Ok(files) = list::code(&loaded.dir.join(folder), folder, None) else { continue };
        let Ok(root) = loaded.dir.join(folder).canonicalize().and_then(|folder| Root::new(&folder)) else { continue };
        let is_handler = |file: &Listed| handlers.contains(&file.name);
        let mut files: Vec<&Listed> = files.iter().filter(|file| file.name.ends_with(".py")).collect();
        files.sort_by_key(|file| !is_handler(file));
        for file in files {
            if found.len() >= MOST_FILES || file.size > LARGEST.min(room) {
                continue;
            }
            let Some(text) = root.read(&file.path, LARGEST).ok().and_then(|bytes| decoded(&bytes)) else { continue };
            room = room.saturating_sub(text.len() as u64);
            found.push(PythonFile::new(name, &beside.join(folder).join(&file.name), text, is_handler(file)));
        }
    }
    found
}

/// A source as text: UTF-8, which Python takes unless the file says otherwise.
fn decoded(bytes: &[u8]) -> Option<String> {
    let text = std::str::from_utf8(bytes).ok()?;
    Some(text.strip_prefix('\u{feff}').unwrap_or(text).to_owned())
}

/// A path without `./` and doubled slashes.
fn shown(path: &Path) -> String {
    path.components().collect::<PathBuf>().to_string_lossy().into_owned()
}

/// Lets a Python parse sources.
fn ask(sources: &[&str], project: &Path) -> Result<Vec<Parsed>, String> {
    let tree = ProjectTree::of(project);
    let search = Search::of(&PYTHONS, &tree);
    let folder = tempfile::Builder::new().prefix("bedplate-").tempdir().map_err(|error| error.to_string())?;
    let text = serde_json::to_vec(sources).map_err(|error| error.to_string())?;
    let mut input = tempfile::Builder::new().tempfile_in(folder.path()).map_err(|error| error.to_string())?;
    input.write_all(&text).map_err(|error| error.to_string())?;
    let mut why = "there is no `python3`".to_owned();
    for python in &search.found {
        let script = Script {
            python,
            text: SCRIPT,
            arguments: vec![input.path().as_os_str().to_owned()],
            environment: environment(&tree),
            folder: folder.path(),
        };
        match script.run(&|| false, Some(PATIENCE)) {
            Ok(Ended::Done(output)) if output.status.success() => {
                let answer: Result<ParserAnswer, _> = serde_json::from_slice(&output.stdout);
                match answer {
                    Ok(ParserAnswer { version, answers }) if answers.len() == sources.len() => {
                        let versioned = |answer| Parsed { version: version.clone(), ..answer };
                        return Ok(answers.into_iter().map(versioned).collect());
                    }
                    _ => why = "the `python3` gave no answer".to_owned(),
                }
            }
            Ok(Ended::TooLong) => return Err("it takes too long".to_owned()),
            Ok(_) => why = "the `python3` ended before it was done".to_owned(),
            Err(error) => why = error.to_string(),
        }
    }
    Err(why)
}

fn judge(loaded: &LoadedSpec, source: &PythonFile, parsed: &Parsed) -> Option<Finding> {
    let function = loaded.spec.functions.get(&source.function)?;
    let runtime = function.runtime.strip_prefix("python").unwrap_or_default();
    if let Some(error) = &parsed.error {
        let place = Place { file: source.shown.clone(), line: parsed.line.max(1), column: parsed.column.max(1) };
        let message = format!("Python cannot read this: {error}");
        // A newer Python may, and a file that nothing imports harms nobody.
        let older = minor(&parsed.version) < minor(runtime);
        return Some(match (older, source.is_handler) {
            (false, true) => Finding::error(code::A041, message)
                .at(Some(place))
                .help(format!("correct it: `functions.{}` cannot be called before", source.function)),
            (false, false) => Finding::warning(code::A041, message)
                .at(Some(place))
                .help("correct it: what imports this file fails; or leave the file out by a `.bedplateignore`"),
            (true, _) => Finding::warning(code::A041, format!("{message}, says Python {}", parsed.version))
                .at(Some(place))
                .help(format!("`{}` may read it; to be sure, check with that Python", function.runtime)),
        });
    }
    if !source.is_handler || parsed.unknown || parsed.open {
        return None;
    }
    let (module, wanted) = function.handler.rsplit_once('.')?;
    if parsed.names.iter().any(|name| name == wanted) {
        return None;
    }
    let place = loaded.place(&format!("/functions/{}/handler", escape(&source.function)));
    let names: Vec<&str> = parsed.names.iter().map(String::as_str).filter(|name| !name.starts_with('_')).collect();
    let help = match names.is_empty() {
        true => format!("write `def {wanted}(event, context):` there"),
        false => suggest(wanted, names.into_iter().take(20), "it defines"),
    };
    Some(
        Finding::error(
            code::A042,
            format!("`{}` defines no `{wanted}`, which `{module}.{wanted}` names", source.shown),
        )
        .at(place)
        .help(help),
    )
}

/// The second number of a Python's version; the first is 3.
fn minor(version: &str) -> u32 {
    version.split('.').nth(1).and_then(|minor| minor.parse().ok()).unwrap_or(0)
}
