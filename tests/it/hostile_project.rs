//! A project from a stranger: what it links to, pipes, devices, names that drive a terminal. Looking at it reads nothing outside
//! of it, ends, and says nothing that is not its own.

use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{Project, sources};

/// Stands in every file outside the project, on every line.
const SECRET: &str = "KEEP-THIS-PRIVATE";

const SPEC: &str = "bedplate: 1
name: x
buckets:
  b: { documents: documents/ }
tables:
  t: { partition-key: { name: id }, seed: rows.yaml }
models:
  m: { id: 'amazon.nova-lite-v1:0', output: text }
functions:
  f: { code: code/, handler: app.handler, runtime: python3.13 }
agents:
  a:
    model: m
    instruction: You are a helpful assistant who answers questions at some length.
    tools:
      t: { function: f, description: d, openapi: api.yaml }
";

const API: &str = "openapi: 3.0.0
info: { title: x, version: '1' }
paths:
  /p:
    get:
      operationId: op
      description: d
      responses: { '200': { description: ok } }
";

/// A whole project, in a folder beside one with private files.
fn project() -> (Project, tempfile::TempDir) {
    let project = Project::empty();
    for (name, text) in [
        ("bedplate.yaml", "{}\n"),
        ("stacks/x/usecase.yaml", SPEC),
        ("stacks/x/rows.yaml", "- id: a\n"),
        ("stacks/x/api.yaml", API),
        ("stacks/x/code/app.py", "def handler(event, context): return 1\n"),
        ("stacks/x/documents/text.txt", "text\n"),
        ("templates/bucket.yaml.hbs", include_str!("../../templates/bucket.yaml.hbs")),
    ] {
        project.write(name, text);
    }
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::write(outside.path().join("file"), format!("{SECRET}\n: [ {SECRET}\n").repeat(3)).expect("a file");
    std::fs::create_dir(outside.path().join("folder")).expect("a folder");
    for name in ["usecase.yaml", "bucket.yaml.hbs", "app.py", "text.txt", ".gitignore", "file"] {
        let text = format!("{SECRET}: [ {SECRET}\n");
        std::fs::write(outside.path().join("folder").join(name), text).expect("a file");
    }
    (project, outside)
}

