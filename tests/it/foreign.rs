//! Whole sessions about what is not ours: a bucket that somebody made again, a stack of another team, a squatted bucket.

use std::fmt::Write as _;

use aws_sdk_s3::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_s3::primitives::ByteStream;
use aws_sdk_s3::types::{BucketLocationConstraint, CreateBucketConfiguration};
use insta::assert_snapshot;

use crate::support::{Project, Served};

const SHELF: &str = "bedplate: 1\nname: shelf\nregion: us-west-2\nbuckets:\n  books: {}\nresources:\n  Shelf:\n    Type: \
                     AWS::S3::Bucket\n    Properties: { BucketName: shelf-by-name }\n";

fn shelf() -> Project {
    let project = Project::empty();
    project.write("stacks/shelf/usecase.yaml", SHELF);
    project
}

/// Another person's client.
fn s3(served: &Served) -> aws_sdk_s3::Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-west-2"))
        .credentials_provider(Credentials::new("local", "local", None, None, "test"))
        .endpoint_url(&served.url)
        .force_path_style(true)
        .build();
    aws_sdk_s3::Client::from_conf(config)
}

async fn make(s3: &aws_sdk_s3::Client, bucket: &str) {
    let here = CreateBucketConfiguration::builder().location_constraint(BucketLocationConstraint::UsWest2).build();
    s3.create_bucket().bucket(bucket).create_bucket_configuration(here).send().await.expect("a bucket");
    let body = ByteStream::from_static(b"precious");
    s3.put_object().bucket(bucket).key("precious.txt").body(body).send().await.expect("a put");
}

async fn is_untouched(s3: &aws_sdk_s3::Client, bucket: &str) {
    let listed = s3.list_objects_v2().bucket(bucket).send().await.expect("the bucket");
    let keys: Vec<&str> = listed.contents().iter().filter_map(|object| object.key()).collect();
    assert_eq!(keys, ["precious.txt"]);
}

/// Runs commands and writes down what a person would see.
struct Recorded<'a> {
    project: &'a Project,
    text: String,
}

impl<'a> Recorded<'a> {
    fn of(project: &'a Project) -> Self {
        Self { project, text: String::new() }
    }

