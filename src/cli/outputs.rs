//! `bedplate outputs`: what a deployed stack gives back.

use std::collections::BTreeSet;
use std::fmt::Write as _;

use super::session::Session;
use super::stack_outputs::not_deployed;
use super::verb_result::VerbResult;
use crate::aws::Output;
use crate::engine;
use crate::engine::ExitCode;
use crate::finding::{Finding, code};
use crate::report::findings::on_one_line;
use crate::report::outputs::OutputsReport;
use crate::terminal::drives_a_terminal;

/// Print the outputs of a deployed stack: URLs, names, ids.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Examples:\n  bedplate outputs movie-poster\n  bedplate outputs movie-poster --format json\n  bedplate outputs movie-poster --env > .env"
)]
pub struct OutputsArgs {
    /// A use case: a name under stacks/, a folder or a spec file
    #[arg(value_name = "USE-CASE")]
    use_case: String,
    /// As lines for a `.env` file
    #[arg(long)]
    env: bool,
}

pub(super) fn run(session: &Session, args: &OutputsArgs) -> VerbResult {
    let specs = session.load(std::slice::from_ref(&args.use_case))?;
    session.block_on(async {
        for spec in &specs {
            let stack = session.stack_name(spec);
            let claim = session.claim(&spec.spec.name)?;
            let connection = session.connect("outputs of", &stack, session.region(Some(spec))?).await?;
            let outputs = engine::outputs(&connection.clients, &stack, &claim).await;
            connection.close().await;
            let Some(outputs) = outputs.map_err(|finding| vec![finding])? else {
                return Err(vec![not_deployed(&stack, &spec.spec.name)]);
            };
            if args.env {
                session.reporters.data(&env(&outputs)?)?;
            } else {
                let report = OutputsReport { outputs };
                session.reporters.result(&report)?;
                session.reporters.result(&session.local_addresses(&report.outputs).await?)?;
            }
        }
        Ok(ExitCode::Done)
    })
}

