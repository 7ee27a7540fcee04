//! IAM documents in the template that grant more than they should.

use serde_json::Value;

use crate::cfn::Template;
use crate::exposure::{lets_anyone_in, statements_of};
use crate::facts::{ManagedPolicy, managed_policies};
use crate::finding::{Finding, Place, code};
use crate::iam::{Effect, Policy, PolicyError, Statement};
use crate::render::Rendered;
use crate::spec::LoadedSpec;

/// Properties that hold a policy document: the type, the way to the document (`*` is every entry of a list), and whether
/// it speaks about principals.
const DOCUMENTS: [(&str, &[&str]); 12] = [
    ("AWS::IAM::Role", &["AssumeRolePolicyDocument"]),
    ("AWS::IAM::Role", &["Policies", "*", "PolicyDocument"]),
    ("AWS::IAM::User", &["Policies", "*", "PolicyDocument"]),
    ("AWS::IAM::Group", &["Policies", "*", "PolicyDocument"]),
    ("AWS::IAM::Policy", &["PolicyDocument"]),
    ("AWS::IAM::RolePolicy", &["PolicyDocument"]),
    ("AWS::IAM::ManagedPolicy", &["PolicyDocument"]),
    ("AWS::S3::BucketPolicy", &["PolicyDocument"]),
    ("AWS::SQS::QueuePolicy", &["PolicyDocument"]),
    ("AWS::SNS::TopicPolicy", &["PolicyDocument"]),
    ("AWS::ApiGateway::RestApi", &["Policy"]),
    ("AWS::EC2::VPCEndpoint", &["PolicyDocument"]),
];

/// Managed policies that grant a service, or everything, and so more than any use case needs.
const TOO_WIDE: [&str; 3] = ["FullAccess", "AdministratorAccess", "PowerUserAccess"];

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, findings: &mut Vec<Finding>) {
    of_template(&rendered.template, &|path| rendered.place(loaded, path), findings);
    for nested in &rendered.nested {
        of_template(&nested.template, &|path| nested.place(path), findings);
    }
}

fn of_template(template: &Template, place: &dyn Fn(&str) -> Option<Place>, findings: &mut Vec<Finding>) {
    for resource in template.resources() {
        let Some(properties) = resource.properties() else { continue };
        let base = format!("Resources/{}/Properties", resource.logical_id);
        let properties = Value::Object(properties.clone());
        let mut report = |finding: Finding, path: &str| {
            findings.push(finding.at(place(path)).in_template(path));
        };
        for (_, way) in DOCUMENTS.iter().filter(|(type_, _)| *type_ == resource.type_) {
            for (path, document) in follow(&properties, way, &base) {
                // An API whose policy is an empty text has none: so the Serverless Framework writes it, and it deploys.
                if resource.type_ == REST_API && document == "" {
                    continue;
                }
                let parsed: Option<Value> = document.as_str().and_then(|text| serde_json::from_str(text).ok());
                let all = statements_of(parsed.as_ref().unwrap_or(document));
                match Policy::from_value(document) {
                    Ok(policy) => {
                        // An endpoint's policy grants nothing: it is what the callers' own policies are cut down to. The
                        // one that an endpoint has by default allows everything to everyone.
                        let bounds = resource.type_ == "AWS::EC2::VPCEndpoint";
                        let harmless = [code::I001, code::I002, code::I003, code::I006];
                        for (index, one) in policy.statements.iter().enumerate() {
                            let written = all.get(index);
                            let open = one.conditions.is_empty()
                                && written.is_some_and(|it| lets_anyone_in(it, &all))
                                && !repeats(resource.type_, &properties, one);
                            let told = statement(one).into_iter().chain(open.then(anyone));
                            for finding in told.filter(|it| !(bounds && harmless.contains(&it.code))) {
                                report(finding, &format!("{path}/Statement/{index}"));
                            }
                        }
                    }
                    Err(_) if has_intrinsic(document) => {}
                    Err(error) => report(
                        Finding::error(code::I007, format!("this is not a policy document: {}", problem(&error)))
                            .help("correct it, or the partial that renders it"),
                        &path,
                    ),
                }
            }
        }
        let attached = [["ManagedPolicyArns", "*"].as_slice(), &["PermissionsBoundary"]];
        for (path, arn) in attached.into_iter().flat_map(|way| follow(&properties, way, &base)) {
            if let Some(finding) = arn_of_aws(arn).as_deref().and_then(managed_policy) {
                report(finding, &path);
            }
        }
        for (path, policies) in follow(&properties, &["ManagedPolicyArns", "*"], &base) {
            let name = policies.to_string();
            if TOO_WIDE.iter().any(|wide| name.contains(wide)) {
                let name = name.rsplit('/').next().unwrap_or_default().trim_end_matches(['"', '}']).to_owned();
                report(
                    Finding::warning(
                        code::I005,
                        format!("the managed policy `{name}` grants far more than a use case needs"),
                    )
                    .help("name what is used under `uses:`, and the statements are derived"),
                    &path,
                );
            }
        }
        if resource.type_ == "AWS::Lambda::Permission"
            && let Some(finding) = permission(&properties)
        {
            report(finding, &base);
        }
    }
}

