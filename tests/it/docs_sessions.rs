//! The sessions of the documentation: what a page shows of a console is what the program prints.
//!
//! A page's blocks are run in their order, in a project that a test sets up as the page says. `…` in a block stands for what
//! is left out: on a line of its own for any lines, else for the rest of a word or line. Times, sizes and invented names are
//! compared as placeholders, on both sides.

use std::collections::{BTreeSet, VecDeque};
use std::fmt::Write as _;
use std::process::Command;

use regex::Regex;

use crate::support::{self, Project, Served, program, repository};

/// Blocks that no test here runs: the page, how the block begins, and why.
const NOT_RUN: &[(&str, &str, &str)] = &[
    ("README.md", "cargo run --release", "the first build and the whole of the tests: timed by hand, see the page"),
    ("CONTRIBUTING.md", "scripts/test", "the whole of the tests"),
    ("CONTRIBUTING.md", "cargo test --test it approval", "Cargo within Cargo"),
    ("docs/ci.md", "bedplate deploy movie-poster --target aws", "goes to an account"),
    (
        "docs/deploying.md",
        "bedplate logs movie-poster design",
        "depends on when the function failed; `logs` has tests of its own",
    ),
    ("docs/deploying.md", "aws s3 rb", "`engine::ownership` plays the same with the bucket's own requests"),
    (
        "docs/deploying.md",
        "export AWS_ENDPOINT_URL",
        "needs profiles and a second endpoint; `accounts` and `trust` have both",
    ),
    (
        "docs/local-target.md",
        "bedplate local serve",
        "runs until it is ended; every other block and `local_log` use it",
    ),
    ("docs/local-target.md", "aws cognito-idp", "`tests/local/cognito.py` makes the same calls with boto3"),
];

/// The pages of which a test below runs blocks.
const WALKED: &[&str] = &[
    "README.md",
    "docs/authoring.md",
    "docs/ci.md",
    "docs/components/layers.md",
    "docs/deploying.md",
    "docs/security.md",
    "docs/session.md",
];

/// What a block shows of one command.
#[derive(Debug)]
struct Shown {
    command: String,
    output: Vec<String>,
}

#[derive(Debug)]
struct Block {
    line: usize,
    shown: Vec<Shown>,
}

