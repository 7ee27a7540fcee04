//! `docs/evidence.md`: what is believed of AWS, by whose word, and where it is held. The page is made from
//! `schemas/evidence.json` and `schemas/service-rules.json`, and every claim of theirs that can be looked up is.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;

use bedplate::cfn::schema::Schemas;
use bedplate::cfn::service_rules::{all_rules, sibling_rules};
use bedplate::finding::FINDINGS;
use regex::Regex;
use serde::Deserialize;

use crate::support::{Project, repository};

const PAGE: &str = "docs/evidence.md";

#[derive(Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
struct Evidence {
    #[serde(rename = "about")]
    _about: String,
    as_of: String,
    sources: Vec<Source>,
    rules: Vec<Rule>,
    /// The other properties that were looked up, by type: the sources say nothing of them that a schema does not.
    without_rule: BTreeMap<String, Vec<String>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Source {
    name: String,
    version: String,
    #[serde(rename = "for")]
    used_for: String,
}

#[derive(Deserialize, Clone)]
#[serde(deny_unknown_fields)]
struct Rule {
    subject: String,
    rule: String,
    source: String,
    held: Vec<String>,
}

fn evidence() -> Evidence {
    let text = std::fs::read_to_string(repository().join("schemas/evidence.json")).expect("the table");
    serde_json::from_str(&text).expect("the table")
}

/// All rows: those of the table, and the rules that are checked as they stand in their own table.
fn rows() -> Vec<Rule> {
    let sentence = |message: &str| {
        let mut letters = message.chars();
        letters.next().map(|first| first.to_uppercase().chain(letters).collect::<String>()).unwrap_or_default()
    };
    let checked = all_rules().map(|it| Rule {
        subject: format!("{}.{}", it.type_, it.top_property()),
        rule: sentence(&it.message),
        source: it.source.clone(),
        held: vec![format!("rule: {}", it.id)],
    });
    let named = sibling_rules().iter().map(|it| Rule {
        subject: format!("{}.{}", it.type_, it.property),
        rule: match &it.within {
            Some(within) => format!("The name is unique within what `{within}` names"),
            None => "The name is unique in the account, whatever the case of its letters".to_owned(),
        },
        source: it.source.clone(),
        held: vec![format!("rule: {}", it.id)],
    });
    let mut rows: Vec<Rule> = evidence().rules.into_iter().chain(checked).chain(named).collect();
    rows.sort_by(|a, b| a.subject.cmp(&b.subject));
    rows
}

/// The properties that the partials write, by type: the keys right below `Properties`.
fn written() -> BTreeMap<String, BTreeSet<String>> {
    let kind = Regex::new(r"^    Type: (AWS::\S+)$").expect("a pattern");
    let property = Regex::new(r"^      ([A-Z][A-Za-z0-9]*):").expect("a pattern");
    let mut found: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for entry in std::fs::read_dir(repository().join("templates")).expect("the partials") {
        let text = std::fs::read_to_string(entry.expect("an entry").path()).expect("a partial");
        let (mut of, mut within) = (None, false);
        for line in text.lines() {
            if let Some(type_) = kind.captures(line) {
                of = Some(type_[1].to_owned());
                found.entry(type_[1].to_owned()).or_default();
                within = false;
            } else if line.starts_with("    Properties:") {
                within = true;
            } else if line.trim_start().starts_with(['{', '#']) {
            } else if line.len() - line.trim_start().len() < 6 {
                within = false;
            } else if let Some((type_, name)) = of.as_ref().filter(|_| within).zip(property.captures(line)) {
                found.entry(type_.clone()).or_default().insert(name[1].to_owned());
            }
        }
    }
    found
}

/// The type and property of a subject; nothing for a call.
fn property_of(subject: &str) -> Option<(&str, &str)> {
    subject.starts_with("AWS::").then(|| subject.split_once('.').unwrap_or_else(|| panic!("{subject}: no property")))
}

#[test]
fn every_property_that_a_partial_writes_was_looked_up() {
    let table = evidence();
    let rows = rows();
    let mut known: BTreeSet<(&str, &str)> = rows.iter().filter_map(|row| property_of(&row.subject)).collect();
    known.extend(
        table.without_rule.iter().flat_map(|(type_, all)| all.iter().map(move |it| (type_.as_str(), it.as_str()))),
    );
    let written = written();
    assert!(written.len() > 50, "the partials are read: {written:?}");
    let missing: Vec<String> = written
        .iter()
        .flat_map(|(type_, all)| all.iter().map(move |it| (type_, it)))
        .filter(|(type_, it)| !known.contains(&(type_.as_str(), it.as_str())))
        .map(|(type_, it)| format!("{type_}.{it}"))
        .collect();
    assert!(missing.is_empty(), "look these up, and add them to schemas/evidence.json: {missing:#?}");
    for (type_, all) in &table.without_rule {
        for name in all {
            assert!(written.get(type_).is_some_and(|it| it.contains(name)), "no partial writes {type_}.{name}");
        }
    }
}

#[test]
fn every_row_names_what_there_is() {
    let codes: BTreeSet<&str> = FINDINGS.iter().flat_map(|group| group.kinds).map(|kind| kind.code).collect();
    let ids: BTreeSet<&str> =
        all_rules().map(|it| it.id.as_str()).chain(sibling_rules().iter().map(|it| it.id.as_str())).collect();
    let doubts = std::fs::read_to_string(repository().join("docs/first-deploy.md")).expect("the page");
    let anchors: BTreeSet<String> = doubts.lines().filter(|it| it.starts_with('#')).map(anchor).collect();
    let handlers: String = sources_of_handlers();
    let schemas = Schemas::embedded();
    for row in rows() {
        let place = format!("{}: {}", row.subject, row.rule);
        if let Some((type_, property)) = property_of(&row.subject) {
            let schema = schemas.get(type_).unwrap_or_else(|| panic!("{place}: no such type"));
            assert!(schema.shape().properties.contains_key(property), "{place}: no such property");
        } else {
            let (service, operation) = row.subject.split_once(' ').expect("a service and its operation");
            assert!(handlers.contains(&format!("\"{service}\"")), "{place}: no handler has a client of it");
            assert!(handlers.contains(&format!(".{}(", snake(operation))), "{place}: no handler calls it");
        }
        assert!(!row.held.is_empty() && !row.source.is_empty() && !row.rule.ends_with('.'), "{place}");
        for held in &row.held {
            let (how, what) = held.split_once(": ").unwrap_or((held, ""));
            let is = match how {
                "schema" => what.is_empty(),
                "check" => codes.contains(what),
                "rule" => ids.contains(what),
                "render" | "local" | "plan" | "engine" | "smoke" => repository().join(what).is_file(),
                "first-deploy" => anchors.contains(what),
                _ => false,
            };
            assert!(is, "{place}: `{held}` names nothing");
        }
    }
}

/// A heading's anchor.
fn anchor(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter(|c| c.is_alphanumeric() || *c == ' ' || *c == '-');
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

fn snake(operation: &str) -> String {
    let mut snake = String::new();
    for letter in operation.chars() {
        if letter.is_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.extend(letter.to_lowercase());
    }
    snake
}

/// The Python of the use cases' functions, their tests left out.
fn sources_of_handlers() -> String {
    let mut folders = vec![repository().join("stacks")];
    let mut text = String::new();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() && path.file_name().is_some_and(|name| name != "tests") {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "py") {
                text.push_str(&std::fs::read_to_string(path).expect("a source"));
            }
        }
    }
    text
}