/// The ARN of a managed policy of AWS's own, with whatever partition where the template leaves that open.
fn arn_of_aws(written: &Value) -> Option<String> {
    let open = |text: &str| text.replace("${AWS::Partition}", "aws");
    match written {
        Value::String(text) => Some(open(text)),
        Value::Object(function) => match (function.get("Fn::Sub"), function.get("Fn::Join")) {
            (Some(Value::String(text)), _) => Some(open(text)),
            (_, Some(Value::Array(join))) => {
                let (separator, parts) = (join.first()?.as_str()?, join.get(1)?.as_array()?);
                let text = |part: &Value| match part {
                    Value::String(text) => Some(text.clone()),
                    other if other.get("Ref").and_then(Value::as_str) == Some("AWS::Partition") => {
                        Some("aws".to_owned())
                    }
                    _ => None,
                };
                Some(parts.iter().map(text).collect::<Option<Vec<_>>>()?.join(separator))
            }
            _ => None,
        },
        _ => None,
    }
    .filter(|text| !text.contains("${"))
}

/// What there is to say of a managed policy of AWS's own.
fn managed_policy(arn: &str) -> Option<Finding> {
    let table = managed_policies();
    let name = arn.split_once(":policy/").map_or(arn, |(_, name)| name);
    match table.look_up(arn)? {
        ManagedPolicy::Held(_) => None,
        ManagedPolicy::Named => {
            let message = format!("the local target does not know the statements of the managed policy `{name}`");
            let help = "write out what is used: the local target refuses the resource, AWS takes it";
            Some(Finding::warning(code::I010, message).help(help))
        }
        ManagedPolicy::ServiceLinked => {
            let message =
                format!("only roles that AWS's services make for themselves can have the managed policy `{name}`");
            Some(Finding::warning(code::I009, message).help("write out what is used instead"))
        }
        ManagedPolicy::Unknown => {
            let help = match table.suggest(name) {
                Some(known) => format!("did you mean `arn:aws:iam::aws:policy/{known}`?"),
                None => "write out what is used instead".to_owned(),
            };
            let message = format!("AWS had no managed policy `{name}` on {}", table.as_of());
            Some(Finding::warning(code::I009, message).help(help))
        }
    }
}