/// The text of the fenced blocks of a page in one language, each with the line it begins at.
fn fenced(page: &str, language: &str) -> Vec<(usize, String)> {
    let text = std::fs::read_to_string(repository().join(page)).expect("a page");
    let fence = format!("```{language}");
    let mut found = Vec::new();
    let mut lines = text.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        if line == fence {
            let body = lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```");
            found.push((at + 1, body.fold(String::new(), |text, line| text + line + "\n")));
        }
    }
    found
}

fn blocks(page: &str) -> VecDeque<Block> {
    let block = |(line, text): (usize, String)| {
        let mut shown: Vec<Shown> = Vec::new();
        for line in text.lines() {
            match (line.strip_prefix("$ "), shown.last_mut()) {
                (Some(command), _) => shown.push(Shown { command: command.to_owned(), output: Vec::new() }),
                (None, Some(last)) if last.command.ends_with('\\') => {
                    last.command.truncate(last.command.len() - 1);
                    last.command.push_str(line.trim_start());
                }
                (None, Some(last)) => last.output.push(line.to_owned()),
                (None, None) => panic!("{page}:{line}: a block that begins without a command"),
            }
        }
        Block { line, shown }
    };
    let is_run = |block: &Block| {
        !NOT_RUN.iter().any(|(of, begin, _)| *of == page && block.shown.iter().any(|it| it.command.starts_with(begin)))
    };
    fenced(page, "console").into_iter().map(block).filter(is_run).collect()
}

/// A page, and a project in which its blocks are run.
struct Walk {
    page: &'static str,
    project: Project,
    left: VecDeque<Block>,
}

impl Walk {
    fn new(page: &'static str, project: Project) -> Self {
        assert!(WALKED.contains(&page), "{page} is missing in WALKED");
        Self { page, project, left: blocks(page) }
    }

    /// A command in a shell, with the program and a Python that has boto3 in its path; both streams as a terminal has them.
    fn shell(&self, command: &str) -> (i32, String) {
        let python = support::judges();
        let bin = tempfile::tempdir().expect("a folder");
        std::os::unix::fs::symlink(program(), bin.path().join("bedplate")).expect("a link");
        let own = self.project.command::<&str>(&[]);
        let mut shell = Command::new("sh");
        shell.arg("-c").arg(format!("exec 2>&1; {command}")).current_dir(self.project.path()).env_clear();
        for (name, value) in own.get_envs() {
            let Some(value) = value else { continue };
            if name == "PATH" {
                let python = python.parent().expect("a folder").display();
                shell.env("PATH", format!("{}:{python}:{}", bin.path().display(), value.display()));
            } else {
                shell.env(name, value);
            }
        }
        let done = shell.stdin(std::process::Stdio::null()).output().expect("a shell");
        (done.status.code().unwrap_or(-1), String::from_utf8_lossy(&done.stdout).into_owned())
    }

    /// Does something the page does not show, which ends well.
    fn prepare(&self, command: &str) {
        let (code, output) = self.shell(command);
        assert!(code == 0 || code == 3, "{command}: {output}");
    }

    /// Runs the next block, whose last command ends with a code.
    fn next(&mut self, code: i32) {
        self.next_by(code, &|walk, command| walk.shell(command));
    }

    fn next_by(&mut self, code: i32, run: &dyn Fn(&Self, &str) -> (i32, String)) {
        let block = self.left.pop_front().unwrap_or_else(|| panic!("{} has no more blocks", self.page));
        let at = format!("{}:{}", self.page, block.line);
        let last = block.shown.len();
        for (index, shown) in block.shown.iter().enumerate() {
            let (ended, output) = run(self, &shown.command);
            let expected = if index + 1 == last { code } else { 0 };
            assert_eq!(ended, expected, "{at}: $ {}\n{output}", shown.command);
            if let Err(difference) = self.compare(&shown.output, &output) {
                panic!("{at}: $ {}\n{difference}\n-- printed\n{output}", shown.command);
            }
        }
    }

    /// Compares what a block shows with what was printed; a block that shows nothing leaves it out.
    fn compare(&self, shown: &[String], printed: &str) -> Result<(), String> {
        if shown.is_empty() {
            return Ok(());
        }
        let shown = self.plain(&shown.join("\n"));
        let printed = self.plain(printed);
        let mut printed: VecDeque<&str> = printed.lines().map(str::trim_end).filter(|line| !line.is_empty()).collect();
        let mut skip = false;
        for line in shown.lines().map(str::trim_end).filter(|line| !line.is_empty()) {
            if line.trim() == "…" {
                skip = true;
                continue;
            }
            let pattern: Vec<String> = line.split('…').map(regex::escape).collect();
            let pattern = Regex::new(&format!("^{}$", pattern.join(".*"))).expect("a pattern");
            let found = printed.iter().position(|printed| pattern.is_match(printed));
            match found {
                Some(at) if at == 0 || skip => drop(printed.drain(..=at)),
                _ => return Err(format!("shown:   {line}\nprinted: {}", printed.front().unwrap_or(&"nothing more"))),
            }
            skip = false;
        }
        match printed.front() {
            Some(line) if !skip => Err(format!("shown:   nothing more\nprinted: {line}")),
            _ => Ok(()),
        }
    }

    /// A text without what differs from run to run.
    fn plain(&self, text: &str) -> String {
        let again = |line: &&str| !line.contains("  packaging ");
        let text = support::redact(&self.project, text);
        let text = text.lines().filter(again).collect::<Vec<_>>().join("\n");
        let rules = [
            (r"\b[0-9]{8}T[0-9]{6}Z-[0-9a-f]{12}\b", "<picture>"),
            (r"-[0-9A-Z]{12}\b", "-<id>"),
            (r"\(job [0-9A-Z]{10}\)", "(job <id>)"),
            (r"used \d+ times?", "used <n> times"),
            (r" +<size>", " <size>"),
        ];
        rules.iter().fold(text, |text, (pattern, with)| {
            Regex::new(pattern).expect("a pattern").replace_all(&text, *with).into_owned()
        })
    }

    /// Every block has been run.
    fn end(self) {
        let lines: Vec<usize> = self.left.iter().map(|block| block.line).collect();
        assert!(lines.is_empty(), "{}: the blocks at lines {lines:?} were not run", self.page);
    }
}

/// A request as `curl` would send it: an address, `-d` and `-H`; gives the body of the answer.
fn curl(served: &Served, command: &str) -> String {
    let words = Regex::new(r"'([^']*)'|(\S+)").expect("a pattern");
    let words: Vec<String> = words
        .captures_iter(command)
        .map(|word| word.get(1).or(word.get(2)).expect("a word").as_str().to_owned())
        .collect();
    let (mut method, mut path, mut body) = ("GET", String::new(), String::new());
    let mut headers = Vec::new();
    let mut words = words.iter().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            "-d" => {
                method = "POST";
                body = words.next().expect("a body").clone();
                headers.push(("content-type", "application/x-www-form-urlencoded"));
            }
            "-H" => headers.push(words.next().and_then(|header| header.split_once(": ")).expect("a header")),
            address => path = address.split_once("4599").expect("an address of the endpoint").1.to_owned(),
        }
    }
    served.send(&format!("{method} {path}"), &headers, body.as_bytes()).2
}

fn edit(project: &Project, file: &str, from: &str, to: &str) {
    let text = project.read(file);
    assert!(text.contains(from), "{file} has no `{from}`");
    project.write(file, text.replacen(from, to, 1));
}

#[test]
fn every_block_is_run_or_says_why_not() {
    let mut pages: BTreeSet<String> = BTreeSet::new();
    let mut unknown = String::new();
    let folders = ["", "docs", "docs/components", "docs/decisions"];
    for folder in folders {
        for entry in std::fs::read_dir(repository().join(folder)).expect("a folder") {
            let name = entry.expect("an entry").file_name().to_string_lossy().into_owned();
            let page = if folder.is_empty() { name } else { format!("{folder}/{name}") };
            // Its examples are run by `findings_page`.
            if page.ends_with(".md") && page != "docs/findings.md" && !blocks(&page).is_empty() {
                pages.insert(page);
            }
        }
    }
    let walked: BTreeSet<String> = WALKED.iter().map(|page| (*page).to_owned()).collect();
    for page in pages.symmetric_difference(&walked) {
        let _ = writeln!(unknown, "{page}: its blocks are run by no test, or it has none");
    }
    for (page, begin, _) in NOT_RUN {
        if !fenced(page, "console").iter().any(|(_, text)| text.contains(&format!("$ {begin}"))) {
            let _ = writeln!(unknown, "{page} has no block that begins with `{begin}`");
        }
    }
    assert!(unknown.is_empty(), "{unknown}");
}

#[test]
fn the_readme_is_what_happens() {
    let project = Project::with("movie-poster");
    let page = "README.md";
    let first = |language| fenced(page, language).into_iter().next().expect("a block").1;
    project.write("stacks/verse/usecase.yaml", first("yaml"));
    project.write("stacks/verse/function/app.py", first("python"));
    let mut walk = Walk::new(page, project);
    walk.next(0);
    edit(&walk.project, "stacks/movie-poster/usecase.yaml", "timeout: 29s", "timeot: 29s");
    walk.next(1);
    walk.end();
}

#[test]
fn the_first_use_case_is_what_happens() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let mut walk = Walk::new("docs/authoring.md", project);
    let specs = fenced(walk.page, "yaml");
    walk.next(0);
    let spec = "stacks/greetings/usecase.yaml";
    let made: String = walk
        .project
        .read(spec)
        .lines()
        .filter(|line| !line.starts_with('#'))
        .fold(String::new(), |text, line| text + line + "\n");
    assert_eq!(made.trim_start(), specs[0].1, "the page shows what `new` writes");
    let first = walk.project.read(spec);
    let code = walk.project.read("stacks/greetings/function/app.py");
    walk.next(0);
    walk.project.write(spec, &specs[1].1);
    edit(&walk.project, spec, "app.handler", "ap.handler");
    walk.next(1);
    edit(&walk.project, spec, "ap.handler", "app.handler");
    walk.project.write("stacks/greetings/function/app.py", &fenced(walk.page, "python")[0].1);
    walk.next(0);
    walk.next(0);
    walk.project.write(spec, first);
    walk.project.write("stacks/greetings/function/app.py", code);
    walk.prepare("bedplate deploy greetings --yes --no-smoke");
    walk.next(0);
    walk.next(0);
    walk.end();
}

#[test]
fn the_session_is_what_happens() {
    let project = Project::with_all();
    let spec = "stacks/movie-poster/usecase.yaml";
    let mut walk = Walk::new("docs/session.md", project);
    walk.next(0);
    edit(&walk.project, spec, "timeout: 29s", "timeot: 29s");
    walk.next(1);
    edit(&walk.project, spec, "timeot: 29s", "timeout: 29s");
    // The layer is made before, as the page says.
    walk.prepare("bedplate plan movie-poster");
    walk.next(0);
    edit(&walk.project, spec, "memory: 512", "memory: 1024");
    walk.next(0);
    let served = walk.project.serve(&[]);
    let (_, outputs) = walk.shell("bedplate outputs movie-poster");
    let api =
        Regex::new("https://([0-9a-z]{10})[.]").expect("a pattern").captures(&outputs).expect("an API")[1].to_owned();
    let of_page = Regex::new("execute-api/[0-9a-z]{10}/").expect("a pattern");
    walk.next_by(0, &|walk, command| match command.split(' ').next() {
        Some("curl") => {
            let command = of_page.replace(command, format!("execute-api/{api}/"));
            (0, curl(&served, &command))
        }
        // It is running already.
        _ if command == "bedplate local serve &" => {
            let words = "Serving the local target, account 123456789012; credentials: local / local. Ctrl-C ends it.";
            (0, format!("{}\n{words}", served.url))
        }
        _ => walk.shell(command),
    });
    walk.next(0);
    walk.next(0);
    walk.next(0);
    walk.end();
}

#[test]
fn the_requests_of_the_security_page_are_refused_so() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    let mut walk = Walk::new("docs/security.md", project);
    walk.next_by(0, &|_, command| (0, curl(&served, command)));
    walk.end();
}

#[test]
fn the_commands_for_a_pipeline_end_as_they_should() {
    let mut walk = Walk::new("docs/ci.md", Project::with_all());
    walk.next(0);
    walk.next(3);
    walk.next(0);
    walk.prepare("bedplate destroy movie-poster --yes");
    walk.next(0);
    assert!(walk.project.read("smoke.xml").contains("<testsuite "));
    walk.next(0);
    assert!(walk.project.read(".env").contains("execute-api"));
    walk.next(0);
    walk.end();
}

#[test]
fn what_yes_does_not_cover_is_told_so() {
    let project = Project::empty();
    let spec = "stacks/shop/usecase.yaml";
    let table = |key: &str| {
        format!(
            "bedplate: 1\nname: shop\nregion: us-west-2\ndescription: A shop\n\n# What was ordered.\n\ntables:\n  orders: {{ \
             partition-key: {{ name: {key}, type: number }} }}\n"
        )
    };
    project.write(spec, table("id"));
    let mut walk = Walk::new("docs/deploying.md", project);
    walk.prepare("bedplate deploy shop --yes");
    walk.project.write(spec, table("number"));
    walk.next(4);
    walk.end();
}

#[test]
fn a_layer_is_pinned_so() {
    let mut walk = Walk::new("docs/components/layers.md", Project::with("movie-poster"));
    walk.next(0);
    walk.end();
}
