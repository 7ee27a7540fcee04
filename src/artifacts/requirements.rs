//! The `requirements.txt` of a function's code: its packages are installed as those of a layer are, and put beside the code.

use std::fs::File;
use std::path::Path;

use sha2::{Digest, Sha256};

use super::artifact::Artifact;
use super::cache::{Cache, WorkFolder, io_problem};
use super::list::{self, Listed};
use crate::finding::{Finding, Place, code};
use crate::spec::{requirement_problem, requirements_problem};

/// The file, at the top of the code folder.
const NAME: &str = "requirements.txt";

/// The largest such file, in bytes.
const LARGEST: u64 = 64 << 10;

/// The requirements that the code of a Python function brings along; none where it has no such file, or an empty one.
pub(super) fn of_code(files: &[Listed], shown: &str, runtime: &str) -> Result<Vec<String>, Vec<Finding>> {
    let file = files.iter().find(|file| file.name == NAME);
    let Some(file) = file.filter(|_| runtime.starts_with("python")) else { return Ok(Vec::new()) };
    let shown = format!("{}/{NAME}", shown.trim_end_matches('/'));
    let unread = |why: String| {
        let message = format!("`{shown}` cannot be read: {why}");
        vec![Finding::error(code::A003, message).help("make it a text file of one package a line")]
    };
    if file.size > LARGEST {
        return Err(unread(format!("it has more than {} KiB", LARGEST >> 10)));
    }
    let text = std::fs::read_to_string(&file.path).map_err(|error| unread(error.to_string()))?;
    let (requirements, findings) = read(&text, &shown);
    if let Some((message, help)) = requirements_problem(&requirements) {
        return Err(vec![Finding::error(code::A044, message).help(help)]);
    }
    if findings.is_empty() { Ok(requirements) } else { Err(findings) }
}

/// One requirement a line; comments, empty lines and lines that a backslash continues as pip has them.
fn read(text: &str, shown: &str) -> (Vec<String>, Vec<Finding>) {
    let (mut requirements, mut findings) = (Vec::new(), Vec::new());
    let mut lines = text.strip_prefix('\u{feff}').unwrap_or(text).lines().zip(1..);
    while let Some((line, number)) = lines.next() {
        let mut whole = without_comment(line).to_owned();
        while let Some(start) = whole.strip_suffix('\\') {
            let next = lines.next().map_or("", |(line, _)| without_comment(line));
            whole = format!("{start} {}", next.trim_start());
        }
        let requirement = whole.split_whitespace().collect::<Vec<_>>().join(" ");
        if requirement.is_empty() {
            continue;
        }
        match requirement_problem(&requirement) {
            Some((message, help)) => {
                let place = Place { file: shown.to_owned(), line: number, column: 1 };
                findings.push(Finding::error(code::A044, message).at(Some(place)).help(help));
            }
            None => requirements.push(requirement),
        }
    }
    (requirements, findings)
}

/// A line without what follows a `#` at its start or behind white space.
fn without_comment(line: &str) -> &str {
    let mut before = ' ';
    for (at, c) in line.char_indices() {
        if c == '#' && before.is_whitespace() {
            return line.get(..at).unwrap_or_default().trim_end();
        }
        before = c;
    }
    line.trim_end()
}

/// What a zip of code with these packages is remembered under.
pub(super) fn key(code: &str, packages: &Artifact) -> String {
    let mut hash = Sha256::new_with_prefix(b"code with packages 1\n");
    hash.update(code);
    hash.update(&packages.sha256);
    hex::encode(hash.finalize())
}

/// The files of the packages, unpacked, less those that the code has itself; they last as long as the folder.
pub(super) fn beside(
    cache: &Cache,
    packages: &Artifact,
    code: Vec<Listed>,
) -> Result<(Vec<Listed>, WorkFolder), Vec<Finding>> {
    let folder = cache.work_folder()?;
    let target = folder.path().join("python");
    let failed = |error: std::io::Error| vec![io_problem("unpack the packages of a function", &error)];
    unpack(&packages.path, folder.path()).map_err(failed)?;
    let mut all = list::list_files(&target, &|_| true)?;
    for file in &mut all {
        file.name = file.name.strip_prefix("python/").unwrap_or(&file.name).to_owned();
    }
    all.retain(|file| !code.iter().any(|own| own.name == file.name));
    all.extend(code);
    all.sort_by(|a, b| a.name.as_bytes().cmp(b.name.as_bytes()));
    Ok((all, folder))
}

/// Unpacks a zip of the cache, which was made here.
fn unpack(zip: &Path, folder: &Path) -> std::io::Result<()> {
    let mut archive = zip::ZipArchive::new(File::open(zip)?)?;
    archive.extract(folder)?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_read_as_pip_reads_them() {
        let text = "# tools\nrequests==2.32.3  # of the web\n\nboto3>=1.35 ; python_version >= '3.9'\npyyaml \\\n    ==6.0.2\na#b\n";
        let (requirements, findings) = read(text, "f/requirements.txt");
        assert_eq!(requirements[..3], ["requests==2.32.3", "boto3>=1.35 ; python_version >= '3.9'", "pyyaml ==6.0.2"]);
        // What is no package and version, an option among them, is told at its line.
        assert_eq!(findings.iter().filter_map(|it| it.place.as_ref()).map(|it| it.line).collect::<Vec<_>>(), [7]);
        for line in ["-r other.txt", "--index-url https://x", "git+https://x/y", "./local"] {
            assert_eq!(
                read(&format!("\n{line}\n"), "f").1.first().and_then(|it| it.place.as_ref()).map(|it| it.line),
                Some(2)
            );
        }
    }
}
