//! What has the name of something that a stack made, and is not it: it is neither emptied nor deleted, and is told of.

use async_trait::async_trait;
use bedplate::aws::{CallErrorKind, Clients};
use bedplate::engine::{
    ApproveAll, Approver, DeployOptions, Desired, DestroyReport, Disposition, Event, EventKind, Finisher, Outcome,
    Proposal, Recorder, Run, bootstrap, deploy, destroy, plan, remove_bootstrap,
};
use bedplate::report;
use bedplate::report::style::Styles;
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::deploys::{World, desired, with};
use super::proxy::{ACCOUNT, Asked, Proxy, Reaction, cloudformation, keys, make_again, make_bucket, put, s3, s3_error};

/// A stack with a bucket of a given name.
fn posters(name: &str) -> Desired {
    desired("poster-dev", json!({ "Posters": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": name } } }))
}

async fn destroy_with(clients: &Clients, approver: &dyn Approver) -> (DestroyReport, Vec<Event>) {
    let recorder = Recorder::default();
    let run = Run::new(clients, &recorder, CancellationToken::new());
    let report = destroy(&run, "poster-dev", Some("poster"), approver).await;
    (report, recorder.events())
}

fn emptied(events: &[Event]) -> bool {
    events.iter().any(|event| matches!(event.what, EventKind::Emptying { .. } | EventKind::Emptied { .. }))
}

/// The bucket is told of as left alone, and the ending does not say that all is gone.
fn is_left_alone(report: &DestroyReport, bucket: &str) {
    assert_eq!((report.outcome, report.outcome.exit_code().code()), (Outcome::Leftovers, 14), "{:?}", report.findings);
    let left: Vec<(&str, bool)> = report.results.left.iter().map(|it| (it.physical_id.as_str(), it.intended)).collect();
    assert_eq!(left, [(bucket, false)]);
    assert!(
        report.results.left[0].reason.contains("not proven to be this stack's"),
        "{}",
        report.results.left[0].reason
    );
    let told: Vec<(&str, bool)> =
        report.findings.iter().map(|it| (it.code.as_str(), it.message.contains(bucket))).collect();
    assert_eq!(told, [("D070", true)], "{:?}", report.findings);
}

#[tokio::test]
async fn a_bucket_made_again_by_hand_is_neither_emptied_nor_deleted() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    make_again(&world, "posters", Some("precious.txt")).await;

    let (report, events) = world.destroy("poster-dev").await;
    is_left_alone(&report, "posters");
    assert!(!emptied(&events));
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
    assert_eq!(world.state("poster-dev").await, None, "the stack goes without it");
    let destroy_plan = report.results.destroy_plan.expect("what went");
    assert_eq!(destroy_plan.resources[0].disposition, Disposition::LeftAlone);
    let shown = report::destroy_plan::text(&destroy_plan, &Styles::default());
    assert!(shown.contains("posters") && shown.contains("left alone"), "{shown}");
    let json = serde_json::to_value(&destroy_plan).expect("JSON");
    assert_eq!(json["resources"][0]["disposition"], "left-alone");
    assert!(
        json["resources"][0]["reason"].as_str().is_some_and(|it| it.contains("aws:cloudformation:stack-id")),
        "{json}"
    );
}

#[tokio::test]
async fn an_empty_bucket_that_cloudformation_would_delete_keeps_the_stack() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    make_again(&world, "posters", None).await;
    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D070"), "{:?}", report.findings);
    assert!(report.findings[0].message.contains("`posters`"), "{}", report.findings[0]);
    assert_eq!(keys(&world, "posters").await.as_deref(), Some(&[][..]));
    // The way on that the finding gives.
    put(&world, "posters", "a").await;
    let (report, _) = world.destroy("poster-dev").await;
    is_left_alone(&report, "posters");
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["a"]);
}

/// Makes the bucket again while the question is on the screen.
struct MakesAgain<'a>(&'a World);

