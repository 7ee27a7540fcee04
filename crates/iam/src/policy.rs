//! A policy document and its statements.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

/// The version of the policy language.
const VERSION: &str = "2012-10-17";

/// Whether a statement grants or refuses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Effect {
    /// Grants.
    Allow,
    /// Refuses, whatever else grants.
    Deny,
}

impl Effect {
    fn name(self) -> &'static str {
        match self {
            Effect::Allow => "Allow",
            Effect::Deny => "Deny",
        }
    }
}

/// Who a resource-based or trust policy speaks about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Principal {
    /// `*`: anyone.
    Any,
    /// A kind (`Service`, `AWS`, `Federated`, `CanonicalUser`) and an identity of that kind as canonical JSON.
    Of(String, String),
}

impl Principal {
    /// An AWS service, such as `lambda.amazonaws.com`.
    pub fn service(name: &str) -> Self {
        Principal::Of("Service".to_owned(), json!(name).to_string())
    }

    /// An ARN or an account's id.
    pub fn aws(arn: &str) -> Self {
        Principal::Of("AWS".to_owned(), json!(arn).to_string())
    }
}

/// Conditions: operator → key → values. All must hold; of one key's values, one.
pub type Conditions = BTreeMap<String, BTreeMap<String, Vec<Value>>>;

/// One statement. Resources, principals and condition values may be CloudFormation intrinsic functions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    /// A name for people.
    pub sid: Option<String>,
    /// Grants or refuses.
    pub effect: Effect,
    /// Who; empty in a policy attached to an identity.
    pub principals: BTreeSet<Principal>,
    /// Actions, wildcards allowed.
    pub actions: BTreeSet<String>,
    /// `NotAction`: every action but these.
    pub not_actions: BTreeSet<String>,
    /// Resources, in the order of their canonical JSON.
    pub resources: Vec<Value>,
    /// `NotResource`: every resource but these.
    pub not_resources: Vec<Value>,
    /// When.
    pub conditions: Conditions,
}

/// A policy document.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Policy {
    /// Its statements.
    pub statements: Vec<Statement>,
}

/// Why JSON is not a policy document.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{path}: {message}")]
pub struct PolicyError {
    /// Where in the document, such as `Statement/0/Effect`.
    pub path: String,
    /// What is wrong.
    pub message: String,
}

impl Statement {
    /// A statement that grants actions on resources.
    pub fn allow<'a>(actions: impl IntoIterator<Item = &'a str>, resources: impl IntoIterator<Item = Value>) -> Self {
        let mut statement = Self {
            sid: None,
            effect: Effect::Allow,
            principals: BTreeSet::new(),
            actions: actions.into_iter().map(str::to_owned).collect(),
            not_actions: BTreeSet::new(),
            resources: resources.into_iter().collect(),
            not_resources: Vec::new(),
            conditions: Conditions::new(),
        };
        statement.tidy();
        statement
    }

    /// The same about a principal, as in a trust policy.
    #[must_use]
    pub fn to(mut self, principal: Principal) -> Self {
        self.principals.insert(principal);
        self
    }

    /// The same under one more condition.
    #[must_use]
    pub fn when(mut self, operator: &str, key: &str, value: Value) -> Self {
        self.conditions.entry(operator.to_owned()).or_default().entry(key.to_owned()).or_default().push(value);
        self
    }

    fn tidy(&mut self) {
        for list in [&mut self.resources, &mut self.not_resources] {
            list.sort_by_cached_key(Value::to_string);
            list.dedup();
        }
    }

    pub(super) fn to_value(&self) -> Value {
        let mut body = Map::new();
        if let Some(sid) = &self.sid {
            body.insert("Sid".to_owned(), json!(sid));
        }
        body.insert("Effect".to_owned(), json!(self.effect.name()));
        if !self.principals.is_empty() {
            body.insert("Principal".to_owned(), principals_value(&self.principals));
        }
        for (key, actions) in [("Action", &self.actions), ("NotAction", &self.not_actions)] {
            if !actions.is_empty() {
                body.insert(key.to_owned(), one_or_many(actions.iter().map(|action| json!(action)).collect()));
            }
        }
        for (key, resources) in [("Resource", &self.resources), ("NotResource", &self.not_resources)] {
            if !resources.is_empty() {
                body.insert(key.to_owned(), one_or_many(resources.clone()));
            }
        }
        if !self.conditions.is_empty() {
            let conditions: Map<String, Value> = self
                .conditions
                .iter()
                .map(|(operator, keys)| {
                    let keys: Map<String, Value> =
                        keys.iter().map(|(key, values)| (key.clone(), one_or_many(values.clone()))).collect();
                    (operator.clone(), Value::Object(keys))
                })
                .collect();
            body.insert("Condition".to_owned(), Value::Object(conditions));
        }
        Value::Object(body)
    }
}

