//! Tables and secrets, as a user could see them.

use bedplate::cfn::{Answer, Problem, Resolver, resolve};
use bedplate::finding::{Finding, code};
use bedplate::spec;
use serde_json::{Value, json};

use crate::render::{properties, rendered};

const TABLE: &str = r#"
bedplate: 1
name: x
tables:
  accounts:
    partition-key: { name: AccountID, type: number }
    sort-key: { name: Opened }
    ttl: expires
    point-in-time-recovery: true
    indexes:
      by-status: { partition-key: { name: Status }, attributes: [Reason] }
      by-day: { partition-key: { name: Opened }, attributes: [] }
  plain: { partition-key: { name: Id } }
"#;

fn codes(text: &str) -> Vec<(&'static str, usize)> {
    let findings: Vec<Finding> = spec::load_str(text, "usecase.yaml").expect_err("refused");
    findings.iter().map(|it| (it.code.as_str(), it.place.as_ref().map_or(0, |place| place.line))).collect()
}

/// The statements of a function's role about a service.
fn statements(text: &str, service: &str) -> Vec<Value> {
    let rendered = rendered(text);
    let policy = &properties(&rendered, "FFunctionRole")["Policies"][0]["PolicyDocument"]["Statement"];
    let about = |statement: &&Value| statement["Action"].to_string().contains(service);
    policy.as_array().expect("statements").iter().filter(about).cloned().collect()
}

fn with_grant(grant: &str, table: &str) -> String {
    format!(
        "bedplate: 1\nname: x\ntables: {{ t: {{ partition-key: {{ name: Id }}{table} }} }}\nsecrets: {{ s: {{}} }}\n\
         functions: {{ f: {{ code: f/, handler: a.b, runtime: python3.13, uses: [{grant}] }} }}\n"
    )
}

#[test]
fn a_table_has_its_keys_and_indexes() {
    let rendered = rendered(TABLE);
    let table = properties(&rendered, "AccountsTable");
    assert_eq!(table["BillingMode"], "PAY_PER_REQUEST");
    assert_eq!(table["SSESpecification"], json!({ "SSEEnabled": true }));
    assert_eq!(
        table["AttributeDefinitions"],
        json!([
            { "AttributeName": "AccountID", "AttributeType": "N" },
            { "AttributeName": "Opened", "AttributeType": "S" },
            { "AttributeName": "Status", "AttributeType": "S" },
        ]),
        "keys, each once, and nothing else"
    );
    assert_eq!(
        table["KeySchema"],
        json!([
            { "AttributeName": "AccountID", "KeyType": "HASH" },
            { "AttributeName": "Opened", "KeyType": "RANGE" },
        ])
    );
    let projections: Vec<&Value> =
        table["GlobalSecondaryIndexes"].as_array().expect("indexes").iter().map(|it| &it["Projection"]).collect();
    assert_eq!(
        projections,
        [
            &json!({ "ProjectionType": "KEYS_ONLY" }),
            &json!({ "ProjectionType": "INCLUDE", "NonKeyAttributes": ["Reason"] }),
        ]
    );
    assert_eq!(table["TimeToLiveSpecification"], json!({ "AttributeName": "expires", "Enabled": true }));
    assert_eq!(table["PointInTimeRecoverySpecification"], json!({ "PointInTimeRecoveryEnabled": true }));
    let plain = properties(&rendered, "PlainTable");
    assert!(!plain.contains_key("GlobalSecondaryIndexes") && !plain.contains_key("TimeToLiveSpecification"));
    for table in ["AccountsTable", "PlainTable"] {
        assert_eq!(rendered.template.to_json().matches(&format!("\"{table}Name\"")).count(), 1, "an output");
    }
}

