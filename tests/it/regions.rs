//! Which region a verb goes to: one rule for all of them. Told from the region that the first request is signed for.

use crate::recorder::Recorder;
use crate::support::{Project, Run};

/// The two use cases of a project: one whose spec names a region, one whose spec names none.
fn project(stage_region: Option<&str>) -> Project {
    let project = Project::empty();
    let region = stage_region.map(|region| format!(", region: {region}")).unwrap_or_default();
    project.write("bedplate.yaml", format!("stages:\n  dev: {{ target: aws, account: \"111122223333\"{region} }}\n"));
    let queue = "resources:\n  Jobs: { Type: AWS::SQS::Queue }\nsmoke:\n  - invoke: functions.f\nfunctions:\n  f: { code: f/, handler: a.b, runtime: python3.13 }\n";
    for (name, region) in [("pinned", "region: us-west-2\n"), ("free", "")] {
        project.write(&format!("stacks/{name}/usecase.yaml"), format!("bedplate: 1\nname: {name}\n{region}{queue}"));
        project.write(&format!("stacks/{name}/f/a.py"), "def b(event, context): return 1\n");
    }
    project.write(
        "config",
        "[profile p]\nregion = ap-south-1\naws_access_key_id = AKIAAAAAAAAAAAAAAAAA\naws_secret_access_key = s\n",
    );
    project
}

const KEYS: [(&str, &str); 2] = [("AWS_ACCESS_KEY_ID", "AKIAAAAAAAAAAAAAAAAA"), ("AWS_SECRET_ACCESS_KEY", "s")];

fn run(project: &Project, recorder: &Recorder, args: &[&str], variables: &[(&str, &str)]) -> Run {
    let config = project.path().join("config").to_string_lossy().into_owned();
    let files = [("AWS_CONFIG_FILE", config.as_str()), ("AWS_SHARED_CREDENTIALS_FILE", config.as_str())];
    let variables = [&files[..], &KEYS, variables].concat();
    project.run_with(&[args, &["--endpoint-url", &recorder.url]].concat(), &variables)
}

/// The region of what was asked, or the code of the error when nothing was.
fn decided(recorder: &Recorder, run: &Run) -> String {
    let mut regions: Vec<String> = recorder.signers().into_iter().map(|signer| signer.region).collect();
    regions.dedup();
    match regions.as_slice() {
        [] => ["P025", "P070", "C013"].iter().find(|code| run.stderr.contains(*code)).unwrap_or(&"nothing").to_string(),
        regions => regions.join(" "),
    }
}

/// A use case, flags, variables of the environment, and the region or the error's code that they come to.
type Case<'a> = (&'a str, &'a [&'a str], &'a [(&'a str, &'a str)], &'a str);

#[test]
fn every_verb_of_a_use_case_goes_where_the_spec_the_stage_or_the_flag_says() {
    let recorder = Recorder::knowing_only_who_asks();
    let verbs: [&[&str]; 7] = [
        &["plan"],
        &["deploy", "--yes", "--no-smoke"],
        &["smoke"],
        &["status"],
        &["outputs"],
        &["logs"],
        &["destroy", "--yes"],
    ];
    let (env, profile): (&[(&str, &str)], _) = (&[("AWS_REGION", "sa-east-1")], ["--profile", "p"]);
    for stage in [None, Some("eu-central-1")] {
        let project = project(stage);
        let cases: Vec<Case<'_>> = match stage {
            None => vec![
                ("pinned", &[], env, "us-west-2"),
                ("pinned", &profile, &[], "us-west-2"),
                ("pinned", &["--region", "us-east-1"], &[], "P025"),
                ("free", &["--region", "us-east-1"], env, "us-east-1"),
                ("free", &profile, env, "sa-east-1"),
                ("free", &profile, &[], "ap-south-1"),
                ("free", &[], &[], "C013"),
            ],
            Some(_) => vec![
                ("pinned", &[], env, "us-west-2"),
                ("pinned", &["--region", "us-west-2"], env, "us-west-2"),
                ("pinned", &["--region", "eu-central-1"], &[], "P025"),
                ("free", &[], env, "eu-central-1"),
                ("free", &profile, env, "eu-central-1"),
                ("free", &["--region", "eu-central-1"], env, "eu-central-1"),
                ("free", &["--region", "us-east-1"], &[], "P025"),
            ],
        };
        for verb in verbs {
            for (name, flags, variables, wanted) in &cases {
                let (first, rest) = verb.split_first().expect("a verb");
                let args = [&[*first, name][..], rest, flags].concat();
                let run = run(&project, &recorder, &args, variables);
                let said = decided(&recorder, &run);
                assert_eq!(said, *wanted, "stage {stage:?}: {args:?} {variables:?}\n{}", run.session());
            }
        }
    }
}

