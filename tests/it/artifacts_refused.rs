//! What keeps code and packages from being packaged: the folder, the cache, this machine's pip, a user who is in a hurry.

use std::fs;
use std::path::Path;

use bedplate::artifacts::{self, Artifact, ArtifactRequest, BuildContext};
use bedplate::finding::{Finding, Severity};
use bedplate::spec::Architecture;

use crate::support::Project;

fn function(folder: &Path) -> ArtifactRequest {
    ArtifactRequest::Function {
        name: "design".to_owned(),
        folder: folder.to_owned(),
        shown: "function/".to_owned(),
        handler_files: vec!["app.py".to_owned()],
        runtime: "python3.13".to_owned(),
        architecture: Architecture::X86_64,
        place: None,
    }
}

/// Packages a folder with one that may cancel, and is asked before each file.
fn build(folder: &Path, cache: &Path, cancelled: &dyn Fn() -> bool) -> Result<Artifact, Vec<Finding>> {
    let context = BuildContext { cache, project: Path::new("/nowhere"), progress: &|_| {}, cancelled, no_build: false };
    artifacts::build(&function(folder), &context).map(|built| built.expect("a function is always built"))
}

fn codes(result: Result<Artifact, Vec<Finding>>) -> Vec<&'static str> {
    result.expect_err("it is refused").iter().map(|finding| finding.code.as_str()).collect()
}

/// A folder with a handler and a file after it, and a cache beside it.
fn code() -> Project {
    let project = Project::empty();
    project.write("function/app.py", "def handler(event, context):\n    return {}\n");
    project.write("function/words.txt", "one");
    project
}

#[cfg(unix)]
#[test]
fn a_folder_that_cannot_be_read_is_told() {
    use std::os::unix::ffi::OsStrExt as _;
    let project = code();
    let (folder, cache) = (project.path().join("function"), project.cache().to_owned());
    assert_eq!(codes(build(&project.path().join("nowhere"), &cache, &|| false)), ["A003"]);
    // An ignore file that is none.
    fs::create_dir(folder.join(".gitignore")).expect("a folder");
    let refused = build(&folder, &cache, &|| false);
    fs::remove_dir(folder.join(".gitignore")).expect("an empty folder");
    assert_eq!(codes(refused), ["A003"]);
    let odd = folder.join(std::ffi::OsStr::from_bytes(b"words-\xff.txt"));
    fs::write(&odd, "two").expect("a file");
    assert_eq!(codes(build(&folder, &cache, &|| false)), ["A009"]);
    fs::remove_file(odd).expect("a file");
    build(&folder, &cache, &|| false).expect("nothing is wrong with it any more");
}

#[test]
fn a_cache_that_is_a_file_is_told() {
    let project = code();
    project.write("cache", "");
    let refused = build(&project.path().join("function"), &project.path().join("cache"), &|| false);
    assert_eq!(codes(refused), ["A010"]);
}

#[test]
fn a_file_that_changes_and_an_interrupt_end_the_packaging() {
    let project = code();
    let folder = project.path().join("function");
    let grows = || {
        fs::write(folder.join("words.txt"), "one, two, three").expect("a file");
        false
    };
    assert_eq!(codes(build(&folder, project.cache(), &grows)), ["A012"]);
    assert_eq!(codes(build(&folder, project.cache(), &|| true)), ["A033"]);
}

#[test]
fn a_large_zip_is_packaged_with_a_warning() {
    let project = code();
    // Noise, of which no byte can be saved.
    let mut state = 0x2545_f491_4f6c_dd1d_u64;
    let mut noise = Vec::with_capacity(51 << 20);
    while noise.len() < 51 << 20 {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        noise.extend_from_slice(&state.to_le_bytes());
    }
    project.write("function/noise.bin", noise);
    let artifact = build(&project.path().join("function"), project.cache(), &|| false).expect("a zip");
    let told: Vec<(&str, Severity)> = artifact.warnings.iter().map(|it| (it.code.as_str(), it.severity)).collect();
    assert_eq!(told, [("A006", Severity::Warning)]);
}

const LAYERED: &str = "bedplate: 1
name: layered
region: us-west-2
layers:
  tools: { requirements: [\"bedplate-tiny; python_version < '3'\"], runtimes: [python3.13] }
functions:
  f: { code: function/, handler: app.handler, runtime: python3.13, layers: [tools] }
";

#[test]
fn a_layer_of_nothing_and_one_that_is_not_built_are_told() {
    let project = code();
    project.write("usecase.yaml", LAYERED);
    let planned = project.run(&["plan", "usecase.yaml", "--no-build"]);
    assert!(planned.stderr.contains("warning[A032]: "), "{}", planned.session());
    let deployed = project.run(&["deploy", "usecase.yaml", "--yes"]);
    assert_eq!(deployed.code, 1, "{}", deployed.session());
    assert!(deployed.stderr.contains("error[A023]: "), "{}", deployed.session());
}

#[cfg(unix)]
#[test]
fn a_pip_that_cannot_report_is_told() {
    use std::os::unix::fs::PermissionsExt as _;
    let (project, machine) = (code(), Project::empty());
    project.write("usecase.yaml", LAYERED);
    for script in ["#!/bin/sh\necho 'no such option: --report' >&2\nexit 2\n", "#!/bin/sh\nexit 0\n"] {
        machine.write("bin/python3", script);
        let python = machine.path().join("bin/python3");
        fs::set_permissions(python, fs::Permissions::from_mode(0o755)).expect("a program");
        let path = machine.path().join("bin").to_string_lossy().into_owned();
        let run = project.run_with(&["lock", "usecase.yaml"], &[("PATH", &path)]);
        assert!(run.code == 1 && run.stderr.contains("error[A040]: "), "{}", run.session());
    }
}

#[test]
fn more_documents_than_a_deploy_takes_and_one_larger_than_a_request_takes_are_refused() {
    let project = Project::empty();
    project.write("usecase.yaml", "bedplate: 1\nname: full\nbuckets:\n  handbook: { documents: handbook/ }\n");
    project.write("handbook/film.mp4", "");
    // A sparse file: large without taking room.
    let film = fs::File::options().write(true).open(project.path().join("handbook/film.mp4")).expect("a file");
    film.set_len((5 << 30) + 1).expect("room for nothing");
    let refused = |part: &str| {
        let run = project.run(&["check", "usecase.yaml"]);
        let said = run.stdout.clone() + &run.stderr;
        assert!(run.code == 1 && said.contains("error[S075]: ") && said.contains(part), "{}", run.session());
        assert!(said.contains("--> usecase.yaml:4:"), "{}", run.session());
    };
    refused("`film.mp4` of `buckets.handbook` is larger than 5 GiB");
    fs::remove_file(project.path().join("handbook/film.mp4")).expect("it is there");
    for number in 0..10_001 {
        fs::write(project.path().join(format!("handbook/{number}")), "x").expect("a file");
    }
    refused("more than 10000 documents");
}
