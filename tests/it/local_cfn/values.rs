//! Secrets and parameters: made by stacks, read by their services, referred to by templates.

use super::*;

fn secret(properties: Value) -> Value {
    json!({"Type": "AWS::SecretsManager::Secret", "Properties": properties})
}

#[tokio::test(flavor = "multi_thread")]
async fn a_secret_has_the_value_its_template_gives_or_has_made() {
    let world = World::new().await;
    let body = template(json!({
        "Given": secret(json!({"Name": "app/given", "SecretString": "open sesame", "Tags": [{"Key": "for", "Value": "us"}]})),
        "Made": secret(json!({"Description": "Drawn", "GenerateSecretString": {
            "PasswordLength": 40, "ExcludePunctuation": true, "ExcludeCharacters": "aeiou",
            "SecretStringTemplate": "{\"user\": \"admin\"}", "GenerateStringKey": "password"}})),
        "Empty": secret(json!({"Name": "empty"})),
    }));
    let stack = world.create("secrets", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("secrets").await);

    let arn = world.physical("secrets", "Given").await;
    let partial = &arn[..arn.len() - 7];
    for named in ["app/given", &arn, partial] {
        let got = world.secrets("GetSecretValue", json!({"SecretId": named})).await;
        assert_eq!((&got["SecretString"], &got["ARN"]), (&json!("open sesame"), &json!(arn)), "{named}");
        assert_eq!(got["VersionStages"], json!(["AWSCURRENT"]));
    }
    let made = world.physical("secrets", "Made").await;
    let drawn = || async {
        let got = world.secrets("GetSecretValue", json!({"SecretId": made})).await;
        serde_json::from_str::<Value>(got["SecretString"].as_str().expect("text")).expect("JSON")
    };
    let first = drawn().await;
    assert_eq!(first["user"], "admin");
    let password = first["password"].as_str().expect("a password");
    assert_eq!(password.len(), 40);
    assert!(password.chars().all(|c| c.is_ascii_alphanumeric() && !"aeiou".contains(c)), "{password}");

    for (body, words) in [
        (json!({"SecretId": "nobody"}), "Secrets Manager can't find the specified secret."),
        (
            json!({"SecretId": "app/given", "VersionStage": "AWSPREVIOUS"}),
            "Secrets Manager can't find the specified secret value for staging label: AWSPREVIOUS",
        ),
        (
            json!({"SecretId": "empty"}),
            "Secrets Manager can't find the specified secret value for staging label: AWSCURRENT",
        ),
    ] {
        let (status, answer) = world.ask("secretsmanager", "secretsmanager.GetSecretValue", body).await;
        assert_eq!((status, &answer["__type"]), (400, &json!("ResourceNotFoundException")), "{answer}");
        assert_eq!(answer["message"], words);
    }
    let (status_code, answer) = world.ask("secretsmanager", "secretsmanager.RotateSecret", json!({})).await;
    assert_eq!((status_code, &answer["__type"]), (501, &json!("NotImplemented")), "{answer}");

    // A value put by hand stays while the template's own does not change.
    world.secrets("PutSecretValue", json!({"SecretId": "app/given", "SecretString": "by hand"})).await;
    let previous = json!({"SecretId": "app/given", "VersionStage": "AWSPREVIOUS"});
    assert_eq!(world.secrets("GetSecretValue", previous).await["SecretString"], "open sesame");
    let mut changed = body.clone();
    changed["Resources"]["Given"]["Properties"]["Description"] = json!("told anew");
    world.update("secrets", &changed).await;
    let got = world.secrets("GetSecretValue", json!({"SecretId": "app/given"})).await;
    assert_eq!(got["SecretString"], "by hand");
    assert_eq!(drawn().await, first, "nothing was drawn again");
    changed["Resources"]["Given"]["Properties"]["SecretString"] = json!("by template");
    world.update("secrets", &changed).await;
    let told = world.secrets("DescribeSecret", json!({"SecretId": "app/given"})).await;
    assert_eq!((&told["Name"], &told["Description"]), (&json!("app/given"), &json!("told anew")));
    assert_eq!(told["VersionIdsToStages"].as_object().map(serde_json::Map::len), Some(2), "{told}");
    let got = world.secrets("GetSecretValue", json!({"SecretId": "app/given"})).await;
    assert_eq!(got["SecretString"], "by template");

    let all = world.secrets("ListSecrets", json!({"MaxResults": 2})).await;
    assert_eq!(all["SecretList"].as_array().map(Vec::len), Some(2));
    let rest = world.secrets("ListSecrets", json!({"NextToken": all["NextToken"]})).await;
    assert_eq!(rest["SecretList"].as_array().map(Vec::len), Some(1));
    let by_tag = json!({"Filters": [{"Key": "tag-key", "Values": ["for"]}]});
    assert_eq!(world.secrets("ListSecrets", by_tag).await["SecretList"][0]["Name"], "app/given");
    let batch = world.secrets("BatchGetSecretValue", json!({"SecretIdList": ["app/given", "nobody"]})).await;
    assert_eq!(batch["SecretValues"][0]["SecretString"], "by template");
    assert_eq!(batch["Errors"][0]["ErrorCode"], "ResourceNotFoundException");

    world.delete(&stack).await;
    let (status, _) =
        world.ask("secretsmanager", "secretsmanager.GetSecretValue", json!({"SecretId": "app/given"})).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reference_to_a_secret_reaches_the_resource_and_no_record() {
    let world = World::new().await;
    let body = template(json!({
        "Login": secret(json!({"Name": "login", "SecretString": "{\"user\": \"ada\", \"password\": \"correct horse\"}"})),
        "Echo": {"Type": "AWS::SecretsManager::Secret", "Properties": {"Name": "echo", "SecretString":
            {"Fn::Sub": "{{resolve:secretsmanager:${Login}:SecretString:user}} has {{resolve:secretsmanager:login:SecretString:password}}"}}},
    }));
    let body = {
        let mut body = body;
        body["Resources"]["Echo"]["DependsOn"] = json!("Login");
        body
    };
    let stack = world.create("refers", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("refers").await);
    let got = world.secrets("GetSecretValue", json!({"SecretId": "echo"})).await;
    assert_eq!(got["SecretString"], "ada has correct horse");
    let events = world.cfn.describe_stack_events().stack_name("refers").send().await.expect("events");
    let of_echo: Vec<&str> = events
        .stack_events()
        .iter()
        .filter(|event| event.logical_resource_id() == Some("Echo"))
        .filter_map(|event| event.resource_properties())
        .collect();
    assert!(!of_echo.is_empty());
    for properties in of_echo {
        assert!(properties.contains("{{resolve:secretsmanager:"), "{properties}");
        assert!(!properties.contains("correct horse"), "{properties}");
    }

    for (reference, words) in [
        ("nobody", "Secrets Manager can't find the specified secret."),
        ("login:SecretString:age", "Could not find a value associated with JSONKey in SecretString"),
        ("login:SecretString:user:AWSPREVIOUS", "staging label: AWSPREVIOUS"),
    ] {
        let text = format!("{{{{resolve:secretsmanager:{reference}}}}}");
        let stack = world.create("broken", &template(json!({"S": secret(json!({"SecretString": text}))}))).await;
        assert_eq!(status(&stack), "ROLLBACK_COMPLETE");
        let events = world.events("broken").await.join("\n");
        assert!(events.contains(words), "{events}");
        world.delete(&stack).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn parameters_of_parameter_store_are_read_and_put() {
    let world = World::new().await;
    let made = |value: &str| {
        template(json!({"Made": {"Type": "AWS::SSM::Parameter", "Properties": {
            "Name": "/app/made", "Type": "String", "Value": value, "AllowedPattern": "[a-z]+"}}}))
    };
    let stack = world.create("parameters", &made("one")).await;
    world.update("parameters", &made("two")).await;
    let get = |name: &str| json!({"Name": name});
    let got = world.ssm("GetParameter", get("/app/made")).await;
    assert_eq!((&got["Parameter"]["Value"], &got["Parameter"]["Version"]), (&json!("two"), &json!(2)));
    let arn = "arn:aws:ssm:us-west-2:123456789012:parameter/app/made";
    assert_eq!(got["Parameter"]["ARN"], arn);
    assert_eq!(world.ssm("GetParameter", get(arn)).await["Parameter"]["Value"], "two");
    assert_eq!(world.ssm("GetParameter", get("/app/made:1")).await["Parameter"]["Value"], "one");

    world.ssm("PutParameter", json!({"Name": "/app/deep/key", "Value": "s3cret", "Type": "SecureString"})).await;
    world.ssm("PutParameter", json!({"Name": "plain", "Value": "a,b", "Type": "StringList"})).await;
    let sealed = world.ssm("GetParameter", get("/app/deep/key")).await;
    assert!(!sealed.to_string().contains("s3cret"), "{sealed}");
    let open = json!({"Names": ["/app/deep/key", "plain", "/none"], "WithDecryption": true});
    let open = world.ssm("GetParameters", open).await;
    assert_eq!(open["InvalidParameters"], json!(["/none"]));
    assert_eq!(open["Parameters"][0]["Value"], "s3cret");
    let names = |answer: &Value| -> Vec<String> {
        let all = answer["Parameters"].as_array().expect("a list").iter();
        all.map(|one| one["Name"].as_str().expect("a name").to_owned()).collect()
    };
    assert_eq!(names(&world.ssm("GetParametersByPath", json!({"Path": "/app"})).await), ["/app/made"]);
    let deep = json!({"Path": "/app/", "Recursive": true});
    assert_eq!(names(&world.ssm("GetParametersByPath", deep).await), ["/app/deep/key", "/app/made"]);
    let of_kind = json!({"ParameterFilters": [{"Key": "Type", "Values": ["StringList"]}]});
    assert_eq!(names(&world.ssm("DescribeParameters", of_kind).await), ["plain"]);

    for (operation, body, code) in [
        ("GetParameter", get("/none"), "ParameterNotFound"),
        ("GetParameter", get("/app/made:9"), "ParameterVersionNotFound"),
        ("PutParameter", json!({"Name": "plain", "Value": "c", "Type": "StringList"}), "ParameterAlreadyExists"),
        ("PutParameter", json!({"Name": "/aws/x", "Value": "c", "Type": "String"}), "ValidationException"),
        (
            "PutParameter",
            json!({"Name": "/app/made", "Value": "3", "Overwrite": true}),
            "ParameterPatternMismatchException",
        ),
        ("LabelParameterVersion", json!({}), "NotImplemented"),
    ] {
        let (_, answer) = world.ask("ssm", &format!("AmazonSSM.{operation}"), body).await;
        assert_eq!(answer["__type"], code, "{operation}: {answer}");
    }
    let again = json!({"Name": "plain", "Value": "c,d", "Overwrite": true});
    assert_eq!(world.ssm("PutParameter", again).await["Version"], 2);
    world.delete(&stack).await;
    let (status, _) = world.ask("ssm", "AmazonSSM.GetParameter", get("/app/made")).await;
    assert_eq!(status, 400);
}

#[tokio::test(flavor = "multi_thread")]
async fn template_parameters_take_their_values_from_parameter_store() {
    let world = World::new().await;
    for (name, kind, value) in
        [("/group", "String", "/from/store"), ("list", "StringList", "x,y"), ("s", "SecureString", "z")]
    {
        world.ssm("PutParameter", json!({"Name": name, "Value": value, "Type": kind})).await;
    }
    let mut body = template(json!({
        "Log": log_group(json!({"LogGroupName": {"Ref": "Group"}})),
        "Days": log_group(json!({"LogGroupName": "{{resolve:ssm:list:1}}"})),
    }));
    body["Resources"]["Days"]["Properties"]["LogGroupName"] = json!({"Fn::Sub": "/{{resolve:ssm:s-plain}}"});
    world.ssm("PutParameter", json!({"Name": "s-plain", "Value": "plain", "Type": "String"})).await;
    body["Parameters"] = json!({
        "Group": {"Type": "AWS::SSM::Parameter::Value<String>", "Default": "/group"},
        "Many": {"Type": "AWS::SSM::Parameter::Value<List<String>>", "Default": "list"},
        "Name": {"Type": "AWS::SSM::Parameter::Name", "Default": "/group"},
    });
    body["Outputs"] = json!({
        "Second": {"Value": {"Fn::Select": [1, {"Ref": "Many"}]}},
        "Name": {"Value": {"Ref": "Name"}},
    });
    let stack = world.create("typed", &body).await;
    assert_eq!(status(&stack), "CREATE_COMPLETE", "{:?}", world.events("typed").await);
    assert_eq!(world.physical("typed", "Log").await, "/from/store");
    assert_eq!(world.physical("typed", "Days").await, "/plain");
    assert_eq!((output(&stack, "Second"), output(&stack, "Name")), ("y".to_owned(), "/group".to_owned()));
    let group = stack.parameters().iter().find(|one| one.parameter_key() == Some("Group")).expect("a parameter");
    assert_eq!((group.parameter_value(), group.resolved_value()), (Some("/group"), Some("/from/store")));

    // What Parameter Store has now counts at the next update, under the same name.
    world.ssm("PutParameter", json!({"Name": "/group", "Value": "/from/elsewhere", "Overwrite": true})).await;
    let stack = world.update("typed", &body).await;
    assert_eq!(status(&stack), "UPDATE_COMPLETE", "{:?}", world.events("typed").await);
    assert_eq!(world.physical("typed", "Log").await, "/from/elsewhere");

    let make = world.cfn.create_stack().stack_name("secure").template_body(body.to_string());
    let (code, message) = refused(make.parameters(parameter("Group", "s")).send().await);
    assert_eq!(code, "ValidationError");
    assert_eq!(message, "Parameters [s] referenced by template have types not supported by CloudFormation.");
}