/// `KEY='value'`, a line each: upper case with underscores between words, quoted so that no shell reads more into it.
///
/// # Errors
/// Every output that cannot be such a line: what reads the lines would do something else than set a variable of one's own.
fn env(outputs: &[Output]) -> Result<String, Vec<Finding>> {
    let mut text = String::new();
    let mut findings = Vec::new();
    let mut names = BTreeSet::new();
    for output in outputs {
        let name = variable(&output.key);
        let wrong = if !is_variable(&name) {
            Some("has a name that no variable can have".to_owned())
        } else if is_listened_to(&name) {
            Some(format!("would set `{name}`, which shells, loaders or other programs listen to"))
        } else if output.value.chars().any(drives_a_terminal) {
            Some("has a value with line breaks or other control characters, and a line cannot hold it".to_owned())
        } else if !names.insert(name.clone()) {
            Some(format!("would set `{name}`, and so does another output"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            let message = format!("the output `{}` {wrong}", on_one_line(&output.key));
            let help = "rename the output in the spec, or take `--format json`, which holds any name and value";
            findings.push(Finding::error(code::P044, message).help(help));
        }
        let value = output.value.replace('\'', r"'\''");
        let _ = writeln!(text, "{name}='{value}'");
    }
    if findings.is_empty() { Ok(text) } else { Err(findings) }
}

/// An output's name as a variable's: `PostersApiUrl` is `POSTERS_API_URL`.
fn variable(key: &str) -> String {
    let mut name = String::new();
    let mut before_lower = false;
    for c in key.chars() {
        if c.is_ascii_uppercase() && before_lower {
            name.push('_');
        }
        before_lower = c.is_ascii_lowercase() || c.is_ascii_digit();
        name.push(c.to_ascii_uppercase());
    }
    name
}

/// Whether a name is one that a POSIX shell takes for a variable.
fn is_variable(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_alphabetic()) && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_')
}

/// Variables that make shells, loaders and common programs run or load something else, or send it elsewhere.
const LISTENED_TO: &str = "ALL_PROXY BASHOPTS BROWSER CDPATH CLASSPATH COMSPEC CURL_CA_BUNDLE CURL_HOME DOCKER_CONFIG \
    DOCKER_HOST EDITOR ENV FPATH FTP_PROXY GCONV_PATH GETCONF_DIR GITHUB_ENV GITHUB_OUTPUT GITHUB_PATH GITHUB_STATE \
    GITHUB_STEP_SUMMARY GITHUB_TOKEN GIT_ASKPASS GIT_DIR GIT_EDITOR GIT_EXEC_PATH GIT_EXTERNAL_DIFF GIT_PAGER \
    GIT_PROXY_COMMAND GIT_SEQUENCE_EDITOR GIT_SSH GIT_SSH_COMMAND GIT_TEMPLATE_DIR GLOBIGNORE GOFLAGS GOPATH GOPROXY \
    GOROOT GREP_OPTIONS HOME HOSTALIASES HTTPS_PROXY HTTP_PROXY IFS INPUTRC JAVA_OPTS JAVA_TOOL_OPTIONS JDK_JAVA_OPTIONS \
    KUBECONFIG LANG LANGUAGE LESSCLOSE LESSOPEN LOCALDOMAIN LOCPATH LOGNAME LUA_CPATH LUA_INIT LUA_PATH MAKEFLAGS \
    MANPAGER NLSPATH NODE_EXTRA_CA_CERTS NODE_OPTIONS NODE_PATH NODE_REPL_EXTERNAL_MODULE NODE_TLS_REJECT_UNAUTHORIZED \
    NO_PROXY PAGER PATH PATHEXT PHPRC PHP_INI_SCAN_DIR PROMPT_COMMAND PS1 PS2 PS3 PS4 PWD REQUESTS_CA_BUNDLE RES_OPTIONS \
    RUBYLIB RUBYOPT RUSTC_WRAPPER RUSTFLAGS SHELL SHELLOPTS SSH_ASKPASS SSH_AUTH_SOCK SSL_CERT_DIR SSL_CERT_FILE TEMP \
    TERM TERMINFO TMP TMPDIR TMPPREFIX USER VISUAL ZDOTDIR";

/// How the names of many such variables begin.
const LISTENED_TO_FROM: [&str; 17] = [
    "AWS_",
    "BASH_",
    "BEDPLATE_",
    "CARGO_",
    "DOTNET_",
    "DYLD_",
    "GEM_",
    "GIT_CONFIG",
    "GLIBC_",
    "LC_",
    "LD_",
    "MALLOC_",
    "NPM_CONFIG_",
    "PERL5",
    "PIP_",
    "PYTHON",
    "XDG_",
];

/// Whether a shell, a loader or another program does something else because of a variable. Those of Python have no underscore
/// where a component's name goes on with one, as in `PYTHON_FUNCTION_NAME`.
fn is_listened_to(name: &str) -> bool {
    LISTENED_TO.split(' ').any(|one| one == name)
        || (LISTENED_TO_FROM.iter().any(|from| name.starts_with(from)) && !name.starts_with("PYTHON_"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn env_lines_mean_their_value_to_a_shell() {
        let output = |key: &str, value: &str| Output {
            key: key.to_owned(),
            value: value.to_owned(),
            description: None,
            export: None,
        };
        let said = env(&[output("PostersApiUrl", "https://x/$HOME"), output("A1b", "it's")]);
        assert_eq!(said.expect("lines"), "POSTERS_API_URL='https://x/$HOME'\nA1B='it'\\''s'\n");
    }

    #[test]
    fn no_line_sets_what_a_shell_or_a_loader_listens_to() {
        let one = |key: &str, value: &str| {
            env(&[Output { key: key.to_owned(), value: value.to_owned(), description: None, export: None }])
        };
        for key in [
            "Path",
            "PATH",
            "LD_PRELOAD",
            "LdPreload",
            "LdLibraryPath",
            "Ifs",
            "Env",
            "BashEnv",
            "Pythonpath",
            "PYTHONPATH",
            "NodeOptions",
            "GitSshCommand",
            "AwsConfigFile",
            "HttpsProxy",
            "a b",
            "A=1\nB",
            "",
            "1A",
        ] {
            assert!(one(key, "x").is_err(), "{key}");
        }
        for key in
            ["PathsBucketName", "PythonFunctionName", "NodeFunctionName", "EnvBucketName", "HomeUrl", "UserPoolId"]
        {
            assert!(one(key, "x").is_ok(), "{key}");
        }
        for value in ["a\nPATH=/evil", "a\r", "a\u{1b}[2J", "a\u{2028}b"] {
            assert!(one("Url", value).is_err(), "{value:?}");
        }
        let twice = ["ApiUrl", "APIUrl", "ApiURL"].map(|key| Output {
            key: key.to_owned(),
            value: String::new(),
            description: None,
            export: None,
        });
        assert!(env(&twice).is_err());
    }
}
