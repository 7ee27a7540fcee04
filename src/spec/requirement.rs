//! pip's requirements, as far as a layer takes them: names with versions, extras, markers and digests. Nothing in one makes pip
//! read another place or take an option, whether it stands on pip's command line or in a file of requirements.

use super::words::cut;

/// What pip takes for a file of this folder and not for a package. Source: `ARCHIVE_EXTENSIONS` in pip's
/// `_internal/utils/filetypes.py`, 23.2.1, looked at on 2026-11-29.
const ARCHIVES: [&str; 12] =
    [".zip", ".whl", ".tar.bz2", ".tbz", ".tar.gz", ".tgz", ".tar", ".tar.xz", ".txz", ".tlz", ".tar.lz", ".tar.lzma"];

/// The words of a marker. Source: PEP 508, and `_vendor/packaging/markers.py` of pip 23.2.1, looked at on 2026-11-29.
const MARKERS: [&str; 16] = [
    "and",
    "extra",
    "implementation_name",
    "implementation_version",
    "in",
    "not",
    "or",
    "os_name",
    "platform_machine",
    "platform_python_implementation",
    "platform_release",
    "platform_system",
    "platform_version",
    "python_full_version",
    "python_version",
    "sys_platform",
];

/// How pip writes a digest behind a requirement.
const HASH: &str = "--hash=";

/// A requirement without its digests.
pub fn without_hashes(requirement: &str) -> &str {
    requirement.split_once(HASH).map_or(requirement, |(before, _)| before).trim()
}

/// Why a pip requirement is refused, and what to do.
pub fn requirement_problem(requirement: &str) -> Option<(String, String)> {
    let text = requirement.trim();
    let shown = cut(&hide_credentials(text));
    let refused = |why: &str, help: &str| Some((format!("`{shown}` {why}"), help.to_owned()));
    if text.is_empty() {
        return Some(("a requirement is empty".to_owned(), "name a package, such as `boto3>=1.35`".to_owned()));
    }
    if text.starts_with('-') {
        return refused("is an option of pip, not a requirement", "name packages only, such as `boto3>=1.35`");
    }
    if text.chars().any(char::is_control) {
        return refused("holds a line break or another control character", "write each requirement as its own entry");
    }
    if !text.is_ascii() {
        return refused(
            "holds a character that no package's name or version has",
            "type it anew, such as `boto3>=1.35`",
        );
    }
    if text.contains('@') || text.contains("://") {
        return refused("names an address", "name a package of the index; set PIP_INDEX_URL for an index of your own");
    }
    if text.starts_with(['.', '/', '~']) || text.contains(['/', '\\']) || is_archive(text) {
        return refused("names a path", "name a package of the index; put code of your own into the function's folder");
    }
    let (plain, hashes) = match text.find(HASH) {
        Some(at) => text.split_at(at),
        None => (text, ""),
    };
    let are_hashes = hashes.is_empty() || (plain.ends_with(' ') && hashes.split_whitespace().all(is_hash));
    if !are_hashes {
        let help =
            "write it as pip does, `boto3==1.40.1 --hash=sha256:` with the wheel's 64 hexadecimal digits behind it";
        return refused("has a digest that is not valid", help);
    }
    let (before_marker, marker) = match plain.split_once(';') {
        Some((before, marker)) => (before, Some(marker)),
        None => (plain, None),
    };
    let Some(version) = version_of(before_marker.trim()).filter(|_| marker.is_none_or(is_marker)) else {
        let help = "write a package's name and version, such as `boto3>=1.35` or `requests==2.32.3`";
        return refused("is not a requirement", help);
    };
    let exact = version.starts_with("==") && !version.contains([',', '*']);
    if !hashes.is_empty() && !exact {
        return refused(
            "has a digest and no version of its own",
            "write one version with `==`, such as `boto3==1.40.1`",
        );
    }
    None
}

/// Why some requirements do not go together, and what to do.
pub fn requirements_problem(requirements: &[String]) -> Option<(String, String)> {
    let has_hash = |requirement: &&String| requirement.contains(HASH);
    requirements.iter().find(has_hash)?;
    let without = requirements.iter().find(|requirement| !has_hash(requirement))?;
    Some((
        format!("`{}` has no `--hash`, and other requirements of the layer have one", cut(without)),
        "pip takes digests for all packages or for none; `bedplate lock` pins all of them in a file of its own"
            .to_owned(),
    ))
}

/// Whether the name, with extras or a marker behind it or not, is that of a file.
fn is_archive(text: &str) -> bool {
    let name = text.split(['[', ';', ' ']).next().unwrap_or_default().to_ascii_lowercase();
    ARCHIVES.iter().any(|ending| name.ends_with(ending))
}