impl Policy {
    /// A document of these statements, merged and in canonical order.
    pub fn of(statements: impl IntoIterator<Item = Statement>) -> Self {
        Self { statements: statements.into_iter().collect() }.merged()
    }

    /// The same rights in fewest statements: those alike but for their actions become one, then those alike but for their
    /// resources; the order is that of their canonical JSON, so equal rights read equal.
    #[must_use]
    pub fn merged(self) -> Self {
        let statements = fold(self.statements, |into, from| {
            let alike = into.resources == from.resources && simple(into) && simple(&from) && same_frame(into, &from);
            if alike {
                into.actions.extend(from.actions.clone());
            }
            if alike { None } else { Some(from) }
        });
        let mut statements = fold(statements, |into, from| {
            let alike = into.actions == from.actions && simple(into) && simple(&from) && same_frame(into, &from);
            if alike {
                into.resources.extend(from.resources.clone());
                into.tidy();
            }
            if alike { None } else { Some(from) }
        });
        statements.sort_by_cached_key(|statement| statement.to_value().to_string());
        Self { statements }
    }

    /// The document as JSON, keys in AWS's usual order, lists of one written as one.
    pub fn to_value(&self) -> Value {
        let statements: Vec<Value> = self.statements.iter().map(Statement::to_value).collect();
        json!({ "Version": VERSION, "Statement": statements })
    }

    /// Reads a document as CloudFormation or IAM has it.
    ///
    /// # Errors
    /// When it has not the form of a policy document, with where.
    pub fn from_value(value: &Value) -> Result<Self, PolicyError> {
        // CloudFormation takes a document as JSON text too.
        let parsed: Option<Value> = value.as_str().and_then(|text| serde_json::from_str(text).ok());
        let value = parsed.as_ref().unwrap_or(value);
        let document = value.as_object().ok_or_else(|| wrong("", "a policy document is an object"))?;
        let statements = match document.get("Statement") {
            Some(Value::Array(statements)) => statements.iter().collect(),
            Some(statement @ Value::Object(_)) => vec![statement],
            _ => return Err(wrong("Statement", "it is missing or not a list")),
        };
        let statements: Result<Vec<Statement>, PolicyError> =
            statements.into_iter().enumerate().map(|(index, value)| read_statement(value, index)).collect();
        Ok(Self { statements: statements? })
    }
}

/// Takes each statement into the first it can be merged with.
fn fold(statements: Vec<Statement>, merge: impl Fn(&mut Statement, Statement) -> Option<Statement>) -> Vec<Statement> {
    let mut kept: Vec<Statement> = Vec::new();
    for statement in statements {
        let mut left = Some(statement);
        for into in &mut kept {
            let Some(from) = left.take() else { break };
            left = merge(into, from);
        }
        kept.extend(left);
    }
    kept
}

fn simple(statement: &Statement) -> bool {
    statement.not_actions.is_empty() && statement.not_resources.is_empty()
}

fn same_frame(a: &Statement, b: &Statement) -> bool {
    a.sid == b.sid && a.effect == b.effect && a.principals == b.principals && a.conditions == b.conditions
}

fn one_or_many(mut values: Vec<Value>) -> Value {
    if values.len() == 1 { values.remove(0) } else { Value::Array(values) }
}

fn principals_value(principals: &BTreeSet<Principal>) -> Value {
    if principals.contains(&Principal::Any) {
        return json!("*");
    }
    let mut kinds: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for principal in principals {
        if let Principal::Of(kind, identity) = principal {
            kinds.entry(kind).or_default().push(serde_json::from_str(identity).unwrap_or_else(|_| json!(identity)));
        }
    }
    Value::Object(kinds.into_iter().map(|(kind, values)| (kind.to_owned(), one_or_many(values))).collect())
}

fn wrong(path: impl Into<String>, message: impl Into<String>) -> PolicyError {
    PolicyError { path: path.into(), message: message.into() }
}