#[test]
fn verbs_of_a_whole_project_go_to_the_regions_of_its_use_cases() {
    let recorder = Recorder::knowing_only_who_asks();
    let env = ("AWS_REGION", "sa-east-1");
    // The first request that is refused ends a list; a bootstrap tries the other regions too.
    for (stage, flags, listed, bootstrapped) in [
        (None, &[][..], "sa-east-1", "sa-east-1 us-west-2"),
        (None, &["--region", "us-east-1"], "us-east-1", "us-east-1"),
        (Some("eu-central-1"), &[], "eu-central-1", "eu-central-1 us-west-2"),
        (Some("eu-central-1"), &["--region", "us-west-2"], "us-west-2", "us-west-2"),
        (Some("eu-central-1"), &["--region", "us-east-1"], "P025", "P025"),
    ] {
        for (verb, wanted) in [("list", listed), ("bootstrap", bootstrapped)] {
            let project = project(stage);
            let args = [&[verb][..], flags].concat();
            let run = run(&project, &recorder, &args, &[env]);
            assert_eq!(decided(&recorder, &run), wanted, "{stage:?}: {args:?}\n{}", run.session());
        }
    }
}

#[test]
fn a_spec_that_does_not_load_still_says_where_its_stack_is() {
    let recorder = Recorder::knowing_only_who_asks();
    let project = project(Some("eu-central-1"));
    for (text, flags, wanted) in [
        ("bedplate: 1\nname: free\nregion: us-west-2\nnosuch: 1\n", &[][..], "us-west-2"),
        ("bedplate: 1\nname: free\nregion: us-west-2\nbuckets: [\n", &[], "us-west-2"),
        ("bedplate: 1\nname: free\nregion: 'us-west-2' # here\nbuckets: [\n", &[], "us-west-2"),
        ("bedplate: 1\nname: free\nregion: us-west-2\nbuckets: [\n", &["--region", "us-east-1"], "P025"),
        ("bedplate: 1\nname: free\nregion: us-wset\nnosuch: 1\n", &[], "P070"),
        ("bedplate: 1\nname: free\nnosuch: 1\n", &[], "eu-central-1"),
        ("bedplate: 1\nname: free\nnosuch: 1\n", &["--region", "us-east-1"], "P025"),
    ] {
        project.write("stacks/free/usecase.yaml", text);
        let args = [&["destroy", "free", "--yes"][..], flags].concat();
        let run = run(&project, &recorder, &args, &[("AWS_REGION", "sa-east-1")]);
        assert_eq!(decided(&recorder, &run), wanted, "{text}{flags:?}\n{}", run.session());
    }
    // One spec whose region cannot be read does not keep the others from being listed.
    project.write("stacks/free/usecase.yaml", "bedplate: 1\nname: free\nregion: us-wset\n");
    let run = run(&project, &recorder, &["list"], &[]);
    assert!(run.stderr.contains("warning[P070]"), "{}", run.session());
    assert_eq!(decided(&recorder, &run), "us-west-2");
}

#[test]
fn a_stages_region_decides_what_a_check_says_of_models() {
    let project = project(Some("eu-central-1"));
    let spec = "bedplate: 1\nname: free\nmodels:\n  artist: { id: \"stability.stable-image-core-v1:1\", output: image }\nbuckets: { b: {} }\n";
    project.write("stacks/free/usecase.yaml", spec);
    let run = project.run(&["check", "free"]);
    assert!(
        run.stdout.contains("is not offered in `eu-central-1`")
            || run.stderr.contains("is not offered in `eu-central-1`"),
        "{}",
        run.session()
    );
    let other = project.run(&["check", "free", "--region", "us-west-2"]);
    assert!(other.stderr.contains("P025") || other.stdout.contains("P025"), "{}", other.session());
}

#[test]
fn a_region_that_nobody_knows_stops_wherever_it_is_named() {
    let use_case = |region: &str| format!("bedplate: 1\nname: one\n{region}buckets: {{ files: {{}} }}\n");
    let checked = |project: &Project, flags: &[&str]| project.run(&[&["check", "one"][..], flags].concat());
    let project = Project::empty();
    project.write("stacks/one/usecase.yaml", use_case("region: us-eats-1\n"));
    let run = checked(&project, &[]);
    assert!(
        run.code != 0 && run.stdout.contains("P071") && run.stdout.contains("usecase.yaml:3:9"),
        "{}",
        run.session()
    );
    assert!(run.stdout.contains("did you mean `us-east-1`?"), "{}", run.session());

    project.write("stacks/one/usecase.yaml", use_case(""));
    let run = checked(&project, &["--region", "us-west-5"]);
    assert!(run.code != 0 && run.stdout.contains("P071") && run.stdout.contains("us-west-"), "{}", run.session());
    let recorder = Recorder::knowing_only_who_asks();
    let args = ["status", "one", "--target", "aws", "--endpoint-url", &recorder.url];
    let run = project.run_with(&args, &[&KEYS[..], &[("AWS_REGION", "us-eats-1")]].concat());
    assert!(run.code != 0 && run.stderr.contains("P071"), "{}", run.session());
    assert!(recorder.signers().is_empty(), "{}", run.session());

    project.write("bedplate.yaml", "stages: { dev: { region: us-eats-1 } }\n");
    let run = checked(&project, &[]);
    assert!(run.code != 0 && run.stderr.contains("P006") && run.stderr.contains("us-east-1"), "{}", run.session());

    // A region that AWS has newly is one when the project says so.
    project.write("bedplate.yaml", "regions: [us-west-5]\nstages: { dev: { region: us-west-5 } }\n");
    let run = checked(&project, &["--region", "us-west-5"]);
    assert_eq!(run.code, 0, "{}", run.session());
}
