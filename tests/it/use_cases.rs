//! Every use case of `stacks/`, from its check to its end, on the local target.

use std::path::{Path, PathBuf};

use crate::support::{Project, repository};

/// The names of all use cases.
pub fn all() -> Vec<String> {
    let has_spec = |path: &PathBuf| path.join("usecase.yaml").is_file();
    let mut names: Vec<String> = std::fs::read_dir(repository().join("stacks"))
        .expect("stacks")
        .flatten()
        .map(|entry| entry.path())
        .filter(has_spec)
        .map(|path| path.file_name().expect("a name").to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_folder_of_stacks_is_a_use_case() {
    let folders = std::fs::read_dir(repository().join("stacks")).expect("stacks").flatten();
    let without: Vec<PathBuf> = folders
        .map(|entry| entry.path())
        .filter(|path| path.is_dir() && !path.join("usecase.yaml").is_file())
        .collect();
    assert!(without.is_empty(), "{without:?}");
    assert!(all().len() >= 11, "{:?}", all());
}

#[test]
fn every_use_case_passes_its_check() {
    let project = Project::with_all();
    let run = project.run(&["check"]).ok();
    let said = run.session();
    assert!(!said.contains("warning[") && !said.contains("error["), "{said}");
}

#[test]
fn every_use_case_is_deployed_updated_and_destroyed_on_the_local_target() {
    let names = all();
    // As many at once as the machine has processors: each is a project of its own.
    let workers = std::thread::available_parallelism().map_or(2, usize::from);
    let wrong: Vec<String> = std::thread::scope(|scope| {
        let handles: Vec<_> = (0..workers)
            .map(|worker| {
                let mine: Vec<&String> = names.iter().skip(worker).step_by(workers).collect();
                scope.spawn(move || mine.into_iter().filter_map(|name| life(name).err()).collect::<Vec<_>>())
            })
            .collect();
        handles.into_iter().flat_map(|handle| handle.join().expect("a life")).collect()
    });
    assert!(wrong.is_empty(), "{}", wrong.join("\n\n"));
}

/// The whole life of a use case.
fn life(name: &str) -> Result<(), String> {
    let project = Project::with_all();
    let step = |what: &str, args: &[&str], wanted: &dyn Fn(&str) -> bool| {
        let run = project.run(args);
        let said = run.session();
        if run.code == 0 && wanted(&said) { Ok(()) } else { Err(format!("{name}: {what}\n{said}")) }
    };
    let spec = project.path().join("stacks").join(name).join("usecase.yaml");
    // What a use case is to do it does, where its spec says what that is.
    let tried = std::fs::read_to_string(&spec).expect("a spec").contains("\nsmoke:");
    step("deploy, try and take away", &["deploy", name, "--yes", "--rm"], &|said| {
        said.contains("deployed ")
            && said.contains(" passed") == tried
            && !said.contains("FAILED")
            && said.contains("nothing of it remains")
    })?;
    step("deploy", &["deploy", name, "--yes", "--no-smoke"], &|said| said.contains("deployed "))?;
    let again = ["deploy", name, "--yes", "--no-smoke", "--format", "json"];
    step("deploy again", &again, &|said| said.contains("\"no-change\"") && !said.contains("\"executing\""))?;
    mark(&spec);
    // A collection of OpenSearch Serverless takes no new tags: it is replaced under another name, and that, with the policies
    // for the new name, has to be allowed.
    let replaces = &["--allow", "replacement,rights,public"][..];
    let update = [&again[..], if name == "elearning-opensearch" { replaces } else { &[] }].concat();
    step("update", &update, &|said| said.contains("\"executing\"") && said.contains("UPDATE_COMPLETE"))?;
    step("destroy", &["destroy", name, "--yes"], &|said| said.contains("nothing of it remains"))?;
    step("list", &["list", "--format", "json"], &|said| !said.contains("_COMPLETE"))
}

/// Changes something of every resource that can carry a tag.
fn mark(spec: &Path) {
    let text = std::fs::read_to_string(spec).expect("a spec");
    std::fs::write(spec, format!("{text}\ntags: {{ course: generative-ai }}\n")).expect("a file");
}

#[test]
fn three_hundred_posters_are_drawn_at_once() {
    let project = Project::with("movie-poster");
    let served = project.serve(&[]);
    let endpoint = ["--endpoint-url", served.url.as_str()];
    let _ = project.run(&[&["deploy", "movie-poster", "--yes", "--no-smoke"][..], &endpoint].concat()).ok();
    let outputs = project.command(&[&["outputs", "movie-poster", "--format", "json"][..], &endpoint].concat());
    let outputs = { outputs }.output().expect("it runs").stdout;
    let outputs = String::from_utf8(outputs).expect("text");
    let (_, rest) = outputs.split_once("https://").expect("the API's address");
    let api = rest.split('.').next().expect("its id");
    let calls: Vec<String> = std::thread::scope(|scope| {
        let path = |call| format!("/_aws/execute-api/{api}/dev/moviePosterDesign?prompt=poster%20number%20{call}");
        let handles: Vec<_> = (0..300)
            .map(|call| {
                scope.spawn({
                    let (served, path) = (&served, path(call));
                    move || served.get(&path)
                })
            })
            .collect();
        handles.into_iter().map(|handle| handle.join().expect("an answer")).collect()
    });
    let links: std::collections::BTreeSet<&String> = calls.iter().filter(|link| link.starts_with("\"http")).collect();
    assert_eq!(links.len(), 300, "each has a poster of its own: {:?}", calls.first());
}
