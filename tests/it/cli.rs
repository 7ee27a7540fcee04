//! Whole command sessions, as a person or a pipeline sees them: exit codes, what goes to which stream, and what is left.

use std::process::Stdio;
use std::time::Duration;

use insta::assert_snapshot;

use crate::support::{Project, Served, administrator};

/// movie-poster without its layer, so that no package index is needed.
fn poster() -> Project {
    let project = Project::with("movie-poster");
    let spec = project.read("stacks/movie-poster/usecase.yaml");
    let spec: String = spec
        .lines()
        .filter(|line| !line.contains("layers:") && !line.contains("boto3:"))
        .map(|line| format!("{line}\n"))
        .collect();
    project.write("stacks/movie-poster/usecase.yaml", spec);
    project
}

fn edit(project: &Project, from: &str, to: &str) {
    let spec = project.read("stacks/movie-poster/usecase.yaml");
    assert!(spec.contains(from), "the spec has no `{from}`");
    project.write("stacks/movie-poster/usecase.yaml", spec.replace(from, to));
}

/// Puts an object into a bucket of a served local target, as any HTTP client could.
fn put(served: &Served, bucket: &str, key: &str) {
    let signature = administrator("us-west-2", "s3");
    let (status, _, answer) = served.send(&format!("PUT /{bucket}/{key}"), &[("authorization", &signature)], b"hi");
    assert_eq!(status, 200, "{answer}");
}

#[test]
fn a_use_case_lives_from_check_to_destroy() {
    let project = poster();
    assert_snapshot!("life-1-check", project.run(&["check", "movie-poster"]).session());
    let deployed = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]);
    assert!(deployed.stderr.contains("packaging 1 file of function/"), "{}", deployed.stderr);
    assert_snapshot!("life-2-deploy", deployed.session());
    assert_snapshot!("life-3-again", project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).session());
    assert_snapshot!("life-4-status", project.run(&["status", "movie-poster"]).session());
    assert_snapshot!("life-5-outputs", project.run(&["outputs", "movie-poster"]).session());
    assert_snapshot!("life-6-list", project.run(&["list"]).session());
    edit(&project, "timeout: 29s", "timeout: 20s");
    assert_snapshot!("life-7-plan", project.run(&["plan", "movie-poster", "--exit-code"]).session());
    assert_snapshot!("life-8-update", project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).session());
    assert_snapshot!("life-9-destroy", project.run(&["destroy", "movie-poster", "--yes"]).session());
    assert_snapshot!("life-10-gone", project.run(&["destroy", "movie-poster", "--yes"]).session());
}

#[test]
fn without_a_terminal_nothing_is_approved_and_nothing_is_left() {
    let project = poster();
    let run = project.run(&["deploy", "movie-poster", "--no-smoke"]);
    assert_eq!(run.code, 4, "{}", run.session());
    assert!(run.stderr.contains("--yes"), "{}", run.session());
    let status = project.run(&["status", "movie-poster"]);
    assert!(status.stderr.contains("not deployed") || status.stdout.contains("not deployed"), "{}", status.session());
}

#[test]
fn a_failing_resource_is_rolled_back_and_its_cause_is_shown_at_its_line() {
    let project = poster();
    let served = project.serve(&["--fail", "DesignFunction=no capacity left"]);
    let run = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke", "--endpoint-url", &served.url]);
    assert_eq!(run.code, 10, "{}", run.session());
    assert!(run.stderr.contains("no capacity left"), "{}", run.session());
    assert!(run.stderr.contains("stacks/movie-poster/usecase.yaml:"), "{}", run.session());
    drop(served);
    // Without the injected failure the same command recovers by itself.
    let run = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).ok();
    assert!(run.stderr.contains("deployed movie-poster-dev"), "{}", run.session());
}

#[test]
fn destroy_empties_the_buckets_it_owns_first() {
    let project = poster();
    let outputs = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).ok().stdout;
    let bucket =
        outputs.lines().find_map(|line| line.strip_prefix("PostersBucketName = ")).expect("a bucket").to_owned();
    let served = project.serve(&[]);
    for key in ["posters/a.png", "posters/b.png"] {
        put(&served, &bucket, key);
    }
    let run = project.run(&["destroy", "movie-poster", "--yes"]).ok();
    assert!(run.stderr.contains("2 object versions"), "{}", run.session());
    let gone = project.run(&["destroy", "movie-poster", "--yes"]).ok();
    assert!(gone.stderr.contains("does not exist"), "{}", gone.session());
}

