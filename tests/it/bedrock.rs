//! Guardrails, prompts and flows, as a user could see them.

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::iam::Policy;
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec;
use serde_json::{Value, json};

use crate::render::{DEV, properties, rendered};
use crate::support::Project;

const GUARDRAIL: &str = "bedplate: 1
name: chat
guardrails:
  polite:
    blocked-input: No.
    topics: { Advice: { definition: What to buy., examples: [What shall I buy?] } }
    filters: { hate: high, prompt-attack: medium }
    words: [bargain]
    profanity: true
    personal-data: { EMAIL: anonymize, PASSWORD: block }
    patterns: { customer: { matches: \"[0-9]{8}\", action: anonymize } }
    grounding: 0.7
    relevance: 0.5
";

fn version_of(rendered: &Rendered, id: &str) -> String {
    properties(rendered, id)["Description"].as_str().expect("a description").to_owned()
}

#[test]
fn a_guardrail_keeps_out_what_the_spec_says() {
    let rendered = rendered(GUARDRAIL);
    let guardrail = properties(&rendered, "PoliteGuardrail");
    assert_eq!(guardrail["Name"], "chat-dev-polite");
    assert_eq!(guardrail["BlockedOutputsMessaging"], "No.", "as for questions unless said");
    assert_eq!(
        guardrail["TopicPolicyConfig"]["TopicsConfig"],
        json!([{ "Name": "Advice", "Type": "DENY", "Definition": "What to buy.", "Examples": ["What shall I buy?"] }])
    );
    assert_eq!(
        guardrail["ContentPolicyConfig"]["FiltersConfig"],
        json!([
            { "Type": "HATE", "InputStrength": "HIGH", "OutputStrength": "HIGH" },
            { "Type": "PROMPT_ATTACK", "InputStrength": "MEDIUM", "OutputStrength": "NONE" },
        ])
    );
    assert_eq!(
        guardrail["WordPolicyConfig"],
        json!({ "WordsConfig": [{ "Text": "bargain" }], "ManagedWordListsConfig": [{ "Type": "PROFANITY" }] })
    );
    assert_eq!(
        guardrail["SensitiveInformationPolicyConfig"],
        json!({
            "PiiEntitiesConfig": [{ "Type": "EMAIL", "Action": "ANONYMIZE" }, { "Type": "PASSWORD", "Action": "BLOCK" }],
            "RegexesConfig": [{ "Name": "customer", "Pattern": "[0-9]{8}", "Action": "ANONYMIZE" }],
        })
    );
    assert_eq!(
        guardrail["ContextualGroundingPolicyConfig"]["FiltersConfig"],
        json!([{ "Type": "GROUNDING", "Threshold": 0.7 }, { "Type": "RELEVANCE", "Threshold": 0.5 }])
    );
}

#[test]
fn a_guardrail_has_a_new_version_exactly_when_it_changes() {
    let version = |text: &str| version_of(&rendered(text), "PoliteGuardrailVersion");
    let one = version(GUARDRAIL);
    assert_eq!(version(&format!("{GUARDRAIL}buckets: {{ more: {{}} }}\ndescription: Another\n")), one);
    for change in [("0.7", "0.8"), ("[bargain]", "[offer]"), ("No.", "No, never."), ("hate: high", "hate: low")] {
        assert_ne!(version(&GUARDRAIL.replace(change.0, change.1)), one, "{change:?}");
    }
}

#[test]
fn personal_data_of_an_unknown_kind_is_told_at_its_line() {
    let text = GUARDRAIL.replace("EMAIL", "E_MAIL");
    let loaded = spec::load_str(&text, "usecase.yaml").expect("a spec");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let today = Day::parse("2026-11-24").expect("a day");
    let findings = check(&loaded, &rendered, &CheckOptions { today, region: None });
    let told = findings.iter().find(|it| it.message.contains("E_MAIL")).expect("a finding");
    assert_eq!(told.place.as_ref().map(|place| place.line), Some(10), "{told:?}");
}

fn prompts(more: &str) -> String {
    format!(
        "bedplate: 1
name: chat
region: us-east-1
models:
  m: {{ id: \"amazon.nova-lite-v1:0\", inference: {{ max-tokens: 300, temperature: 0.2, top-p: 0.9, stop: [END] }} }}
prompts:
  hello: {{ model: m, text: \"Greet {{{{name}}}} from {{{{the-town}}}}, {{{{name}}}}.\" }}
{more}"
    )
}

#[test]
fn a_prompt_takes_its_model_and_variables_with_it() {
    let rendered = rendered(&prompts("  talk: { model: m, system: \"Be {{mood}}.\", text: \"{{message}}\" }\n"));
    let hello = &properties(&rendered, "HelloPrompt")["Variants"][0];
    assert_eq!(hello["ModelId"], "amazon.nova-lite-v1:0");
    assert_eq!(
        hello["InferenceConfiguration"]["Text"],
        json!({ "MaxTokens": 300, "Temperature": 0.2, "TopP": 0.9, "StopSequences": ["END"] })
    );
    assert_eq!(hello["TemplateType"], "TEXT");
    assert_eq!(
        hello["TemplateConfiguration"]["Text"],
        json!({
            "Text": "Greet {{name}} from {{the-town}}, {{name}}.",
            "InputVariables": [{ "Name": "name" }, { "Name": "the-town" }],
        })
    );
    let talk = &properties(&rendered, "TalkPrompt")["Variants"][0];
    assert_eq!(talk["TemplateType"], "CHAT");
    assert_eq!(
        talk["TemplateConfiguration"]["Chat"],
        json!({
            "System": [{ "Text": "Be {{mood}}." }],
            "Messages": [{ "Role": "user", "Content": [{ "Text": "{{message}}" }] }],
            "InputVariables": [{ "Name": "message" }, { "Name": "mood" }],
        })
    );
}

#[test]
fn a_prompt_has_a_new_version_exactly_when_it_changes() {
    let version = |text: &str| version_of(&rendered(text), "HelloPromptVersion");
    let one = version(&prompts(""));
    assert_eq!(version(&prompts("  other: { model: m, text: x }\n")), one);
    for change in [("Greet", "Welcome"), ("nova-lite", "nova-pro"), ("temperature: 0.2", "temperature: 0.3")] {
        assert_ne!(version(&prompts("").replace(change.0, change.1)), one, "{change:?}");
    }
}

#[test]
fn how_a_model_is_told_top_k_depends_on_who_made_it() {
    let more = |id: &str| {
        let text = prompts("")
            .replace("\"amazon.nova-lite-v1:0\", inference: {", &format!("\"{id}\", inference: {{ top-k: 40,"));
        let loaded = spec::load_str(&text, "usecase.yaml").expect("a spec");
        render(&loaded, &DEV, Partials::embedded())
            .map(|rendered| properties(&rendered, "HelloPrompt")["Variants"][0]["AdditionalModelRequestFields"].clone())
            .map_err(|refused| refused[0].code.as_str())
    };
    assert_eq!(more("amazon.nova-pro-v1:0"), Ok(json!({ "inferenceConfig": { "topK": 40 } })));
    assert_eq!(more("us.anthropic.claude-sonnet-4-6"), Ok(json!({ "top_k": 40 })));
    assert_eq!(more("someone.new-model-v1:0"), Err("R122"));
}

#[test]
fn sampling_is_refused_where_the_model_takes_none() {
    let told = |id: &str| {
        let text = prompts("").replace("amazon.nova-lite-v1:0", id);
        let loaded = spec::load_str(&text, "usecase.yaml").expect("a spec");
        let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
        let today = Day::parse("2026-11-24").expect("a day");
        let findings = check(&loaded, &rendered, &CheckOptions { today, region: None });
        findings.iter().filter(|it| it.code == "B028").map(|it| it.message.clone()).collect::<Vec<_>>()
    };
    assert_eq!(told("amazon.nova-lite-v1:0"), [] as [String; 0]);
    assert_eq!(told("us.anthropic.claude-sonnet-4-6"), [] as [String; 0]);
    let refused = told("us.anthropic.claude-sonnet-5");
    assert!(
        refused.len() == 2 && refused[0].contains("`temperature`") && refused[1].contains("`top-p`"),
        "{refused:?}"
    );
}

/// A flow with a node of each kind, but for agents.
fn flow() -> String {
    prompts(
        "  draft: { model: m, text: \"To {{customer}} on {{topic}} by {{rules}}\" }
buckets: { docs: {} }
knowledge-bases: { rules: { embedding: e, sources: { all: { bucket: docs } } } }
functions:
  lookup: { code: function/, handler: app.handler, runtime: python3.13 }
  start:
    code: function/
    handler: app.handler
    runtime: python3.13
    environment: { FLOW: \"${flows.letter}\", ALIAS: \"${flows.letter.alias}\" }
    uses: [{ invoke: flows.letter }, { render: prompts.draft }]
flows:
  letter:
    nodes:
      found: { knowledge-base: rules, inputs: { query: input.topic } }
      person: { function: lookup, inputs: { number: input.customer } }
      written: { prompt: draft, inputs: { customer: person.name, topic: input.topic, rules: found } }
      answer: { output: written }
",
    )
    .replace("models:\n", "models:\n  e: { id: \"amazon.titan-embed-text-v2:0\" }\n")
}

fn node<'a>(flow: &'a Value, name: &str) -> &'a Value {
    let nodes = flow["Definition"]["Nodes"].as_array().expect("nodes");
    nodes.iter().find(|node| node["Name"] == name).unwrap_or_else(|| panic!("no {name}"))
}

#[test]
fn the_connections_of_a_flow_follow_from_its_inputs() {
    let rendered = rendered(&flow());
    let flow = Value::Object(properties(&rendered, "LetterFlow").clone());
    assert_eq!(
        node(&flow, "input")["Outputs"],
        json!([{ "Name": "document", "Type": "Object" }]),
        "its fields are taken"
    );
    assert_eq!(node(&flow, "found")["Outputs"], json!([{ "Name": "retrievalResults", "Type": "Array" }]));
    assert_eq!(node(&flow, "person")["Outputs"], json!([{ "Name": "functionResponse", "Type": "Object" }]));
    assert_eq!(
        node(&flow, "answer")["Inputs"][0],
        json!({ "Name": "document", "Type": "String", "Expression": "$.data" })
    );
    assert_eq!(
        node(&flow, "written")["Inputs"],
        json!([
            { "Name": "customer", "Type": "String", "Expression": "$.data.name" },
            { "Name": "rules", "Type": "Array", "Expression": "$.data" },
            { "Name": "topic", "Type": "String", "Expression": "$.data.topic" },
        ])
    );
    let connections: Vec<String> = flow["Definition"]["Connections"]
        .as_array()
        .expect("connections")
        .iter()
        .map(|it| {
            let data = &it["Configuration"]["Data"];
            format!("{}.{} → {}.{}", it["Source"], data["SourceOutput"], it["Target"], data["TargetInput"])
                .replace('"', "")
        })
        .collect();
    assert_eq!(
        connections,
        [
            "written.modelCompletion → answer.document",
            "input.document → found.retrievalQuery",
            "input.document → person.number",
            "person.functionResponse → written.customer",
            "found.retrievalResults → written.rules",
            "input.document → written.topic",
        ]
    );
}

#[test]
fn a_flow_may_do_what_its_nodes_do_and_no_more() {
    let rendered = rendered(&flow());
    let role = properties(&rendered, "LetterFlowRole");
    let mut granted: Vec<(String, String)> = Policy::from_value(&role["Policies"][0]["PolicyDocument"])
        .expect("a policy document")
        .statements
        .into_iter()
        .flat_map(|it| it.actions.into_iter().map(move |action| (action, json!(it.resources).to_string())))
        .collect();
    granted.sort();
    let actions: Vec<&str> = granted.iter().map(|(action, _)| action.as_str()).collect();
    assert_eq!(actions, ["bedrock:InvokeModel", "bedrock:RenderPrompt", "bedrock:Retrieve", "lambda:InvokeFunction"]);
    for ((_, resources), named) in
        granted.iter().zip(["amazon.nova-lite-v1:0", "DraftPromptVersion", "RulesKnowledgeBase", "LookupFunction"])
    {
        assert!(resources.contains(named), "{resources} names {named}");
    }
    let trust = role["AssumeRolePolicyDocument"].to_string();
    assert!(trust.contains(":flow/*") && trust.contains("aws:SourceAccount"), "{trust}");
    let start = properties(&rendered, "StartFunctionRole")["Policies"].to_string();
    assert!(start.contains("bedrock:InvokeFlow") && start.contains(r#"["LetterFlowAlias","Arn"]"#), "{start}");
}

#[test]
fn an_answering_knowledge_base_gives_text_and_needs_its_model() {
    let text = flow().replace("knowledge-base: rules,", "knowledge-base: rules, model: m,");
    let rendered = rendered(&text);
    let flow = Value::Object(properties(&rendered, "LetterFlow").clone());
    assert_eq!(node(&flow, "found")["Outputs"], json!([{ "Name": "outputText", "Type": "String" }]));
    assert_eq!(node(&flow, "found")["Configuration"]["KnowledgeBase"]["ModelId"], "amazon.nova-lite-v1:0");
    let policy = properties(&rendered, "LetterFlowRole")["Policies"].to_string();
    assert!(policy.contains("bedrock:RetrieveAndGenerate"), "{policy}");
}

#[test]
fn a_flow_has_a_new_version_when_it_or_what_it_uses_changes() {
    let version = |text: &str| version_of(&rendered(text), "LetterFlowVersion");
    let one = version(&flow());
    assert_eq!(version(&flow().replace("buckets: {", "buckets: { more: {},")), one);
    for change in [
        ("To {{customer}}", "For {{customer}}"),
        ("person.name", "person.title"),
        ("v2:0\"", "v2:0\", dimensions: 512"),
        ("max-tokens: 300", "max-tokens: 301"),
    ] {
        assert_ne!(version(&flow().replace(change.0, change.1)), one, "{change:?}");
    }
}

#[test]
fn versions_move_with_their_content_on_the_local_target() {
    let project = Project::empty();
    project.write(
        "stacks/chat/usecase.yaml",
        format!("{}{}", flow(), GUARDRAIL.split_once("name: chat\n").expect("a rest").1),
    );
    project.write("stacks/chat/function/app.py", "def handler(event, context):\n    return event\n");
    let deploy = || {
        let said = project.run(&["deploy", "chat", "--yes"]).ok().session();
        assert!(said.contains("deployed chat-dev"), "{said}");
    };
    deploy();
    let outputs = || {
        let outputs = project.run(&["outputs", "chat", "--format", "json"]).ok().stdout;
        serde_json::from_str::<Value>(&outputs).expect("JSON").to_string()
    };
    let before = outputs();
    assert!(before.contains(r#""PoliteGuardrailVersion":"1""#) && before.contains(":prompt/"), "{before}");

    let spec =
        project.read("stacks/chat/usecase.yaml").replace("To {{customer}}", "For {{customer}}").replace("0.7", "0.6");
    project.write("stacks/chat/usecase.yaml", spec);
    let plan = project.run(&["plan", "chat"]).ok().session();
    for (sign, id) in [
        ("±", "DraftPromptVersion"),
        ("±", "PoliteGuardrailVersion"),
        ("±", "LetterFlowVersion"),
        ("~", "LetterFlowAlias"),
        ("~", "LetterFlow "),
    ] {
        assert!(plan.contains(&format!("{sign} {id}")), "{sign} {id} is not in\n{plan}");
    }
    assert!(!plan.contains("HelloPromptVersion"), "what did not change has the version it had\n{plan}");
    deploy();
    assert!(outputs().contains(r#""PoliteGuardrailVersion":"2""#), "{}", outputs());
    let gone = project.run(&["destroy", "chat", "--yes"]).ok().session();
    assert!(gone.contains("nothing of it remains"), "{gone}");
}
