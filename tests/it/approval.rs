//! What `--yes` covers on a stack that exists, and what has to be allowed by name.

use std::process::{Command, Stdio};

use serde_json::Value;

use crate::support::{Project, Run};

/// A use case with something of every kind: data, rights and a way in.
const SPEC: &str = r#"bedplate: 1
name: shop
region: us-west-2

buckets:
  papers: { documents: papers/ }

tables:
  orders: { partition-key: { name: id } }

functions:
  buy:
    code: buy/
    handler: index.handler
    runtime: python3.13
    environment: { TABLE: "${tables.orders}" }
    uses:
      - read: tables.orders

apis:
  web:
    kind: http
    routes:
      - GET /buy: { function: buy, auth: iam }
"#;

const CODE: &str = r#"def handler(event, context):
    return {"statusCode": 200, "body": "ok"}
"#;

fn shop() -> Project {
    let project = Project::empty();
    project.write("stacks/shop/usecase.yaml", SPEC);
    project.write("stacks/shop/papers/a.txt", "a");
    project.write("stacks/shop/papers/b.txt", "b");
    project.write("stacks/shop/buy/index.py", CODE);
    project
}

fn edit(project: &Project, from: &str, to: &str) {
    let spec = project.read("stacks/shop/usecase.yaml");
    assert!(spec.contains(from), "the spec has no `{from}`");
    project.write("stacks/shop/usecase.yaml", spec.replace(from, to));
}

fn deployed() -> Project {
    let project = shop();
    let run = project.run(&["deploy", "shop", "--yes"]).ok();
    assert!(!run.stderr.contains("--allow"), "a first deploy needs no flag: {}", run.session());
    project
}

/// A run that needs what it was not allowed, which must have left the stack as it was.
fn refused(project: &Project, code: &str, kinds: &str) -> Run {
    let before = project.run(&["status", "shop", "--format", "json"]).ok().stdout;
    let run = project.run(&["deploy", "shop", "--yes"]);
    assert_eq!(run.code, 4, "{}", run.session());
    assert!(run.stderr.contains(&format!("error[{code}]")), "{}", run.session());
    assert!(run.stderr.contains(&format!("add `--allow {kinds}`")), "{}", run.session());
    assert!(run.stderr.contains(&format!("needs --allow {kinds}")), "the plan says it too: {}", run.session());
    assert!(run.stderr.contains("shop-dev: not allowed, see above; nothing was changed"), "{}", run.session());
    let stack = |text: &str| {
        let status: Value = serde_json::from_str(text).expect("JSON");
        status["stack"].clone()
    };
    let after = project.run(&["status", "shop", "--format", "json"]).ok().stdout;
    assert_eq!(stack(&after), stack(&before), "the stack is as it was");
    run
}

/// The same run with the flag that was named.
fn allowed(project: &Project, kinds: &str) -> Run {
    project.run(&["deploy", "shop", "--yes", "--allow", kinds]).ok()
}

#[test]
fn what_harms_nobody_needs_no_flag() {
    let project = deployed();
    let _ = project.run(&["deploy", "shop", "--yes"]).ok();
    project.write("stacks/shop/buy/index.py", CODE.replace("ok", "thanks"));
    edit(&project, "runtime: python3.13", "runtime: python3.13\n    memory: 256");
    project.write("stacks/shop/papers/c.txt", "c");
    project.write("stacks/shop/papers/a.txt", "another a");
    edit(&project, "buckets:\n", "buckets:\n  more: {}\n");
    let run = project.run(&["deploy", "shop", "--yes"]).ok();
    assert!(run.stderr.contains("deployed shop-dev"), "{}", run.session());
    // Fewer rights are no gain either.
    edit(&project, "    uses:\n      - read: tables.orders\n", "");
    let _ = project.run(&["deploy", "shop", "--yes"]).ok();
}

#[test]
fn a_table_that_goes_is_named_with_its_line_and_its_name_in_the_account() {
    let project = deployed();
    edit(&project, "  orders: { partition-key: { name: id } }", "  bills: { partition-key: { name: id } }");
    edit(&project, "tables.orders}", "tables.bills}");
    edit(&project, "read: tables.orders", "read: tables.bills");
    let run = refused(&project, "D110", "data-loss,rights");
    assert!(
        run.stderr.contains("data-loss: `OrdersTable` (AWS::DynamoDB::Table, shop-dev-OrdersTable-"),
        "{}",
        run.session()
    );
    assert!(run.stderr.contains("the items of the table"), "{}", run.session());
    // One of two is not enough, and the flag may be repeated.
    let half = project.run(&["deploy", "shop", "--yes", "--allow", "rights"]);
    assert_eq!(half.code, 4, "{}", half.session());
    assert!(!half.stderr.contains("error[D112]"), "{}", half.session());
    let _ = project.run(&["deploy", "shop", "--yes", "--allow", "rights", "--allow", "data-loss"]).ok();
}