/// Where a row is held, for readers.
fn shown(held: &str) -> String {
    let (how, what) = held.split_once(": ").unwrap_or((held, ""));
    match how {
        "schema" => "the provider schema".to_owned(),
        "check" => format!("[{what}](findings.md)"),
        "rule" => format!("[T240](findings.md) and the local target: `{what}`"),
        "first-deploy" => format!("not held: [first deploy](first-deploy.md#{what})"),
        _ => format!("{how}: `{what}`"),
    }
}

/// `UPDATE_DOCS=1 cargo test --test it evidence` writes the page anew.
#[test]
fn the_page_of_evidence_is_made_from_the_tables() {
    let (table, rows, written) = (evidence(), rows(), written());
    let only_named = |row: &&Rule| row.held.iter().all(|held| held.starts_with("first-deploy"));
    let named = rows.iter().filter(only_named).count();
    let calls: BTreeSet<&str> =
        rows.iter().map(|row| row.subject.as_str()).filter(|it| property_of(it).is_none()).collect();
    let properties: usize = written.values().map(BTreeSet::len).sum();
    let mut page = format!(
        "# Evidence\n\nWhat Bedplate believes of AWS beyond CloudFormation's provider schemas: each rule with its source, and where it is \
         held. Generated from\n`schemas/evidence.json` and `schemas/service-rules.json`; read on {}. Nothing here was tried on an account: \
         [the first deploy](first-deploy.md) says\nwhat to look at.\n\n| | |\n| --- | --- |\n| resource types that the partials write, all \
         looked up | {} |\n| their properties, all looked up | {properties} |\n| calls of the use cases' functions | {} |\n| rules found | {} |\n\
         | rules held, by the renderer, a check, a schema, the local target or the engine | {} |\n| rules named only on the page of the first \
         deploy | {named} |\n\nA property that is in no row is one of which the sources say nothing that its schema does not; \
         `schemas/evidence.json` lists them under\n`without-rule`. `scripts/evidence-candidates` finds the sentences that a review starts \
         from; a property that a partial begins to write fails a\ntest until it is looked up.\n\n## Sources\n\n| source | version | for \
         |\n| --- | --- | --- |\n",
        table.as_of,
        written.len(),
        calls.len(),
        rows.len(),
        rows.len() - named,
    );
    for source in &table.sources {
        let _ = writeln!(page, "| {} | {} | {} |", source.name, source.version, source.used_for);
    }
    let mut last = String::new();
    for row in &rows {
        let head = match property_of(&row.subject) {
            Some((type_, _)) => type_.to_owned(),
            None => "Calls of functions".to_owned(),
        };
        if head != last {
            let _ = write!(page, "\n## {head}\n\n| what | rule | held | source |\n| --- | --- | --- | --- |\n");
            last = head;
        }
        let what = property_of(&row.subject).map_or(row.subject.as_str(), |(_, property)| property);
        let held: Vec<String> = row.held.iter().map(|held| shown(held)).collect();
        let _ = writeln!(page, "| `{what}` | {} | {} | {} |", row.rule, held.join("; "), row.source);
    }
    let path = repository().join(PAGE);
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(&path, &page).expect("the page");
    }
    assert!(
        std::fs::read_to_string(&path).is_ok_and(|text| text == page),
        "stale: UPDATE_DOCS=1 cargo test --test it evidence"
    );
}