fn read_statement(value: &Value, index: usize) -> Result<Statement, PolicyError> {
    let path = format!("Statement/{index}");
    let body = value.as_object().ok_or_else(|| wrong(&path, "a statement is an object"))?;
    let effect = match body.get("Effect").and_then(Value::as_str) {
        Some("Allow") => Effect::Allow,
        Some("Deny") => Effect::Deny,
        _ => return Err(wrong(format!("{path}/Effect"), "it is `Allow` or `Deny`")),
    };
    let actions = |key: &str| -> Result<BTreeSet<String>, PolicyError> {
        many(body.get(key))
            .into_iter()
            .map(|action| {
                action.as_str().map(str::to_owned).ok_or_else(|| wrong(format!("{path}/{key}"), "an action is text"))
            })
            .collect()
    };
    let mut statement = Statement {
        sid: body.get("Sid").and_then(Value::as_str).map(str::to_owned),
        effect,
        principals: read_principals(body.get("Principal"), &path)?,
        actions: actions("Action")?,
        not_actions: actions("NotAction")?,
        resources: many(body.get("Resource")),
        not_resources: many(body.get("NotResource")),
        conditions: read_conditions(body.get("Condition"), &path)?,
    };
    if statement.actions.is_empty() && statement.not_actions.is_empty() {
        return Err(wrong(format!("{path}/Action"), "a statement names at least one action"));
    }
    statement.tidy();
    Ok(statement)
}

fn read_principals(value: Option<&Value>, path: &str) -> Result<BTreeSet<Principal>, PolicyError> {
    match value {
        None => Ok(BTreeSet::new()),
        Some(Value::String(any)) if any == "*" => Ok(BTreeSet::from([Principal::Any])),
        Some(Value::Object(kinds)) => Ok(kinds
            .iter()
            .flat_map(|(kind, values)| {
                many(Some(values)).into_iter().map(move |value| match (kind.as_str(), value.as_str()) {
                    ("AWS", Some("*")) => Principal::Any,
                    _ => Principal::Of(kind.clone(), value.to_string()),
                })
            })
            .collect()),
        Some(_) => Err(wrong(format!("{path}/Principal"), "it is `*` or an object")),
    }
}

fn read_conditions(value: Option<&Value>, path: &str) -> Result<Conditions, PolicyError> {
    let Some(value) = value else { return Ok(Conditions::new()) };
    let wrong_shape = || wrong(format!("{path}/Condition"), "it maps operators to keys to values");
    let operators = value.as_object().ok_or_else(wrong_shape)?;
    operators
        .iter()
        .map(|(operator, keys)| {
            let keys = keys.as_object().ok_or_else(wrong_shape)?;
            Ok((operator.clone(), keys.iter().map(|(key, values)| (key.clone(), many(Some(values)))).collect()))
        })
        .collect()
}

fn many(value: Option<&Value>) -> Vec<Value> {
    match value {
        None => Vec::new(),
        Some(Value::Array(values)) => values.clone(),
        Some(one) => vec![one.clone()],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_alike_become_one() {
        let policy = Policy::of([
            Statement::allow(["s3:PutObject"], [json!("b/*")]),
            Statement::allow(["s3:GetObject"], [json!("b/*")]),
            Statement::allow(["s3:GetObject", "s3:PutObject"], [json!("a/*")]),
            Statement::allow(["s3:GetObject"], [json!("b/*")]).when("Bool", "aws:SecureTransport", json!("true")),
        ]);
        assert_eq!(
            policy.to_value(),
            json!({ "Version": "2012-10-17", "Statement": [
                { "Effect": "Allow", "Action": "s3:GetObject", "Resource": "b/*",
                  "Condition": { "Bool": { "aws:SecureTransport": "true" } } },
                { "Effect": "Allow", "Action": ["s3:GetObject", "s3:PutObject"], "Resource": ["a/*", "b/*"] },
            ] })
        );
    }

    #[test]
    fn order_of_statements_does_not_show() {
        let one = Statement::allow(["a:B"], [json!("x")]);
        let two = Statement::allow(["c:D"], [json!({ "Ref": "Y" })]);
        assert_eq!(Policy::of([one.clone(), two.clone()]), Policy::of([two, one]));
    }

    #[test]
    fn a_document_reads_back_as_written() {
        let policy = Policy::of([Statement::allow(["sts:AssumeRole"], [])
            .to(Principal::service("lambda.amazonaws.com"))
            .when("StringEquals", "aws:SourceAccount", json!({ "Ref": "AWS::AccountId" }))]);
        assert_eq!(Policy::from_value(&policy.to_value()), Ok(policy));
    }

    #[test]
    fn what_is_no_document_is_refused_with_its_place() {
        for (document, path) in [
            (json!("x"), ""),
            (json!({}), "Statement"),
            (json!({ "Statement": [{ "Effect": "Maybe", "Action": "a:b" }] }), "Statement/0/Effect"),
            (json!({ "Statement": [{ "Effect": "Deny" }] }), "Statement/0/Action"),
            (json!({ "Statement": [{ "Effect": "Deny", "Action": [3] }] }), "Statement/0/Action"),
            (json!({ "Statement": [{ "Effect": "Deny", "Action": "a:b", "Condition": 1 }] }), "Statement/0/Condition"),
        ] {
            assert_eq!(Policy::from_value(&document).expect_err("refused").path, path);
        }
    }
}
