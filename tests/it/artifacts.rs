//! Behaviour of the `artifacts` side, as a user could see it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, SystemTime};

use bedplate::artifacts::{self, Artifact, ArtifactRequest, BuildContext, Component};
use bedplate::finding::Finding;
use bedplate::spec::{self, Architecture};

fn write(root: &Path, name: &str, content: &str) {
    let path = root.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, content).unwrap();
}

/// Makes every file look as if it had lain there for an hour.
fn age(root: &Path) {
    for entry in fs::read_dir(root).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path);
        } else {
            let hour = SystemTime::now() - Duration::from_secs(3600);
            fs::File::options().write(true).open(path).unwrap().set_modified(hour).unwrap();
        }
    }
}

fn function(folder: &Path) -> ArtifactRequest {
    ArtifactRequest::Function {
        name: "design".to_owned(),
        folder: folder.to_owned(),
        shown: "function/".to_owned(),
        handler_files: vec!["app.py".to_owned(), "app/__init__.py".to_owned()],
        runtime: "python3.13".to_owned(),
        architecture: Architecture::X86_64,
        place: None,
    }
}

fn build_and_tell(request: &ArtifactRequest, cache: &Path, progress: &dyn Fn(&str)) -> Result<Artifact, Vec<Finding>> {
    let nowhere = Path::new("/nowhere");
    let context = BuildContext { cache, project: nowhere, progress, cancelled: &|| false, no_build: false };
    artifacts::build(request, &context).map(|built| built.expect("built"))
}

fn build(request: &ArtifactRequest, cache: &Path) -> Result<Artifact, Vec<Finding>> {
    build_and_tell(request, cache, &|_| {})
}

fn codes(result: Result<Artifact, Vec<Finding>>) -> Vec<&'static str> {
    result.unwrap_err().iter().map(|finding| finding.code.as_str()).collect()
}

/// Names, modes, times and contents in the order they stand in the zip.
fn contents(zip: &Path) -> Vec<(String, u32, String, String)> {
    let mut archive = zip::ZipArchive::new(fs::File::open(zip).unwrap()).unwrap();
    (0..archive.len())
        .map(|index| {
            let mut file = archive.by_index(index).unwrap();
            let mut text = String::new();
            file.read_to_string(&mut text).unwrap();
            let mode = file.unix_mode().unwrap() & 0o7777;
            (file.name().unwrap().into_owned(), mode, file.last_modified().unwrap().to_string(), text)
        })
        .collect()
}

#[test]
fn the_zip_is_sorted_timeless_and_without_what_is_ignored() {
    let dir = tempfile::tempdir().unwrap();
    let (code, cache) = (dir.path().join("function"), dir.path().join("cache"));
    for (name, content) in [
        ("zebra.py", "z"),
        ("app.py", "def handler(event, context): pass\n"),
        ("lib/b.py", "b"),
        ("lib/a.py", "a"),
        ("lib/__pycache__/a.cpython-313.pyc", "x"),
        ("lib/old.pyc", "x"),
        (".git/config", "x"),
        (".venv/bin/python", "x"),
        (".DS_Store", "x"),
        (".gitignore", "*.log\n!keep.log\n"),
        ("noise.log", "x"),
        ("keep.log", "k"),
        (".bedplateignore", "tests/\n"),
        ("tests/test_app.py", "x"),
        (".env.example", "e"),
    ] {
        write(&code, name, content);
    }
    let artifact = build(&function(&code), &cache).unwrap();
    let names: Vec<String> = contents(&artifact.path).into_iter().map(|entry| entry.0).collect();
    assert_eq!(names, [".env.example", "app.py", "keep.log", "lib/a.py", "lib/b.py", "zebra.py"]);
    assert_eq!(artifact.files, 6);
    for (name, mode, time, _) in contents(&artifact.path) {
        assert_eq!((mode, time.as_str()), (0o644, "1980-01-01 00:00:00"), "{name}");
    }
    assert_eq!(artifact.size, fs::metadata(&artifact.path).unwrap().len());
    assert_eq!(artifact.sha256.len(), 64);
}

#[cfg(unix)]
#[test]
fn the_digest_is_that_of_the_content_alone() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    for name in ["app.py", "b/run.sh", "a.txt"] {
        write(&one, name, name);
    }
    for name in ["a.txt", "b/run.sh", "app.py"] {
        write(&two, name, name);
    }
    let mode = |path: PathBuf, mode: u32| fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
    mode(one.join("app.py"), 0o600);
    mode(two.join("app.py"), 0o664);
    mode(one.join("b/run.sh"), 0o700);
    mode(two.join("b/run.sh"), 0o755);
    age(&two);
    let first = build(&function(&one), &dir.path().join("cache-one")).unwrap();
    let second = build(&function(&two), &dir.path().join("cache-two")).unwrap();
    assert_eq!(first.sha256, second.sha256);
    assert_eq!(fs::read(&first.path).unwrap(), fs::read(&second.path).unwrap());
    assert_eq!(contents(&first.path)[2].1, 0o755);

    mode(two.join("b/run.sh"), 0o644);
    let third = build(&function(&two), &dir.path().join("cache-two")).unwrap();
    assert_ne!(first.sha256, third.sha256, "whether a file can be run is a part of it");
}

