//! What is believed of what lies in a project: nothing that another could have put there.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::artifacts::wheel;
use crate::helpers::SPEC;
use crate::support::{Project, Run};

/// A project with a function and a layer, and the folder of wheels its layer is made from.
fn project() -> (Project, PathBuf) {
    let project = Project::empty();
    project.write("stacks/tiny/usecase.yaml", SPEC);
    project.write(
        "stacks/tiny/function/app.py",
        "import bedplate_tiny\n\ndef handler(event, context):\n    return bedplate_tiny.MARKER\n",
    );
    let links = project.cache().join("links");
    wheel(&links, "1.0", "first");
    (project, links)
}

fn run(project: &Project, links: &Path, args: &[&str], more: &[(&str, &str)]) -> Run {
    let links = links.display().to_string();
    let variables = [&[("PIP_NO_INDEX", "1"), ("PIP_FIND_LINKS", &links)], more].concat();
    project.run_with(args, &variables)
}

/// Every file below a folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found
}

fn copy(from: &Path, to: &Path) {
    let copied = Command::new("cp").arg("-a").arg(from).arg(to).status();
    assert!(copied.expect("cp runs").success());
}

#[test]
fn a_cache_that_came_along_with_a_project_is_not_looked_at() {
    let (victim, links) = project();
    // What a stranger's project would bring along: a cache in every place it could be looked for, with a zip of other content.
    let (stranger, evil) = project();
    wheel(&evil, "1.0", "poison");
    let _ = run(&stranger, &evil, &["plan", "tiny"], &[]).ok();
    let cache = std::fs::read_dir(stranger.cache().join("bedplate")).expect("a cache").flatten().next().expect("one");
    let name = std::fs::read_dir(victim.cache()).expect("a folder").count();
    assert_eq!(name, 1, "only the wheels so far");
    std::fs::create_dir_all(victim.path().join(".bedplate")).expect("a folder");
    copy(&cache.path(), &victim.path().join(".bedplate/cache"));
    let run = run(&victim, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    assert!(run.stderr.contains("1 of 1 smoke test passed"), "{}", run.session());
    assert!(run.stderr.contains("installing bedplate-tiny"), "it was made anew: {}", run.session());
}

#[test]
fn a_cache_in_the_project_is_for_one_run() {
    let (project, links) = project();
    let inside = project.path().join("ci-cache").display().to_string();
    for _ in 0..2 {
        let run = run(&project, &links, &["plan", "tiny"], &[("XDG_CACHE_HOME", &inside)]).ok();
        assert!(run.stderr.contains("warning[A030]"), "{}", run.session());
        assert!(run.stderr.contains("installing bedplate-tiny"), "{}", run.session());
    }
    assert!(!Path::new(&inside).exists());
}

#[test]
fn a_zip_of_the_cache_that_was_changed_is_made_again() {
    let (project, links) = project();
    let _ = run(&project, &links, &["plan", "tiny"], &[]).ok();
    let (evil, poison) = self::project();
    wheel(&poison, "1.0", "wrong");
    let _ = run(&evil, &poison, &["plan", "tiny"], &[]).ok();
    let zips = |project: &Project| {
        let zips = files(&project.cache().join("bedplate"))
            .into_iter()
            .filter(|file| file.extension().is_some_and(|e| e == "zip"));
        let holds = |path: &PathBuf| {
            let mut zip = zip::ZipArchive::new(std::fs::File::open(path).expect("a zip")).expect("a zip");
            zip.by_name("python/bedplate_tiny/__init__.py").is_ok()
        };
        zips.filter(holds).collect::<Vec<_>>()
    };
    let (own, other) = (zips(&project).remove(0), zips(&evil).remove(0));
    // As large and as old as the one it stands in for.
    let about = std::fs::metadata(&own).expect("a zip");
    assert_eq!(about.len(), std::fs::metadata(&other).expect("a zip").len(), "the test needs zips of one size");
    std::fs::write(&own, std::fs::read(&other).expect("a zip")).expect("written");
    let modified = about.modified().expect("a time");
    std::fs::File::options().write(true).open(&own).expect("a zip").set_modified(modified).expect("a time");
    let run = run(&project, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    assert!(run.stderr.contains("1 of 1 smoke test passed"), "{}", run.session());
}

#[test]
fn a_local_target_that_came_along_with_a_project_is_neither_read_nor_run() {
    let (stranger, links) = project();
    let _ = run(&stranger, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    let (victim, links) = project();
    copy(&stranger.path().join(".bedplate"), &victim.path().join(".bedplate"));
    for verb in [
        &["plan", "tiny"][..],
        &["deploy", "tiny", "--yes"],
        &["status", "tiny"],
        &["outputs", "tiny"],
        &["smoke", "tiny"],
        &["logs", "tiny"],
        &["list"],
        &["local", "status"],
        &["local", "iam-report"],
        &["local", "serve", "--port", "0"],
        &["destroy", "tiny", "--yes"],
    ] {
        let before: Vec<_> = files(&victim.path().join(".bedplate"));
        let run = run(&victim, &links, verb, &[]);
        if verb != ["list"] {
            assert_eq!(run.code, 1, "{verb:?}: {}", run.session());
            assert!(run.stderr.contains("error[A037]"), "{verb:?}: {}", run.session());
        }
        assert!(!run.stdout.contains("COMPLETE"), "{verb:?}: {}", run.session());
        assert_eq!(files(&victim.path().join(".bedplate")), before, "{verb:?} opened nothing");
    }
    let reset = run(&victim, &links, &["local", "reset"], &[]);
    assert_eq!(reset.code, 4, "{}", reset.session());
    let _ = run(&victim, &links, &["local", "reset", "--yes"], &[]).ok();
    let deployed = run(&victim, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    assert!(deployed.stderr.contains("deployed"), "{}", deployed.session());
}

#[test]
fn a_project_of_ones_own_may_be_moved() {
    let (project, links) = project();
    let _ = run(&project, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    let moved = Project::empty();
    copy(&project.path().join("stacks"), moved.path());
    copy(&project.path().join(".bedplate"), moved.path());
    let home = project.path().join("home").display().to_string();
    let run = run(&moved, &links, &["status", "tiny"], &[("HOME", &home)]).ok();
    assert!(run.stdout.contains("CREATE_COMPLETE"), "{}", run.session());
}

#[test]
fn links_in_the_place_of_what_is_kept_are_not_followed() {
    for link in [".bedplate", ".bedplate/local", ".bedplate/.gitignore"] {
        let (project, links) = project();
        let outside = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(outside.path().join("objects")).expect("a folder");
        std::fs::write(outside.path().join("objects/precious"), "precious").expect("a file");
        let path = project.path().join(link);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        let to = if link.ends_with("ignore") { outside.path().join("new") } else { outside.path().to_owned() };
        std::os::unix::fs::symlink(to, &path).expect("a link");
        let run = |args: &[&str]| run(&project, &links, args, &[]);
        let deployed = run(&["deploy", "tiny", "--yes"]);
        assert!(deployed.code == 1 && deployed.stderr.contains("error[A038]"), "{link}: {}", deployed.session());
        if !link.ends_with("ignore") {
            let _ = run(&["local", "reset", "--yes"]).ok();
            let _ = run(&["deploy", "tiny", "--yes"]).ok();
        }
        assert_eq!(files(outside.path()), [outside.path().join("objects/precious")], "{link}");
    }
}

#[test]
fn what_is_kept_ignores_itself_in_git_and_is_never_packaged() {
    let (project, links) = project();
    let git = |args: &[&str]| {
        let output = Command::new("git").args(args).current_dir(project.path()).output().expect("git runs");
        String::from_utf8_lossy(&output.stdout).into_owned()
    };
    git(&["init", "--quiet"]);
    project.write("stacks/tiny/function/.bedplate/secret.txt", "s");
    let run = run(&project, &links, &["deploy", "tiny", "--yes", "--format", "json"], &[]).ok();
    assert_eq!(project.read(".bedplate/.gitignore"), "*\n");
    let seen = git(&["status", "--porcelain", "--untracked-files=all"]);
    assert!(seen.contains("usecase.yaml") && !seen.contains(" .bedplate/"), "{seen}");
    let packaged = files(&project.path().join(".bedplate/local/functions"));
    assert!(packaged.iter().any(|file| file.ends_with("app.py")), "{}", run.session());
    assert!(!packaged.iter().any(|file| file.ends_with("secret.txt")), "{packaged:?}");
}

#[test]
fn code_that_was_changed_where_it_is_unpacked_is_not_run() {
    let (project, links) = project();
    let _ = run(&project, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    let unpacked = files(&project.path().join(".bedplate/local/functions"));
    let app = unpacked.iter().find(|file| file.ends_with("app.py")).expect("the function");
    let package = unpacked.iter().find(|file| file.ends_with("bedplate_tiny/__init__.py")).expect("the layer");
    std::fs::write(app, "def handler(event, context):\n    return 'poison'\n").expect("written");
    std::fs::write(package.with_file_name("more.py"), "").expect("written");
    let tried = run(&project, &links, &["smoke", "tiny"], &[]).ok();
    assert!(tried.stderr.contains("1 of 1 smoke test passed"), "{}", tried.session());
    assert!(std::fs::read_to_string(app).expect("the function").contains("bedplate_tiny"), "it is what it was");
    assert!(!package.with_file_name("more.py").exists());
    // Nor is a body of the store that is not what its name says.
    let objects = files(&project.path().join(".bedplate/local/objects"));
    assert!(!objects.is_empty());
    objects.iter().for_each(|body| std::fs::write(body, "poison").expect("written"));
    std::fs::write(app, "def handler(event, context):\n    return 'first'\n").expect("written");
    let tried = run(&project, &links, &["smoke", "tiny"], &[]);
    assert_eq!(tried.code, 13, "{}", tried.session());
    assert!(tried.stderr.contains("could not use `<project>/.bedplate/local/objects"), "{}", tried.session());
}

#[test]
fn a_lock_pins_what_a_layer_is_made_from() {
    let (project, links) = project();
    let run = |args: &[&str]| run(&project, &links, args, &[]);
    let locked = run(&["lock", "tiny"]).ok();
    assert!(locked.stderr.contains("1 package in layers.lock pinned"), "{}", locked.session());
    let lock: serde_json::Value = serde_json::from_str(&project.read("stacks/tiny/layers.lock")).expect("JSON");
    let pinned = &lock["layers"]["tiny"];
    assert_eq!(pinned["packages"][0]["name"], "bedplate-tiny");
    assert_eq!(pinned["packages"][0]["version"], "1.0");
    assert_eq!((&pinned["runtime"], &pinned["architecture"]), (&"python3.13".into(), &"x86_64".into()));
    // A newer version changes nothing.
    wheel(&links, "2.0", "second");
    let deployed = run(&["deploy", "tiny", "--yes"]).ok();
    assert!(deployed.stderr.contains("installing bedplate-tiny, as locked"), "{}", deployed.session());
    assert!(deployed.stderr.contains("1 of 1 smoke test passed"), "{}", deployed.session());
    let _ = run(&["check", "tiny"]).ok();
    // Other bytes under the same version are refused, where they are asked for.
    wheel(&links, "1.0", "poison");
    std::fs::remove_dir_all(project.cache().join("bedplate")).expect("no cache");
    let refused = run(&["plan", "tiny"]);
    assert!(refused.code == 1 && refused.stderr.contains("error[A036]"), "{}", refused.session());
    // Changed requirements want a new lock.
    project.write("stacks/tiny/usecase.yaml", SPEC.replace("[bedplate-tiny]", "['bedplate-tiny>=1']"));
    for verb in [&["check", "tiny"][..], &["plan", "tiny"], &["deploy", "tiny", "--yes"]] {
        let refused = run(verb);
        let said = format!("{}{}", refused.stdout, refused.stderr);
        assert!(refused.code == 1 && said.contains("error[A034]"), "{verb:?}: {}", refused.session());
    }
    let again = run(&["lock", "tiny"]).ok();
    assert!(
        again.stderr.contains("pinned") && project.read("stacks/tiny/layers.lock").contains("2.0"),
        "{}",
        again.session()
    );
    let unchanged = run(&["lock", "tiny"]).ok();
    assert!(unchanged.stderr.contains("unchanged"), "{}", unchanged.session());
}

#[test]
fn a_lock_file_is_data_and_nothing_else() {
    let (project, links) = project();
    let _ = run(&project, &links, &["lock", "tiny"], &[]).ok();
    let good = project.read("stacks/tiny/layers.lock");
    let digest = "0".repeat(64);
    for (from, to) in [
        ("\"1.0\"", "\"1.0 --index-url=http://127.0.0.1:9\""),
        ("\"1.0\"", "\"1.0\\n--pre\""),
        ("\"bedplate-tiny\",\n          \"version\"", "\"-r\",\n          \"version\""),
        ("\"version\": 1,", "\"version\": 2,"),
        ("\"version\": 1,", "\"version\": 1, \"more\": 1,"),
        ("{", "["),
        ("\"sha256\": \"", &format!("\"sha256\": \"{digest}\", \"was\": \"")),
    ] {
        assert!(good.contains(from), "{from} in {good}");
        project.write("stacks/tiny/layers.lock", good.replacen(from, to, 1));
        let run = run(&project, &links, &["check", "tiny"], &[]);
        assert!(run.code == 1 && run.stdout.contains("error[A035]"), "{to}: {}", run.session());
    }
    std::fs::remove_file(project.path().join("stacks/tiny/layers.lock")).expect("removed");
    std::os::unix::fs::symlink("/dev/zero", project.path().join("stacks/tiny/layers.lock")).expect("a link");
    let refused = run(&project, &links, &["check", "tiny"], &[]);
    assert!(refused.code == 1 && refused.stdout.contains("error[A035]"), "{}", refused.session());
}

#[test]
fn digests_can_stand_in_the_requirements() {
    let (project, links) = project();
    let digest = |version: &str| {
        use sha2::Digest as _;
        let wheel = std::fs::read(links.join(format!("bedplate_tiny-{version}-py3-none-any.whl"))).expect("a wheel");
        hex::encode(sha2::Sha256::digest(wheel))
    };
    let right = digest("1.0");
    let spec = |requirement: &str| SPEC.replace("[bedplate-tiny]", &format!("[{requirement:?}]"));
    project.write("stacks/tiny/usecase.yaml", spec(&format!("bedplate-tiny==1.0 --hash=sha256:{right}")));
    let deployed = run(&project, &links, &["deploy", "tiny", "--yes"], &[]).ok();
    assert!(deployed.stderr.contains("1 of 1 smoke test passed"), "{}", deployed.session());
    assert!(!deployed.stderr.contains(&right) && !deployed.stderr.contains("--hash"), "{}", deployed.session());
    project.write("stacks/tiny/usecase.yaml", spec(&format!("bedplate-tiny==1.0 --hash=sha256:{}", "0".repeat(64))));
    let refused = run(&project, &links, &["plan", "tiny"], &[]);
    assert!(refused.code == 1 && refused.stderr.contains("error[A036]"), "{}", refused.session());
    project.write(
        "stacks/tiny/usecase.yaml",
        SPEC.replace("[bedplate-tiny]", &format!("['bedplate-tiny==1.0 --hash=sha256:{right}', other]")),
    );
    let refused = run(&project, &links, &["check", "tiny"], &[]);
    assert!(refused.stdout.contains("error[S029]: `other` has no `--hash`"), "{}", refused.session());
}