/// What is wrong with one statement.
fn statement(statement: &Statement) -> Vec<Finding> {
    if statement.effect == Effect::Deny {
        return Vec::new();
    }
    let mut findings = Vec::new();
    let everything = statement.resources.iter().any(|resource| resource == "*") || !statement.not_resources.is_empty();
    let all_actions =
        statement.actions.contains("*") || statement.actions.contains("*:*") || !statement.not_actions.is_empty();
    let passes_roles =
        statement.actions.iter().any(|action| crate::iam::matches(&action.to_lowercase(), "iam:passrole"));
    if all_actions {
        findings.push(
            Finding::error(code::I001, "a statement allows every action")
                .help("name the actions that are used, such as `translate:TranslateText`"),
        );
    } else if passes_roles && everything {
        findings.push(
            Finding::error(code::I004, "`iam:PassRole` on every role lets everyone who has it act as any of them")
                .help("name the role's ARN, and add the condition `iam:PassedToService`"),
        );
    } else {
        let wide: Vec<&str> =
            statement.actions.iter().map(String::as_str).filter(|action| action.ends_with(":*")).collect();
        if !wide.is_empty() {
            let list = wide.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
            findings.push(
                Finding::warning(code::I002, format!("a statement allows all of a service: {list}"))
                    .help("name the actions that are used"),
            );
        }
        let exceptions = crate::facts::iam_exceptions();
        let narrowable: Vec<&String> =
            statement.actions.iter().filter(|action| !exceptions.takes_no_resource(action)).collect();
        if everything && !narrowable.is_empty() {
            let actions = narrowable.iter().map(|action| format!("`{action}`")).collect::<Vec<_>>().join(", ");
            findings.push(
                Finding::warning(code::I003, format!("a statement allows {actions} on every resource"))
                    .help("name the ARN, unless the service offers nothing narrower than `*`"),
            );
        }
    }
    findings
}

/// A REST API.
const REST_API: &str = "AWS::ApiGateway::RestApi";

fn anyone() -> Finding {
    Finding::error(code::I006, "a statement allows this to anyone in the world").help(
        "name the principal, add a condition such as `aws:SourceAccount`, or accept it in the spec with `accept:`",
    )
}

/// Whether a statement only says what is so without it: a REST API that is not private can be called by anyone, as far as
/// its methods let them (API Gateway developer guide, "How API Gateway resource policies affect authorization workflow",
/// read 2026-11).
fn repeats(type_: &str, properties: &Value, statement: &Statement) -> bool {
    let kinds = properties.pointer("/EndpointConfiguration/Types");
    let private = kinds.is_some_and(|kinds| has_intrinsic(kinds) || kinds.to_string().contains("PRIVATE"));
    let invokes = statement.not_actions.is_empty() && statement.actions.iter().all(|it| it == "execute-api:Invoke");
    type_ == REST_API && !private && invokes
}

/// What is wrong with a document, with the place in it where there is one.
fn problem(error: &PolicyError) -> String {
    if error.path.is_empty() { error.message.clone() } else { error.to_string() }
}

/// A service that anyone can make call the function.
fn permission(properties: &Value) -> Option<Finding> {
    let service = properties.get("Principal").and_then(Value::as_str).filter(|it| it.ends_with(".amazonaws.com"))?;
    let bound = ["SourceArn", "SourceAccount", "PrincipalOrgID"].iter().any(|key| properties.get(key).is_some());
    (!bound).then(|| {
        Finding::warning(code::I008, format!("any account's `{service}` may call this function"))
            .help("add the `SourceArn` of what calls it")
    })
}

/// Everything at the end of a way through properties, each with its path.
fn follow<'a>(value: &'a Value, way: &[&str], path: &str) -> Vec<(String, &'a Value)> {
    match way.split_first() {
        None => vec![(path.to_owned(), value)],
        Some((&"*", rest)) => value
            .as_array()
            .into_iter()
            .flatten()
            .enumerate()
            .flat_map(|(index, item)| follow(item, rest, &format!("{path}/{index}")))
            .collect(),
        Some((key, rest)) => {
            value.get(key).map_or_else(Vec::new, |member| follow(member, rest, &format!("{path}/{key}")))
        }
    }
}

/// Whether a document is put together by CloudFormation in a way that hides its form.
fn has_intrinsic(document: &Value) -> bool {
    let text = document.to_string();
    text.contains("\"Fn::") || text.contains("\"Ref\"")
}