#[test]
fn json_gives_one_event_a_line_and_nothing_else_on_standard_output() {
    let project = poster();
    let run = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke", "--format", "json"]).ok();
    let kinds: Vec<String> = run
        .stdout
        .lines()
        .map(|line| {
            serde_json::from_str::<serde_json::Value>(line).expect("JSON")["kind"].as_str().expect("a kind").to_owned()
        })
        .collect();
    assert_eq!(kinds.first().map(String::as_str), Some("started"), "{kinds:?}");
    assert_eq!(kinds.last().map(String::as_str), Some("finished"), "{kinds:?}");
    assert!(kinds.iter().any(|kind| kind == "outputs-ready"), "{kinds:?}");
}

#[test]
fn a_second_deploy_uploads_nothing_and_executes_nothing() {
    let project = poster();
    let first = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke", "--format", "json"]).ok().stdout;
    assert!(first.contains("\"artifact-uploaded\"") && first.contains("\"executing\""), "{first}");
    let second = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke", "--format", "json"]).ok().stdout;
    assert!(!second.contains("\"artifact-uploaded\"") && !second.contains("\"executing\""), "{second}");
    assert!(second.contains("\"no-change\""), "{second}");
}

#[test]
fn changed_code_alone_is_a_change_to_the_function_alone() {
    let project = poster();
    let _ = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).ok();
    let code = project.read("stacks/movie-poster/function/app.py");
    project.write("stacks/movie-poster/function/app.py", format!("{code}\n# a comment\n"));
    let plan = project.run(&["plan", "movie-poster", "--format", "json", "--exit-code"]);
    assert_eq!(plan.code, 3, "{}", plan.session());
    assert!(
        plan.stdout.contains("DesignFunction") && !plan.stdout.contains("PostersBucketPolicy"),
        "{}",
        plan.session()
    );
}

#[test]
fn a_deploy_killed_at_any_moment_is_picked_up_by_the_next() {
    let project = poster();
    // How long one takes decides where the kills fall: spread over the whole of it.
    let start = std::time::Instant::now();
    let _ = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).ok();
    let whole = start.elapsed();
    let _ = project.run(&["destroy", "movie-poster", "--yes"]).ok();
    for step in 1..=12_u32 {
        let mut child = project
            .command(&["deploy", "movie-poster", "--yes", "--no-smoke"])
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .expect("the program starts");
        // The moment of the kill is what is tested; nothing waits for it.
        std::thread::sleep(whole * step / 12);
        child.kill().expect("kill -9");
        let _ = child.wait();
        let run = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]);
        assert_eq!(run.code, 0, "killed after {:?}:\n{}", whole * step / 12, run.session());
        assert!(run.stdout.contains("PostersBucketName = "), "{}", run.session());
        let _ = project.run(&["destroy", "movie-poster", "--yes"]).ok();
    }
}

#[test]
fn two_deploys_at_once_in_one_project_both_end_well() {
    let project = poster();
    let children: Vec<_> = ["dev", "test"]
        .into_iter()
        .map(|stage| {
            // The function's own name would be the same in both stages.
            let args = ["deploy", "movie-poster", "--yes", "--no-smoke", "--stage", stage];
            project.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the program starts")
        })
        .collect();
    let codes: Vec<i32> = children
        .into_iter()
        .map(|child| child.wait_with_output().expect("it ends").status.code().unwrap_or(-1))
        .collect();
    // The names of the stage `dev` are the course's, and those of any other end with the stage.
    assert_eq!(codes, [0, 0]);
    for (stage, name) in [("dev", "moviePosterDesignFunction\n"), ("test", "moviePosterDesignFunction-test\n")] {
        let run = project.run(&["outputs", "movie-poster", "--stage", stage]);
        assert!(run.session().contains(name), "{}", run.session());
    }
}

#[test]
fn a_broken_spec_is_shown_at_its_line_and_nothing_is_made() {
    let project = poster();
    edit(&project, "timeout: 29s", "timeot: 29s");
    assert_snapshot!(project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).session());
    assert!(!project.path().join(".bedplate").exists(), "a spec with errors makes no state");
}