/// A resource with a fault that only a service's rule finds: its type and properties, what the check says, and what the local
/// target does.
const BROKEN: &[(&str, &str, &str, &str)] = &[
    (
        "AWS::CloudWatch::Alarm",
        "{MetricName: Errors, Namespace: AWS/Lambda, Statistic: Sum, Period: 300, EvaluationPeriods: 300, Threshold: 1, ComparisonOperator: GreaterThanThreshold}",
        "at most a day",
        "looks back at most a day",
    ),
    (
        "AWS::Logs::LogGroup",
        "{LogGroupName: aws/mine}",
        "cannot begin with `aws/`",
        "Log groups starting with AWS/ are reserved",
    ),
    (
        "AWS::SecretsManager::Secret",
        "{SecretString: a, GenerateSecretString: {}}",
        "either `SecretString` or",
        "specify both SecretString and GenerateSecretString",
    ),
    (
        "AWS::ApiGatewayV2::Api",
        "{Name: a, ProtocolType: WEBSOCKET}",
        "needs its `RouteSelectionExpression`",
        "a WebSocket API needs its",
    ),
    (
        "AWS::ApiGatewayV2::Stage",
        "{ApiId: a, StageName: dev, AccessLogSettings: {DestinationArn: a, Format: $context.status}}",
        "has to contain `$context.requestId`",
        "has to contain `$context.requestId`",
    ),
    (
        "AWS::SQS::Queue",
        "{QueueName: orders, FifoQueue: true}",
        "ends with `.fifo`",
        "the name of a FIFO queue ends with",
    ),
    (
        "AWS::EC2::VPCEndpoint",
        "{VpcId: v, ServiceName: s, VpcEndpointType: Interface, RouteTableIds: [r]}",
        "route tables are for gateway endpoints",
        "route tables are for gateway endpoints",
    ),
    (
        "AWS::Cognito::UserPoolClient",
        "{UserPoolId: us-east-1_abcdef123, AllowedOAuthFlows: [code, client_credentials]}",
        "only OAuth flow",
        "the only OAuth flow of its client",
    ),
    (
        "AWS::DynamoDB::Table",
        "{BillingMode: PAY_PER_REQUEST, AttributeDefinitions: [{AttributeName: id, AttributeType: S}, {AttributeName: other, AttributeType: S}], KeySchema: [{AttributeName: id, KeyType: HASH}]}",
        "does not exactly match",
        "does not exactly match",
    ),
];

fn foreign(resources: &str) -> Project {
    let project = Project::empty();
    std::fs::create_dir_all(project.path().join("stacks/foreign")).expect("a folder");
    let spec = "bedplate: 1\nname: foreign\ntemplate: template.yaml\n";
    std::fs::write(project.path().join("stacks/foreign/usecase.yaml"), spec).expect("the spec");
    std::fs::write(project.path().join("stacks/foreign/template.yaml"), format!("Resources:\n{resources}"))
        .expect("a template");
    project
}

