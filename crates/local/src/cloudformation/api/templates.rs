//! Templates: what is deployed, what one needs, whether one is valid.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::{CloudFormationCall, existing, shapes};
use crate::cloudformation::error::{CloudFormationResult, no_change_set};
use crate::cloudformation::status::Status;
use crate::cloudformation::{prepare, tables};
use crate::ground::ApiError;
use crate::ground::scalar::scalar;
use crate::resources::{self, provider};
use bedplate_cfn::Template;

impl CloudFormationCall<'_> {
    pub(super) async fn get_template(self) -> CloudFormationResult<Value> {
        let region = self.region();
        let (named, set) = (self.text("StackName"), self.text("ChangeSetName"));
        let processed = match self.params.text("TemplateStage") {
            None | Some("Original") => false,
            Some("Processed") => true,
            Some(other) => {
                return Err(ApiError::validation(format!(
                    "1 validation error detected: Value '{other}' at 'templateStage' failed to satisfy constraint: \
                     Member must satisfy enum value set: [Original, Processed]"
                )));
            }
        };
        self.read(move |tx| {
            let target = match (&set, &named) {
                (Some(set), _) if set.starts_with("arn:") => {
                    tables::change_set_by_id(tx, set)?.ok_or_else(|| no_change_set(set))?.target
                }
                (Some(set), Some(named)) => {
                    let stack = existing(tx, &region, named)?;
                    tables::change_set_by_name(tx, &stack.id, set)?.ok_or_else(|| no_change_set(set))?.target
                }
                (None, Some(named)) => existing(tx, &region, named)?.target,
                (Some(_), None) => return Err(ApiError::validation("StackName is a required parameter.")),
                (None, None) => {
                    return Err(ApiError::validation("StackName is required if ChangeSetName is not specified."));
                }
            };
            let transformed = target.processed.get("Transform").is_some()
                || prepare::read(&target.template).is_ok_and(|template| !template.transforms().is_empty());
            let body = if processed && transformed { target.processed.to_string() } else { target.template };
            Ok(json!({"TemplateBody": body, "StagesAvailable": ["Original", "Processed"]}))
        })
        .await
    }

    /// The template a question is about.
    async fn asked(self) -> CloudFormationResult<Template> {
        let template = match self.text("StackName") {
            Some(named) => {
                let region = self.region();
                let stack = self.read(move |tx| existing(tx, &region, &named)).await?;
                if stack.status == Status::ReviewInProgress {
                    return Err(ApiError::validation(
                        "GetTemplateSummary cannot be called on REVIEW_IN_PROGRESS stacks.",
                    ));
                }
                prepare::read(&stack.target.template)?
            }
            None => prepare::read(&self.template_text(None).await?)?,
        };
        Ok(template)
    }

    pub(super) async fn get_template_summary(self) -> CloudFormationResult<Value> {
        if self.params.has("StackSetName") {
            return Err(ApiError::not_implemented("cloudformation", "GetTemplateSummary of a stack set"));
        }
        let lenient = self
            .params
            .get("TemplateSummaryConfig")
            .and_then(|config| config.get("TreatUnrecognizedResourceTypesAsWarnings"))
            .and_then(Value::as_str)
            == Some("true");
        let template = self.asked().await?;
        let expanded = expanded(&template, &self.region());
        let unknown: BTreeSet<&str> = expanded
            .resources()
            .map(|resource| resource.type_)
            .filter(|name| !provider::known(name) && resources::refused(name).is_none())
            .collect();
        if !lenient && !unknown.is_empty() {
            let names: Vec<&str> = unknown.into_iter().collect();
            return Err(ApiError::validation(format!(
                "Template format error: Unrecognized resource types: [{}]",
                names.join(", ")
            )));
        }
        let mut by_type: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        for resource in expanded.resources() {
            by_type.entry(resource.type_).or_default().push(resource.logical_id);
        }
        let identifiers: Value = by_type
            .iter()
            .map(|(name, ids)| {
                json!({
                    "ResourceType": name,
                    "LogicalResourceIds": ids,
                    "ResourceIdentifiers": provider::primary_identifier(name),
                })
            })
            .collect();
        let parameters: Value = template
            .parameters()
            .map(|parameter| {
                let allowed = parameter.attribute("AllowedValues").and_then(Value::as_array);
                let allowed: Vec<String> =
                    allowed.into_iter().flatten().filter_map(scalar).collect();
                shapes::compact(json!({
                    "ParameterKey": parameter.name,
                    "DefaultValue": parameter.default().and_then(scalar),
                    "ParameterType": parameter.type_(),
                    "NoEcho": parameter.no_echo(),
                    "Description": parameter.description(),
                    "ParameterConstraints": if allowed.is_empty() { json!({}) } else { json!({"AllowedValues": allowed}) },
                }))
            })
            .collect();
        let mut shown = needs(&template, &expanded);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("Parameters".to_owned(), parameters);
            shown.insert("ResourceTypes".to_owned(), json!(by_type.keys().collect::<Vec<_>>()));
            shown.insert("Version".to_owned(), json!("2010-09-09"));
            shown.insert("ResourceIdentifierSummaries".to_owned(), identifiers);
            if let Some(metadata) = template.value().get("Metadata") {
                shown.insert("Metadata".to_owned(), json!(metadata.to_string()));
            }
            if lenient {
                let names: Vec<&str> = unknown.into_iter().collect();
                shown.insert("Warnings".to_owned(), json!({"UnrecognizedResourceTypes": names}));
            }
        }
        Ok(shown)
    }

    pub(super) async fn validate_template(self) -> CloudFormationResult<Value> {
        let template = prepare::read(&self.template_text(None).await?)?;
        let expanded = expanded(&template, &self.region());
        prepare::check(&expanded, &self.region())?;
        let parameters: Value = template
            .parameters()
            .map(|parameter| {
                shapes::compact(json!({
                    "ParameterKey": parameter.name,
                    "DefaultValue": parameter.default().and_then(scalar),
                    "NoEcho": parameter.no_echo(),
                    "Description": parameter.description(),
                }))
            })
            .collect();
        let mut shown = needs(&template, &expanded);
        if let Some(shown) = shown.as_object_mut() {
            shown.insert("Parameters".to_owned(), parameters);
        }
        Ok(shown)
    }
}