#[test]
fn the_project_is_the_same_from_wherever_it_is_worked_on() {
    let project = poster();
    let _ = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke"]).ok();
    let spec = project.path().join("stacks/movie-poster/usecase.yaml");
    let elsewhere = Project::empty();
    for (folder, named) in [
        (project.path().join("stacks/movie-poster/function"), "movie-poster"),
        (elsewhere.path().to_owned(), spec.to_str().expect("a path in UTF-8")),
    ] {
        let output = project.command(&["status", named]).current_dir(&folder).output().expect("it runs");
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(said.starts_with("movie-poster-dev CREATE_COMPLETE"), "{folder:?}: {said}");
        assert!(!folder.join(".bedplate").exists(), "{folder:?} has no state of its own");
    }
}

#[test]
fn looking_makes_no_state() {
    let project = poster();
    for verb in ["status", "plan", "destroy", "check", "render"] {
        let run = project.run(&[verb, "movie-poster"]);
        assert_eq!(run.code, 0, "{verb}: {}", run.session());
        assert!(!project.path().join(".bedplate/local").exists(), "{verb} made a local target");
    }
}

#[test]
fn finding_no_use_case_is_no_success() {
    let project = Project::empty();
    for verb in ["check", "plan", "deploy", "status"] {
        let run = project.run(&[verb]);
        assert_eq!(run.code, 1, "{verb}: {}", run.session());
        assert!(run.stderr.contains("error[P032]"), "{verb}: {}", run.session());
    }
    let list = project.run(&["list"]).ok();
    assert!(list.stderr.contains("no use cases here"), "{}", list.session());
}

#[test]
fn quiet_says_only_results_and_errors() {
    let project = poster();
    let run = project.run(&["deploy", "movie-poster", "--yes", "--no-smoke", "--quiet"]).ok();
    assert_eq!(run.stderr, "");
    assert!(run.stdout.contains("PostersBucketName = "), "{}", run.session());
}

#[test]
fn every_malformed_spec_is_a_coded_error_at_its_place() {
    let project = Project::empty();
    let folder = crate::support::repository().join("tests/fixtures/malformed");
    let mut tried = 0;
    for entry in std::fs::read_dir(folder).expect("fixtures").flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.ends_with(".yaml") {
            continue;
        }
        let spec = format!("stacks/{name}/usecase.yaml");
        project.write(&spec, std::fs::read(entry.path()).expect("a fixture"));
        // A code folder, so that what is wrong is what the fixture is about.
        project.write(&format!("stacks/{name}/function/app.py"), "def handler(event, context):\n    return event\n");
        let run = project.run(&["check", &spec]);
        assert_eq!(run.code, 1, "{name}: {}", run.session());
        assert!(run.stdout.contains("error[S"), "{name}: {}", run.session());
        assert!(run.stdout.contains(&format!("--> {spec}:")), "{name}: {}", run.session());
        assert!(!run.stderr.contains("panicked"), "{name}: {}", run.session());
        tried += 1;
    }
    assert!(tried >= 20, "only {tried} malformed specs");
}

#[test]
fn the_version_comes_at_once() {
    let project = Project::empty();
    let start = std::time::Instant::now();
    let run = project.run(&["--version"]).ok();
    assert!(run.stdout.starts_with("bedplate 0."), "{}", run.stdout);
    // A debug build on a busy machine is slow to load; a second is still far from a runtime or a network.
    assert!(start.elapsed() < Duration::from_secs(1));
}

#[test]
fn usage_errors_exit_2() {
    let project = Project::empty();
    for args in [
        &["deply"][..],
        &["deploy", "--stage"],
        &["render", "--template-format", "toml"],
        &["local", "serve", "--fail", "a/b"],
    ] {
        let run = project.run(args);
        assert_eq!(run.code, 2, "{args:?}: {}", run.session());
        assert_eq!(run.stdout, "", "{args:?}");
    }
}