    fn run(&mut self, args: &[&str]) -> i32 {
        let run = self.project.run(args);
        // The random ends of names.
        let session = regex::Regex::new(r"-[0-9A-Za-z]{12}\b")
            .expect("a pattern")
            .replace_all(&run.session(), "-<random>")
            .into_owned();
        let _ = write!(self.text, "$ bedplate {}\n{session}\n\n", args.join(" "));
        run.code
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_made_again_by_hand_outlives_its_stack() {
    let project = shelf();
    let _ = project.run(&["deploy", "shelf", "--yes"]).ok();
    let served = project.serve(&[]);
    let s3 = s3(&served);
    s3.delete_bucket().bucket("shelf-by-name").send().await.expect("an empty bucket");
    make(&s3, "shelf-by-name").await;
    let mut recorded = Recorded::of(&project);
    assert_eq!(recorded.run(&["destroy", "shelf", "--yes"]), 14, "{}", recorded.text);
    is_untouched(&s3, "shelf-by-name").await;
    assert_eq!(recorded.run(&["destroy", "shelf", "--yes"]), 0, "{}", recorded.text);
    // The policy goes while the bucket by name is tried: which of the two is told first is chance.
    let policy = |line: &&str| line.contains("DELETE_COMPLETE    BooksBucketPolicy");
    assert_eq!(recorded.text.lines().filter(policy).count(), 1, "{}", recorded.text);
    let others: Vec<&str> = recorded.text.lines().filter(|line| !policy(line)).collect();
    assert_snapshot!(others.join("\n"));
}

#[test]
fn a_stack_of_another_team_is_taken_over_only_when_that_is_said() {
    let project = shelf();
    project.write("bedplate.yaml", "owner: team-a\n");
    let _ = project.run(&["deploy", "shelf", "--yes"]).ok();
    project.write("bedplate.yaml", "owner: team-b\nstages: { prod: { owner: team-a } }\n");
    let mut recorded = Recorded::of(&project);
    for verb in ["plan", "deploy", "destroy"] {
        let args: &[&str] = if verb == "plan" { &["plan", "shelf"] } else { &[verb, "shelf", "--yes"] };
        assert_eq!(recorded.run(args), i32::from(verb != "plan"), "{}", recorded.text);
    }
    assert_eq!(recorded.run(&["deploy", "shelf", "--yes", "--take-over"]), 0, "{}", recorded.text);
    assert_eq!(recorded.run(&["deploy", "shelf", "--yes"]), 0, "{}", recorded.text);
    let listed = project.run(&["list", "--format", "json"]).ok().stdout;
    assert!(listed.contains("\"bedplate:owner\":\"team-b\""), "{listed}");
    assert_snapshot!(recorded.text);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_squatted_artifact_bucket_is_named_and_another_name_is_found_by_every_verb() {
    let project = Project::empty();
    project.write(
        "stacks/shelf/usecase.yaml",
        "bedplate: 1\nname: shelf\nregion: us-west-2\nfunctions:\n  read: { code: function/, handler: app.handler, \
         runtime: python3.13 }\n",
    );
    project.write("stacks/shelf/function/app.py", "def handler(event, context):\n    return 1\n");
    let served = project.serve(&[]);
    let s3 = s3(&served);
    let squatted = "bedplate-artifacts-123456789012-us-west-2";
    make(&s3, squatted).await;
    let mut recorded = Recorded::of(&project);
    assert_eq!(recorded.run(&["deploy", "shelf", "--yes"]), 1, "{}", recorded.text);
    let bootstrap = ["bootstrap", "--region", "us-west-2", "--bucket", "our-artifacts-8f3a"];
    assert_eq!(recorded.run(&bootstrap), 0, "{}", recorded.text);
    for verb in ["deploy", "destroy"] {
        assert_eq!(recorded.run(&[verb, "shelf", "--yes"]), 0, "{}", recorded.text);
    }
    assert_eq!(recorded.run(&["bootstrap", "--remove", "--yes"]), 0, "{}", recorded.text);
    is_untouched(&s3, squatted).await;
    assert_snapshot!(recorded.text);
}

#[test]
fn a_project_cannot_set_the_tags_that_say_whose_a_stack_is() {
    let project = shelf();
    for (text, part) in [
        ("stages: { dev: { tags: { \"bedplate:use-case\": other } } }\n", "`bedplate:`"),
        ("stages: { dev: { owner: \"\" } }\n", "`bedplate:owner`"),
        ("owner: \"team ✂\"\n", "`bedplate:owner`"),
    ] {
        project.write("bedplate.yaml", text);
        let run = project.run(&["deploy", "shelf", "--yes"]);
        assert_eq!(run.code, 1, "{}", run.session());
        assert!(run.stderr.contains("P006") && run.stderr.contains(part), "{}", run.session());
    }
}

#[test]
fn the_name_of_an_artifact_bucket_is_one_a_bucket_can_have() {
    let project = shelf();
    for name in ["Ab", "-bucket", "a_b_c", "a"] {
        let run = project.run(&["bootstrap", &format!("--bucket={name}")]);
        assert_eq!(run.code, 2, "{}", run.session());
    }
    project.write(
        "stacks/east/usecase.yaml",
        SHELF.replace("us-west-2", "us-east-1").replace("name: shelf", "name: east"),
    );
    let run = project.run(&["bootstrap", "--bucket", "our-artifacts"]);
    assert_eq!(run.code, 1, "{}", run.session());
    assert!(run.stderr.contains("D079"), "{}", run.session());
}

/// `m-dev` at the stage `x`, and `m` at the stage `dev-x`: one name, two use cases.
#[test]
fn every_verb_refuses_the_stack_of_another_use_case_with_the_same_name() {
    let project = Project::empty();
    let spec = |name: &str| {
        format!(
            "bedplate: 1\nname: {name}\nfunctions:\n  f: {{ code: code/, handler: app.handler, runtime: python3.13 }}\n\
             smoke:\n  - invoke: functions.f\n"
        )
    };
    for name in ["m-dev", "m"] {
        project.write(&format!("stacks/{name}/usecase.yaml"), spec(name));
        project.write(&format!("stacks/{name}/code/app.py"), "def handler(event, context):\n    return 1\n");
    }
    project.write("stacks/fine/usecase.yaml", spec("fine"));
    project.write("stacks/fine/code/app.py", "def handler(event, context):\n    return 1\n");
    let _ = project.run(&["deploy", "m-dev", "--stage", "x", "--yes"]).ok();
    for verb in ["deploy", "plan", "smoke", "outputs", "logs", "status", "destroy"] {
        let mut args = vec![verb, "m", "--stage", "dev-x"];
        args.extend(["deploy", "destroy"].contains(&verb).then_some("--yes"));
        let run = project.run(&args);
        assert!(run.code == 1 && run.stderr.contains("error[D012]"), "{verb}: {}", run.session());
        assert!(run.stdout.is_empty(), "{verb}: {}", run.session());
        if verb != "destroy" && verb != "deploy" {
            let own = project.run(&[verb, "m-dev", "--stage", "x"]);
            assert_eq!(own.code, 0, "{verb}: {}", own.session());
        }
    }
    // The others are told of all the same.
    let run = project.run(&["status", "--stage", "dev-x"]);
    assert!(run.code == 1 && run.stdout.contains("fine-dev-x is not deployed"), "{}", run.session());
    // Nor are its outputs taken for another's.
    project.write(
        "stacks/takes/usecase.yaml",
        "bedplate: 1\nname: takes\nneeds:\n  m: { stage: dev-x }\noutputs:\n  Taken: ${needs.m.FFunctionName}\nbuckets: { b: {} }\n",
    );
    let run = project.run(&["plan", "takes"]);
    assert!(run.code == 1 && run.stderr.contains("[D012]"), "{}", run.session());
}