#[test]
fn what_is_unchanged_is_not_packaged_again_and_what_changed_is() {
    let dir = tempfile::tempdir().unwrap();
    let (code, cache) = (dir.path().join("function"), dir.path().join("cache"));
    write(&code, "app.py", "one");
    let packaged = AtomicUsize::new(0);
    let build = || {
        let progress = |_: &str| {
            packaged.fetch_add(1, Ordering::Relaxed);
        };
        build_and_tell(&function(&code), &cache, &progress).unwrap()
    };
    let first = build();
    // Just written: the clock's grain could hide a change, so nothing is remembered yet.
    fs::write(code.join("app.py"), "two").unwrap();
    let second = build();
    assert_ne!(first.sha256, second.sha256);
    assert_eq!(contents(&second.path)[0].3, "two");

    // A change that keeps size and time back-dated shows all the same where the system tells of it.
    fs::write(code.join("app.py"), "six").unwrap();
    age(&code);
    assert_eq!(contents(&build().path)[0].3, "six");
}

#[test]
fn a_damaged_zip_in_the_cache_is_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let (code, cache) = (dir.path().join("function"), dir.path().join("cache"));
    write(&code, "app.py", "one");
    let artifact = build(&function(&code), &cache).unwrap();
    let good = fs::read(&artifact.path).unwrap();
    fs::write(&artifact.path, b"half").unwrap();
    assert_eq!(fs::read(build(&function(&code), &cache).unwrap().path).unwrap(), good);
    fs::remove_file(&artifact.path).unwrap();
    assert_eq!(fs::read(build(&function(&code), &cache).unwrap().path).unwrap(), good);
}

#[cfg(unix)]
#[test]
fn links_inside_are_followed_and_links_outside_refused() {
    use std::os::unix::fs::symlink;
    let dir = tempfile::tempdir().unwrap();
    let (code, cache) = (dir.path().join("function"), dir.path().join("cache"));
    write(&code, "app.py", "one");
    write(&code, "lib/a.py", "a");
    write(dir.path(), "outside/secret.txt", "s");
    symlink("lib/a.py", code.join("link.py")).unwrap();
    symlink("lib", code.join("again")).unwrap();
    let artifact = build(&function(&code), &cache).unwrap();
    let entries = contents(&artifact.path);
    let names: Vec<&str> = entries.iter().map(|entry| entry.0.as_str()).collect();
    assert_eq!(names, ["again/a.py", "app.py", "lib/a.py", "link.py"]);
    assert_eq!(entries[3].3, "a");

    for (target, code_of_error) in
        [("../outside", "A001"), ("../outside/secret.txt", "A001"), ("/", "A001"), ("nowhere", "A002"), (".", "A002")]
    {
        let link = code.join("bad");
        symlink(target, &link).unwrap();
        assert_eq!(codes(build(&function(&code), &cache)), [code_of_error], "{target}");
        fs::remove_file(&link).unwrap();
    }
}

#[cfg(unix)]
#[test]
fn what_cannot_be_packaged_is_refused_by_name() {
    let dir = tempfile::tempdir().unwrap();
    let (code, cache) = (dir.path().join("function"), dir.path().join("cache"));
    fs::create_dir_all(&code).unwrap();
    assert_eq!(codes(build(&function(&code), &cache)), ["A007"]);
    write(&code, "other.py", "x");
    assert_eq!(codes(build(&function(&code), &cache)), ["A008"]);
    write(&code, "app.py", "x");
    write(&code, ".gitignore", "app.py\n");
    assert_eq!(codes(build(&function(&code), &cache)), ["A008"], "an ignored handler is no handler");
    fs::remove_file(code.join(".gitignore")).unwrap();

    let socket = std::os::unix::net::UnixListener::bind(code.join("socket")).unwrap();
    assert_eq!(codes(build(&function(&code), &cache)), ["A004"]);
    drop(socket);
    fs::remove_file(code.join("socket")).unwrap();

    // A sparse file: large without taking room.
    let large = fs::File::create(code.join("model.bin")).unwrap();
    large.set_len(artifacts::MAX_UNCOMPRESSED).unwrap();
    let findings = build(&function(&code), &cache).unwrap_err();
    assert_eq!(findings[0].code, "A005");
    assert!(findings[0].help.as_ref().unwrap().contains("`model.bin` (250.0 MiB)"), "{findings:?}");
    assert_eq!(fs::read_dir(cache.join("tmp")).unwrap().count(), 0, "nothing half-made stays");
}