#[test]
fn a_table_with_another_key_is_a_replacement() {
    let project = deployed();
    edit(
        &project,
        "orders: { partition-key: { name: id } }",
        "orders: { partition-key: { name: number, type: number } }",
    );
    let run = refused(&project, "D111", "replacement");
    assert!(run.stderr.contains("stacks/shop/usecase.yaml:9"), "at its line: {}", run.session());
    let wrong = project.run(&["deploy", "shop", "--yes", "--allow", "data-loss"]);
    assert_eq!(wrong.code, 4, "another kind does not cover it: {}", wrong.session());
    allowed(&project, "replacement");
}

#[test]
fn a_right_that_a_function_gains_is_named_and_the_stage_may_allow_it() {
    let project = deployed();
    edit(&project, "- read: tables.orders", "- read-write: tables.orders");
    let run = refused(&project, "D112", "rights");
    assert!(
        run.stderr.contains("rights: `BuyFunctionRole` (AWS::IAM::Role, shop-dev-BuyFunctionRole-"),
        "{}",
        run.session()
    );
    assert!(run.stderr.contains("it gets `dynamodb:"), "{}", run.session());
    project.write("bedplate.yaml", "stages:\n  dev: { allow: [rights] }\n");
    let _ = project.run(&["deploy", "shop", "--yes"]).ok();
}

#[test]
fn a_way_in_for_anyone_is_public_exposure() {
    let project = deployed();
    edit(&project, "GET /buy: { function: buy, auth: iam }", "GET /buy: { function: buy }");
    let run = refused(&project, "D113", "public");
    assert!(run.stderr.contains("anyone can call `GET /buy` without signing in"), "{}", run.session());
    allowed(&project, "public");
    edit(&project, "    runtime: python3.13\n", "    runtime: python3.13\n    url: { auth: none }\n");
    let run = refused(&project, "D113", "rights,public");
    assert!(run.stderr.contains("AWS::Lambda::Url"), "{}", run.session());
    allowed(&project, "public,rights");
}

#[test]
fn objects_that_a_new_rule_deletes_are_data_loss() {
    let project = deployed();
    edit(&project, "papers: { documents: papers/ }", "papers: { documents: papers/, expire-after: 1d }");
    let run = refused(&project, "D110", "data-loss");
    assert!(run.stderr.contains("objects older than a day are deleted"), "{}", run.session());
    allowed(&project, "data-loss");
}

#[test]
fn documents_that_the_folder_no_longer_has_are_deleted_by_permission_only() {
    let project = deployed();
    std::fs::remove_file(project.path().join("stacks/shop/papers/b.txt")).expect("a file");
    let run = refused(&project, "D110", "data-loss");
    assert!(run.stderr.contains("1 document that the folder no longer has is deleted"), "{}", run.session());
    let run = allowed(&project, "data-loss");
    assert!(run.stderr.contains("1 deleted"), "{}", run.session());
}

#[test]
fn a_pipeline_reads_the_risks_and_decides() {
    let project = deployed();
    edit(
        &project,
        "orders: { partition-key: { name: id } }",
        "orders: { partition-key: { name: number, type: number } }",
    );
    let plan = project.run(&["plan", "shop", "--format", "json"]).ok();
    let planned: Value = serde_json::from_str(&plan.stdout).expect("JSON");
    let risk = &planned["plan"]["risks"][0];
    let text = |key: &str| risk[key].as_str().unwrap_or_default().to_owned();
    assert_eq!(
        (text("kind"), text("resource"), text("pointer")),
        ("replacement".into(), "OrdersTable".into(), "/tables/orders".into())
    );
    assert!(text("physical").starts_with("shop-dev-OrdersTable-"), "{risk}");
    assert_eq!(planned["needs"], serde_json::json!(["replacement"]));
    let run = project.run(&["deploy", "shop", "--yes", "--format", "json"]);
    assert_eq!(run.code, 4, "{}", run.session());
    let events: Vec<Value> = run.stdout.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    let ready = events.iter().find(|event| event["kind"] == "plan-ready").expect("a plan");
    assert_eq!(ready["plan"]["risks"][0]["kind"], "replacement");
    let last = events.last().expect("events");
    assert_eq!(
        (&last["kind"], &last["outcome"], &last["exit_code"]),
        (&"finished".into(), &"declined".into(), &4.into())
    );
    assert!(events.iter().any(|event| event["kind"] == "change-set-removed"), "{}", run.session());
    project.write("bedplate.yaml", "stages:\n  dev: { allow: [replacement] }\n");
    let plan = project.run(&["plan", "shop", "--format", "json"]).ok();
    let planned: Value = serde_json::from_str(&plan.stdout).expect("JSON");
    assert_eq!(planned["needs"], serde_json::json!([]), "the stage allows it");
}