/// What the program says, and its exit code; within half a minute.
fn said(project: &Project, args: &[&str]) -> (i32, String) {
    let log = project.path().join("log");
    let file = || Stdio::from(std::fs::OpenOptions::new().create(true).append(true).open(&log).expect("a file"));
    let _ = std::fs::remove_file(&log);
    let mut child = project.command(args).stdout(file()).stderr(file()).spawn().expect("the program starts");
    let started = Instant::now();
    let status = loop {
        if let Some(status) = child.try_wait().expect("a status") {
            break status;
        }
        if started.elapsed() > Duration::from_secs(60) {
            child.kill().expect("it ends");
            panic!("{args:?} does not end");
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    let text = String::from_utf8_lossy(&std::fs::read(&log).expect("a log")).into_owned();
    (status.code().unwrap_or_else(|| panic!("{args:?} ended by {status}: {text}")), text)
}

/// What looks at a project and at nothing else.
const LOOKING: [&[&str]; 4] =
    [&["check"], &["check", "stacks/x", "--format", "github"], &["render", "x"], &["plan", "--offline", "x"]];

/// Puts something into the place of a file of the project, and looks at the project.
fn replaced(what: &str, name: &str, put: impl Fn(&Path, &Path)) {
    let (project, outside) = project();
    let path = project.path().join(name);
    let _ = std::fs::remove_file(&path);
    let _ = std::fs::remove_dir_all(&path);
    put(&path, outside.path());
    for args in LOOKING {
        let (code, text) = said(&project, args);
        assert!(!text.contains(SECRET), "{what} as {name}, {args:?}: {text}");
        // Packaging code is for a deploy, and what a bucket is filled with too.
        if !name.contains("code/") && !name.ends_with("text.txt") {
            assert_eq!(code, 1, "{what} as {name}, {args:?}: {text}");
        }
    }
}

const FILES: [&str; 8] = [
    "bedplate.yaml",
    "stacks/x/usecase.yaml",
    "stacks/x/rows.yaml",
    "stacks/x/api.yaml",
    "stacks/x/documents/.gitignore",
    "stacks/x/documents/.bedplateignore",
    "templates/bucket.yaml.hbs",
    "stacks/x/code/app.py",
];

const FOLDERS: [&str; 5] = ["stacks", "stacks/x", "stacks/x/documents", "stacks/x/code", "templates"];

#[test]
fn the_project_itself_is_sound() {
    let (project, _outside) = project();
    for args in LOOKING {
        let (code, text) = said(&project, args);
        assert_eq!(code, 0, "{args:?}: {text}");
    }
}

#[test]
fn a_link_to_a_file_outside_is_not_followed() {
    for name in FILES {
        replaced("a link", name, |path, outside| symlink(outside.join("file"), path).expect("a link"));
    }
}

#[test]
fn a_link_to_a_folder_outside_is_not_followed() {
    for name in FOLDERS {
        replaced("a link", name, |path, outside| {
            // A folder of use cases has them one further down.
            let to = if name == "stacks" {
                std::fs::create_dir_all(outside.join("all")).expect("a folder");
                std::fs::rename(outside.join("folder"), outside.join("all/x")).expect("moved");
                outside.join("all")
            } else {
                outside.join("folder")
            };
            symlink(to, path).expect("a link");
        });
    }
}

/// Another project of the reader's is outside, too, although it would be a project of its own.
#[test]
fn a_link_to_another_project_is_not_followed() {
    let (project, outside) = project();
    std::fs::write(outside.path().join("folder/bedplate.yaml"), "{}\n").expect("a file");
    std::fs::remove_dir_all(project.path().join("stacks/x")).expect("removed");
    symlink(outside.path().join("folder"), project.path().join("stacks/x")).expect("a link");
    for args in [&["check"][..], &["check", "stacks/x"], &["check", "x"], &["check", "stacks/x/usecase.yaml"]] {
        let (code, text) = said(&project, args);
        assert!(code == 1 && !text.contains(SECRET), "{args:?}: {text}");
    }
    // Nor where the reader stands elsewhere and names it.
    let elsewhere = Project::empty();
    let named = project.path().join("stacks/x");
    let (code, text) = said(&elsewhere, &["check", named.to_str().expect("a name")]);
    assert!(code == 1 && !text.contains(SECRET), "{text}");
}

#[test]
fn a_lone_spec_reads_its_own_folder_only() {
    let (_, outside) = project();
    let lone = Project::empty();
    symlink(outside.path().join("file"), lone.path().join("usecase.yaml")).expect("a link");
    let (code, text) = said(&lone, &["check", "usecase.yaml"]);
    assert!(code == 1 && text.contains("[S230]") && !text.contains(SECRET), "{text}");
    std::fs::remove_file(lone.path().join("usecase.yaml")).expect("removed");
    let path = outside.path().join("file");
    for named in ["../../../../../../../etc/passwd".to_owned(), path.display().to_string()] {
        lone.write("usecase.yaml", format!("bedplate: 1\nname: x\ntemplate: {named}\n"));
        let (code, text) = said(&lone, &["check", "usecase.yaml"]);
        assert!(code == 1 && text.contains("[S048]"), "{text}");
        assert!(!text.contains(SECRET) && !text.contains("root:"), "{text}");
    }
}

#[test]
fn a_pipe_is_not_waited_for() {
    for name in FILES {
        replaced("a pipe", name, |path, _| {
            assert!(Command::new("mkfifo").arg(path).status().expect("mkfifo").success());
        });
    }
}

#[test]
fn a_device_and_a_socket_are_no_files() {
    for name in FILES {
        replaced("a device", name, |path, _| symlink("/dev/zero", path).expect("a link"));
    }
    replaced("a socket", "stacks/x/rows.yaml", |path, _| {
        drop(std::os::unix::net::UnixListener::bind(path).expect("a socket"));
    });
}

#[test]
fn a_folder_and_a_circle_of_links_are_no_files() {
    for name in FILES {
        // A folder of that name marks no project.
        if name != "bedplate.yaml" {
            replaced("a folder", name, |path, _| std::fs::create_dir(path).expect("a folder"));
        }
        replaced("a circle", name, |path, _| symlink(path, path).expect("a link"));
    }
}

#[test]
fn the_saved_template_may_lie_anywhere_and_must_be_a_file() {
    let (project, outside) = project();
    let against =
        |path: &Path| said(&project, &["plan", "--offline", "x", "--against", path.to_str().expect("a name")]);
    let (code, template) = said(&project, &["render", "x", "--template-format", "json"]);
    assert_eq!(code, 0, "{template}");
    let saved = outside.path().join("saved.json");
    std::fs::write(&saved, &template).expect("a file");
    let (code, text) = against(&saved);
    assert_eq!(code, 0, "{text}");
    let pipe = outside.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().expect("mkfifo").success());
    for path in [&pipe, Path::new("/dev/zero"), outside.path()] {
        let (code, text) = against(path);
        assert!(code == 1 && text.contains("[P031]"), "{}: {text}", path.display());
    }
    std::fs::write(&saved, " ".repeat((1 << 20) + 1)).expect("a file");
    let (code, text) = against(&saved);
    assert!(code == 1 && text.contains("[P031]"), "{text}");
}

#[test]
fn a_link_that_stays_in_the_project_is_followed() {
    let (project, _outside) = project();
    let moved = project.path().join("stacks/rows.yaml");
    std::fs::rename(project.path().join("stacks/x/rows.yaml"), &moved).expect("moved");
    symlink("../rows.yaml", project.path().join("stacks/x/rows.yaml")).expect("a link");
    symlink("x", project.path().join("stacks/y")).expect("a link");
    let (code, text) = said(&project, &["check", "stacks/x"]);
    assert_eq!(code, 0, "{text}");
}

#[test]
fn names_and_values_drive_no_terminal_and_forge_no_annotation() {
    let project = Project::empty();
    let evil = "a\u{1b}[2J\u{202e}b";
    project.write(
        "stacks/::error ::forged/usecase.yaml",
        format!("bedplate: 1\nname: x\n\"one\\n::error ::forged\": 1\n'{}': 2\n", evil.replace('\u{1b}', "")),
    );
    project.write(&format!("stacks/{evil}\n::error ::forged/usecase.yaml"), "bedplate: 1\nname: y\nnonsense: 1\n");
    project.write(
        "stacks/z/usecase.yaml",
        "bedplate: 1\nname: z\nresources:\n  A: { Type: \"AWS::S3::Nope\\n::error ::forged\\e[2J\", Properties: { \"B\\n::warning ::forged\": 1 } }\n",
    );
    for args in [&["check"][..], &["check", "--format", "github"], &["list", "--format", "github"]] {
        for folder in ["", "stacks"] {
            let output = project.command(args).current_dir(project.path().join(folder)).output().expect("it starts");
            let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
            let control = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!text.contains(control), "{args:?}: {text:?}");
            for line in text.lines().map(str::trim_start).filter(|line| line.starts_with("::")) {
                assert!(
                    args.contains(&"github") && line.contains(",title="),
                    "{args:?} in {folder:?}: a line is a command that nobody gave: {line:?}"
                );
            }
        }
    }
}

