//! The behaviour of resource types that are not like all others: one small file a service.

mod apigateway;
mod apigateway_checks;
mod apigateway_stages;
mod apigatewayv2;
mod bedrock;
mod cognito;
mod dynamodb;
mod iam;
mod lambda;
mod logs;
mod policy;
mod s3;
mod secretsmanager;
mod ssm;

use crate::resources::{Generic, Handler};

/// Types with behaviour of their own: one line a type.
const HANDLERS: &[(&str, &dyn Handler)] = &[
    ("AWS::ApiGateway::Authorizer", &apigateway::PartOfApi),
    ("AWS::ApiGateway::ApiKey", &apigateway::ApiKey),
    ("AWS::ApiGateway::Deployment", &apigateway_stages::RestDeploymentHandler),
    ("AWS::ApiGateway::GatewayResponse", &apigateway::PartOfApi),
    ("AWS::ApiGateway::Method", &apigateway::Method),
    ("AWS::ApiGateway::Model", &apigateway::PartOfApi),
    ("AWS::ApiGateway::RequestValidator", &apigateway::PartOfApi),
    ("AWS::ApiGateway::Resource", &apigateway::PathHandler),
    ("AWS::ApiGateway::RestApi", &apigateway::RestApi),
    ("AWS::ApiGateway::Stage", &apigateway_stages::Stage),
    ("AWS::Bedrock::Agent", &bedrock::AgentHandler),
    ("AWS::Bedrock::DataSource", &bedrock::DataSource),
    ("AWS::Bedrock::FlowVersion", &bedrock::FlowVersion),
    ("AWS::Bedrock::GuardrailVersion", &bedrock::GuardrailVersion),
    ("AWS::Bedrock::KnowledgeBase", &bedrock::KnowledgeBase),
    ("AWS::Bedrock::PromptVersion", &bedrock::PromptVersion),
    ("AWS::Cognito::UserPool", &cognito::UserPool),
    ("AWS::Cognito::UserPoolClient", &cognito::UserPoolClient),
    ("AWS::DynamoDB::Table", &dynamodb::TableHandler),
    ("AWS::ApiGatewayV2::Deployment", &apigatewayv2::HttpDeploymentHandler),
    ("AWS::IAM::Group", &iam::UserOrGroup),
    ("AWS::ApiGatewayV2::Stage", &apigatewayv2::StageHandler),
    ("AWS::IAM::ManagedPolicy", &iam::ManagedPolicy),
    ("AWS::IAM::Policy", &iam::Policy),
    ("AWS::IAM::Role", &iam::RoleHandler),
    ("AWS::IAM::User", &iam::UserOrGroup),
    ("AWS::Lambda::Function", &lambda::FunctionHandler),
    ("AWS::Lambda::LayerVersion", &lambda::LayerVersion),
    ("AWS::Lambda::Permission", &lambda::Permission),
    ("AWS::Lambda::Version", &lambda::VersionHandler),
    ("AWS::Logs::LogGroup", &logs::LogGroup),
    ("AWS::S3::Bucket", &s3::BucketHandler),
    ("AWS::S3::BucketPolicy", &s3::BucketPolicy),
    ("AWS::SSM::Parameter", &ssm::ParameterHandler),
    ("AWS::SecretsManager::ResourcePolicy", &secretsmanager::ResourcePolicy),
    ("AWS::SecretsManager::Secret", &secretsmanager::Secret),
];

/// The behaviour of a type.
pub fn handler(resource_type: &str) -> &'static dyn Handler {
    HANDLERS.iter().find(|(name, _)| *name == resource_type).map_or(&Generic, |(_, handler)| *handler)
}