#[async_trait]
impl Approver for MakesAgain<'_> {
    async fn approve(&self, _: Proposal<'_>) -> bool {
        make_again(self.0, "posters", Some("precious.txt")).await;
        true
    }
}

#[tokio::test]
async fn a_bucket_made_again_during_the_prompt_is_seen_before_it_is_emptied() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    let (report, events) = destroy_with(&world.clients, &MakesAgain(&world)).await;
    is_left_alone(&report, "posters");
    assert!(!emptied(&events));
    let warned = |event: &Event| matches!(&event.what, EventKind::Warning { finding } if finding.code == "D070");
    assert!(events.iter().any(warned), "the list that was agreed to said otherwise");
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
}

#[tokio::test]
async fn a_bucket_of_another_stack_is_left_alone() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    s3(&world).delete_bucket().bucket("posters").send().await.expect("an empty bucket");
    let other = Desired { stack: "other-dev".into(), ..posters("posters") };
    let (report, _) = world.deploy(&other).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    put(&world, "posters", "precious.txt").await;
    let (report, events) = world.destroy("poster-dev").await;
    is_left_alone(&report, "posters");
    assert!(report.results.left[0].reason.contains("stack/other-dev/"), "{}", report.results.left[0].reason);
    assert!(!emptied(&events));
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
}

#[tokio::test]
async fn a_bucket_of_another_account_is_left_alone_and_one_whose_tags_are_denied_stops_the_run() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    put(&world, "posters", "precious.txt").await;
    let denies = |asked: &Asked| match asked.target.starts_with("/posters") {
        true => s3_error(403, "AccessDenied"),
        false => Reaction::Pass,
    };
    let proxy = Proxy::before(&world, denies).await;
    let (report, events) = destroy_with(&proxy.clients().await, &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "C009"), "{:?}", report.findings);
    assert!(report.findings[0].message.contains("s3:GetBucketTagging"), "{}", report.findings[0]);
    assert!(!events.iter().any(|event| matches!(event.what, EventKind::DestroyPlanReady { .. })));
    assert_eq!(world.state("poster-dev").await.map(|state| format!("{state:?}")), Some("Good".to_owned()));
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);

    // Gone here, and made there: it is not among this account's buckets.
    s3(&world).delete_object().bucket("posters").key("precious.txt").send().await.expect("a deletion");
    s3(&world).delete_bucket().bucket("posters").send().await.expect("an empty bucket");
    let (report, _) = destroy_with(&proxy.clients().await, &ApproveAll).await;
    is_left_alone(&report, "posters");
    assert!(
        report.results.left[0].reason.contains("not among the buckets of this account"),
        "{}",
        report.results.left[0].reason
    );
}

#[tokio::test]
async fn a_change_does_not_make_a_foreign_bucket_the_stacks_own() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    make_again(&world, "posters", Some("precious.txt")).await;
    let versioned = with(&posters("posters"), |it| {
        it["Resources"]["Posters"]["Properties"]["VersioningConfiguration"] = json!({ "Status": "Enabled" });
    });
    let (report, _) = world.deploy(&versioned).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let (report, _) = world.destroy("poster-dev").await;
    is_left_alone(&report, "posters");
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
}

#[tokio::test]
async fn a_forgotten_bucket_made_again_by_hand_is_left_alone() {
    let world = World::start().await;
    world.deploy(&posters("old-posters")).await;
    put(&world, "old-posters", "a").await;
    world.deploy(&posters("new-posters")).await;
    s3(&world).delete_object().bucket("old-posters").key("a").send().await.expect("a deletion");
    make_again(&world, "old-posters", Some("precious.txt")).await;

    let (report, events) = world.destroy("poster-dev").await;
    is_left_alone(&report, "old-posters");
    assert!(!emptied(&events));
    assert_eq!(keys(&world, "old-posters").await.expect("a bucket"), ["precious.txt"]);
    assert_eq!(keys(&world, "new-posters").await, None);
}