#[test]
fn what_a_service_refuses_is_told_of_other_peoples_templates() {
    for (type_, properties, said, _) in BROKEN {
        let project = foreign(&format!("  Thing:\n    Type: {type_}\n    Properties: {properties}\n"));
        let run = project.run(&["check", "foreign"]);
        let told = format!("{}{}", run.stdout, run.stderr);
        assert!(run.code == 1 && told.contains("error[T240]") && told.contains(said), "{type_}: {}", run.session());
    }
}

#[test]
fn the_local_target_refuses_it_too() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    let end = |number: usize, template: &str| {
        let body: String = form_urlencoded::byte_serialize(template.as_bytes()).collect();
        let create = format!("Action=CreateStack&Version=2010-05-15&StackName=broken{number}&TemplateBody={body}");
        served.act("us-east-1", "cloudformation", &create);
        let events = format!("Action=DescribeStackEvents&Version=2010-05-15&StackName=broken{number}");
        loop {
            let text = served.act("us-east-1", "cloudformation", &events);
            if text.contains(">ROLLBACK_COMPLETE<") || text.matches(">CREATE_COMPLETE<").count() > 1 {
                return text;
            }
        }
    };
    for (number, (type_, properties, _, said)) in BROKEN.iter().enumerate() {
        let told = end(number, &format!("Resources:\n  Thing:\n    Type: {type_}\n    Properties: {properties}\n"));
        assert!(told.contains(said), "{type_}: {told}");
    }
    let source = |id: &str| {
        format!(
            "  {id}:\n    Type: AWS::BedrockAgentCore::GatewayTarget\n    Properties:\n      GatewayIdentifier: gateway-abcdefghij\n      Name: tool\n      \
             TargetConfiguration: {{Mcp: {{McpServer: {{Endpoint: 'https://example.com'}}}}}}\n"
        )
    };
    let told = end(BROKEN.len(), &format!("Resources:\n{}{}", source("One"), source("Other")));
    assert!(told.contains("tool already exists"), "{told}");
}

#[test]
fn a_role_with_more_policy_than_iam_takes_is_told_before_a_deploy() {
    let statement = |n: usize| {
        format!(
            "          - {{Effect: Allow, Action: 's3:GetObject', Resource: !Sub 'arn:${{AWS::Partition}}:s3:::reports-of-the-{n}th-department/*'}}\n"
        )
    };
    let role = |count: usize| {
        let statements: String = (0..count).map(statement).collect();
        format!(
            "  Reader:\n    Type: AWS::IAM::Role\n    Properties:\n      AssumeRolePolicyDocument: {{Version: 2012-10-17, Statement: [{{Effect: Allow, \
             Principal: {{Service: lambda.amazonaws.com}}, Action: 'sts:AssumeRole'}}]}}\n  Reading:\n    Type: AWS::IAM::Policy\n    Properties:\n      \
             PolicyName: reading\n      Roles: [!Ref Reader]\n      PolicyDocument:\n        Version: 2012-10-17\n        Statement:\n{statements}"
        )
    };
    let told = |count: usize| {
        let run = foreign(&role(count)).run(&["check", "foreign"]);
        format!("{}{}", run.stdout, run.stderr)
    };
    assert!(told(120).contains("IAM takes 10240 in a role"), "{}", told(120));
    assert!(!told(20).contains("T240"), "{}", told(20));
}

#[test]
fn indexed_tables_that_wait_for_each_other_are_well() {
    let table = |id: &str, after: &str| {
        format!(
            "  {id}:\n    Type: AWS::DynamoDB::Table\n{after}    Properties: {{BillingMode: PAY_PER_REQUEST, AttributeDefinitions: \
             [{{AttributeName: id, AttributeType: S}}], KeySchema: [{{AttributeName: id, KeyType: HASH}}], GlobalSecondaryIndexes: \
             [{{IndexName: by-id, KeySchema: [{{AttributeName: id, KeyType: HASH}}], Projection: {{ProjectionType: ALL}}}}]}}\n"
        )
    };
    let apart = foreign(&format!("{}{}", table("First", ""), table("Second", ""))).run(&["check", "foreign"]);
    assert!(format!("{}{}", apart.stdout, apart.stderr).contains("T241"), "{}", apart.session());
    let chained = foreign(&format!("{}{}", table("First", ""), table("Second", "    DependsOn: First\n")));
    let chained = chained.run(&["check", "foreign"]);
    assert!(!format!("{}{}", chained.stdout, chained.stderr).contains("T241"), "{}", chained.session());
}
