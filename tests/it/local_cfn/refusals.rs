//! What is refused before anything is made, and in which words.

use super::*;

async fn refusal(world: &World, body: &Value) -> (String, String) {
    let refused = refused(world.cfn.create_stack().stack_name("refused").template_body(body.to_string()).send().await);
    let (code, _) = super::refused(world.cfn.describe_stacks().stack_name("refused").send().await);
    assert_eq!(code, "ValidationError", "nothing is left of a refused stack");
    refused
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_templates_are_refused_with_their_reason() {
    let world = World::new().await;
    let cases = [
        (json!({}), "At least one Resources member must be defined"),
        (template(json!({"X": {"Type": "AWS::Nope::Thing"}})), "Unrecognized resource types: [AWS::Nope::Thing]"),
        (template(json!({"X": {"Properties": {}}})), "must contain a Type member"),
        (
            template(json!({"Log": log_group(json!({"LogGroupName": {"Ref": "Missing"}}))})),
            "Unresolved resource dependencies [Missing] in the Resources block of the template",
        ),
        (template(json!({"Log": log_group(json!({"LogGroupName": {"Fn::GetAtt": ["Missing", "Arn"]}}))})), "Missing"),
        (
            template(
                json!({"A": bucket(json!({})), "Log": log_group(json!({"LogGroupName": {"Fn::GetAtt": ["A", "Nope"]}}))}),
            ),
            "Template error: resource A does not support attribute type Nope in Fn::GetAtt",
        ),
        (
            template(json!({
                "A": log_group(json!({"LogGroupName": {"Ref": "B"}})),
                "B": log_group(json!({"LogGroupName": {"Ref": "A"}})),
            })),
            "Circular dependency between resources: [A, B]",
        ),
        (
            json!({"Resources": {"A": log_group(json!({}))}, "Nonsense": {}}),
            "Invalid template property or properties [Nonsense]",
        ),
    ];
    for (body, expected) in cases {
        let (code, message) = refusal(&world, &body).await;
        assert_eq!(code, "ValidationError", "{body}: {message}");
        assert!(message.contains(expected), "{body}: {message}");
        let valid = world.cfn.validate_template().template_body(body.to_string()).send().await;
        assert!(valid.is_err(), "{body} is valid to ValidateTemplate");
    }
    let (code, message) = refused(world.cfn.create_stack().stack_name("refused").template_body("{{{ no").send().await);
    assert_eq!(code, "ValidationError", "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn capabilities_have_to_be_acknowledged() {
    let world = World::new().await;
    let mut named = role();
    named["Properties"]["RoleName"] = json!("named");
    for (resource, needed) in [(role(), "CAPABILITY_IAM"), (named, "CAPABILITY_NAMED_IAM")] {
        let body = template(json!({"Role": resource}));
        let (code, message) = refusal(&world, &body).await;
        assert_eq!(code, "InsufficientCapabilitiesException");
        assert_eq!(message, format!("Requires capabilities : [{needed}]"));
        let make = world.cfn.create_change_set().stack_name("refused").change_set_name("first");
        let make = make.change_set_type(ChangeSetType::Create).template_body(body.to_string());
        let (code, _) = refused(make.send().await);
        assert_eq!(code, "InsufficientCapabilitiesException");
        let valid = world.cfn.validate_template().template_body(body.to_string()).send().await.expect("valid");
        assert_eq!(valid.capabilities().first().map(Capability::as_str), Some(needed));
        assert_eq!(
            valid.capabilities_reason(),
            Some("The following resource(s) require capabilities: [AWS::IAM::Role]")
        );
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_are_checked() {
    let world = World::new().await;
    let mut body = template(
        json!({"Log": log_group(json!({"LogGroupName": {"Ref": "Name"}, "RetentionInDays": {"Ref": "Days"}}))}),
    );
    body["Parameters"] = json!({
        "Name": {"Type": "String", "AllowedPattern": "/[a-z]+", "MaxLength": 10},
        "Days": {"Type": "Number", "Default": 7, "AllowedValues": [1, 7], "MinValue": 1},
        "Kind": {"Type": "String", "Default": "a", "MinLength": 1, "ConstraintDescription": "say what kind"},
    });
    let cases: [(&[(&str, &str)], &str); 6] = [
        (&[], "Parameters: [Name] must have values"),
        (&[("Name", "/a"), ("Other", "x")], "Parameters: [Other] do not exist in the template"),
        (&[("Name", "UPPER")], "Parameter 'Name' must match pattern /[a-z]+"),
        (&[("Name", "/abcdefghijklmn")], "Parameter 'Name' must contain at most 10 characters."),
        (&[("Name", "/a"), ("Days", "3")], "Parameter 'Days' must be one of AllowedValues"),
        (&[("Name", "/a"), ("Kind", "")], "Parameter Kind failed to satisfy constraint: say what kind"),
    ];
    for (given, expected) in cases {
        let parameters: Vec<Parameter> = given.iter().map(|(key, value)| parameter(key, value)).collect();
        let make = world.cfn.create_stack().stack_name("refused").template_body(body.to_string());
        let (code, message) = refused(make.set_parameters(Some(parameters)).send().await);
        assert_eq!(code, "ValidationError");
        assert_eq!(message, expected);
    }
    body["Parameters"]["Name"] = json!({"Type": "AWS::SSM::Parameter::Value<String>"});
    for (value, code, words) in [
        ("/none", "ValidationError", "Unable to fetch parameters [/none] from parameter store for this account."),
        ("/aws/service/ami", "NotImplemented", "the public parameters of AWS (`/aws/service/ami`)"),
    ] {
        let make = world.cfn.create_stack().stack_name("refused").template_body(body.to_string());
        let (told, message) = refused(make.parameters(parameter("Name", value)).send().await);
        assert_eq!(told, code);
        assert!(message.contains(words), "{message}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn public_parameters_of_aws_are_refused_by_name_wherever_they_are_asked_for() {
    let world = World::new().await;
    let log = |name: Value| template(json!({"Log": log_group(json!({"LogGroupName": name}))}));
    for name in [
        json!("{{resolve:ssm:/aws/service/some/path/layer-arn}}"),
        json!({"Fn::Sub": "{{resolve:ssm:/aws/service/some/path/layer-arn:1}}-${AWS::Region}"}),
        json!("{{resolve:ssm-secure:/aws/reference/x}}"),
    ] {
        let (code, message) = refusal(&world, &log(name.clone())).await;
        assert_eq!(code, "NotImplemented", "{name}");
        assert!(message.contains("the public parameters of AWS (`/aws/"), "{message}");
        let make = world.cfn.create_change_set().stack_name("refused").change_set_name("first");
        let make = make.change_set_type(ChangeSetType::Create).template_body(log(name).to_string());
        assert_eq!(refused(make.send().await).0, "NotImplemented");
    }
    // One whose name is put together is known for one when it is resolved.
    let stack = world.create("made", &log(json!({"Fn::Join": ["/", ["{{resolve:ssm:", "aws", "made", "x}}"]]}))).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let events = world.events("made").await.join("\n");
    assert!(events.contains("does not simulate the public parameters of AWS (`/aws/made/x`)"), "{events}");
    for (operation, body) in [
        ("GetParameter", json!({"Name": "/aws/service/ami-amazon-linux-latest/x"})),
        ("GetParameter", json!({"Name": "arn:aws:ssm:us-west-2::parameter/aws/service/x"})),
        ("GetParameters", json!({"Names": ["/own", "/aws/service/x"]})),
        ("GetParametersByPath", json!({"Path": "/aws/service"})),
    ] {
        let (status, answer) = world.ask("ssm", &format!("AmazonSSM.{operation}"), body).await;
        assert_eq!((status, &answer["__type"]), (501, &json!("NotImplemented")), "{operation} {answer}");
    }
    let (status, answer) = world.ask("ssm", "AmazonSSM.GetParameter", json!({"Name": "/app/aws/own"})).await;
    assert_eq!((status, &answer["__type"]), (400, &json!("ParameterNotFound")));
}

#[tokio::test(flavor = "multi_thread")]
async fn references_to_what_a_condition_leaves_out_are_refused_before_anything_is_made() {
    let world = World::new().await;
    let body = |value: Value, output: Value| {
        let mut body = template(json!({
            "Topic": {"Type": "AWS::SNS::Topic", "Condition": "Wanted"},
            "Value": {"Type": "AWS::SSM::Parameter", "DependsOn": "Topic", "Properties": {"Type": "String", "Value": value}},
        }));
        body["Conditions"] = json!({"Wanted": {"Fn::Equals": [{"Ref": "Want"}, "yes"]}});
        body["Parameters"] = json!({"Want": {"Type": "String", "Default": "no"}});
        body["Outputs"] = json!({"Out": {"Value": output}});
        body
    };
    let reference = json!({"Ref": "Topic"});
    let guarded = json!({"Fn::If": ["Wanted", {"Ref": "Topic"}, "none"]});
    let resources =
        "Template format error: Unresolved resource dependencies [Topic] in the Resources block of the template";
    let outputs = "Unresolved resource dependencies [Topic] in the Outputs block of the template";
    for (value, output, words) in [
        (reference.clone(), json!("x"), resources),
        (json!({"Fn::GetAtt": ["Topic", "TopicName"]}), json!("x"), resources),
        (json!({"Fn::Sub": "<${Topic}>"}), json!("x"), resources),
        (guarded.clone(), reference.clone(), outputs),
    ] {
        let body = body(value, output);
        assert_eq!(refusal(&world, &body).await, ("ValidationError".to_owned(), words.to_owned()));
        let make = world.cfn.create_change_set().stack_name("refused").change_set_name("first");
        let make = make.change_set_type(ChangeSetType::Create).template_body(body.to_string());
        assert_eq!(refused(make.send().await), ("ValidationError".to_owned(), words.to_owned()));
    }
    assert_eq!(status(&world.create("guarded", &body(guarded.clone(), guarded)).await), "CREATE_COMPLETE");
    let make = world.cfn.create_stack().stack_name("wanted").parameters(parameter("Want", "yes"));
    make.template_body(body(reference.clone(), reference).to_string()).send().await.expect("a stack");
    assert_eq!(status(&world.settled("wanted").await), "CREATE_COMPLETE");
}

#[tokio::test(flavor = "multi_thread")]
async fn existing_resources_are_imported_only_where_there_are_none() {
    let world = World::new().await;
    let body = template(json!({
        "Assets": bucket(json!({"BucketName": "assets-of-all"})),
        "Version": {"Type": "AWS::SSM::Parameter", "Properties": {"Name": "/boot/version", "Type": "String", "Value": "1"}},
        "Log": log_group(json!({})),
    }));
    let make = |name: &str| {
        let make = world.cfn.create_change_set().stack_name(name).change_set_name("first");
        make.change_set_type(ChangeSetType::Create).import_existing_resources(true).template_body(body.to_string())
    };
    make("boot").send().await.expect("nothing is there to be imported");
    world.cfn.execute_change_set().stack_name("boot").change_set_name("first").send().await.expect("execution");
    let stack = world.settled("boot").await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("boot").await);
    // Again, with nothing new; and from another stack, which may not have what is this one's.
    let again =
        world.cfn.create_change_set().stack_name("boot").change_set_name("second").import_existing_resources(true);
    again.template_body(body.to_string()).send().await.expect("a change set");
    let other = make("other").send().await.expect("a change set");
    let set = world.cfn.describe_change_set().change_set_name(other.id().expect("an id")).send().await.expect("it");
    assert_eq!(set.status().map(|status| status.as_str()), Some("FAILED"), "the names are taken");

    world.delete(&stack).await;
    world.make_bucket("assets-of-all").await;
    let (code, message) = refused(make("third").send().await);
    assert_eq!(code, "NotImplemented");
    assert!(message.contains("the import of existing resources (`Assets` would be `assets-of-all`"), "{message}");
    world.s3.delete_bucket().bucket("assets-of-all").send().await.expect("gone");
    world.ssm("PutParameter", json!({"Name": "/boot/version", "Type": "String", "Value": "0"})).await;
    let (code, message) = refused(make("third").send().await);
    assert!(code == "NotImplemented" && message.contains("`/boot/version`"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_simulated_is_refused_by_name() {
    let world = World::new().await;
    let with_transform = |name: &str| {
        let mut body = template(json!({"Log": log_group(json!({}))}));
        body["Transform"] = json!(name);
        body
    };
    for (body, named) in [
        (
            template(
                json!({"X": {"Type": "Custom::Thing", "Properties": {"ServiceToken": "arn:aws:sns:us-west-2:1:t"}}}),
            ),
            "custom resources behind an SNS topic",
        ),
        (with_transform("AWS::Serverless-2016-10-31"), "AWS::Serverless-2016-10-31"),
        (with_transform("MyMacro"), "MyMacro"),
        (template(json!({"X": {"Type": "AWS::CloudFormation::WaitCondition"}})), "AWS::CloudFormation::WaitCondition"),
    ] {
        let (code, message) = refusal(&world, &body).await;
        assert_eq!(code, "NotImplemented", "{message}");
        assert!(message.contains(named), "{message}");
    }
    let (code, message) = refused(world.cfn.detect_stack_drift().stack_name("x").send().await);
    assert_eq!(code, "NotImplemented");
    assert!(message.contains("`DetectStackDrift` of `cloudformation`"), "{message}");
    let import = world.cfn.create_change_set().stack_name("x").change_set_name("y").template_body("{}");
    let (_, message) = refused(import.change_set_type(ChangeSetType::Import).send().await);
    assert!(message.contains("IMPORT"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn wrong_properties_fail_the_resource_and_say_where() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({"RetentionInDays": 7, "Nope": 1}))}));
    let stack = world.create("demo", &body).await;
    assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
    let events = world.events("demo").await.join("\n");
    assert!(
        events.contains(
            "Properties validation failed for resource Log with message:\n#: extraneous key [Nope] is not permitted"
        ),
        "{events}"
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn stacks_that_are_not_there_are_said_to_be_missing() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))})).to_string();
    let (code, message) = refused(world.cfn.update_stack().stack_name("nobody").template_body(&body).send().await);
    assert_eq!((code.as_str(), message.as_str()), ("ValidationError", "Stack [nobody] does not exist"));
    let (_, message) = refused(world.cfn.describe_stack_events().stack_name("nobody").send().await);
    assert_eq!(message, "Stack [nobody] does not exist");
    let (_, message) = refused(world.cfn.get_template().stack_name("nobody").send().await);
    assert_eq!(message, "Stack with id nobody does not exist");
    world.cfn.delete_stack().stack_name("nobody").send().await.expect("deleting what is not there is fine");
    let (code, message) =
        refused(world.cfn.describe_change_set().stack_name("nobody").change_set_name("none").send().await);
    assert_eq!((code.as_str(), message.as_str()), ("ValidationError", "Stack [nobody] does not exist"));
    let (_, message) = refused(world.cfn.delete_change_set().stack_name("nobody").change_set_name("none").send().await);
    assert_eq!(message, "Stack [nobody] does not exist");
    let (_, message) = refused(world.cfn.delete_change_set().change_set_name("none").send().await);
    assert_eq!(message, "StackName must be specified if ChangeSetName is not specified as an ARN.");
    let (_, message) = refused(world.cfn.get_template().send().await);
    assert_eq!(message, "StackName is required if ChangeSetName is not specified.");
    // A stack that is deleted is known by its ARN, and can be neither created nor updated.
    let stack = world.create("gone", &template(json!({"Log": log_group(json!({}))}))).await;
    world.delete(&stack).await;
    let id = stack.stack_id().expect("an id");
    for (kind, words) in [
        (
            ChangeSetType::Create,
            format!("Stack [{id}] already exists and cannot be created again with the changeSet [x]."),
        ),
        (ChangeSetType::Update, format!("Stack:{id} is in DELETE_COMPLETE state and can not be updated.")),
    ] {
        let make = world.cfn.create_change_set().stack_name(id).change_set_name("x").change_set_type(kind);
        assert_eq!(refused(make.template_body(&body).send().await), ("ValidationError".to_owned(), words));
    }
    let (_, message) = refused(world.cfn.create_stack().stack_name("1bad_name").template_body(&body).send().await);
    assert!(message.contains("regular expression pattern: [a-zA-Z][-a-zA-Z0-9]*"), "{message}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_update_without_changes_says_so() {
    let world = World::new().await;
    let body = template(json!({"Log": log_group(json!({}))}));
    world.create("demo", &body).await;
    let (code, message) =
        refused(world.cfn.update_stack().stack_name("demo").template_body(body.to_string()).send().await);
    assert_eq!((code.as_str(), message.as_str()), ("ValidationError", "No updates are to be performed."));
    let mut other = body.clone();
    other["Resources"]["Log"]["Type"] = json!("AWS::S3::Bucket");
    let (_, message) =
        refused(world.cfn.update_stack().stack_name("demo").template_body(other.to_string()).send().await);
    assert!(message.starts_with("Update of resource type is not permitted."), "{message}");
}