#[tokio::test]
async fn what_was_forgotten_and_deleted_after_all_is_none_of_the_stacks_any_more() {
    let world = World::start().await;
    world.deploy(&posters("old-posters")).await;
    put(&world, "old-posters", "a").await;
    world.deploy(&posters("new-posters")).await;
    // The failed deletion is made good by hand, and the stack makes and deletes a bucket of the name once more.
    s3(&world).delete_object().bucket("old-posters").key("a").send().await.expect("a deletion");
    s3(&world).delete_bucket().bucket("old-posters").send().await.expect("an empty bucket");
    for name in ["old-posters", "new-posters"] {
        let (report, _) = world.deploy(&posters(name)).await;
        assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    }
    make_bucket(&world, "old-posters").await;
    put(&world, "old-posters", "precious.txt").await;

    let (report, _) = world.destroy("poster-dev").await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert!(report.results.left.is_empty(), "{:?}", report.results.left);
    let named: Vec<_> =
        report.results.destroy_plan.expect("what went").resources.into_iter().map(|it| it.physical_id).collect();
    assert_eq!(named, [Some("new-posters".to_owned())]);
    assert_eq!(keys(&world, "old-posters").await.expect("a bucket"), ["precious.txt"]);
}

#[tokio::test]
async fn the_buckets_of_nested_stacks_are_the_stacks_own_and_twins_are_not() {
    for foreign in [false, true] {
        let world = World::start().await;
        make_bucket(&world, "templates").await;
        let child =
            json!({ "Resources": { "Inner": { "Type": "AWS::S3::Bucket", "Properties": { "BucketName": "inner" } } } });
        let body = child.to_string().into_bytes();
        world.clients.upload_bytes("templates", "child.json", body, ACCOUNT).await.expect("an upload");
        let url = format!("{}/templates/child.json", world.running.url());
        let parent = desired(
            "poster-dev",
            json!({ "Child": { "Type": "AWS::CloudFormation::Stack", "Properties": { "TemplateURL": url } } }),
        );
        let (report, _) = world.deploy(&parent).await;
        assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
        if foreign {
            make_again(&world, "inner", Some("precious.txt")).await;
        } else {
            put(&world, "inner", "a").await;
        }
        let (report, events) = world.destroy("poster-dev").await;
        if foreign {
            assert_eq!(report.outcome, Outcome::FailedState, "{:?}", report.findings);
            assert!(!emptied(&events));
            assert_eq!(keys(&world, "inner").await.expect("a bucket"), ["precious.txt"]);
        } else {
            assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
            assert_eq!(keys(&world, "inner").await, None);
        }
    }
}

/// An endpoint that stands for AWS and marks no bucket.
fn marks_nothing(asked: &Asked) -> Reaction {
    match asked.target.contains("tagging") {
        true => s3_error(404, "NoSuchTagSet"),
        false => Reaction::Pass,
    }
}

