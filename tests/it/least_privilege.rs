//! The roles of functions are sufficient and minimal, as far as the local target can show it: with the whole role the smoke
//! tests pass, and without any one statement they fail.

use aws_sdk_cloudformation::Client;
use aws_sdk_cloudformation::config::{BehaviorVersion, Credentials, Region};
use aws_sdk_cloudformation::types::{Capability, Parameter, StackStatus};
use serde_json::Value;

use crate::support::Project;

/// Use cases whose smoke tests call every function with what it is for.
const USE_CASES: [&str; 5] =
    ["movie-poster", "manufacturing-summary", "elearning", "guarded-chat", "banking-agent-classic"];

/// The one statement that no answer shows: without it a function answers all the same, and its log stays empty.
const LOGGING: &str = "logs:PutLogEvents";

#[tokio::test(flavor = "multi_thread")]
async fn without_any_one_statement_of_a_functions_role_smoke_tests_fail() {
    let mut wrong = Vec::new();
    for name in USE_CASES {
        let (tried, survivors) = survivors(name).await;
        assert!(tried > 0, "{name} has no role to try");
        wrong.extend(survivors);
    }
    assert!(wrong.is_empty(), "not needed: {wrong:#?}");
}

/// How many statements were taken away, and those that nobody missed.
async fn survivors(name: &str) -> (usize, Vec<String>) {
    let project = Project::with_all();
    let served = project.serve(&[]);
    let spec = project.read(&format!("stacks/{name}/usecase.yaml"));
    let region = spec.lines().find_map(|line| line.strip_prefix("region: ")?.split_whitespace().next());
    let region = region.unwrap_or("us-west-2").to_owned();
    let endpoint = ["--endpoint-url", served.url.as_str(), "--region", &region];
    let _ = project.run(&[&["deploy", name, "--yes"][..], &endpoint].concat()).ok();
    let smoke = || project.run(&[&["smoke", name][..], &endpoint].concat());
    let stacks = Stacks::new(&served.url, region.clone(), format!("{name}-dev"));
    let whole = stacks.template().await;
    let (mut tried, mut survivors) = (0, Vec::new());
    for role in function_roles(&whole) {
        let way = format!("/Resources/{role}/Properties/Policies/0/PolicyDocument/Statement");
        let statements = whole.pointer(&way).and_then(Value::as_array).expect("statements").clone();
        for (index, statement) in statements.iter().enumerate() {
            if statement.to_string().contains(LOGGING) {
                continue;
            }
            let mut less = whole.clone();
            less.pointer_mut(&way).and_then(Value::as_array_mut).expect("statements").remove(index);
            stacks.update(&less).await;
            tried += 1;
            let run = smoke();
            if run.code != 13 {
                survivors.push(format!("{name} {role} {statement}\n{}", run.session()));
            }
        }
    }
    stacks.update(&whole).await;
    let _ = smoke().ok();
    (tried, survivors)
}

/// The roles that Lambda takes.
fn function_roles(template: &Value) -> Vec<String> {
    let resources = template["Resources"].as_object().expect("resources");
    let roles = resources.iter().filter(|(_, resource)| {
        resource["Type"] == "AWS::IAM::Role"
            && resource["Properties"]["AssumeRolePolicyDocument"].to_string().contains("lambda.amazonaws.com")
    });
    roles.map(|(id, _)| id.clone()).collect()
}

/// One stack at the local target.
struct Stacks {
    client: Client,
    name: String,
}

impl Stacks {
    fn new(url: &str, region: String, name: String) -> Self {
        let config = aws_sdk_cloudformation::Config::builder()
            .behavior_version(BehaviorVersion::latest())
            .region(Region::new(region))
            .credentials_provider(Credentials::new("local", "local", None, None, "test"))
            .endpoint_url(url)
            .build();
        Self { client: Client::from_conf(config), name }
    }

    async fn template(&self) -> Value {
        let got = self.client.get_template().stack_name(&self.name).send().await.expect("a template");
        serde_json::from_str(got.template_body().expect("a body")).expect("JSON")
    }

    /// Updates the stack to a template, everything else as it is.
    async fn update(&self, template: &Value) {
        let described = self.client.describe_stacks().stack_name(&self.name).send().await.expect("the stack");
        let parameters = described.stacks()[0].parameters().iter().filter_map(|parameter| parameter.parameter_key());
        let same = |key: &str| Parameter::builder().parameter_key(key).use_previous_value(true).build();
        let parameters: Vec<Parameter> = parameters.map(same).collect();
        let update = self.client.update_stack().stack_name(&self.name).template_body(template.to_string());
        let update = update.set_parameters(Some(parameters)).capabilities(Capability::CapabilityNamedIam);
        update.send().await.expect("an update");
        loop {
            let described = self.client.describe_stacks().stack_name(&self.name).send().await.expect("the stack");
            match described.stacks()[0].stack_status() {
                Some(StackStatus::UpdateComplete) => return,
                Some(StackStatus::UpdateInProgress | StackStatus::UpdateCompleteCleanupInProgress) => {
                    tokio::task::yield_now().await;
                }
                other => panic!("{}: {other:?}", self.name),
            }
        }
    }
}