#[test]
fn requests_come_from_a_spec() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/movie-poster/usecase.yaml");
    let loaded = spec::load(&path, "usecase.yaml").unwrap();
    let cache = tempfile::tempdir().unwrap();
    let request = artifacts::request(&loaded, &Component::Function("design".to_owned())).unwrap();
    assert_eq!(build(&request, cache.path()).unwrap().files, 1);
    let layer = artifacts::request(&loaded, &Component::Layer("boto3".to_owned())).unwrap();
    match layer {
        ArtifactRequest::Layer { requirements, runtime, architecture, place, .. } => {
            assert_eq!(requirements, ["boto3>=1.35"]);
            assert_eq!((runtime.as_str(), architecture), ("python3.13", Architecture::X86_64));
            assert_eq!(place.unwrap().line, 13);
        }
        other => panic!("{other:?}"),
    }
    assert_eq!(artifacts::request(&loaded, &Component::Layer("design".to_owned())), None);
}

/// A wheel as an index would serve it, with all that differs from one installation to the next.
pub fn wheel(folder: &Path, version: &str, marker: &str) {
    fs::create_dir_all(folder).unwrap();
    let file = fs::File::create(folder.join(format!("bedplate_tiny-{version}-py3-none-any.whl"))).unwrap();
    let mut zip = zip::ZipWriter::new(file);
    let info = format!("bedplate_tiny-{version}.dist-info");
    for (name, content) in [
        ("bedplate_tiny/__init__.py".to_owned(), format!("MARKER = {marker:?}\n")),
        (format!("{info}/METADATA"), format!("Metadata-Version: 2.1\nName: bedplate-tiny\nVersion: {version}\n")),
        (
            format!("{info}/WHEEL"),
            "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n".to_owned(),
        ),
        (format!("{info}/entry_points.txt"), "[console_scripts]\ntiny = bedplate_tiny:main\n".to_owned()),
        (format!("{info}/RECORD"), String::new()),
    ] {
        zip.start_file(name, zip::write::SimpleFileOptions::default()).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    zip.finish().unwrap();
}

/// Runs in a process of its own, because pip is told where wheels are through the environment.
#[test]
#[ignore = "run by the layer tests below"]
fn layer_in_its_own_process() {
    let Ok(cache) = std::env::var("BEDPLATE_TEST_LAYER_CACHE") else { return };
    let requirement = std::env::var("BEDPLATE_TEST_LAYER_REQUIREMENT").unwrap();
    let request = ArtifactRequest::Layer {
        name: "tiny".to_owned(),
        requirements: vec![requirement],
        runtime: "python3.13".to_owned(),
        architecture: Architecture::Arm64,
        folder: None,
        place: None,
    };
    match build_and_tell(&request, Path::new(&cache), &|what| eprintln!("progress: {what}")) {
        Ok(artifact) => {
            eprintln!("artifact: {} {} {}", artifact.sha256, artifact.path.display(), artifact.packages.join(","))
        }
        Err(findings) => findings.iter().for_each(|finding| eprintln!("{finding}\nhelp: {:?}", finding.help)),
    }
}

/// What the process said.
fn layer(cache: &Path, links: &Path, requirement: &str, environment: &[(&str, &str)]) -> String {
    let output = Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "--nocapture", "artifacts::layer_in_its_own_process"])
        .env("BEDPLATE_TEST_LAYER_CACHE", cache)
        .env("BEDPLATE_TEST_LAYER_REQUIREMENT", requirement)
        .env("PIP_NO_INDEX", "1")
        .env("PIP_FIND_LINKS", links)
        .envs(environment.iter().copied())
        .output()
        .unwrap();
    String::from_utf8(output.stderr).unwrap()
}

fn artifact_line(said: &str) -> Vec<String> {
    let line = said.lines().find_map(|line| line.strip_prefix("artifact: ")).unwrap_or_else(|| panic!("{said}"));
    line.splitn(3, ' ').map(str::to_owned).collect()
}