#[tokio::test]
async fn where_no_bucket_is_marked_the_stacks_own_record_counts_until_something_contradicts_it() {
    let world = World::start().await;
    let proxy = Proxy::before(&world, marks_nothing).await;
    world.deploy(&posters("posters")).await;
    put(&world, "posters", "a").await;
    let (report, _) = destroy_with(&proxy.clients_of_another_endpoint().await, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert_eq!(keys(&world, "posters").await, None);

    world.deploy(&posters("posters")).await;
    put(&world, "posters", "precious.txt").await;
    let younger = |asked: &Asked| match (asked.target.contains("ListBuckets"), asked.is_s3() && asked.target == "/") {
        (false, false) => marks_nothing(asked),
        _ => Reaction::Change(|body| body.replace("<CreationDate>20", "<CreationDate>21")),
    };
    let proxy = Proxy::before(&world, younger).await;
    let (report, events) = destroy_with(&proxy.clients_of_another_endpoint().await, &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D070"), "{:?}", report.findings);
    assert!(!emptied(&events));
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
    assert!(world.state("poster-dev").await.is_some(), "such an endpoint may delete what is not empty");
}

#[tokio::test]
async fn a_bucket_without_the_tag_is_not_believed_where_another_has_it() {
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    world.deploy(&desired("other-dev", json!({ "Other": { "Type": "AWS::S3::Bucket" } }))).await;
    make_again(&world, "posters", Some("precious.txt")).await;
    let proxy = Proxy::before(&world, |_| Reaction::Pass).await;
    let (report, _) = destroy_with(&proxy.clients_of_another_endpoint().await, &ApproveAll).await;
    assert_eq!((report.outcome, report.findings[0].code.as_str()), (Outcome::Failed, "D070"), "{:?}", report.findings);
    assert!(report.findings[0].message.contains("which CloudFormation puts on every bucket"), "{}", report.findings[0]);
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["precious.txt"]);
}

#[tokio::test]
async fn the_artifacts_of_a_stack_with_a_longer_name_stay() {
    let world = World::start().await;
    let (poster, mut longer) = (world.poster(), world.poster());
    longer.stack = "poster-dev-2".into();
    for desired in [&poster, &longer] {
        let (report, _) = world.deploy(desired).await;
        assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    }
    let bucket = format!("bedplate-artifacts-{ACCOUNT}-us-west-2");
    world.destroy("poster-dev").await;
    let kept = keys(&world, &bucket).await.expect("the artifact bucket");
    assert_eq!(kept, [format!("poster-dev-2/{}.zip", "ab".repeat(32))]);
}

/// Deploys the stack again, as somebody else would, once it is told that the stack is gone.
#[tokio::test]
async fn the_artifacts_of_a_stack_that_was_made_again_meanwhile_stay() {
    let world = World::start().await;
    world.deploy(&world.poster()).await;
    // The stack is destroyed, and every later look by its name finds it again.
    let stack = world.clients.stack("poster-dev").await.expect("an answer").expect("a stack");
    let answered = std::sync::atomic::AtomicBool::new(false);
    let again = format!(
        "<DescribeStacksResponse><DescribeStacksResult><Stacks><member><StackId>{}2</StackId>\
         <StackName>poster-dev</StackName><StackStatus>CREATE_COMPLETE</StackStatus></member></Stacks>\
         </DescribeStacksResult></DescribeStacksResponse>",
        stack.id
    );
    let proxy = Proxy::before(&world, move |asked| {
        let deleted = asked.body.contains("Action=DeleteStack");
        answered.fetch_or(deleted, std::sync::atomic::Ordering::SeqCst);
        let by_name = asked.body.contains("Action=DescribeStacks") && asked.body.ends_with("StackName=poster-dev");
        match by_name && answered.load(std::sync::atomic::Ordering::SeqCst) {
            true => Reaction::Answer(200, again.clone()),
            false => Reaction::Pass,
        }
    })
    .await;
    let (report, events) = destroy_with(&proxy.clients().await, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert!(events.iter().any(|it| matches!(&it.what, EventKind::Warning { finding } if finding.code == "D078")));
    let bucket = format!("bedplate-artifacts-{ACCOUNT}-us-west-2");
    assert_eq!(keys(&world, &bucket).await.expect("the artifact bucket").len(), 1);
}

#[tokio::test]
async fn every_request_to_s3_names_the_owner_it_expects() {
    let world = World::start().await;
    let proxy = Proxy::before(&world, |_| Reaction::Pass).await;
    let clients = proxy.clients().await;
    let recorder = Recorder::default();
    let run = Run::new(&clients, &recorder, CancellationToken::new());
    let options = DeployOptions::default();

    // A session with everything that asks S3: artifacts, documents (one above every bound for parts), a bucket that is
    // replaced and forgotten, uploads that nobody finished.
    let folder = world.dir.path().join("documents");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("a.md"), "# a").expect("a file");
    std::fs::write(folder.join("large.bin"), vec![7; 65 << 20]).expect("a file");
    let session = |name: &str| {
        let mut session = world.poster();
        session = with(&session, |it| {
            it["Resources"]["Posters"]["Properties"] = json!({ "BucketName": name });
        });
        session.finishers = vec![Finisher::Upload {
            component: "buckets.posters".into(),
            bucket: "Posters".into(),
            folder: folder.clone(),
            shown: "documents/".into(),
            prefix: String::new(),
            place: None,
        }];
        session
    };
    assert_eq!(bootstrap(&run).await.outcome, Outcome::Ready);
    plan(&run, &session("old-posters")).await;
    let report = deploy(&run, &session("old-posters"), &options, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    std::fs::remove_file(folder.join("a.md")).expect("a file");
    plan(&run, &session("old-posters")).await;
    let report = deploy(&run, &session("old-posters"), &options, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    let report = deploy(&run, &session("new-posters"), &options, &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    s3(&world).create_multipart_upload().bucket("new-posters").key("b").send().await.expect("an upload");
    let report = destroy(&run, "poster-dev", Some("poster"), &ApproveAll).await;
    assert_eq!(report.outcome, Outcome::Destroyed, "{:?}", report.findings);
    assert_eq!(remove_bootstrap(&run, &ApproveAll).await.outcome, Outcome::Destroyed);

    let asked: Vec<Asked> = proxy.asked().into_iter().filter(Asked::is_s3).collect();
    // ListBuckets has no such parameter (botocore's model of S3, 1.43.106); nothing else that is sent lacks it.
    let nameless = |asked: &&Asked| {
        let list_buckets = asked.method == "GET" && matches!(asked.target.split('?').next(), Some("/" | ""));
        !list_buckets && !asked.headers.contains(&format!("\r\nx-amz-expected-bucket-owner: {ACCOUNT}\r\n"))
    };
    let lines: Vec<String> = asked.iter().filter(nameless).map(Asked::line).collect();
    assert!(lines.is_empty(), "{lines:#?}");
    // The session is what it is meant to be.
    for (method, part) in [
        ("GET", "tagging"),
        ("GET", "versions"),
        ("GET", "uploads"),
        ("GET", "list-type=2"),
        ("POST", "delete"),
        ("POST", "uploads"),
        ("PUT", "partNumber=1"),
        ("POST", "uploadId="),
        ("DELETE", "uploadId="),
        ("DELETE", "/old-posters"),
        ("HEAD", "/bedplate-artifacts"),
        ("PUT", "/bedplate-artifacts"),
    ] {
        let found = asked.iter().any(|asked| asked.method == method && asked.target.contains(part));
        assert!(found, "no {method} with `{part}` among {} requests", asked.len());
    }
}

#[tokio::test]
async fn the_local_target_answers_nobody_who_expects_another_owner() {
    let world = World::start().await;
    make_bucket(&world, "posters").await;
    put(&world, "posters", "a").await;
    let s3 = s3(&world);
    let other = "999999999999";
    let denied = |status: Option<u16>, what: &str| assert_eq!(status, Some(403), "{what}");
    macro_rules! refused {
        ($($call:ident)+) => {$(
            let answer = s3.$call().bucket("posters").expected_bucket_owner(other).send().await;
            let error = answer.expect_err(stringify!($call));
            denied(error.raw_response().map(|raw| raw.status().as_u16()), stringify!($call));
        )+};
    }
    refused!(head_bucket get_bucket_tagging list_object_versions list_objects_v2 list_multipart_uploads delete_bucket);
    let put = s3.put_object().bucket("posters").key("b").expected_bucket_owner(other).send().await;
    denied(put.expect_err("a put").raw_response().map(|raw| raw.status().as_u16()), "put_object");
    let head = s3.head_object().bucket("posters").key("a").expected_bucket_owner(other).send().await;
    denied(head.expect_err("a head").raw_response().map(|raw| raw.status().as_u16()), "head_object");
    let error = world.clients.object_exists("posters", "a", other).await.expect_err("another's");
    assert_eq!(error.kind, CallErrorKind::Denied);
    assert_eq!(keys(&world, "posters").await.expect("a bucket"), ["a"]);
}

#[tokio::test]
async fn nobody_but_cloudformation_can_mark_a_bucket() {
    use aws_sdk_s3::types::{Tag, Tagging};
    let world = World::start().await;
    world.deploy(&posters("posters")).await;
    let stack = world.clients.stack("poster-dev").await.expect("an answer").expect("a stack");
    let mark = Tag::builder().key("aws:cloudformation:stack-id").value(&stack.id).build().expect("a tag");
    let tags = Tagging::builder().tag_set(mark).build().expect("tags");
    make_bucket(&world, "forged").await;
    let forged = s3(&world).put_bucket_tagging().bucket("forged").tagging(tags).send().await;
    assert!(forged.is_err(), "a tag of AWS's own cannot be set");
    s3(&world).delete_bucket_tagging().bucket("posters").send().await.expect("a deletion of the other tags");
    let tags = world.clients.bucket_tags("posters").await.expect("an answer").expect("a bucket");
    assert_eq!(tags.get("aws:cloudformation:stack-id"), Some(&stack.id));
}

#[tokio::test]
async fn everything_that_goes_is_listed_by_its_name_in_the_account() {
    let world = World::start().await;
    world.deploy(&world.poster()).await;
    let stack = cloudformation(&world).list_stack_resources().stack_name("poster-dev").send().await.expect("a stack");
    let physical: Vec<String> =
        stack.stack_resource_summaries().iter().filter_map(|it| it.physical_resource_id().map(str::to_owned)).collect();
    assert_eq!(physical.len(), 2);

    let replaced = with(&world.poster(), |it| {
        it["Resources"]["Posters"]["Properties"] = json!({ "BucketName": "mine" });
        it["Resources"].as_object_mut().expect("resources").remove("Wait");
    });
    let plan = world.plan(&replaced).await.results.plan.expect("a plan");
    let shown = report::plan::text(&plan, &Styles::default());
    for name in &physical {
        assert!(shown.contains(name.as_str()), "`{name}` is missing in\n{shown}");
    }

    let (report, _) = world.destroy("poster-dev").await;
    let destroy_plan = report.results.destroy_plan.expect("what went");
    let shown = report::destroy_plan::text(&destroy_plan, &Styles::default());
    let json = serde_json::to_string(&destroy_plan).expect("JSON");
    for name in &physical {
        assert!(shown.contains(name.as_str()) && json.contains(name.as_str()), "`{name}` is missing in\n{shown}");
    }
    assert!(shown.contains(&format!("bedplate-artifacts-{ACCOUNT}-us-west-2/poster-dev/")), "{shown}");
}

#[tokio::test]
async fn documents_are_not_written_over_those_in_a_foreign_bucket() {
    let world = World::start().await;
    let folder = world.dir.path().join("documents");
    std::fs::create_dir_all(&folder).expect("a folder");
    std::fs::write(folder.join("a.md"), "# a").expect("a file");
    let mut handbook = posters("posters");
    handbook.finishers = vec![Finisher::Upload {
        component: "buckets.posters".into(),
        bucket: "Posters".into(),
        folder,
        shown: "documents/".into(),
        prefix: String::new(),
        place: None,
    }];
    let (report, _) = world.deploy(&posters("posters")).await;
    assert_eq!(report.outcome, Outcome::Deployed, "{:?}", report.findings);
    make_again(&world, "posters", Some("a.md")).await;
    let (report, _) = world.deploy(&handbook).await;
    let codes: Vec<&str> = report.findings.iter().map(|it| it.code.as_str()).collect();
    assert_eq!(
        (report.outcome, codes.as_slice()),
        (Outcome::Unfinished, &["D070", "D040"][..]),
        "{:?}",
        report.findings
    );
    let object = s3(&world).get_object().bucket("posters").key("a.md").send().await.expect("an object");
    assert_eq!(object.body.collect().await.expect("its body").to_vec(), b"precious");
}
