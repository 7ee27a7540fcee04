//! The roles of a template, and the template without one of their rights.

use serde_json::Value;

use super::texts;

/// A template without one right.
pub struct Without {
    /// The kind of role, by who may take it and what it is for.
    pub kind: &'static str,
    /// The role's logical id.
    pub role: String,
    /// The role is that of a function in a network, whose rights are looked at when it is made.
    pub in_network: bool,
    /// What is taken away: all actions of a statement, or one.
    pub actions: Vec<String>,
    /// What the statement is on.
    pub resource: String,
    /// Where the statements are.
    pointer: String,
    index: usize,
    whole: bool,
}

impl Without {
    /// The template without it.
    pub fn template(&self, whole: &Value) -> Value {
        let mut less = whole.clone();
        let statements = less.pointer_mut(&self.pointer).and_then(Value::as_array_mut).expect("statements");
        if self.whole && statements.len() == 1 {
            // IAM takes no policy without a statement.
            let (policy, _) = self.pointer.split_once("/PolicyDocument/").expect("a policy");
            let (policies, index) = policy.rsplit_once('/').expect("a list of policies");
            let policies = less.pointer_mut(policies).and_then(Value::as_array_mut).expect("policies");
            policies.remove(index.parse().expect("an index"));
        } else if self.whole {
            statements.remove(self.index);
        } else {
            let actions = statements[self.index]["Action"].as_array_mut().expect("actions");
            actions.retain(|action| action.as_str() != Some(self.actions[0].as_str()));
        }
        less
    }
}

/// Everything that can be taken away: each statement that allows something, and each action of those with several.
pub fn variants(template: &Value) -> Vec<Without> {
    let resources = template["Resources"].as_object().expect("resources");
    let mut found = Vec::new();
    for (id, resource) in resources {
        let properties = &resource["Properties"];
        match resource["Type"].as_str().unwrap_or_default() {
            "AWS::IAM::Role" => {
                let policies = properties["Policies"].as_array().map_or(0, Vec::len);
                for policy in 0..policies {
                    let pointer = format!("/Resources/{id}/Properties/Policies/{policy}/PolicyDocument/Statement");
                    found.extend(of_policy(template, id, &pointer));
                }
            }
            "AWS::IAM::Policy" => {
                let roles: Vec<&str> = properties["Roles"]
                    .as_array()
                    .into_iter()
                    .flatten()
                    .filter_map(|role| role["Ref"].as_str())
                    .collect();
                let [role] = roles[..] else { panic!("{id} belongs to one role of the stack") };
                found.extend(of_policy(
                    template,
                    role,
                    &format!("/Resources/{id}/Properties/PolicyDocument/Statement"),
                ));
            }
            "AWS::IAM::ManagedPolicy" => panic!("{id}: no use case has one"),
            _ => {}
        }
    }
    found
}

fn of_policy(template: &Value, role: &str, pointer: &str) -> Vec<Without> {
    let statements = template.pointer(pointer).and_then(Value::as_array).expect("statements");
    let (kind, in_network) = (kind(template, role), in_network(template, role));
    let mut found = Vec::new();
    for (index, statement) in statements.iter().enumerate() {
        if statement["Effect"] != "Allow" {
            continue;
        }
        let without = |actions: Vec<String>, whole| Without {
            kind,
            role: role.to_owned(),
            in_network,
            actions,
            resource: statement["Resource"].to_string(),
            pointer: pointer.to_owned(),
            index,
            whole,
        };
        let actions = texts(&statement["Action"]);
        if actions.len() == 1 {
            found.push(without(actions, true));
        } else {
            // Were all of them missed together only, each would survive alone.
            found.extend(actions.into_iter().map(|action| without(vec![action], false)));
        }
    }
    found
}

fn kind(template: &Value, role: &str) -> &'static str {
    let trust = template["Resources"][role]["Properties"]["AssumeRolePolicyDocument"].to_string();
    let ends = |end: &str| role.ends_with(end);
    if trust.contains("lambda.amazonaws.com") {
        "function"
    } else if trust.contains("apigateway.amazonaws.com") {
        "API"
    } else if ends("KnowledgeBaseRole") {
        if template["Resources"].to_string().contains("\"MANAGED\"") {
            "managed knowledge base"
        } else {
            "knowledge base"
        }
    } else if ends("AgentRole") {
        "agent"
    } else if ends("GatewayRole") {
        "gateway"
    } else if ends("HarnessRole") {
        "harness"
    } else {
        panic!("{role} is of no kind this test knows")
    }
}

/// Whether a function in a network has the role.
fn in_network(template: &Value, role: &str) -> bool {
    let resources = template["Resources"].as_object().expect("resources");
    resources.values().any(|resource| {
        let properties = &resource["Properties"];
        resource["Type"] == "AWS::Lambda::Function"
            && properties["VpcConfig"].is_object()
            && properties["Role"].to_string().contains(&format!("\"{role}\""))
    })
}
