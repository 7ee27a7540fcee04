//! What the resources of a stack are in the local target: one small file a service with real behaviour, and one rule,
//! fed by the provider schemas and `schemas/local/resources.json`, for all other types.
//!
//! A [`Handler`] works inside the transaction that also records the resource's new status, so a resource is never made
//! twice nor half made, whenever the process dies. [`world`] is the table of all that exists: the data plane reads it.

mod apigateway;
mod apigatewayv2;
mod bedrock;
mod cognito;
mod dynamodb;
mod formats;
mod generic;
mod iam;
mod lambda;
mod logs;
mod policy;
pub mod provider;
mod s3;
mod secretsmanager;
mod ssm;
pub mod world;

use jiff::Timestamp;
use rusqlite::Transaction;
use serde_json::{Map, Value};

use crate::ground::Ids;

pub(crate) use apigatewayv2::parts as parts_of_v2_api;
pub use formats::Formats;
pub use generic::{attributes_of, custom_name, planned_id};

/// The tables of what exists.
pub const SCHEMA: super::store::Schema = super::store::Schema { room: "resources", steps: &[world::SCHEMA] };

/// Where a resource is made, and for whom.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// Twelve digits.
    pub account: String,
    /// For example `us-west-2`.
    pub region: String,
    /// The stack's ARN.
    pub stack_id: String,
    /// The stack's name.
    pub stack_name: String,
    /// The resource's name in the template.
    pub logical_id: String,
    /// For example `AWS::S3::Bucket`.
    pub resource_type: String,
}

/// One piece of work: the transaction it happens in, and where.
#[derive(Debug)]
pub struct Work<'a> {
    /// The transaction.
    pub db: &'a Transaction<'a>,
    /// Where.
    pub site: &'a Site,
    /// When.
    pub now: Timestamp,
    /// Where random identities come from.
    pub ids: &'a Ids,
}

/// What was made: its id and what `Fn::GetAtt` gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Made {
    /// What `Ref` gives.
    pub id: String,
    /// By attribute.
    pub attributes: Map<String, Value>,
}

/// Why a resource could not be made, changed or deleted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The provider's class of the failure, for example `AlreadyExists`; none when CloudFormation itself refuses.
    pub code: Option<&'static str>,
    /// What its event says.
    pub message: String,
}

impl Failure {
    /// A refusal of the service behind the resource.
    pub fn handler(code: &'static str, message: impl Into<String>) -> Self {
        Self { code: Some(code), message: message.into() }
    }

    /// A refusal of CloudFormation itself.
    pub fn plain(message: impl Into<String>) -> Self {
        Self { code: None, message: message.into() }
    }

    /// The reason as an event shows it.
    pub fn reason(&self, ids: &Ids) -> String {
        match self.code {
            Some(code) => format!(
                "Resource handler returned message: \"{}\" (RequestToken: {}, HandlerErrorCode: {code})",
                self.message,
                ids.uuid()
            ),
            None => self.message.clone(),
        }
    }
}

impl From<rusqlite::Error> for Failure {
    fn from(error: rusqlite::Error) -> Self {
        Self::handler("InternalFailure", format!("The local target's state could not be read or written: {error}"))
    }
}

/// The behaviour of one or more resource types.
pub trait Handler: Sync {
    /// Makes the thing.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn create(&self, work: &Work<'_>, properties: &Value) -> Result<Made, Failure> {
        generic::create(work, properties)
    }

    /// Changes it in place.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn update(&self, work: &Work<'_>, id: &str, old: &Value, new: &Value) -> Result<Made, Failure> {
        let _ = old;
        generic::update(work, id, new)
    }

    /// Deletes it; deleting what is gone already is fine.
    ///
    /// # Errors
    ///
    /// What the service would refuse.
    fn delete(&self, work: &Work<'_>, id: &str, properties: &Value) -> Result<(), Failure> {
        let _ = properties;
        generic::delete(work, id)
    }
}

