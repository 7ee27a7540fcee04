//! Deployments that name a stage, canaries, and stages without a name.

use super::*;

/// An API of one mocked method that says `version`, a deployment of that name, and more resources.
fn api(version: &str, deployment: &str, named: Value, more: Value) -> Value {
    let mut body = json!({ "Resources": {
        "Api": { "Type": "AWS::ApiGateway::RestApi", "Properties": { "Name": "api" } },
        "Method": { "Type": "AWS::ApiGateway::Method", "Properties": {
            "RestApiId": { "Ref": "Api" }, "ResourceId": { "Fn::GetAtt": ["Api", "RootResourceId"] }, "HttpMethod": "GET",
            "AuthorizationType": "NONE",
            "Integration": { "Type": "MOCK", "RequestTemplates": { "application/json": "{\"statusCode\": 200}" },
                "IntegrationResponses": [{ "StatusCode": "200", "ResponseTemplates": { "application/json":
                    format!("{{\"v\": \"{version}\", \"var\": \"$stageVariables.var\", \"canary\": \"$context.isCanaryRequest\"}}") } }] },
        } },
        deployment: { "Type": "AWS::ApiGateway::Deployment", "DependsOn": "Method", "Properties": { "RestApiId": { "Ref": "Api" } } },
    }, "Outputs": { "Id": { "Value": { "Ref": "Api" } } } });
    for (key, value) in named.as_object().expect("properties") {
        body["Resources"][deployment]["Properties"][key] = value.clone();
    }
    for (key, value) in more.as_object().expect("resources") {
        body["Resources"][key] = value.clone();
    }
    body
}

impl World {
    /// What a stage answers.
    async fn answer_of(&self, outputs: &BTreeMap<String, String>, stage: &str) -> Value {
        let answer = self.get(&format!("/_aws/execute-api/{}/{stage}/", outputs["Id"])).await;
        assert_eq!(answer.status, 200, "{}", answer.text());
        answer.json()
    }

    /// Updates the stack and gives the reasons of what failed.
    async fn update_fails(&self, template: &Value) -> String {
        let update = self.cfn.update_stack().stack_name("api").template_body(template.to_string());
        update.send().await.expect("an update");
        loop {
            let all = self.cfn.describe_stacks().stack_name("api").send().await.expect("a description");
            let status = all.stacks()[0].stack_status().expect("a status").as_str().to_owned();
            if !status.ends_with("_IN_PROGRESS") {
                assert_eq!(status, "UPDATE_ROLLBACK_COMPLETE");
                return self.reasons().await;
            }
            tokio::task::yield_now().await;
        }
    }

    async fn deployments(&self) -> usize {
        let rows = self.target.store().read(|tx| {
            local::resources::resource_table::of_type(tx, "AWS::ApiGateway::Deployment", None)
                .map_err(local::store::StoreError::from)
        });
        rows.await.expect("the table").len()
    }
}

#[tokio::test]
async fn a_new_deployment_moves_the_stage_it_names() {
    let world = World::new().await;
    let named = json!({ "StageName": "prod" });
    let described = json!({ "StageName": "prod", "StageDescription": { "Variables": { "var": "kept" } } });
    let outputs = world.deploy(&api("1", "First", described.clone(), json!({}))).await;
    assert_eq!(world.answer_of(&outputs, "prod").await, json!({ "v": "1", "var": "kept", "canary": "false" }));
    for (version, deployment) in [("2", "Second"), ("3", "Third")] {
        world.deploy(&api(version, deployment, named.clone(), json!({}))).await;
        assert_eq!(world.answer_of(&outputs, "prod").await["v"], version);
        assert_eq!(world.answer_of(&outputs, "prod").await["var"], "kept", "the stage is the same");
        assert_eq!(world.deployments().await, 1, "the old deployment is deleted in the cleanup");
    }

    // A description beside the name of a stage that is there is refused, and what answered answers.
    let reasons = world.update_fails(&api("4", "Fourth", described, json!({}))).await;
    assert!(
        reasons.contains("StageDescription cannot be specified when stage referenced by StageName already exists"),
        "{reasons}"
    );
    assert_eq!(world.answer_of(&outputs, "prod").await["v"], "3");

    // An update that moved the stage and is rolled back moves it back.
    let failing = json!({ "Late": { "Type": "AWS::Logs::LogGroup", "DependsOn": "Fifth",
        "Metadata": { "Bedplate": { "Fail": "on purpose" } } } });
    world.update_fails(&api("5", "Fifth", named.clone(), failing)).await;
    assert_eq!(world.answer_of(&outputs, "prod").await["v"], "3");
    assert_eq!(world.deployments().await, 1);

    world.cfn.delete_stack().stack_name("api").send().await.expect("a deletion");
    while world.cfn.describe_stacks().stack_name("api").send().await.is_ok() {
        tokio::task::yield_now().await;
    }
    assert_eq!(world.deployments().await, 0);
}

