//! Agents on both engines, and the OpenAPI descriptions of their tools, as a user could see them.

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::Finding;
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec::{self, LoadedSpec};
use serde_json::{Value, json};
use tempfile::TempDir;

use crate::render::{DEV, properties};

/// A description with everything that both engines take.
const API: &str = r##"openapi: 3.0.3
info: { title: Accounts, version: 1.0.0 }
paths:
  /accounts/{accountId}/orders:
    parameters:
      - $ref: "#/components/parameters/Account"
    post:
      operationId: placeOrder
      description: Places an order
      requestBody:
        content:
          application/json:
            schema: { $ref: "#/components/schemas/Order" }
      responses:
        "200": { description: Placed }
components:
  parameters:
    Account:
      name: accountId
      in: path
      required: true
      description: The number of the account
      schema: { type: integer, format: int64, minimum: 1 }
  schemas:
    Order:
      type: object
      required: [lines]
      properties:
        lines:
          type: array
          description: What is ordered
          items: { type: object, properties: { article: { type: string, enum: [pen, ink] } } }
        note: { type: string }
"##;

/// A spec with an agent; `more` are further keys of the agent.
fn spec_with(engine: &str, more: &str) -> String {
    format!(
        r#"bedplate: 1
name: shop
models: {{ assistant: {{ id: "us.amazon.nova-lite-v1:0", inference: {{ max-tokens: 300, temperature: 0 }} }} }}
functions:
  orders: {{ code: f/, handler: app.handler, runtime: python3.13 }}
  caller: {{ code: f/, handler: app.handler, runtime: python3.13, environment: {{ AGENT: "${{agents.clerk}}" }}, uses: [invoke: agents.clerk] }}
agents:
  clerk:
    engine: {engine}
    model: assistant
    instruction: You take the orders of customers, politely, and read each one back to them.
    {more}
"#
    )
}

const TOOLS: &str = "tools: { orders: { function: orders, openapi: api.yaml }, \
    desk: { function: orders, operations: { find-desk: { description: Finds a desk, parameters: { city: { description: A city }, most: { type: integer, description: How many, optional: true } } } } } }";

/// A spec in a folder of its own, with its code and its API.
struct Folder {
    dir: TempDir,
}

impl Folder {
    fn with(text: &str, api: &str) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        std::fs::create_dir(dir.path().join("f")).expect("a folder");
        std::fs::write(dir.path().join("f/app.py"), "def handler(event, context):\n    return event\n")
            .expect("a file");
        std::fs::write(dir.path().join("api.yaml"), api).expect("a file");
        std::fs::write(dir.path().join("usecase.yaml"), text).expect("a file");
        Self { dir }
    }

    fn load(&self) -> Result<LoadedSpec, Vec<Finding>> {
        spec::load(&self.dir.path().join("usecase.yaml"), "stacks/shop/usecase.yaml")
    }
}

fn rendered(engine: &str, more: &str) -> Rendered {
    let loaded = Folder::with(&spec_with(engine, more), API).load().expect("a spec without findings");
    render(&loaded, &DEV, Partials::embedded()).expect("a template")
}

/// What is refused: code, file without its folder, line.
fn refused(text: &str, api: &str) -> Vec<(&'static str, String, usize)> {
    let findings = Folder::with(text, api).load().expect_err("refused");
    let place = |it: &Finding| it.place.clone().map(|place| (place.file, place.line)).unwrap_or_default();
    findings
        .iter()
        .map(|it| (it.code.as_str(), place(it)))
        .map(|(code, (file, line))| (code, file.rsplit('/').next().unwrap_or_default().to_owned(), line))
        .collect()
}

/// What a check says of a spec that loads.
fn checked(engine: &str, more: &str) -> Vec<&'static str> {
    let loaded = Folder::with(&spec_with(engine, more), API).load().expect("a spec without errors");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let today = Day::parse("2026-11-22").expect("a day");
    let findings = check(&loaded, &rendered, &CheckOptions { today, region: Some("us-west-2") });
    findings.iter().map(|it| it.code.as_str()).filter(|code| code.starts_with('B')).collect()
}