/// What a rule calls a secret is not shown by the line under a finding either, whatever file it is in.
#[test]
fn no_line_under_a_finding_shows_a_credential() {
    let (id, key) = ("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY");
    let spec = |more: &str| format!("bedplate: 1\nname: x\n{more}");
    for (files, code) in [
        (vec![("usecase.yaml", spec(&format!("description: {id} {key}\n")))], "S044"),
        (vec![("usecase.yaml", spec(&format!("nonsense: {id} {key}\n")))], "S010"),
        (vec![("usecase.yaml", spec(&format!("description: [{id}, {key}\n")))], "S001"),
        (
            vec![
                ("usecase.yaml", spec("template: t.yaml\n")),
                (
                    "t.yaml",
                    format!(
                        "Resources:\n  A: {{ Type: AWS::S3::Bucket, Properties: {{ BucketName: {id}, No: {key} }} }}\n"
                    ),
                ),
            ],
            "T206",
        ),
        (
            vec![
                ("usecase.yaml", spec("buckets: { b: {} }\n")),
                ("bedplate.yaml", format!("stages:\n  dev: {{ nonsense: {id}, account: {key} }}\n")),
            ],
            "P002",
        ),
        (
            vec![
                ("usecase.yaml", spec("tables: { t: { partition-key: { name: id }, seed: s.csv } }\n")),
                ("s.csv", format!("id\n\"{id}\"\n{id},{key}\n")),
            ],
            "S070",
        ),
    ] {
        for format in ["text", "json", "github"] {
            let project = Project::empty();
            for (name, text) in &files {
                project.write(name, text);
            }
            let (exit, text) = said(&project, &["check", "usecase.yaml", "--format", format]);
            assert!(exit == 1 && text.contains(code), "{text}");
            for secret in [id, key, &id[..12], &key[..20]] {
                assert!(!text.contains(secret), "{code} {format}: {text}");
            }
        }
    }
}