#[test]
fn a_protected_stage_is_not_destroyed_by_a_yes() {
    let project = deployed();
    project.write("bedplate.yaml", "stages:\n  dev: { protected: true }\n");
    let run = project.run(&["destroy", "shop", "--yes"]);
    assert_eq!(run.code, 4, "{}", run.session());
    assert!(run.stderr.contains("error[D114]") && run.stderr.contains("--allow destroy"), "{}", run.session());
    let run = project.run(&["deploy", "shop", "--yes", "--rm", "--stage", "dev"]);
    assert_ne!(run.code, 0, "{}", run.session());
    let _ = project.run(&["status", "shop"]).ok();
    let _ = project.run(&["destroy", "shop", "--yes", "--allow", "destroy"]).ok();
    // What `--rm` would take away in a protected stage is not even made.
    let run = project.run(&["deploy", "shop", "--yes", "--rm"]);
    assert_eq!(run.code, 4, "{}", run.session());
    assert!(run.stderr.contains("error[D114]"), "{}", run.session());
    let run = project.run(&["bootstrap", "--remove", "--yes", "--region", "us-west-2"]);
    assert_eq!(run.code, 4, "{}", run.session());
}

/// Runs the program on a terminal and answers what it asks.
fn on_a_terminal(project: &Project, args: &[&str], answer: &str) -> (i32, String) {
    const DRIVER: &str = r"
import os, pty, sys
answer, program = sys.argv[1], sys.argv[2:]
pid, fd = pty.fork()
if pid == 0:
    os.execv(program[0], program)
seen, answered = b'', False
while True:
    try:
        data = os.read(fd, 4096)
    except OSError:
        break
    if not data:
        break
    seen += data
    if not answered and (b'[y/N] ' in seen or b'to go ahead: ' in seen):
        answered = True
        os.write(fd, answer.encode() + b'\n')
_, status = os.waitpid(pid, 0)
sys.stdout.buffer.write(seen)
sys.exit(os.waitstatus_to_exitcode(status))
";
    let mut command: Command = project.command(args);
    let program = command.get_program().to_owned();
    let given: Vec<_> = command.get_args().map(ToOwned::to_owned).collect();
    let variables: Vec<_> =
        command.get_envs().filter_map(|(key, value)| Some((key.to_owned(), value?.to_owned()))).collect();
    command = Command::new("python3");
    command.args(["-c", DRIVER, answer]).arg(program).args(given).current_dir(project.path());
    let output = command.env_clear().envs(variables).stdin(Stdio::null()).output().expect("python3");
    let seen = String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr);
    (output.status.code().unwrap_or(-1), seen)
}

#[test]
fn on_a_terminal_the_question_names_the_kinds_and_a_protected_stage_wants_the_name() {
    let project = deployed();
    edit(
        &project,
        "orders: { partition-key: { name: id } }",
        "orders: { partition-key: { name: number, type: number } }",
    );
    let (code, seen) = on_a_terminal(&project, &["deploy", "shop"], "n");
    assert_eq!(code, 4, "{seen}");
    assert!(seen.contains("Deploy shop-dev? It means: replacement. [y/N]"), "{seen}");

    project.write("bedplate.yaml", "stages:\n  dev: { protected: true }\n");
    let (code, seen) = on_a_terminal(&project, &["deploy", "shop"], "y");
    assert_eq!(code, 4, "a yes is not the name: {seen}");
    assert!(seen.contains("type `shop-dev` to go ahead"), "{seen}");
    let (code, seen) = on_a_terminal(&project, &["deploy", "shop"], "shop-dev");
    assert_eq!(code, 0, "{seen}");
    let (code, seen) = on_a_terminal(&project, &["destroy", "shop"], "yes");
    assert_eq!(code, 4, "{seen}");
    let (code, seen) = on_a_terminal(&project, &["destroy", "shop"], "shop-dev");
    assert_eq!(code, 0, "{seen}");
}