/// The statements of a role's policy that allow an action.
fn allowing<'a>(rendered: &'a Rendered, role: &str, action: &str) -> Vec<&'a Value> {
    let statements = properties(rendered, role)["Policies"][0]["PolicyDocument"]["Statement"].as_array();
    let statements = statements.expect("statements").iter();
    statements.filter(|it| it["Action"].to_string().contains(&format!("\"{action}\""))).collect()
}

#[test]
fn one_word_switches_the_engine() {
    let types = |engine: &str| -> Vec<String> {
        let rendered = rendered(engine, TOOLS);
        rendered.template.resources().map(|it| it.type_.to_owned()).filter(|it| it.contains("Bedrock")).collect()
    };
    assert_eq!(types("classic"), ["AWS::Bedrock::Agent", "AWS::Bedrock::AgentAlias"]);
    assert_eq!(
        types("agentcore"),
        [
            "AWS::BedrockAgentCore::Gateway",
            "AWS::BedrockAgentCore::GatewayTarget",
            "AWS::BedrockAgentCore::GatewayTarget",
            "AWS::BedrockAgentCore::Harness"
        ]
    );
}

#[test]
fn a_harness_may_use_its_gateway_and_nothing_it_was_not_given() {
    let with_tools = rendered("agentcore", TOOLS);
    let harness = properties(&with_tools, "ClerkHarness");
    assert_eq!(harness["HarnessName"], "shop_dev_clerk");
    assert_eq!(harness["AllowedTools"], json!(["@gateway/*"]), "no shell, no files");
    assert_eq!(harness["Memory"], json!({ "Disabled": {} }));
    assert_eq!(
        (&harness["MaxIterations"], &harness["MaxTokens"], &harness["TimeoutSeconds"]),
        (&json!(10), &json!(4096), &json!(120))
    );
    assert_eq!(
        harness["Model"]["BedrockModelConfig"],
        json!({ "ModelId": "us.amazon.nova-lite-v1:0", "MaxTokens": 300, "Temperature": 0.0 }),
        "a temperature of zero is one"
    );
    assert_eq!(
        with_tools.template.value()["Resources"]["ClerkHarness"]["DependsOn"],
        json!(["ClerkGatewayDeskTarget", "ClerkGatewayOrdersTarget"])
    );

    let alone = rendered("agentcore", "built-in: [file-operations]\n    limits: { iterations: 3 }\n    idle: 10m");
    let harness = properties(&alone, "ClerkHarness");
    assert!(!harness.contains_key("Tools"));
    assert_eq!(harness["AllowedTools"], json!(["@gateway/*", "file_operations"]), "never empty: that would allow all");
    assert_eq!(harness["MaxIterations"], 3);
    assert_eq!(
        harness["Environment"]["AgentCoreRuntimeEnvironment"]["LifecycleConfiguration"]["IdleRuntimeSessionTimeout"],
        600
    );
    assert!(alone.template.resource("ClerkGateway").is_none());
}

