//! Change sets: what they show, how they are run, and what becomes of them.

use super::*;
use aws_sdk_cloudformation::operation::describe_change_set::DescribeChangeSetOutput;
use aws_sdk_cloudformation::types::{ChangeSetStatus, ExecutionStatus, OnStackFailure, ResourceChange};

impl World {
    /// Makes a change set and describes it with values.
    async fn change_set(&self, stack: &str, name: &str, kind: ChangeSetType, body: &Value) -> DescribeChangeSetOutput {
        self.cfn
            .create_change_set()
            .stack_name(stack)
            .change_set_name(name)
            .change_set_type(kind)
            .template_body(body.to_string())
            .capabilities(Capability::CapabilityNamedIam)
            .send()
            .await
            .expect("a change set");
        let describe = self.cfn.describe_change_set().stack_name(stack).change_set_name(name);
        describe.include_property_values(true).send().await.expect("a description")
    }
}

fn change<'a>(set: &'a DescribeChangeSetOutput, logical_id: &str) -> &'a ResourceChange {
    let mut all = set.changes().iter().filter_map(|change| change.resource_change());
    all.find(|change| change.logical_resource_id() == Some(logical_id)).expect("a change")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_new_stack_is_reviewed_then_made() {
    let world = World::new().await;
    let body = template(json!({"Posters": bucket(json!({"BucketName": "reviewed-bucket"}))}));
    let set = world.change_set("demo", "first", ChangeSetType::Create, &body).await;
    assert_eq!(set.status(), Some(&ChangeSetStatus::CreateComplete));
    assert_eq!(set.execution_status(), Some(&ExecutionStatus::Available));
    assert_eq!(status(&world.stack("demo").await), "REVIEW_IN_PROGRESS");
    assert!(!world.bucket_exists("reviewed-bucket").await);
    let add = change(&set, "Posters");
    assert_eq!(add.action().map(|action| action.as_str()), Some("Add"));
    assert!(add.after_context().expect("a context").contains("reviewed-bucket"));

    world.change_set("demo", "second", ChangeSetType::Create, &body).await;
    let (code, message) = refused(
        world
            .cfn
            .create_change_set()
            .stack_name("demo")
            .change_set_name("second")
            .change_set_type(ChangeSetType::Create)
            .template_body(body.to_string())
            .send()
            .await,
    );
    assert_eq!((code.as_str(), message.as_str()), ("AlreadyExistsException", "ChangeSet second already exists"));
    world.cfn.execute_change_set().stack_name("demo").change_set_name("first").send().await.expect("execution");
    let stack = world.settled("demo").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE");
    assert_eq!(stack.change_set_id(), set.change_set_id());
    assert!(world.bucket_exists("reviewed-bucket").await);
    let left = world.cfn.list_change_sets().stack_name("demo").send().await.expect("change sets");
    let names: Vec<_> = left.summaries().iter().filter_map(|set| set.change_set_name()).collect();
    assert_eq!(names, [""; 0], "what was executed leaves the list, and the other change set is gone");
    let (code, _) = refused(world.cfn.execute_change_set().stack_name("demo").change_set_name("first").send().await);
    assert_eq!(code, "InvalidChangeSetStatus");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_name_of_an_executed_change_set_is_free_again() {
    let world = World::new().await;
    let body =
        |days: u32| template(json!({"Log": log_group(json!({"LogGroupName": "/log", "RetentionInDays": days}))}));
    let mut ids = Vec::new();
    for (days, kind) in [(1, ChangeSetType::Create), (3, ChangeSetType::Update), (5, ChangeSetType::Update)] {
        let set = world.change_set("demo", "deploy", kind, &body(days)).await;
        assert_eq!(set.execution_status(), Some(&ExecutionStatus::Available), "by its name it is the new one");
        let id = set.change_set_id().expect("an id").to_owned();
        world.cfn.execute_change_set().change_set_name(&id).send().await.expect("execution");
        let stack = world.settled("demo").await;
        assert_eq!(stack.change_set_id(), Some(id.as_str()));
        assert!(world.cfn.list_change_sets().stack_name("demo").send().await.expect("sets").summaries().is_empty());
        // While no other has its name, it is still found by it, and can't be executed again.
        let found =
            world.cfn.describe_change_set().stack_name("demo").change_set_name("deploy").send().await.expect("it");
        assert_eq!(
            (found.change_set_id(), found.execution_status()),
            (Some(id.as_str()), Some(&ExecutionStatus::ExecuteComplete))
        );
        let (code, _) =
            refused(world.cfn.execute_change_set().stack_name("demo").change_set_name("deploy").send().await);
        assert_eq!(code, "InvalidChangeSetStatus");
        ids.push(id);
    }
    for id in &ids {
        let set = world.cfn.describe_change_set().change_set_name(id).send().await.expect("it");
        assert_eq!(set.execution_status(), Some(&ExecutionStatus::ExecuteComplete), "by its ARN each is found");
    }
    // One that failed does not hold its name either; one that was not executed does.
    let mut bad = body(7);
    bad["Resources"]["Log"]["Metadata"] = json!({"Bedplate": {"Fail": "on purpose"}});
    world.change_set("demo", "deploy", ChangeSetType::Update, &bad).await;
    world.cfn.execute_change_set().stack_name("demo").change_set_name("deploy").send().await.expect("execution");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_ROLLBACK_COMPLETE");
    world.change_set("demo", "deploy", ChangeSetType::Update, &body(7)).await;
    let again = world.cfn.create_change_set().stack_name("demo").change_set_name("deploy");
    let (code, message) = refused(again.template_body(body(9).to_string()).send().await);
    assert_eq!((code.as_str(), message.as_str()), ("AlreadyExistsException", "ChangeSet deploy already exists"));
    let delete = || world.cfn.delete_change_set().stack_name("demo").change_set_name("deploy");
    delete().send().await.expect("gone");
    let found = world.cfn.describe_change_set().stack_name("demo").change_set_name("deploy").send().await.expect("it");
    assert_eq!(found.execution_status(), Some(&ExecutionStatus::ExecuteFailed));
}

#[tokio::test(flavor = "multi_thread")]
async fn an_export_is_looked_for_when_the_change_set_is_executed() {
    let world = World::new().await;
    let importing = |name: &str| {
        let mut body = template(json!({
            "Log": log_group(json!({"LogGroupName": {"Fn::ImportValue": name}})),
            "Other": log_group(json!({"LogGroupName": "/other"})),
        }));
        body["Conditions"] = json!({"Never": {"Fn::Equals": ["a", "b"]}});
        body["Resources"]["Idle"] = log_group(json!({"LogGroupName": {"Fn::ImportValue": "nobody-asks"}}));
        body["Resources"]["Idle"]["Condition"] = json!("Never");
        body
    };
    for (stack, made) in [("early", false), ("late", true)] {
        let set = world.change_set(stack, "first", ChangeSetType::Create, &importing("log-name")).await;
        assert_eq!(
            (set.status(), set.execution_status()),
            (Some(&ChangeSetStatus::CreateComplete), Some(&ExecutionStatus::Available))
        );
        assert_eq!(
            set.status_reason(),
            Some(
                "[WARN] --include-property-values option can return incomplete ChangeSet data because: ChangeSet creation \
                 failed for resource [Log] because: No export named log-name"
            )
        );
        let context = change(&set, "Log").after_context().expect("a context").to_owned();
        assert!(context.contains("{{changeSet:KNOWN_AFTER_APPLY}}"), "{context}");
        let plain =
            world.cfn.describe_change_set().stack_name(stack).change_set_name("first").send().await.expect("it");
        assert_eq!(plain.status_reason(), None, "told with the values only");
        if made {
            let mut body = template(json!({"Kept": log_group(json!({}))}));
            body["Outputs"] = json!({"Name": {"Value": "/imported", "Export": {"Name": "log-name"}}});
            world.create("exporter", &body).await;
        }
        world.cfn.execute_change_set().stack_name(stack).change_set_name("first").send().await.expect("execution");
        let wanted = if made { "CREATE_COMPLETE" } else { "ROLLBACK_COMPLETE" };
        assert_eq!(status(&world.settled(stack).await), wanted, "{:?}", world.events(stack).await);
    }
    assert_eq!(world.physical("late", "Log").await, "/imported");
    // No resource is begun, and the stack says why.
    assert_eq!(
        world.events("early").await,
        [
            "early REVIEW_IN_PROGRESS User Initiated",
            "early CREATE_IN_PROGRESS User Initiated",
            "early ROLLBACK_IN_PROGRESS No export named log-name found. Rollback requested by user.",
            "early ROLLBACK_COMPLETE",
        ]
    );
    let updated = world.update("late", &importing("moved")).await;
    assert_eq!(status(&updated), "UPDATE_ROLLBACK_COMPLETE");
    let events = world.events("late").await;
    assert!(events.contains(&"late UPDATE_ROLLBACK_IN_PROGRESS No export named moved found".to_owned()), "{events:?}");
    // An output that imports is decided in the same way.
    let mut body = template(json!({"Log": log_group(json!({}))}));
    body["Outputs"] = json!({"Name": {"Value": {"Fn::ImportValue": "nowhere"}}});
    assert_eq!(status(&world.create("outputs", &body).await), "ROLLBACK_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_becomes_of_a_failed_stack_is_said_once() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    let make = world.cfn.create_change_set().stack_name("demo").change_set_name("first");
    let make = make.change_set_type(ChangeSetType::Create).template_body(body.to_string());
    make.on_stack_failure(OnStackFailure::Delete).send().await.expect("a change set");
    let run = || world.cfn.execute_change_set().stack_name("demo").change_set_name("first");
    for disable in [false, true] {
        let (code, message) = refused(run().disable_rollback(disable).send().await);
        assert_eq!(code, "ValidationError");
        assert!(message.starts_with("Either DisableRollback or OnStackFailure can be specified"), "{message}");
    }
    run().send().await.expect("execution");
    assert_eq!(status(&world.settled("demo").await), "CREATE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_shows_values_reasons_and_replacement() {
    let world = World::new().await;
    let body = |name: &str, days: u32, extra: bool| {
        let mut body = template(json!({
            "Log": log_group(json!({"LogGroupName": name, "RetentionInDays": days})),
            "Follows": log_group(json!({"LogGroupName": {"Fn::Sub": "${Log}-too"}})),
            "Quiet": log_group(json!({"LogGroupName": "/quiet"})),
        }));
        if extra {
            body["Resources"]["Extra"] = log_group(json!({}));
        }
        body
    };
    world.create("demo", &body("/one", 1, true)).await;
    let set = world.change_set("demo", "next", ChangeSetType::Update, &body("/two", 7, false)).await;
    let log = change(&set, "Log");
    assert_eq!(log.replacement().map(|it| it.as_str()), Some("True"));
    assert_eq!(log.policy_action().map(|it| it.as_str()), Some("ReplaceAndDelete"));
    let detail = |name: &str| {
        let found = log.details().iter().find(|one| one.target().and_then(|target| target.name()) == Some(name));
        found.and_then(|one| one.target()).expect("a detail")
    };
    let renamed = detail("LogGroupName");
    assert_eq!((renamed.before_value(), renamed.after_value()), (Some("/one"), Some("/two")));
    assert_eq!(renamed.requires_recreation().map(|it| it.as_str()), Some("Always"));
    assert_eq!(detail("RetentionInDays").requires_recreation().map(|it| it.as_str()), Some("Never"));
    assert_eq!(log.physical_resource_id(), Some("/one"));

    let follows = change(&set, "Follows");
    assert_eq!(follows.replacement().map(|it| it.as_str()), Some("Conditional"));
    let cause = follows.details().first().expect("a detail");
    assert_eq!(cause.change_source().map(|it| it.as_str()), Some("ResourceReference"));
    assert_eq!(cause.causing_entity(), Some("Log"));
    assert_eq!(cause.evaluation().map(|it| it.as_str()), Some("Dynamic"));
    let removed = change(&set, "Extra");
    assert_eq!(removed.action().map(|it| it.as_str()), Some("Remove"));
    assert_eq!(removed.policy_action().map(|it| it.as_str()), Some("Delete"));
    assert_eq!(set.changes().len(), 3, "what stays is not shown");

    let plain = world.cfn.describe_change_set().stack_name("demo").change_set_name("next").send().await.expect("it");
    assert!(change(&plain, "Log").before_context().is_none(), "values are shown on request only");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_parameter_is_the_cause_of_what_it_changes_and_hidden_ones_stay_hidden() {
    let world = World::new().await;
    let mut body = template(json!({"Log": log_group(json!({
        "LogGroupName": "/log", "RetentionInDays": {"Ref": "Days"}, "Tags": [{"Key": "secret", "Value": {"Ref": "Secret"}}]}))}));
    body["Parameters"] = json!({"Days": {"Type": "Number"}, "Secret": {"Type": "String", "NoEcho": true}});
    let make = world.cfn.create_stack().stack_name("demo").template_body(body.to_string());
    let make = make.parameters(parameter("Days", "1")).parameters(parameter("Secret", "hunter2hunter2"));
    make.send().await.expect("a stack");
    let stack = world.settled("demo").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE");
    let shown = stack.parameters().iter().find(|one| one.parameter_key() == Some("Secret")).expect("it");
    assert_eq!(shown.parameter_value(), Some("****"));
    let events = world.cfn.describe_stack_events().stack_name("demo").send().await.expect("events");
    assert!(!format!("{events:?}").contains("hunter2"), "{events:?}");

    let keep = Parameter::builder().parameter_key("Secret").use_previous_value(true).build();
    world
        .cfn
        .create_change_set()
        .stack_name("demo")
        .change_set_name("days")
        .use_previous_template(true)
        .parameters(parameter("Days", "7"))
        .parameters(keep)
        .send()
        .await
        .expect("a change set");
    let describe = world.cfn.describe_change_set().stack_name("demo").change_set_name("days");
    let set = describe.include_property_values(true).send().await.expect("a description");
    assert!(!format!("{set:?}").contains("hunter2"));
    let log = change(&set, "Log");
    let detail = log.details().first().expect("a detail");
    assert_eq!(detail.change_source().map(|it| it.as_str()), Some("ParameterReference"));
    assert_eq!(detail.causing_entity(), Some("Days"));
    assert_eq!((log.replacement().map(|it| it.as_str()), log.details().len()), (Some("False"), 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_change_set_without_changes_fails_with_the_words_clients_look_for() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    world.create("demo", &body).await;
    let set = world.change_set("demo", "nothing", ChangeSetType::Update, &body).await;
    assert_eq!(set.status(), Some(&ChangeSetStatus::Failed));
    assert_eq!(set.execution_status(), Some(&ExecutionStatus::Unavailable));
    assert_eq!(
        set.status_reason(),
        Some("The submitted information didn't contain changes. Submit different information to create a change set.")
    );
    let (code, message) =
        refused(world.cfn.execute_change_set().stack_name("demo").change_set_name("nothing").send().await);
    assert_eq!(code, "InvalidChangeSetStatus");
    assert!(message.ends_with("cannot be executed in its current status of [FAILED]"), "{message}");
    world.cfn.delete_change_set().stack_name("demo").change_set_name("nothing").send().await.expect("gone");
    let (code, _) = refused(world.cfn.describe_change_set().stack_name("demo").change_set_name("nothing").send().await);
    assert_eq!(code, "ChangeSetNotFound");
}

#[tokio::test(flavor = "multi_thread")]
async fn validations_before_a_deployment_are_told_by_events() {
    let world = World::new().await;
    world.create("owner", &template(json!({"Posters": bucket(json!({"BucketName": "owned-bucket"}))}))).await;
    let body = template(json!({
        "Log": log_group(json!({"Nope": 1})),
        "Posters": bucket(json!({"BucketName": "owned-bucket"})),
    }));
    let set = world.change_set("demo", "first", ChangeSetType::Create, &body).await;
    assert_eq!(set.status(), Some(&ChangeSetStatus::Failed));
    let reason = set.status_reason().expect("a reason");
    assert!(reason.contains("AWS::EarlyValidation::PropertyValidation"), "{reason}");
    assert!(reason.contains("AWS::EarlyValidation::ResourceExistenceCheck"), "{reason}");
    let events = world.cfn.describe_events().change_set_name(set.change_set_id().expect("an id")).send().await;
    let events = events.expect("events");
    let mut told: Vec<String> = events
        .operation_events()
        .iter()
        .map(|event| {
            format!(
                "{} {} {} {} {}",
                event.event_type().map(|it| it.as_str()).unwrap_or_default(),
                event.validation_name().unwrap_or_default(),
                event.validation_failure_mode().map(|it| it.as_str()).unwrap_or_default(),
                event.validation_path().unwrap_or_default(),
                event.validation_status_reason().unwrap_or_default(),
            )
        })
        .collect();
    told.sort();
    insta::assert_snapshot!(told.join("\n"), @r"
    VALIDATION_ERROR NAME_CONFLICT_VALIDATION FAIL /Resources/Posters Resource of type 'AWS::S3::Bucket' with identifier 'owned-bucket' already exists.
    VALIDATION_ERROR PROPERTY_VALIDATION FAIL /Resources/Log/Properties Unsupported property [Nope]
    ");
    // They can be switched off; then the resources fail themselves.
    let make = world.cfn.create_change_set().stack_name("other").change_set_name("first").disable_validation(true);
    let make = make.change_set_type(ChangeSetType::Create).template_body(body.to_string());
    make.send().await.expect("a change set");
    world.cfn.execute_change_set().stack_name("other").change_set_name("first").send().await.expect("execution");
    assert_eq!(status(&world.settled("other").await), "ROLLBACK_COMPLETE");
    let failed = aws_sdk_cloudformation::types::EventFilter::builder().failed_events(true).build();
    let events = world.cfn.describe_events().stack_name("other").filters(failed).send().await.expect("events");
    assert!(!events.operation_events().is_empty());
    assert!(events.operation_events().iter().all(|event| {
        event.resource_status().is_some_and(|status| status.as_str().ends_with("_FAILED"))
            || event.validation_name().is_some()
    }));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bucket_that_goes_with_something_in_it_is_warned_of() {
    let world = World::new().await;
    let with =
        template(json!({"Log": log_group(json!({})), "Posters": bucket(json!({"BucketName": "warned-bucket"}))}));
    world.create("demo", &with).await;
    world.put("warned-bucket", "a", "b").await;
    let set =
        world.change_set("demo", "less", ChangeSetType::Update, &template(json!({"Log": log_group(json!({}))}))).await;
    assert_eq!(set.status(), Some(&ChangeSetStatus::CreateComplete), "a warning fails nothing");
    let events = world.cfn.describe_events().change_set_name(set.change_set_id().expect("an id")).send().await;
    let events = events.expect("events");
    let event = events.operation_events().first().expect("an event");
    assert_eq!(event.validation_name(), Some("BUCKET_EMPTINESS_VALIDATION"));
    assert_eq!(event.validation_failure_mode().map(|it| it.as_str()), Some("WARN"));
}

#[tokio::test(flavor = "multi_thread")]
async fn stack_tags_reach_the_resources_and_a_change_of_them_is_shown() {
    let world = World::new().await;
    let body = template(json!({"Posters": bucket(json!({"BucketName": "tagged-bucket"}))}));
    let tag = |value: &str| cfn::types::Tag::builder().key("owner").value(value).build();
    let make = world.cfn.create_stack().stack_name("demo").template_body(body.to_string()).tags(tag("ann"));
    make.send().await.expect("a stack");
    world.settled("demo").await;
    let owner = || async {
        let tags = world.s3.get_bucket_tagging().bucket("tagged-bucket").send().await.expect("tags");
        tags.tag_set().iter().find(|tag| tag.key() == "owner").map(|tag| tag.value().to_owned())
    };
    assert_eq!(owner().await.as_deref(), Some("ann"));
    let make = world.cfn.create_change_set().stack_name("demo").change_set_name("tags").tags(tag("bob"));
    make.use_previous_template(true).send().await.expect("a change set");
    let set = world.cfn.describe_change_set().stack_name("demo").change_set_name("tags").send().await.expect("it");
    let posters = change(&set, "Posters");
    assert_eq!(posters.scope().iter().map(|it| it.as_str()).collect::<Vec<_>>(), ["Tags"]);
    world.cfn.execute_change_set().stack_name("demo").change_set_name("tags").send().await.expect("execution");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_COMPLETE");
    assert_eq!(owner().await.as_deref(), Some("bob"));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_change_set_announces_is_what_is_done() {
    let world = World::new().await;
    let body = |name: &str, days: Value, class: &str| {
        template(json!({
            "Renamed": log_group(json!({"LogGroupName": name, "RetentionInDays": 1})),
            "Same": log_group(json!({"LogGroupName": "/same", "RetentionInDays": days})),
            "Kept": log_group(json!({"LogGroupName": "/kept", "Tags": [{"Key": "class", "Value": class}]})),
            "Follows": log_group(json!({"LogGroupName": {"Fn::Sub": "${Renamed}-too"}})),
        }))
    };
    world.create("demo", &body("/one", json!(7), "a")).await;
    let set = world.change_set("demo", "next", ChangeSetType::Update, &body("/two", json!("7"), "b")).await;
    let mut announced: Vec<String> = set
        .changes()
        .iter()
        .filter_map(|change| change.resource_change())
        .map(|change| {
            let replacement = change.replacement().map(|it| it.as_str()).unwrap_or_default();
            format!("{} {replacement}", change.logical_resource_id().unwrap_or_default())
        })
        .collect();
    announced.sort();
    assert_eq!(announced, ["Follows Conditional", "Kept False", "Renamed True"], "`7` and 7 are the same");
    let tag = change(&set, "Kept").details().first().and_then(|detail| detail.target()).expect("a detail");
    assert_eq!(tag.path(), Some("/Properties/Tags/0/Value"));
    assert_eq!((tag.before_value(), tag.after_value()), (Some("a"), Some("b")));

    let began = |events: &cfn::operation::describe_stack_events::DescribeStackEventsOutput| {
        let mut found: Vec<String> = events
            .stack_events()
            .iter()
            .filter(|event| event.resource_status().is_some_and(|it| it.as_str() == "UPDATE_IN_PROGRESS"))
            .filter(|event| event.resource_type() == Some("AWS::Logs::LogGroup"))
            .filter(|event| event.resource_status_reason() != Some("Resource creation Initiated"))
            .map(|event| {
                let replaced = event.resource_status_reason().is_some_and(|it| it.contains("new physical resource"));
                format!("{} {replaced}", event.logical_resource_id().unwrap_or_default())
            })
            .collect();
        found.sort();
        found
    };
    world.cfn.execute_change_set().stack_name("demo").change_set_name("next").send().await.expect("execution");
    assert_eq!(status(&world.settled("demo").await), "UPDATE_COMPLETE");
    let events = world.cfn.describe_stack_events().stack_name("demo").send().await.expect("events");
    assert_eq!(began(&events), ["Follows true", "Kept false", "Renamed true"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_that_is_changed_is_hidden_before_and_after() {
    let world = World::new().await;
    let mut body = template(json!({"Log": log_group(json!({
        "LogGroupName": "/log", "Tags": [{"Key": "secret", "Value": {"Fn::Sub": "a-${Secret}"}}]}))}));
    body["Parameters"] = json!({"Secret": {"Type": "String", "NoEcho": true}});
    let make = world.cfn.create_stack().stack_name("demo").template_body(body.to_string());
    make.parameters(parameter("Secret", "hunter2hunter2")).send().await.expect("a stack");
    assert_eq!(status(&world.settled("demo").await), "CREATE_COMPLETE");
    let make = world.cfn.create_change_set().stack_name("demo").change_set_name("other").use_previous_template(true);
    make.parameters(parameter("Secret", "swordfish99")).send().await.expect("a change set");
    let describe = world.cfn.describe_change_set().stack_name("demo").change_set_name("other");
    let set = describe.include_property_values(true).send().await.expect("a description");
    let log = change(&set, "Log");
    assert!(log.before_context().is_some_and(|context| context.contains("a-****")), "{log:?}");
    let shown = log.details().first().and_then(|detail| detail.target()).expect("a detail");
    assert_eq!((shown.before_value(), shown.after_value()), (Some("****"), Some("****")));
    assert!(!format!("{set:?}").contains("hunter2") && !format!("{set:?}").contains("swordfish"), "{set:?}");
}