#[test]
fn a_layer_is_the_same_everywhere_and_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let links = dir.path().join("links");
    wheel(&links, "1.0", "first");
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    let said = layer(&one, &links, "bedplate-tiny", &[]);
    assert!(said.contains("progress: installing bedplate-tiny for python3.13"), "{said}");
    let first = artifact_line(&said);
    assert_eq!(first[2], "bedplate_tiny 1.0");
    let names: Vec<String> = contents(Path::new(&first[1])).into_iter().map(|entry| entry.0).collect();
    assert_eq!(
        names,
        [
            "python/bedplate_tiny-1.0.dist-info/METADATA",
            "python/bedplate_tiny-1.0.dist-info/WHEEL",
            "python/bedplate_tiny-1.0.dist-info/entry_points.txt",
            "python/bedplate_tiny/__init__.py",
        ]
    );
    let again = layer(&two, &links, "bedplate-tiny", &[("PIP_USER", "1"), ("PIP_REQUIRE_VIRTUALENV", "1")]);
    assert_eq!(artifact_line(&again)[0], first[0], "the same wheels give the same layer");

    // A newer wheel, or none at all, changes nothing for who has the layer already.
    wheel(&links, "2.0", "second");
    let third = layer(&one, Path::new("/nowhere"), "bedplate-tiny", &[]);
    assert!(!third.contains("progress:"), "{third}");
    assert_eq!(artifact_line(&third), first);
    let pinned = layer(&one, &links, "bedplate-tiny==2.0", &[]);
    assert_ne!(artifact_line(&pinned)[0], first[0]);
}

#[test]
fn pip_failures_are_told_without_credentials() {
    let dir = tempfile::tempdir().unwrap();
    let links = dir.path().join("links");
    wheel(&links, "1.0", "first");
    let cache = dir.path().join("cache");
    let said = layer(&cache, &links, "bedplate-tinny>=3", &[]);
    assert!(said.contains("error[A021]: pip could not install bedplate-tinny>=3 for python3.13"), "{said}");
    assert!(said.contains("spelling"), "{said}");

    let index =
        [("PIP_NO_INDEX", "0"), ("PIP_INDEX_URL", "http://user:hunter2@127.0.0.1:9/simple"), ("PIP_RETRIES", "1")];
    let said = layer(&cache, &links, "bedplate-other", &index);
    assert!(said.contains("error[A021]"), "{said}");
    assert!(!said.contains("hunter2"), "{said}");
    assert!(said.contains("check the network"), "{said}");

    for requirement in ["--index-url=http://x", "bedplate-tiny @ file:///tmp/x.whl", "./bedplate", "a --pre"] {
        let said = layer(&cache, &links, requirement, &[]);
        assert!(said.contains("error[A022]"), "{said}");
    }
    assert_eq!(fs::read_dir(cache.join("tmp")).unwrap().count(), 0, "nothing half-made stays");
    assert_eq!(fs::read_dir(cache.join("layers")).unwrap().count(), 0);
}

#[test]
fn the_packages_of_a_functions_requirements_are_packaged_with_its_code() {
    let links = tempfile::tempdir().unwrap();
    wheel(links.path(), "1.0", "first");
    let project = crate::support::Project::empty();
    project.write("bedplate.yaml", "");
    project.write(
        "stacks/x/usecase.yaml",
        "bedplate: 1\nname: x\nfunctions:\n  f: { code: function/, handler: app.handler, runtime: python3.13 }\nsmoke:\n  - invoke: \
         functions.f\n    expect: { body: { contains: first } }\n",
    );
    project.write(
        "stacks/x/function/app.py",
        "import bedplate_tiny\ndef handler(event, context): return bedplate_tiny.MARKER\n",
    );
    project.write("stacks/x/function/requirements.txt", "# what it needs\nbedplate-tiny==1.0  # pinned\n");
    let links = links.path().display().to_string();
    let pip = [("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", links.as_str())];
    let first = project.run_with(&["deploy", "x", "--yes"], &pip).ok();
    assert!(first.stderr.contains("installing bedplate-tiny==1.0 for python3.13 with pip"), "{}", first.session());
    assert!(first.stderr.contains("1 of 1 smoke test passed"), "{}", first.session());
    // Other code asks pip for nothing: the packages are kept by themselves.
    project.write(
        "stacks/x/function/app.py",
        "import bedplate_tiny\ndef handler(event, context): return [bedplate_tiny.MARKER]\n",
    );
    let second =
        project.run_with(&["deploy", "x", "--yes"], &[("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", "/nowhere")]).ok();
    assert!(!second.stderr.contains("with pip"), "{}", second.session());

    // What is no package and version is told at its line.
    project.write("stacks/x/function/requirements.txt", "bedplate-tiny\n-r other.txt\n");
    let refused = project.run_with(&["deploy", "x", "--yes"], &pip);
    let said = format!("{}{}", refused.stdout, refused.stderr);
    assert!(
        refused.code == 1 && said.contains("[A044]") && said.contains("function/requirements.txt:2:1"),
        "{}",
        refused.session()
    );
}