#[test]
fn a_grant_on_a_table_allows_what_it_says_and_nothing_more() {
    let arn = json!({ "Fn::GetAtt": ["TTable", "Arn"] });
    let allowed = |grant: &str| statements(&with_grant(grant, ""), "dynamodb:");
    assert_eq!(allowed("get: tables.t"), [json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arn })]);
    assert_eq!(
        allowed("write: tables.t"),
        [json!({ "Effect": "Allow", "Resource": arn,
            "Action": ["dynamodb:BatchWriteItem", "dynamodb:PutItem", "dynamodb:UpdateItem"] })]
    );
    assert_eq!(
        allowed("delete: tables.t"),
        [json!({ "Effect": "Allow", "Action": "dynamodb:DeleteItem", "Resource": arn })]
    );
    assert_eq!(
        allowed("read: tables.t"),
        [json!({ "Effect": "Allow", "Resource": arn,
            "Action": ["dynamodb:BatchGetItem", "dynamodb:GetItem", "dynamodb:Query", "dynamodb:Scan"] })]
    );
    let indexed = ", indexes: { by-who: { partition-key: { name: Who } } }";
    assert_eq!(
        statements(&with_grant("query: tables.t", indexed), "dynamodb:"),
        [json!({ "Effect": "Allow", "Action": "dynamodb:Query",
            "Resource": [arn, { "Fn::Sub": "${TTable.Arn}/index/*" }] })]
    );
    assert_eq!(
        statements(&with_grant("get: tables.t", indexed), "dynamodb:"),
        [json!({ "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arn })],
        "an item is not got through an index"
    );
}

#[test]
fn tables_that_dynamodb_would_refuse_are_refused_at_their_line() {
    let found = codes(
        r#"bedplate: 1
name: x
tables:
  a:
    name: "x y"
    partition-key: { name: Id }
    sort-key: { name: Id, type: number }
    indexes:
      b: { partition-key: { name: Other }, attributes: [x, x] }
      by-id: { partition-key: { name: Id, type: binary } }
    ttl: ""
"#,
    );
    assert_eq!(found, [("S170", 5), ("S171", 7), ("S171", 7), ("S170", 9), ("S172", 9), ("S171", 10), ("S171", 11)]);
    let many: String = (0..21).map(|i| format!("      by-{i}: {{ partition-key: {{ name: K{i} }} }}\n")).collect();
    let text = format!("bedplate: 1\nname: x\ntables:\n  a:\n    partition-key: {{ name: Id }}\n    indexes:\n{many}");
    assert_eq!(codes(&text), [("S172", 6)]);
}

#[test]
fn a_secret_is_made_at_random_or_comes_from_a_parameter() {
    let rendered = rendered(
        r#"
bedplate: 1
name: x
parameters: { api-key: { secret: true } }
secrets:
  made: {}
  database: { generate: 40, key: password, with: { username: reader } }
  plain: { value: api-key }
  object: { value: api-key, key: apiKey }
"#,
    );
    let secret = |id: &str| properties(&rendered, id).clone();
    assert_eq!(secret("MadeSecret")["GenerateSecretString"]["PasswordLength"], 32);
    let database = &secret("DatabaseSecret")["GenerateSecretString"];
    assert_eq!(database["PasswordLength"], 40);
    assert_eq!(database["SecretStringTemplate"], r#"{"username": "reader"}"#);
    assert_eq!(database["GenerateStringKey"], "password");
    assert_eq!(secret("PlainSecret")["SecretString"], json!({ "Ref": "ApiKey" }));
    let object = &secret("ObjectSecret")["SecretString"]["Fn::Join"][1];
    assert_eq!((&object[0], &object[2]), (&json!("{\"apiKey\": \""), &json!("\"}")));
    assert_eq!(properties_of_parameter(&rendered), json!({ "Type": "String", "NoEcho": true }));
}

fn properties_of_parameter(rendered: &bedplate::render::Rendered) -> Value {
    rendered.template.value()["Parameters"]["ApiKey"].clone()
}

#[test]
fn reading_a_secret_is_granted_on_that_secret_alone() {
    assert_eq!(
        statements(&with_grant("read: secrets.s", ""), "secretsmanager:"),
        [json!({ "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": { "Ref": "SSecret" } })]
    );
}

#[test]
fn a_secret_that_would_show_or_contradicts_itself_is_refused() {
    let found = codes(
        r#"bedplate: 1
name: x
parameters: { open: {}, count: { type: number, secret: true } }
secrets:
  a: { value: open }
  b: { value: count }
  c: { value: nothing }
  d: { value: open, generate: 20 }
  e: { generate: 2 }
  f: { with: { user: me } }
  g: { key: k, with: { k: x } }
  h: { name: "my secret" }
"#,
    );
    assert_eq!(
        found,
        [
            ("S177", 5),
            ("S177", 6),
            ("S025", 7),
            ("S177", 8),
            ("S176", 8),
            ("S176", 9),
            ("S176", 10),
            ("S176", 11),
            ("S175", 12)
        ]
    );
}

/// A stack with one parameter.
struct Given(&'static str);

impl Resolver for Given {
    fn reference(&self, _: &str) -> Result<Answer, Problem> {
        Ok(self.0.into())
    }
    fn attribute(&self, _: &str, _: &str) -> Result<Answer, Problem> {
        Err(Problem::new(code::T100, "no attribute is asked for"))
    }
    fn import(&self, _: &str) -> Result<Answer, Problem> {
        Err(Problem::new(code::T100, "nothing is imported"))
    }
    fn condition(&self, _: &str) -> Result<bool, Problem> {
        Err(Problem::new(code::T100, "there is no condition"))
    }
    fn mapping(&self, _: &str, _: &str, _: &str) -> Result<Option<Value>, Problem> {
        Ok(None)
    }
    fn zones(&self, _: &str) -> Result<Answer, Problem> {
        Err(Problem::new(code::T100, "no zone is asked for"))
    }
}

#[test]
fn no_value_of_a_parameter_breaks_out_of_its_object() {
    let rendered = rendered(
        "bedplate: 1\nname: x\nparameters: { p: { secret: true } }\n\
         secrets: { s: { value: p, key: password, with: { user: 'a\"b$${x}' } } }\n",
    );
    let object = &properties(&rendered, "SSecret")["SecretString"];
    for value in
        ["plain", "", "\", \"admin\": \"yes", "back\\slash\\\"", "two\nlines\r\tand a tab", "${AWS::Region}", "\\\\"]
    {
        let text = resolve(object, &Given(value)).expect("text");
        let read: Value = serde_json::from_str(text.as_str().expect("text")).expect("JSON");
        assert_eq!(read, json!({ "user": "a\"b${x}", "password": value }), "{text}");
    }
}