/// Types with behaviour of their own: one line a type.
const HANDLERS: &[(&str, &dyn Handler)] = &[
    ("AWS::ApiGateway::Authorizer", &apigateway::PartOfApi),
    ("AWS::ApiGateway::ApiKey", &apigateway::ApiKey),
    ("AWS::ApiGateway::Deployment", &apigateway::Deployment),
    ("AWS::ApiGateway::GatewayResponse", &apigateway::PartOfApi),
    ("AWS::ApiGateway::Method", &apigateway::Method),
    ("AWS::ApiGateway::Model", &apigateway::PartOfApi),
    ("AWS::ApiGateway::RequestValidator", &apigateway::PartOfApi),
    ("AWS::ApiGateway::Resource", &apigateway::Resource),
    ("AWS::ApiGateway::RestApi", &apigateway::RestApi),
    ("AWS::ApiGateway::Stage", &apigateway::Stage),
    ("AWS::Bedrock::DataSource", &bedrock::DataSource),
    ("AWS::Bedrock::FlowVersion", &bedrock::FlowVersion),
    ("AWS::Bedrock::GuardrailVersion", &bedrock::GuardrailVersion),
    ("AWS::Bedrock::KnowledgeBase", &bedrock::KnowledgeBase),
    ("AWS::Bedrock::PromptVersion", &bedrock::PromptVersion),
    ("AWS::Cognito::UserPool", &cognito::UserPool),
    ("AWS::Cognito::UserPoolClient", &cognito::UserPoolClient),
    ("AWS::DynamoDB::Table", &dynamodb::Table),
    ("AWS::ApiGatewayV2::Deployment", &apigatewayv2::Deployment),
    ("AWS::IAM::ManagedPolicy", &iam::ManagedPolicy),
    ("AWS::IAM::Policy", &iam::Policy),
    ("AWS::IAM::Role", &iam::Role),
    ("AWS::Lambda::Function", &lambda::Function),
    ("AWS::Lambda::LayerVersion", &lambda::LayerVersion),
    ("AWS::Lambda::Permission", &lambda::Permission),
    ("AWS::Lambda::Version", &lambda::Version),
    ("AWS::Logs::LogGroup", &logs::LogGroup),
    ("AWS::S3::Bucket", &s3::Bucket),
    ("AWS::S3::BucketPolicy", &s3::BucketPolicy),
    ("AWS::SSM::Parameter", &ssm::Parameter),
    ("AWS::SecretsManager::ResourcePolicy", &secretsmanager::ResourcePolicy),
    ("AWS::SecretsManager::Secret", &secretsmanager::Secret),
];

/// The behaviour of a type.
pub fn handler(resource_type: &str) -> &'static dyn Handler {
    HANDLERS.iter().find(|(name, _)| *name == resource_type).map_or(&generic::Generic, |(_, handler)| *handler)
}

/// Whether a function makes resources of a type.
pub fn is_custom(resource_type: &str) -> bool {
    resource_type.starts_with("Custom::") || resource_type == "AWS::CloudFormation::CustomResource"
}

/// Why a type that CloudFormation knows is refused by the local target, if it is.
pub fn refused(resource_type: &str) -> Option<&'static str> {
    match resource_type {
        "AWS::CloudFormation::WaitCondition" => Some("`AWS::CloudFormation::WaitCondition` (nothing could signal it)"),
        "AWS::CloudFormation::Macro" => {
            Some("`AWS::CloudFormation::Macro` (CloudFormation here does not call its function)")
        }
        "AWS::CloudFormation::StackSet" => Some("`AWS::CloudFormation::StackSet`"),
        _ => None,
    }
}

/// A property as text, whatever scalar it was written as.
pub(crate) fn text(properties: &Value, name: &str) -> Option<String> {
    scalar(properties.get(name)?)
}

/// A scalar as text.
pub(crate) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}