#[test]
fn a_gateway_calls_the_functions_of_its_tools_and_no_others() {
    let rendered = rendered("agentcore", TOOLS);
    let gateway = properties(&rendered, "ClerkGateway");
    assert_eq!((&gateway["AuthorizerType"], &gateway["Name"]), (&json!("AWS_IAM"), &json!("shop-dev-clerk")));
    let trust = &properties(&rendered, "ClerkGatewayRole")["AssumeRolePolicyDocument"]["Statement"][0];
    assert_eq!(trust["Condition"]["StringEquals"]["aws:SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
    assert!(
        trust["Condition"]["ArnLike"]["aws:SourceArn"].to_string().ends_with(":gateway/shop-dev-clerk-*\"}"),
        "{trust}"
    );
    let function = json!({ "Fn::GetAtt": ["OrdersFunction", "Arn"] });
    let invoke = allowing(&rendered, "ClerkGatewayRole", "lambda:InvokeFunction");
    assert_eq!(invoke.iter().map(|it| &it["Resource"]).collect::<Vec<_>>(), [&function]);
    let resources = &rendered.template.value()["Resources"];
    assert_eq!(
        resources["ClerkGatewayOrdersTarget"]["DependsOn"], "ClerkGatewayRole",
        "the gateway tries the function"
    );
    let permissions = rendered.template.resources().filter(|it| it.type_ == "AWS::Lambda::Permission").count();
    assert_eq!(permissions, 0, "within an account the role's own policy is enough");
}

#[test]
fn a_tool_of_a_gateway_is_described_in_the_few_words_it_knows() {
    let rendered = rendered("agentcore", TOOLS);
    let tools = |id: &str| {
        properties(&rendered, id)["TargetConfiguration"]["Mcp"]["Lambda"]["ToolSchema"]["InlinePayload"].clone()
    };
    assert_eq!(
        tools("ClerkGatewayOrdersTarget"),
        json!([{
            "Name": "placeOrder",
            "Description": "Places an order",
            "InputSchema": {
                "Type": "object",
                "Properties": {
                    "accountId": { "Type": "integer", "Description": "The number of the account. At least: 1" },
                    "lines": {
                        "Type": "array",
                        "Description": "What is ordered",
                        "Items": { "Type": "object", "Properties": {
                            "article": { "Type": "string", "Description": "One of: pen, ink" },
                        } },
                    },
                    "note": { "Type": "string" },
                },
                "Required": ["accountId", "lines"],
            },
        }])
    );
    assert_eq!(
        tools("ClerkGatewayDeskTarget"),
        json!([{
            "Name": "find-desk",
            "Description": "Finds a desk",
            "InputSchema": {
                "Type": "object",
                "Properties": {
                    "city": { "Type": "string", "Description": "A city" },
                    "most": { "Type": "integer", "Description": "How many" },
                },
                "Required": ["city"],
            },
        }])
    );
}

#[test]
fn the_role_of_a_harness_is_bound_to_its_own_name() {
    let rendered = rendered("agentcore", TOOLS);
    let trust = &properties(&rendered, "ClerkHarnessRole")["AssumeRolePolicyDocument"]["Statement"][0]["Condition"];
    let sources = trust["ArnLike"]["aws:SourceArn"].to_string();
    assert!(sources.contains(":harness/shop_dev_clerk-*") && sources.contains(":runtime/harness_shop_dev_clerk-*"));
    let gateway = allowing(&rendered, "ClerkHarnessRole", "bedrock-agentcore:InvokeGateway");
    assert_eq!(gateway[0]["Resource"], json!({ "Fn::GetAtt": ["ClerkGateway", "GatewayArn"] }));
    for (action, of) in [
        ("logs:PutLogEvents", "log-group:/aws/bedrock-agentcore/runtimes/harness_shop_dev_clerk-*"),
        ("bedrock-agentcore:GetWorkloadAccessToken", "workload-identity/harness_shop_dev_clerk-*"),
        ("bedrock:InvokeModelWithResponseStream", "inference-profile/us.amazon.nova-lite-v1:0"),
        ("bedrock:GetInferenceProfile", "inference-profile/us.amazon.nova-lite-v1:0"),
    ] {
        let statements = allowing(&rendered, "ClerkHarnessRole", action);
        assert!(statements.iter().any(|it| it["Resource"].to_string().contains(of)), "{action}: {statements:?}");
    }
}

#[test]
fn a_classic_agent_has_action_groups_and_an_alias_that_follows_it() {
    let rendered = rendered("classic", TOOLS);
    let agent = properties(&rendered, "ClerkAgent");
    assert_eq!((&agent["AgentName"], &agent["AutoPrepare"]), (&json!("shop-dev-clerk"), &json!(true)));
    assert_eq!(agent["SkipResourceInUseCheckOnDelete"], true);
    let groups = agent["ActionGroups"].as_array().expect("groups");
    assert!(groups.iter().all(|it| it["SkipResourceInUseCheckOnDelete"] == true));
    let names: Vec<&Value> = groups.iter().map(|it| &it["ActionGroupName"]).collect();
    assert_eq!(names, ["desk", "orders", "AskUser"]);
    assert_eq!(
        groups[0]["FunctionSchema"]["Functions"][0],
        json!({
            "Name": "find-desk", "Description": "Finds a desk", "RequireConfirmation": "DISABLED",
            "Parameters": {
                "city": { "Type": "string", "Description": "A city", "Required": true },
                "most": { "Type": "integer", "Description": "How many", "Required": false },
            },
        })
    );
    let payload: Value = serde_json::from_str(groups[1]["ApiSchema"]["Payload"].as_str().expect("text")).expect("JSON");
    let operation = &payload["paths"]["/accounts/{accountId}/orders"];
    assert_eq!(operation["parameters"][0]["name"], "accountId", "references are filled in");
    assert!(!payload.to_string().contains("$ref") && payload.get("components").is_none());
    assert_eq!(groups[2]["ParentActionGroupSignature"], "AMAZON.UserInput");
    assert_eq!(
        properties(&rendered, "ClerkAgentAlias")["Description"],
        json!({ "Fn::Sub": "The agent as prepared at ${ClerkAgent.PreparedAt}" })
    );
    let permission = properties(&rendered, "ClerkAgentDeskPermission");
    assert_eq!(permission["SourceArn"], json!({ "Fn::GetAtt": ["ClerkAgent", "AgentArn"] }));
    assert!(rendered.template.resource("ClerkAgentOrdersPermission").is_none(), "one for a function is enough");
    let groups = crate::agents::rendered("classic", &format!("{TOOLS}\n    ask-user: false"));
    assert_eq!(properties(&groups, "ClerkAgent")["ActionGroups"].as_array().map(Vec::len), Some(2));
}

#[test]
fn programs_are_given_what_they_call_an_agent_by() {
    for (engine, value, action, on) in [
        ("agentcore", ["ClerkHarness", "Arn"], "bedrock-agentcore:InvokeHarness", ["ClerkHarness", "Arn"]),
        ("classic", ["ClerkAgent", "AgentId"], "bedrock:InvokeAgent", ["ClerkAgentAlias", "AgentAliasArn"]),
    ] {
        let rendered = rendered(engine, "");
        let environment = &properties(&rendered, "CallerFunction")["Environment"]["Variables"];
        assert_eq!(environment["AGENT"], json!({ "Fn::GetAtt": value }), "{engine}");
        let allowed = allowing(&rendered, "CallerFunctionRole", action);
        assert_eq!(allowed[0]["Resource"], json!({ "Fn::GetAtt": on }), "{engine}");
    }
}

#[test]
fn names_too_long_for_a_service_are_cut_and_stay_apart() {
    let name = |stage: &str| {
        let text = spec_with("agentcore", "name: \"a-clerk-who-knows-every-order-${stage}\"");
        let loaded = Folder::with(&text, API).load().expect("a spec");
        let options = bedplate::render::RenderOptions { stage, region: None };
        let rendered = render(&loaded, &options, Partials::embedded()).expect("a template");
        properties(&rendered, "ClerkHarness")["HarnessName"].as_str().expect("text").to_owned()
    };
    assert_eq!(name("dev"), "a_clerk_who_knows_every_order_dev");
    let (one, other) = (name("a-very-long-stage-1"), name("a-very-long-stage-2"));
    assert!(one != other && one.len() <= 40 && other.len() <= 40, "{one} {other}");
}

#[test]
fn what_an_engine_cannot_do_is_refused_at_its_line() {
    let line = |engine: &str, more: &str| {
        let found = refused(&spec_with(engine, more), API);
        assert!(found.iter().all(|(_, file, _)| file == "usecase.yaml"), "{found:?}");
        found.into_iter().map(|(code, _, line)| (code, line)).collect::<Vec<_>>()
    };
    assert_eq!(line("agentcore", "ask-user: false"), [("S184", 12)]);
    assert_eq!(line("classic", "built-in: [shell]"), [("S184", 12)]);
    let confirm = "tools: { t: { function: orders, operations: { o: { description: x, confirm: true } } } }";
    assert_eq!(line("agentcore", confirm), [("S184", 12)]);
    assert_eq!(line("agentcore", "idle: 10m\noutputs: { alias: \"${agents.clerk.alias}\" }"), [("S184", 13)]);
    assert_eq!(line("classic", "idle: 2h"), [("S186", 12)]);
    assert_eq!(line("agentcore", "name: \"clerk-${region}\""), [("S183", 12)]);
    assert_eq!(line("agentcore", "name: a--b"), [("S183", 12)]);
    assert_eq!(line("agentcore", "tools: { t: { function: orders } }"), [("S180", 12)]);
    let long = format!("tools: {{ {}: {{ function: orders, openapi: api.yaml }} }}", "t".repeat(60));
    assert_eq!(line("agentcore", &long), [("S181", 12)]);
    let short = spec_with("classic", "").replace("politely, and read each one back to them.", "");
    assert_eq!(refused(&short, API).first().map(|it| (it.0, it.2)), Some(("S185", 11)));
}

#[test]
fn a_check_says_what_is_worth_knowing_of_an_engine() {
    assert_eq!(checked("agentcore", TOOLS), [] as [&str; 0]);
    assert_eq!(checked("agentcore", "built-in: [shell]\n    alias: live"), ["B041", "B042"]);
    let mut classic = checked("classic", "limits: { iterations: 3 }");
    classic.sort_unstable();
    assert_eq!(classic, ["B040", "B042", "B043"]);
}

#[test]
fn a_wrong_openapi_description_is_told_at_its_line_in_that_file() {
    let of = |engine: &str, api: &str| refused(&spec_with(engine, TOOLS), api);
    let at = |line: usize| ("S193", "api.yaml".to_owned(), line);
    let changed = |from: &str, to: &str| {
        assert!(API.contains(from), "{from}");
        API.replace(from, to)
    };
    let one = |code: &'static str, line: usize| vec![(code, "api.yaml".to_owned(), line)];
    assert_eq!(of("agentcore", "swagger: \"2.0\"\n"), one("S190", 1));
    assert_eq!(of("agentcore", "openapi: 3.0.3\npaths: {}\n"), one("S190", 2));
    assert_eq!(of("classic", "openapi: [\n").first().map(|it| it.1.as_str()), Some("api.yaml"));
    assert_eq!(of("classic", &changed("      operationId: placeOrder\n", "")), one("S191", 7));
    assert_eq!(of("classic", &changed("placeOrder", "place order")), one("S191", 8));
    assert_eq!(of("classic", &changed("      description: Places an order", "      summary: Places")), one("S192", 7));
    assert_eq!(of("classic", &changed("application/json", "text/plain")), [at(12)]);
    assert_eq!(of("classic", &changed("\"#/components/schemas/Order\"", "\"order.yaml\"")), [at(13)]);
    assert_eq!(of("classic", &changed("schemas/Order\"", "schemas/Odrer\"")), one("S195", 13));
    let circle = changed("note: { type: string }", "note: { $ref: \"#/components/schemas/Order\" }");
    assert_eq!(of("classic", &circle), [at(33)]);
    assert_eq!(of("classic", &changed("/{accountId}", "/{account}")), one("S195", 7));
    let either = changed("note: { type: string }", "note: { oneOf: [{ type: string }, { type: integer }] }");
    assert_eq!(of("agentcore", &either), [at(33)]);
    assert!(Folder::with(&spec_with("classic", TOOLS), &either).load().is_ok(), "the other engine may take it");
    assert_eq!(of("agentcore", &changed("        note:", "        accountId:")), one("S196", 33));
}

#[test]
fn a_description_that_would_grow_without_end_is_refused() {
    let mut api = API.replace("note: { type: string }", "note: { $ref: \"#/components/schemas/L0\" }");
    for level in 0..24 {
        let next = level + 1;
        let of = |name: &str| format!("{name}: {{ $ref: \"#/components/schemas/L{next}\" }}");
        api.push_str(&format!("    L{level}: {{ type: object, properties: {{ {}, {} }} }}\n", of("a"), of("b")));
    }
    api.push_str("    L24: { type: string }\n");
    let codes: Vec<&str> = refused(&spec_with("classic", TOOLS), &api).iter().map(|it| it.0).collect();
    assert_eq!(codes, ["S194"]);
}
