//! What a helper process is told of the environment: what is on a list, and nothing else. So it has no credentials of AWS or of
//! a pipeline, and nothing that makes Python or the linker load code.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::ProjectTree;

/// What passes as it is.
const PASSED: [&str; 28] = [
    "ALL_PROXY",
    "FTP_PROXY",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "LANG",
    "LANGUAGE",
    "LOGNAME",
    "NO_PROXY",
    "PIP_DEFAULT_TIMEOUT",
    "PIP_EXTRA_INDEX_URL",
    "PIP_INDEX_URL",
    "PIP_KEYRING_PROVIDER",
    "PIP_NO_CACHE_DIR",
    "PIP_NO_INDEX",
    "PIP_PROXY",
    "PIP_RETRIES",
    "PIP_TIMEOUT",
    "PIP_TRUSTED_HOST",
    "SOURCE_DATE_EPOCH",
    "TZ",
    "USER",
    "all_proxy",
    "ftp_proxy",
    "http_proxy",
    "https_proxy",
    "no_proxy",
    "PIP_PREFER_BINARY",
    "PIP_PRE",
];

/// What names one file or folder: a relative one is meant from the current folder, which a helper process is not in.
const PATHS: [&str; 14] = [
    "CURL_CA_BUNDLE",
    "HOME",
    "PIP_CACHE_DIR",
    "PIP_CERT",
    "PIP_CLIENT_CERT",
    "REQUESTS_CA_BUNDLE",
    "SSL_CERT_DIR",
    "SSL_CERT_FILE",
    "TEMP",
    "TMP",
    "TMPDIR",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
];

/// What names files with settings of pip's: where they are the project's, they are not for a helper process.
const SETTINGS: [&str; 2] = ["PIP_CONFIG_FILE", "XDG_CONFIG_DIRS"];

/// The environment of a helper process, by the one of this process.
pub fn environment(project: &ProjectTree) -> BTreeMap<OsString, OsString> {
    let here = std::env::current_dir().ok();
    select(std::env::vars_os(), here.as_deref(), project)
}

fn select(
    all: impl Iterator<Item = (OsString, OsString)>,
    here: Option<&Path>,
    project: &ProjectTree,
) -> BTreeMap<OsString, OsString> {
    let whole = |value: &OsStr| match here {
        Some(here) => here.join(value).into_os_string(),
        None => value.to_owned(),
    };
    let mut selected = BTreeMap::new();
    for (name, value) in all {
        let Some(text) = name.to_str() else { continue };
        let value = match text {
            _ if value.is_empty() => continue,
            _ if PASSED.contains(&text) || text.starts_with("LC_") => value,
            "PATH" => path(&value, project),
            "PIP_FIND_LINKS" => links(&value, &whole),
            _ if PATHS.contains(&text) => whole(&value),
            // `os.devnull` is pip's way of saying: no file.
            _ if SETTINGS.contains(&text) => {
                let mut paths = std::env::split_paths(&value);
                if !paths.all(|path| path.is_absolute() && !project.contains(&path)) {
                    continue;
                }
                value
            }
            _ => continue,
        };
        selected.insert(name, value);
    }
    selected
}

/// The folders of PATH that are somewhere in particular and not the project's.
fn path(value: &OsStr, project: &ProjectTree) -> OsString {
    let kept = std::env::split_paths(value).filter(|folder| folder.is_absolute() && !project.contains(folder));
    // Joining fails only for what splitting cannot have made.
    std::env::join_paths(kept).unwrap_or_default()
}

/// Addresses and folders, with spaces between them.
fn links(value: &OsStr, whole: &dyn Fn(&OsStr) -> OsString) -> OsString {
    let Some(text) = value.to_str() else { return whole(value) };
    let one = |link: &str| {
        let link = OsStr::new(link);
        if link.to_string_lossy().contains("://") { link.to_owned() } else { whole(link) }
    };
    text.split_whitespace().map(one).collect::<Vec<_>>().join(OsStr::new(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_on_the_list_does_not_pass() {
        let dir = tempfile::tempdir().expect("a folder");
        let project = dir.path().join("project");
        std::fs::create_dir_all(project.join("bin")).expect("a folder");
        let tree = ProjectTree::of(&project);
        let (inside, conf) =
            (project.join("bin").display().to_string(), project.join("pip.conf").display().to_string());
        let path = format!("/usr/bin::.:bin:{inside}:/bin");
        let select = |all: &[(&str, &str)]| {
            let all = all.iter().map(|(name, value)| (OsString::from(name), OsString::from(value)));
            select(all, Some(&project), &tree)
        };
        let selected = select(&[
            ("PATH", &path),
            ("HOME", "/home/me"),
            ("LC_ALL", "C"),
            ("https_proxy", "http://proxy"),
            ("PIP_INDEX_URL", "https://index"),
            ("PIP_FIND_LINKS", "wheels https://index/links /abs"),
            ("SSL_CERT_FILE", "ca.pem"),
            ("PIP_CONFIG_FILE", &conf),
            ("TZ", ""),
        ]);
        let certificates = project.join("ca.pem").display().to_string();
        let joined = project.join("wheels").display().to_string() + " https://index/links /abs";
        let expected = [
            ("HOME", "/home/me"),
            ("LC_ALL", "C"),
            ("PATH", "/usr/bin:/bin"),
            ("PIP_FIND_LINKS", &joined),
            ("PIP_INDEX_URL", "https://index"),
            ("SSL_CERT_FILE", &certificates),
            ("https_proxy", "http://proxy"),
        ];
        let expected = expected.map(|(name, value)| (OsString::from(name), OsString::from(value)));
        assert_eq!(selected, BTreeMap::from(expected));
        for name in [
            "AWS_ACCESS_KEY_ID",
            "AWS_SESSION_TOKEN",
            "AWS_PROFILE",
            "GITHUB_TOKEN",
            "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
            "CI_JOB_TOKEN",
            "PYTHONPATH",
            "PYTHONSTARTUP",
            "PYTHONHOME",
            "LD_PRELOAD",
            "LD_LIBRARY_PATH",
            "DYLD_INSERT_LIBRARIES",
            "NODE_OPTIONS",
            "PIP_TARGET",
            "PIP_REQUIREMENT",
            "PIP_CONSTRAINT",
            "PIP_NO_BINARY",
            "PIP_PYTHON",
            "PYENV_VERSION",
            "VIRTUAL_ENV",
        ] {
            assert_eq!(select(&[(name, "x")]), BTreeMap::new(), "{name}");
        }
    }
}