/// A project file that somebody else has put into a folder above, as anybody can in `/tmp`, decides nothing.
#[test]
fn a_project_file_above_that_is_somebody_elses_is_refused() {
    let project = Project::empty();
    project.write("bedplate.yaml", "stages:\n  dev: { target: aws, region: us-west-2 }\n");
    project.write("own/usecase.yaml", "bedplate: 1\nname: own\nbuckets: { b: {} }\n");
    let check = |project: &Project| {
        let mut command = project.command(&["check", "usecase.yaml"]);
        let output = command.current_dir(project.path().join("own")).output().expect("it runs");
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    assert_eq!(check(&project).0, Some(0), "one's own counts");
    let foreign = std::os::unix::fs::chown(project.path().join("bedplate.yaml"), Some(12_345), None);
    if let Err(error) = foreign {
        // Only the administrator may give files away.
        assert_eq!(error.kind(), std::io::ErrorKind::PermissionDenied);
        return;
    }
    let (code, said) = check(&project);
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("error[P077]") && said.contains("belongs to another user (12345)"), "{said}");
}

/// Every verb that writes a file, with the file or folder it writes to.
const WRITING: [(&[&str], &str); 6] = [
    (&["render", "x", "--out", "out"], "out/x-dev.template.yaml"),
    (&["render", "x", "--out", "out/deeper"], "out"),
    (&["deploy", "x", "--yes", "--junit", "out/smoke.xml"], "out/smoke.xml"),
    (&["new", "aaa"], "stacks"),
    (&["man", "--out", "out"], "out/bedplate.1"),
    (&["man", "--out", "out"], "out"),
];

/// A small use case whose deployment tries something.
const TRIED: &str = "bedplate: 1
name: x
functions:
  f: { code: code/, handler: app.handler, runtime: python3.13 }
smoke:
  - invoke: functions.f
";

fn tried() -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "{}\n");
    project.write("stacks/x/usecase.yaml", TRIED);
    project.write("stacks/x/code/app.py", "def handler(event, context): return 1\n");
    project
}

/// The names of all that is in a folder, and what the files say.
fn everything(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut all: Vec<(String, String)> = entries
        .flat_map(|path| match path.is_dir() {
            true => everything(&path),
            false => vec![(path.display().to_string(), std::fs::read_to_string(&path).expect("a file"))],
        })
        .collect();
    all.sort();
    all
}

#[test]
fn nothing_is_written_through_a_link_of_the_project() {
    for (args, name) in WRITING {
        let project = tried();
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::write(outside.path().join("bashrc"), "mine\n").expect("a file");
        let path = project.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
        let to = if name.contains('.') { outside.path().join("bashrc") } else { outside.path().to_owned() };
        if name == "stacks" {
            // What is named there is not a use case, so that it is no project of its own.
            std::fs::remove_dir_all(&path).expect("removed");
        }
        symlink(&to, &path).expect("a link");
        let (code, text) = said(&project, args);
        assert!(code == 1 && text.contains("[P043]"), "{args:?}: {text}");
        let left = everything(outside.path());
        assert!(left.len() == 1 && left[0].1 == "mine\n", "{args:?} wrote outside: {left:?}\n{text}");
        assert!(path.is_symlink(), "{args:?} took the link away");
        // Nor by the whole path, nor from another folder, nor by a link that leads nowhere yet.
        std::fs::remove_file(&path).expect("removed");
        symlink(outside.path().join("new"), &path).expect("a link");
        let (code, text) = said(&project, args);
        assert!(code == 1 && everything(outside.path()).len() == 1, "{args:?}: {text}");
    }
}

#[test]
fn a_whole_path_leads_through_no_link_of_the_project_either() {
    let project = tried();
    let outside = tempfile::tempdir().expect("a folder");
    symlink(outside.path(), project.path().join("out")).expect("a link");
    // A link of the reader's own leads into the project, and there a link of the project leads out.
    let own = tempfile::tempdir().expect("a folder");
    symlink(project.path(), own.path().join("link")).expect("a link");
    for out in [project.path().join("out"), own.path().join("link/out"), own.path().join("link/stacks/../out/a")] {
        let (code, text) = said(&project, &["render", "x", "--out", out.to_str().expect("a name")]);
        assert!(code == 1 && text.contains("[P043]"), "{}: {text}", out.display());
    }
    assert!(everything(outside.path()).is_empty());
}