/// What stands behind a package's name and extras: its versions, perhaps in parentheses. None when it is no such thing.
fn version_of(text: &str) -> Option<&str> {
    let inner = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-');
    let name_end = text.find(|c: char| !inner(c)).unwrap_or(text.len());
    let (name, rest) = text.split_at(name_end);
    let is_name = |name: &str| {
        name.starts_with(|c: char| c.is_ascii_alphanumeric())
            && name.ends_with(|c: char| c.is_ascii_alphanumeric())
            && name.chars().all(inner)
    };
    if !is_name(name) {
        return None;
    }
    let version = match rest.trim_start().strip_prefix('[') {
        Some(inside) => {
            let (extras, version) = inside.split_once(']')?;
            if !extras.split(',').all(|extra| is_name(extra.trim())) {
                return None;
            }
            version
        }
        None => rest,
    };
    let version = version.trim();
    let bare = version.strip_prefix('(').and_then(|inside| inside.strip_suffix(')')).unwrap_or(version);
    (version.is_empty() || bare.split(',').all(|clause| is_version_clause(clause.trim()))).then_some(bare)
}

/// `>=1.35` and the like. An option hidden behind a space (`boto3 --pre`) is none.
fn is_version_clause(clause: &str) -> bool {
    let operators = ["===", "~=", "==", "!=", "<=", ">=", "<", ">"];
    let version = operators.iter().find_map(|operator| clause.strip_prefix(operator)).map(str::trim);
    version.is_some_and(|version| {
        version.starts_with(|c: char| c.is_ascii_alphanumeric())
            && version.chars().all(|c| c.is_ascii_alphanumeric() || "._*+!-".contains(c))
    })
}

/// Whether a text is made of a marker's words, operators and short texts, and so of no option; pip reads the rest.
fn is_marker(text: &str) -> bool {
    let mut rest = text.trim();
    if rest.is_empty() {
        return false;
    }
    while let Some(first) = rest.chars().next() {
        let length = match first {
            ' ' | '(' | ')' => 1,
            '"' | '\'' => {
                let Some((inside, _)) = rest.get(1..).and_then(|rest| rest.split_once(first)) else { return false };
                if !inside.chars().all(|c| c.is_ascii_alphanumeric() || " ._+*-".contains(c)) || inside.contains("--") {
                    return false;
                }
                inside.len() + 2
            }
            '<' | '>' | '=' | '!' | '~' => 1,
            _ => {
                let end = rest.find(|c: char| !(c.is_ascii_lowercase() || c == '_')).unwrap_or(rest.len());
                let (word, _) = rest.split_at(end);
                if !MARKERS.contains(&word) {
                    return false;
                }
                end
            }
        };
        rest = rest.get(length..).unwrap_or_default();
    }
    true
}

/// `--hash=sha256:` and its digits.
fn is_hash(text: &str) -> bool {
    let digits = text.strip_prefix(HASH).and_then(|hash| hash.split_once(':'));
    digits.is_some_and(|(algorithm, digits)| {
        let length = match algorithm {
            "sha256" => 64,
            "sha384" => 96,
            "sha512" => 128,
            _ => return false,
        };
        digits.len() == length && digits.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
    })
}

/// An address without the user and password before its host.
fn hide_credentials(text: &str) -> String {
    match (text.split_once("://"), text.rsplit_once('@')) {
        (Some((scheme, _)), Some((_, host))) if text.contains("://") => format!("{scheme}://…@{host}"),
        _ => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_names_versions_markers_and_digests() {
        let digest = "ab".repeat(32);
        let hashed = format!("boto3==1.40.1 --hash=sha256:{digest} --hash=sha256:{digest}");
        let marked = format!("boto3==1.40.1; python_version >= \"3.9\" --hash=sha256:{digest}");
        for fits in [
            "boto3",
            "boto3>=1.35",
            "boto3[crt] ~= 1.35, !=1.36",
            "zope.interface (>=5)",
            "a; python_version < '3.9' and (sys_platform == \"linux\" or extra != 'x')",
            "a; platform_machine not in \"x86_64 aarch64\"",
            &hashed,
            &marked,
        ] {
            assert_eq!(requirement_problem(fits), None, "{fits}");
        }
        let (early, starred) = (format!("boto3 --hash=sha256:{digest}"), format!("boto3==1.* --hash=sha256:{digest}"));
        for refused in [
            "-r x",
            "--index-url=http://x",
            "pkg @ file:///x.whl",
            "pkg@x",
            "a\n--pre",
            "a\\",
            "a --pre",
            "a==1 --no-binary=:all:",
            "evil-1.0-py3-none-any.whl",
            "evil.ZIP",
            "evil.whl[extra]",
            "evil.tar.gz; python_version > '3'",
            "evil-1.0.tar.gz",
            "a;",
            "a; python_version > '3' --index-url http",
            "a; python_version > '3' -r x",
            "a; python_version > '3 --pre'",
            "a; os.system('x')",
            "a; x == '${HOME}'",
            "a==${VERSION}",
            "a # comment",
            "a[--pre]",
            "a[b c]",
            "а==1",
            "a\u{a0}==1",
            "a\u{2028}b",
            "boto3==1 --hash=md5:00",
            "boto3==1 --hash=sha256:zz",
            "boto3==1--hash=sha256:00",
            &early,
            &starred,
            &format!("{hashed} --pre"),
            &format!("{hashed} -r x"),
        ] {
            assert!(requirement_problem(refused).is_some(), "{refused}");
        }
        assert_eq!(without_hashes(&hashed), "boto3==1.40.1");
        assert_eq!(requirements_problem(std::slice::from_ref(&hashed)), None);
        assert!(requirements_problem(&[hashed, "b".to_owned()]).is_some());
    }
}