#[tokio::test]
async fn a_canary_answers_its_part_of_the_requests() {
    let world = World::new().await;
    let canary = |percent: u32, stage: Value, depends: Value| {
        json!({
            "Stage": { "Type": "AWS::ApiGateway::Stage", "Properties": { "RestApiId": { "Ref": "Api" },
                "DeploymentId": { "Ref": "First" }, "StageName": "prod", "Variables": { "var": "of the stage" } } },
            "Canary": { "Type": "AWS::ApiGateway::Deployment", "DependsOn": depends, "Properties": {
                "RestApiId": { "Ref": "Api" }, "StageName": stage,
                "DeploymentCanarySettings": { "PercentTraffic": percent, "StageVariableOverrides": { "var": "of the canary" } } } },
        })
    };
    let after = json!(["Method", "Stage"]);
    let outputs = world.deploy(&api("1", "First", json!({}), canary(0, json!("prod"), after.clone()))).await;
    assert_eq!(world.answer_of(&outputs, "prod").await, json!({ "v": "1", "var": "of the stage", "canary": "false" }));
    world.deploy(&api("1", "First", json!({}), canary(100, json!("prod"), after.clone()))).await;
    assert_eq!(world.answer_of(&outputs, "prod").await, json!({ "v": "1", "var": "of the canary", "canary": "true" }));
    assert_eq!(world.deployments().await, 2, "the canary was replaced");

    for (stage, words) in [
        (
            json!("nowhere"),
            "Invalid deployment content specified.Stage nowhere must already be created before making a canary release deployment",
        ),
        (
            json!(""),
            "Invalid deployment content specified.Non null and non empty stageName must be provided for canary deployment",
        ),
    ] {
        let reasons = world.update_fails(&api("1", "First", json!({}), canary(50, stage, after.clone()))).await;
        assert!(reasons.contains(words), "{reasons}");
    }
    // Without its canary the stage answers alone.
    let mut alone = canary(0, json!("prod"), after);
    alone.as_object_mut().expect("resources").remove("Canary");
    world.deploy(&api("1", "First", json!({}), alone)).await;
    assert_eq!(world.answer_of(&outputs, "prod").await["canary"], "false");
}

#[tokio::test]
async fn two_apis_of_one_stack_may_have_stages_of_one_name() {
    let world = World::new().await;
    let second = |version: &str| {
        let own = api(version, "Other", json!({ "StageName": "prod" }), json!({}));
        let rename = |text: String| text.replace("\"Api\"", "\"Api2\"").replace("\"Method\"", "\"Method2\"");
        let mut own: Value = serde_json::from_str(&rename(own["Resources"].to_string())).expect("JSON");
        own["Stage"] = json!({ "Type": "AWS::ApiGateway::Stage", "Properties": { "RestApiId": { "Ref": "Api2" },
            "DeploymentId": { "Ref": "Other" }, "Description": version } });
        own
    };
    let mut body = api("1", "First", json!({ "StageName": "prod" }), second("a"));
    body["Outputs"]["Id2"] = json!({ "Value": { "Ref": "Api2" } });
    body["Outputs"]["Stage"] = json!({ "Value": { "Ref": "Stage" } });
    let outputs = world.deploy(&body).await;
    let other = BTreeMap::from([("Id".to_owned(), outputs["Id2"].clone())]);
    assert_eq!(outputs["Stage"], "default", "a stage without a name");
    assert_eq!(world.answer_of(&other, "default").await["v"], "a");
    assert_eq!(
        (&world.answer_of(&outputs, "prod").await["v"], &world.answer_of(&other, "prod").await["v"]),
        (&json!("1"), &json!("a"))
    );
    let mut moved = api("2", "Second", json!({ "StageName": "prod" }), second("a"));
    moved["Outputs"] = body["Outputs"].clone();
    world.deploy(&moved).await;
    assert_eq!(
        (&world.answer_of(&outputs, "prod").await["v"], &world.answer_of(&other, "prod").await["v"]),
        (&json!("2"), &json!("a"))
    );
    // Without the first one's deployment its stage is gone, and the other's is not.
    let mut less = moved.clone();
    less["Resources"].as_object_mut().expect("resources").remove("Second");
    world.deploy(&less).await;
    assert_eq!(world.get(&format!("/_aws/execute-api/{}/prod/", outputs["Id"])).await.status, 403);
    assert_eq!(world.answer_of(&other, "prod").await["v"], "a");
}