#[test]
fn what_the_reader_names_outside_the_project_is_written() {
    let project = tried();
    let outside = tempfile::tempdir().expect("a folder");
    std::fs::create_dir(outside.path().join("real")).expect("a folder");
    symlink("real", outside.path().join("link")).expect("a link");
    std::fs::write(outside.path().join("real/kept"), "").expect("a file");
    let out = outside.path().join("link/deep/er");
    let (code, text) = said(&project, &["render", "x", "--out", out.to_str().expect("a name")]);
    assert_eq!(code, 0, "{text}");
    assert!(outside.path().join("real/deep/er/x-dev.template.yaml").is_file());
    let file = outside.path().join("real/kept");
    symlink(&file, outside.path().join("mine.xml")).expect("a link");
    let junit = outside.path().join("mine.xml");
    let (code, text) = said(&project, &["deploy", "x", "--yes", "--junit", junit.to_str().expect("a name")]);
    assert_eq!(code, 0, "{text}");
    assert!(junit.is_symlink() && std::fs::read_to_string(&file).expect("a file").contains("<testsuites>"));
    let (code, text) = said(&project, &["smoke", "x", "--junit", "/dev/stdout"]);
    assert!(code == 0 && text.contains("<testsuites>"), "{text}");
    // In the project, a file of a name is replaced, with its rights.
    for _ in 0..2 {
        let (code, text) = said(&project, &["render", "x", "--out", "new/out"]);
        assert_eq!(code, 0, "{text}");
    }
    assert!(project.read("new/out/x-dev.template.yaml").contains("Resources:"));
    let named = project.path().join("smoke.xml");
    let (code, text) = said(&project, &["smoke", "x", "--junit", named.to_str().expect("a name")]);
    assert!(code == 0 && named.is_file(), "{text}");
    let (code, text) = said(&project, &["smoke", "x", "--junit", "nowhere/smoke.xml"]);
    assert!(code == 1 && text.contains("[D064]") && !project.path().join("nowhere").exists(), "{text}");
}

#[test]
fn a_pipe_of_the_project_is_not_written_to() {
    let project = tried();
    std::fs::create_dir(project.path().join("out")).expect("a folder");
    assert!(Command::new("mkfifo").arg(project.path().join("out/x-dev.template.yaml")).status().expect("it").success());
    let (code, text) = said(&project, &["render", "x", "--out", "out"]);
    assert!(code == 1 && text.contains("[P043]"), "{text}");
}

/// Whoever writes a file elsewhere than through `files` says here why that is no file of a project.
#[test]
fn files_are_written_in_one_place() {
    const OTHERS: [(&str, &str); 7] = [
        ("src/files.rs", "the place"),
        (
            "src/cli/user_folders.rs",
            "folders of the user outside the project, and the local target's own, looked at first",
        ),
        ("src/cli/approved_accounts.rs", "the user's state folder"),
        ("src/cli/man.rs", "a temporary folder"),
        ("src/artifacts/cache.rs", "the cache, outside the project"),
        ("src/artifacts/pip.rs", "a work folder in the cache"),
        ("src/artifacts/pack.rs", "a zip in the cache"),
    ];
    let writes = regex::Regex::new(
        r"fs::(write|copy|rename|hard_link|create_dir)|File::create|OpenOptions::new|NamedTempFile::new_in|generate_to|\.persist",
    )
    .expect("a pattern");
    let repository = crate::support::repository();
    for file in sources(&repository.join("src")) {
        let text = std::fs::read_to_string(&file).expect("a source");
        let own = text.split("#[cfg(test)]\nmod ").next().unwrap_or_default();
        let name = file.strip_prefix(repository).expect("ours").display().to_string();
        assert!(
            !writes.is_match(own) || OTHERS.iter().any(|(other, _)| *other == name),
            "{name} writes a file by itself: `Session::write` does it without following links of the project"
        );
    }
}

#[test]
fn a_document_has_a_name_that_can_be_shown() {
    for name in ["a\u{1b}[2Jb.txt", "line\nbreak.txt", " ", "folder/\u{a0}/text.txt", "tab\there.txt", "a\u{202e}b"] {
        let project = Project::empty();
        project.write("usecase.yaml", "bedplate: 1\nname: x\nbuckets:\n  b: { documents: documents/ }\n");
        project.write("documents/fine name.txt", "text\n");
        project.write(&format!("documents/{name}"), "text\n");
        let run = project.run(&["check", "usecase.yaml"]);
        assert!(run.code == 1 && run.stdout.contains("[S076]"), "{name:?}: {}", run.session());
        assert!(run.stdout.contains("usecase.yaml:4:"), "{}", run.session());
    }
}
