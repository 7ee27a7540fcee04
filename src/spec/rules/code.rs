//! Code folders and handlers: there, inside the project, and where the runtime will look.

use crate::finding::code;
use std::path::{Path, PathBuf};

use super::context::Rules;
use crate::files::{Root, Unopened};
use crate::spec::types::Function;
use crate::spec::words::{cut, escape, suggest};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, function) in &spec.functions {
        let base = format!("/functions/{}", escape(name));
        runtime(rules, &base, function);
        let Some(beside) = rules.beside else { continue };
        let Some(code) = &function.code else { continue };
        if let Some(folder) = folder(rules, &format!("{base}/code"), beside, code, "code is") {
            handler(rules, &format!("{base}/handler"), &folder, function);
        }
    }
}

/// Whether a runtime could be one; which ones AWS still takes is for the facts to say.
fn runtime(rules: &mut Rules<'_>, base: &str, function: &Function) {
    const FAMILIES: [&str; 6] = ["python", "nodejs", "java", "dotnet", "ruby", "provided."];
    let name = &function.runtime;
    let fits = FAMILIES.iter().any(|family| name.strip_prefix(family).is_some_and(|version| !version.is_empty()))
        && name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'.');
    if !fits {
        let message = format!("`{}` is not a Lambda runtime", cut(name));
        rules.error(code::S013, &format!("{base}/runtime"), message, "write one such as `python3.13` or `nodejs22.x`");
    }
}

/// A folder beside the spec and inside the project; `is` says what has to be in one, such as `code is`.
pub(super) fn folder(
    rules: &mut Rules<'_>,
    pointer: &str,
    (dir, root): (&Path, &Root),
    code: &str,
    is: &str,
) -> Option<PathBuf> {
    if code.trim().is_empty() || Path::new(code).is_absolute() || code.contains('\\') {
        let message = format!("`{}` is not a folder beside the spec", cut(code));
        rules.error(code::S030, pointer, message, "write a path relative to the spec file, such as `function/`");
        return None;
    }
    let real = match root.resolve(&dir.join(code)) {
        Ok(real) => real,
        Err(Unopened::Outside) => {
            let message = format!("`{}` lies outside the project", cut(code));
            let help = "keep it in the spec's folder, or beside it in a project with a `bedplate.yaml`";
            rules.error(code::S030, pointer, message, help);
            return None;
        }
        Err(_) => {
            let message = format!("there is no folder `{}` beside the spec", cut(code));
            let help = siblings(dir, code);
            rules.error(code::S030, pointer, message, help);
            return None;
        }
    };
    if !real.is_dir() {
        let message = format!("`{}` is a file, and {is} a folder", cut(code));
        let parent = Path::new(code).parent().filter(|parent| !parent.as_os_str().is_empty());
        let help = match parent {
            Some(parent) => format!("write `{}/`", cut(&parent.to_string_lossy())),
            None => "put the file into a folder of its own and name that".to_owned(),
        };
        rules.error(code::S030, pointer, message, help);
        return None;
    }
    Some(real)
}

/// What is in the spec's folder that could have been meant.
fn siblings(dir: &Path, code: &str) -> String {
    let mut folders: Vec<String> = std::fs::read_dir(dir)
        .into_iter()
        .flatten()
        .flatten()
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| !name.starts_with('.'))
        .take(50)
        .collect();
    folders.sort();
    if folders.is_empty() {
        return "make it, with the handler's file in it".to_owned();
    }
    suggest(code.trim_end_matches('/'), folders.iter().map(String::as_str), "the folders there are")
}

fn handler(rules: &mut Rules<'_>, pointer: &str, folder: &Path, function: &Function) {
    let handler = &function.handler;
    let Some(files) = handler_files(&function.runtime, handler) else {
        let message = format!("`{}` does not name a function in a file", cut(handler));
        return rules.error(code::S031, pointer, message, "write `file.function`, such as `app.handler` for `app.py`");
    };
    if files.is_empty() || files.iter().any(|file| folder.join(file).is_file()) {
        return;
    }
    let first = files.first().cloned().unwrap_or_default();
    let message = format!("`{}` means `{first}`, and the code folder has no such file", cut(handler));
    let extension = Path::new(&first).extension().map(|e| e.to_owned()).unwrap_or_default();
    let mut stems: Vec<String> = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.path())
        .filter(|path| path.extension() == Some(extension.as_os_str()))
        .filter_map(|path| Some(path.file_name()?.to_string_lossy().into_owned()))
        .take(50)
        .collect();
    stems.sort();
    let help = match stems.is_empty() {
        true => "make the file, or name another".to_owned(),
        false => suggest(&first, stems.iter().map(String::as_str), "the folder has"),
    };
    rules.error(code::S031, pointer, message, help);
}

/// The files of which one must be there; none to look for in runtimes that are compiled. `None` when the handler has
/// not the form the runtime wants.
pub fn handler_files(runtime: &str, handler: &str) -> Option<Vec<String>> {
    let compiled = !(runtime.starts_with("python") || runtime.starts_with("nodejs") || runtime.starts_with("ruby"));
    if compiled {
        return Some(Vec::new());
    }
    let (module, function) = handler.rsplit_once('.')?;
    let plain = |text: &str| !text.is_empty() && !text.contains(char::is_whitespace) && !text.contains("..");
    if !plain(module) || !plain(function) || module.starts_with('/') || function.contains('/') {
        return None;
    }
    Some(match runtime {
        python if python.starts_with("python") => {
            let path = module.replace('.', "/");
            vec![format!("{path}.py"), format!("{path}/__init__.py")]
        }
        node if node.starts_with("nodejs") => {
            ["js", "mjs", "cjs"].iter().map(|extension| format!("{module}.{extension}")).collect()
        }
        _ => vec![format!("{module}.rb")],
    })
}