/// The template without its transforms where its defaults allow that, else as it is.
fn expanded(template: &Template, region: &str) -> Template {
    let defaults = template
        .parameters()
        .filter_map(|parameter| Some((parameter.name.to_owned(), scalar(parameter.default()?)?)))
        .collect();
    prepare::process(template, &defaults, region, "").unwrap_or_else(|_| template.clone())
}

/// Description, capabilities and transforms of a template.
fn needs(template: &Template, expanded: &Template) -> Value {
    let (capability, types) = prepare::needed_capabilities(expanded);
    let mut capabilities: Vec<&str> = capability.into_iter().collect();
    let mut reasons = Vec::new();
    if capability.is_some() {
        reasons.push(format!("The following resource(s) require capabilities: [{}]", types.join(", ")));
    }
    let transforms = template.transforms();
    if !transforms.is_empty() {
        capabilities.push("CAPABILITY_AUTO_EXPAND");
        reasons.push(format!("The following transform(s) require capabilities: [{}]", transforms.join(", ")));
    }
    shapes::compact(json!({
        "Description": template.description(),
        "Capabilities": if capabilities.is_empty() { Value::Null } else { json!(capabilities) },
        "CapabilitiesReason": if reasons.is_empty() { Value::Null } else { json!(reasons.join("; ")) },
        "DeclaredTransforms": if transforms.is_empty() { Value::Null } else { json!(transforms) },
    }))
}