#[test]
fn the_committed_schema_is_the_one_the_program_prints() {
    // The bytes themselves: a session has its durations made alike, and the schema's examples hold some.
    let output = Project::empty().command(&["schema"]).output().expect("the program starts");
    assert!(output.status.success());
    let printed = String::from_utf8(output.stdout).expect("text");
    let committed =
        std::fs::read_to_string(crate::support::repository().join("schemas/usecase.schema.json")).expect("schema");
    assert!(printed == committed, "stale: run `bedplate schema > schemas/usecase.schema.json`");
}

#[test]
fn parameters_go_by_the_names_of_the_spec_and_are_judged_before_any_stack_is_touched() {
    let project = Project::empty();
    let spec = |name: &str, parameters: &str| {
        format!("bedplate: 1\nname: {name}\nparameters:\n{parameters}buckets:\n  posters: {{}}\n")
    };
    project.write("bedplate.yaml", "stages:\n  dev:\n    parameters: { style: anime, of-another: x }\n");
    project.write("stacks/aa/usecase.yaml", spec("aa", "  style: {}\n"));
    project.write("stacks/bb/usecase.yaml", spec("bb", "  web-token: { secret: true }\n"));

    for name in ["Style", "ArtifactBucket", "nosuch"] {
        let run = project.run(&["deploy", "aa", "bb", "--yes", "-p", &format!("{name}=x")]);
        assert_eq!(run.code, 1, "{}", run.session());
        assert!(run.stderr.contains("D002") && run.stderr.contains("`style`, `web-token`"), "{}", run.session());
    }
    let run = project.run(&["deploy", "aa", "bb", "--yes"]);
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.stderr.contains("D003") && run.stderr.contains("`web-token`"), "{}", run.session());
    assert!(run.stderr.contains("stacks/bb/usecase.yaml:4:"), "{}", run.session());
    let list = project.run(&["list"]);
    assert!(!list.stdout.contains("CREATE_COMPLETE"), "aa was left alone: {}", list.session());

    let run = project.run(&["deploy", "aa", "bb", "--yes", "-p", "web-token=sesame"]);
    assert_eq!(run.code, 0, "{}", run.session());
    // What a stack has already is a value.
    let run = project.run(&["deploy", "aa", "bb", "--yes"]);
    assert_eq!(run.code, 0, "{}", run.session());
}

#[test]
fn an_undefined_profile_is_told_by_name() {
    let project = poster();
    project.write("config", "");
    let mut command = project.command(&["deploy", "movie-poster", "--target", "aws", "--profile", "nosuch"]);
    for name in ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"] {
        command.env_remove(name);
    }
    for name in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        command.env(name, project.path().join("config"));
    }
    let output = command.output().expect("the program runs");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(said.contains("C002") && said.contains("the profile `nosuch` is not defined"), "{said}");
}

#[test]
fn what_was_meant_to_stay_is_not_called_gone() {
    let project = Project::empty();
    let queue = "{ Type: AWS::SQS::Queue, DeletionPolicy: Retain, UpdateReplacePolicy: Retain }";
    let spec = format!("bedplate: 1\nname: kept\nregion: us-west-2\nresources:\n  Jobs: {queue}\n");
    project.write("stacks/kept/usecase.yaml", spec);
    let _ = project.run(&["deploy", "kept", "--yes"]).ok();
    let run = project.run(&["destroy", "kept", "--yes"]).ok();
    assert!(run.stderr.contains("all but the one above, which was meant to stay"), "{}", run.session());
    assert!(!run.stderr.contains("nothing of it remains"), "{}", run.session());
}

#[test]
fn rm_takes_away_what_this_run_made_and_nothing_else() {
    let project = Project::empty();
    let spec = "bedplate: 1\nname: brief\nregion: us-west-2\nresources:\n  Jobs: { Type: AWS::SQS::Queue }\n";
    project.write("stacks/brief/usecase.yaml", spec);
    let run = project.run(&["deploy", "brief", "--yes", "--rm"]).ok();
    assert!(
        run.stderr.contains("deployed brief-dev") && run.stderr.contains("nothing of it remains"),
        "{}",
        run.session()
    );

    // A failed deploy leaves a stack behind, and that goes too.
    let failing = "  Jobs: { Type: AWS::SQS::Queue, Metadata: { Bedplate: { Fail: no } } }";
    project.write("stacks/brief/usecase.yaml", spec.replace("  Jobs: { Type: AWS::SQS::Queue }", failing));
    let run = project.run(&["deploy", "brief", "--yes", "--rm"]);
    assert_eq!(run.code, 10, "{}", run.session());
    assert!(run.stderr.contains("nothing of it remains"), "{}", run.session());
    let list = project.run(&["list"]).ok();
    assert!(!list.stdout.contains("ROLLBACK_COMPLETE"), "{}", list.session());

    project.write("stacks/brief/usecase.yaml", spec);
    let _ = project.run(&["deploy", "brief", "--yes"]).ok();
    let run = project.run(&["deploy", "brief", "--yes", "--rm"]);
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.stderr.contains("error[P033]"), "{}", run.session());
    let list = project.run(&["list"]).ok();
    assert!(list.stdout.contains("CREATE_COMPLETE"), "it was not touched: {}", list.session());
}