/// A resource as it is and as it shall be, and what that needs: in a use case of raw resources, as people bring along.
const CHANGES: &[(&str, &str, &str, &str)] = &[
    // Rights that a type gives by being there.
    ("", "{ Type: AWS::IAM::AccessKey, Properties: { UserName: { Ref: Person } } }", "rights", "Thing"),
    (
        "",
        "{ Type: AWS::IAM::UserToGroupAddition, Properties: { GroupName: admins, Users: [{ Ref: Person }] } }",
        "rights",
        "Thing",
    ),
    (
        "",
        "{ Type: AWS::Events::EventBusPolicy, Properties: { StatementId: s, Action: events:PutEvents, Principal: '111111111111' } }",
        "rights",
        "Thing",
    ),
    (
        "",
        "{ Type: AWS::Events::EventBusPolicy, Properties: { StatementId: s, Action: events:PutEvents, Principal: '*' } }",
        "rights,public",
        "Thing",
    ),
    ("", "{ Type: AWS::IAM::InstanceProfile, Properties: { Roles: [admin] } }", "rights", "Thing"),
    (
        "",
        "{ Type: AWS::SSM::Association, Properties: { Name: AWS-RunShellScript, Targets: [{ Key: InstanceIds, Values: ['*'] }] } }",
        "rights",
        "what its document does",
    ),
    // Open where nothing is said.
    (
        "{ Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Subnets: [subnet-1, subnet-2], Scheme: internal } }",
        "{ Type: 'AWS::ElasticLoadBalancingV2::LoadBalancer', Properties: { Subnets: [subnet-1, subnet-2] } }",
        "public",
        "it can be reached from the internet",
    ),
    // A condition that anybody's account meets.
    (
        "{ Type: AWS::SQS::QueuePolicy, Properties: { Queues: [{ Ref: Jobs }], PolicyDocument: { Version: '2012-10-17', Statement: [
          { Effect: Allow, Principal: '*', Action: sqs:SendMessage, Resource: { 'Fn::GetAtt': [Jobs, Arn] },
            Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::111111111111:*' } } }] } } }",
        "{ Type: AWS::SQS::QueuePolicy, Properties: { Queues: [{ Ref: Jobs }], PolicyDocument: { Version: '2012-10-17', Statement: [
          { Effect: Allow, Principal: '*', Action: sqs:SendMessage, Resource: { 'Fn::GetAtt': [Jobs, Arn] },
            Condition: { ArnLike: { 'aws:PrincipalArn': 'arn:aws:iam::*:*' } } }] } } }",
        "rights,public",
        "Thing",
    ),
    // Data that a setting replaces or no longer guards.
    (
        "{ Type: AWS::SecretsManager::Secret, Properties: { SecretString: one } }",
        "{ Type: AWS::SecretsManager::Secret, Properties: { SecretString: two } }",
        "data-loss",
        "another value takes the place of the one that the secret has",
    ),
    (
        "{ Type: AWS::SSM::Parameter, Properties: { Type: String, Value: one } }",
        "{ Type: AWS::SSM::Parameter, Properties: { Type: String, Value: two } }",
        "data-loss",
        "another value takes the place of the one that the parameter has",
    ),
    (
        "{ Type: AWS::S3::Bucket, Properties: { VersioningConfiguration: { Status: Enabled } } }",
        "{ Type: AWS::S3::Bucket, Properties: { VersioningConfiguration: { Status: Suspended } } }",
        "data-loss",
        "leaves no version behind",
    ),
    (
        "{ Type: AWS::S3::Bucket, DeletionPolicy: Retain }",
        "{ Type: AWS::S3::Bucket, DeletionPolicy: Delete }",
        "data-loss",
        "`DeletionPolicy` is no longer `Retain`",
    ),
    (
        "{ Type: AWS::EFS::FileSystem, Properties: { BackupPolicy: { Status: ENABLED } } }",
        "{ Type: AWS::EFS::FileSystem, Properties: { BackupPolicy: { Status: DISABLED } } }",
        "data-loss",
        "no longer backed up",
    ),
    (
        "{ Type: AWS::KMS::Key, Properties: { PendingWindowInDays: 30 } }",
        "{ Type: AWS::KMS::Key, Properties: { PendingWindowInDays: 7 } }",
        "data-loss",
        "7 days are left",
    ),
];

#[test]
fn what_a_brought_along_resource_gives_or_loses_is_named_whatever_its_type() {
    let project = Project::empty();
    let spec = |thing: &str| {
        let thing = if thing.is_empty() { String::new() } else { format!("  Thing: {thing}\n") };
        let others = "  Person: { Type: AWS::IAM::User }\n  Jobs: { Type: AWS::SQS::Queue }\n";
        project.write(
            "stacks/shop/usecase.yaml",
            format!("bedplate: 1\nname: shop\nregion: us-west-2\nresources:\n{others}{thing}"),
        );
    };
    for (before, after, kinds, named) in CHANGES {
        spec("");
        let _ = project.run(&["deploy", "shop", "--yes", "--allow", "data-loss,replacement,rights,public"]).ok();
        spec(before);
        let _ = project.run(&["deploy", "shop", "--yes", "--allow", "data-loss,replacement,rights,public"]).ok();
        spec(after);
        let refused = project.run(&["deploy", "shop", "--yes"]);
        assert_eq!(refused.code, 4, "{after}: {}", refused.session());
        assert!(refused.stderr.contains(&format!("needs --allow {kinds}")), "{after}: {}", refused.session());
        assert!(refused.stderr.contains(named), "{after}: {}", refused.session());
        assert!(refused.stderr.contains("nothing was changed"), "{after}: {}", refused.session());
    }
}