/// What a stack gives back is text of whoever made it.
#[test]
fn values_of_a_stack_forge_no_line_and_no_command() {
    let project = Project::empty();
    let spec = |name: &str, value: &str| {
        format!("bedplate: 1\nname: forger\nbuckets: {{ b: {{}} }}\noutputs:\n  {name}: {value}\n")
    };
    let evil = r#""one\n::error file=a.rs,line=1::forged\n##[stop-commands]x\nOther = value\e[2J""#;
    project.write("stacks/forger/usecase.yaml", spec("Evil", evil));
    for (verb, formats) in [("deploy", ["text", "github", "json"]), ("outputs", ["text", "github", "json"])] {
        for format in formats {
            let run = project.run(&[verb, "forger", "--format", format, "--yes"]).ok();
            for line in run.stdout.lines().chain(run.stderr.lines()) {
                let line = line.trim_start();
                let is_own = format == "github" && line.contains(",title=R102::");
                assert!(is_own || !line.starts_with("::"), "{verb} {format}: {line}");
                assert!(!line.starts_with("Other"), "{verb} {format}: {line}");
                assert!(!line.contains("##[") && !line.contains('\u{1b}'), "{verb} {format}: {line}");
            }
            if format != "json" {
                let evil: Vec<&str> = run.stdout.lines().filter(|line| line.contains("forged")).collect();
                assert!(evil.len() == 1 && evil[0].starts_with("Evil = one"), "{}", run.session());
            }
        }
    }
    let run = project.run(&["outputs", "forger", "--env"]);
    assert!(run.code == 1 && run.stderr.contains("error[P044]") && run.stdout.is_empty(), "{}", run.session());
    for name in ["Path", "LdPreload", "BashEnv"] {
        project.write("stacks/forger/usecase.yaml", spec(name, "/tmp/evil.so"));
        let _ = project.run(&["deploy", "forger", "--yes"]).ok();
        let run = project.run(&["outputs", "forger", "--env"]);
        assert!(run.code == 1 && run.stderr.contains("error[P044]") && run.stdout.is_empty(), "{}", run.session());
    }
}

#[test]
fn help_and_readme_list_the_same_verbs() {
    let project = Project::empty();
    let help = project.run(&["--help"]).ok().stdout;
    let readme = std::fs::read_to_string(crate::support::repository().join("README.md")).expect("the README");
    let verbs = readme.split("## Verbs").nth(1).and_then(|text| text.split("Global options").next()).expect("a table");
    let first: Vec<&str> = verbs.lines().filter_map(|line| line.strip_prefix("| ")?.split(" | ").next()).collect();
    let listed = first.join(" ");
    // Each stands behind a backtick.
    let words: Vec<&str> = listed.split(" `").map(|word| word.trim_start_matches('`')).collect();
    let words: Vec<&str> = words.iter().filter_map(|word| word.split([' ', '`']).next()).collect();
    let commands = help.split("Commands:").nth(1).and_then(|text| text.split("\n\n").next()).expect("the verbs");
    for line in commands.lines() {
        let Some(verb) = line.strip_prefix("  ").and_then(|line| line.split(' ').next()) else { continue };
        if !verb.is_empty() && verb != "help" {
            assert_eq!(words.iter().filter(|word| **word == verb).count(), 1, "{verb} in {listed}");
        }
    }
    let run = project.run(&["list", "--stage", "dev-"]);
    assert_eq!(run.code, 2, "{}", run.session());
}
