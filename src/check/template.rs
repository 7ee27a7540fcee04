//! The provider schemas' findings, at the line of the spec they come from.

use serde_json::Value;

use crate::cfn::validate;
use crate::finding::{Finding, Place};
use crate::render::Rendered;
use crate::spec::{LoadedSpec, escape};
use crate::yaml::{self, Positions};

/// Which key of a component a property comes from: the type, the start of the property's path, and the key below the
/// component. A key that ends in `/` goes on with the next segment of the path.
const FIELDS: &[(&str, &str, &str)] = &[
    ("AWS::Lambda::Function", "FunctionName", "name"),
    ("AWS::Lambda::Function", "Description", "description"),
    ("AWS::Lambda::Function", "Handler", "handler"),
    ("AWS::Lambda::Function", "Runtime", "runtime"),
    ("AWS::Lambda::Function", "Architectures", "architecture"),
    ("AWS::Lambda::Function", "Timeout", "timeout"),
    ("AWS::Lambda::Function", "MemorySize", "memory"),
    ("AWS::Lambda::Function", "Layers", "layers"),
    ("AWS::Lambda::Function", "Environment/Variables", "environment/"),
    ("AWS::Lambda::Function", "Code/ZipFile", "inline"),
    ("AWS::Lambda::Function", "VpcConfig", "in-network"),
    ("AWS::Lambda::Function", "ReservedConcurrentExecutions", "concurrency"),
    ("AWS::Lambda::Function", "DeadLetterConfig", "dead-letter"),
    ("AWS::Lambda::Url", "AuthType", "auth"),
    ("AWS::Lambda::Url", "Cors", "cors"),
    ("AWS::Logs::LogGroup", "RetentionInDays", "log-retention"),
    ("AWS::IAM::Role", "RoleName", "name"),
    ("AWS::IAM::Role", "Description", "description"),
    ("AWS::IAM::Role", "MaxSessionDuration", "session"),
    ("AWS::IAM::Role", "AssumeRolePolicyDocument", "assumed-by"),
    ("AWS::IAM::Role", "Policies", "uses"),
    ("AWS::Bedrock::ApplicationInferenceProfile", "ModelSource", "id"),
    ("AWS::EC2::VPC", "CidrBlock", "cidr"),
    ("AWS::EC2::VPCEndpoint", "PolicyDocument", "policy"),
    ("AWS::CloudWatch::Alarm", "AlarmDescription", "description"),
    ("AWS::CloudWatch::Alarm", "AlarmActions", "notify"),
    ("AWS::CloudWatch::Alarm", "Period", "over"),
    ("AWS::CloudWatch::Alarm", "Threshold", "above"),
    ("AWS::Lambda::LayerVersion", "Description", "description"),
    ("AWS::Lambda::LayerVersion", "CompatibleRuntimes", "runtimes"),
    ("AWS::Lambda::LayerVersion", "CompatibleArchitectures", "architecture"),
    ("AWS::S3::Bucket", "BucketNamePrefix", "name"),
    ("AWS::S3::Bucket", "BucketEncryption", "kms-key"),
    ("AWS::S3::Bucket", "LifecycleConfiguration", "expire-after"),
    ("AWS::S3::Bucket", "VersioningConfiguration", "versioning"),
    ("AWS::ApiGateway::RestApi", "Name", "name"),
    ("AWS::ApiGateway::RestApi", "Description", "description"),
    ("AWS::ApiGateway::RestApi", "EndpointConfiguration", "endpoint"),
    ("AWS::ApiGateway::Stage", "StageName", "stage"),
    ("AWS::DynamoDB::Table", "TableName", "name"),
    ("AWS::DynamoDB::Table", "KeySchema", "partition-key"),
    ("AWS::DynamoDB::Table", "GlobalSecondaryIndexes", "indexes"),
    ("AWS::DynamoDB::Table", "TimeToLiveSpecification", "ttl"),
    ("AWS::DynamoDB::Table", "PointInTimeRecoverySpecification", "point-in-time-recovery"),
    ("AWS::SecretsManager::Secret", "Name", "name"),
    ("AWS::SecretsManager::Secret", "Description", "description"),
    ("AWS::SecretsManager::Secret", "GenerateSecretString/PasswordLength", "generate"),
    ("AWS::SecretsManager::Secret", "SecretString", "value"),
    ("AWS::Bedrock::KnowledgeBase", "Name", "name"),
    ("AWS::Bedrock::KnowledgeBase", "Description", "description"),
    ("AWS::Bedrock::KnowledgeBase", "KnowledgeBaseConfiguration", "embedding"),
    ("AWS::Bedrock::KnowledgeBase", "StorageConfiguration/RdsConfiguration", "aurora"),
    ("AWS::Bedrock::KnowledgeBase", "StorageConfiguration/PineconeConfiguration", "pinecone"),
    ("AWS::Bedrock::KnowledgeBase", "StorageConfiguration/MongoDbAtlasConfiguration", "mongodb-atlas"),
    ("AWS::Bedrock::KnowledgeBase", "StorageConfiguration/OpensearchManagedClusterConfiguration", "opensearch-cluster"),
    ("AWS::Bedrock::DataSource", "DataSourceConfiguration/S3Configuration/InclusionPrefixes", "prefix"),
    ("AWS::Bedrock::DataSource", "DataSourceConfiguration/WebConfiguration", "web"),
    ("AWS::Bedrock::DataSource", "VectorIngestionConfiguration/ChunkingConfiguration", "chunking"),
    ("AWS::Bedrock::DataSource", "VectorIngestionConfiguration/ParsingConfiguration", "parsing"),
    ("AWS::NeptuneGraph::Graph", "ProvisionedMemory", "neptune-analytics"),
    ("AWS::Bedrock::Guardrail", "Name", "name"),
    ("AWS::Bedrock::Guardrail", "Description", "description"),
    ("AWS::Bedrock::Guardrail", "BlockedInputMessaging", "blocked-input"),
    ("AWS::Bedrock::Guardrail", "BlockedOutputsMessaging", "blocked-output"),
    ("AWS::Bedrock::Guardrail", "TopicPolicyConfig", "topics"),
    ("AWS::Bedrock::Guardrail", "ContentPolicyConfig", "filters"),
    ("AWS::Bedrock::Guardrail", "WordPolicyConfig", "words"),
    ("AWS::Bedrock::Guardrail", "SensitiveInformationPolicyConfig/PiiEntitiesConfig", "personal-data"),
    ("AWS::Bedrock::Guardrail", "SensitiveInformationPolicyConfig/RegexesConfig", "patterns"),
    ("AWS::Bedrock::Prompt", "Name", "name"),
    ("AWS::Bedrock::Prompt", "Description", "description"),
    ("AWS::Bedrock::Prompt", "Variants/0/ModelId", "model"),
    ("AWS::Bedrock::Prompt", "Variants/0/InferenceConfiguration", "model"),
    ("AWS::Bedrock::Prompt", "Variants/0/TemplateConfiguration", "text"),
    ("AWS::Bedrock::Flow", "Name", "name"),
    ("AWS::Bedrock::Flow", "Description", "description"),
    ("AWS::Bedrock::Flow", "Definition", "nodes"),
    ("AWS::ApiGateway::Stage", "MethodSettings", "throttle"),
    ("AWS::ApiGateway::Method", "Integration/TimeoutInMillis", "timeout"),
    ("AWS::ApiGateway::Method", "AuthorizationScopes", "auth"),
    ("AWS::ApiGateway::UsagePlan", "Quota", "quota"),
    ("AWS::ApiGateway::UsagePlan", "Throttle", "throttle"),
    ("AWS::ApiGatewayV2::Api", "Name", "name"),
    ("AWS::ApiGatewayV2::Api", "Description", "description"),
    ("AWS::ApiGatewayV2::Api", "CorsConfiguration", "cors"),
    ("AWS::ApiGatewayV2::Api", "RouteSelectionExpression", "route-selection"),
    ("AWS::ApiGatewayV2::Stage", "StageName", "stage"),
    ("AWS::ApiGatewayV2::Stage", "DefaultRouteSettings", "throttle"),
    ("AWS::ApiGatewayV2::Integration", "TimeoutInMillis", "timeout"),
    ("AWS::Cognito::UserPool", "UserPoolName", "name"),
    ("AWS::Cognito::UserPool", "Policies", "password-length"),
    ("AWS::Cognito::UserPoolDomain", "Domain", "domain"),
    ("AWS::Cognito::UserPoolClient", "CallbackURLs", "callback-urls"),
    ("AWS::Bedrock::Agent", "AgentName", "name"),
    ("AWS::Bedrock::Agent", "Description", "description"),
    ("AWS::Bedrock::Agent", "FoundationModel", "model"),
    ("AWS::Bedrock::Agent", "Instruction", "instruction"),
    ("AWS::Bedrock::Agent", "IdleSessionTTLInSeconds", "idle"),
    ("AWS::Bedrock::Agent", "ActionGroups", "tools"),
    ("AWS::Bedrock::Agent", "KnowledgeBases", "knowledge-bases"),
    ("AWS::Bedrock::Agent", "GuardrailConfiguration", "guardrail"),
    ("AWS::Bedrock::AgentAlias", "AgentAliasName", "alias"),
    ("AWS::BedrockAgentCore::Harness", "HarnessName", "name"),
    ("AWS::BedrockAgentCore::Harness", "Model", "model"),
    ("AWS::BedrockAgentCore::Harness", "SystemPrompt", "instruction"),
    ("AWS::BedrockAgentCore::Harness", "AllowedTools", "built-in"),
    ("AWS::BedrockAgentCore::Harness", "MaxIterations", "limits/iterations"),
    ("AWS::BedrockAgentCore::Harness", "MaxTokens", "limits/tokens"),
    ("AWS::BedrockAgentCore::Harness", "TimeoutSeconds", "limits/timeout"),
    ("AWS::BedrockAgentCore::Harness", "Environment", "idle"),
    ("AWS::BedrockAgentCore::Gateway", "Name", "name"),
    ("AWS::BedrockAgentCore::GatewayTarget", "Description", "description"),
];

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, region: Option<&str>, findings: &mut Vec<Finding>) {
    let outside = Outside::of(loaded);
    for finding in validate(&rendered.template, region) {
        let path = finding.template_path.as_deref();
        let own = path.and_then(|path| outside.as_ref()?.place(rendered, path));
        let place = own.or_else(|| path.and_then(|path| place(loaded, rendered, path)));
        findings.push(match place {
            Some(place) => finding.at(Some(place)),
            None => finding,
        });
    }
}

/// The place in the spec of a path in the template, such as `Resources/DesignFunction/Properties/Timeout`.
pub(super) fn place(loaded: &LoadedSpec, rendered: &Rendered, path: &str) -> Option<Place> {
    let mut segments = path.trim_start_matches('/').split('/');
    let section = segments.next()?;
    if section == "Description" {
        return loaded.place("/description");
    }
    let id = segments.next()?;
    let origin = rendered.origins.get(id).filter(|_| ["Resources", "Parameters"].contains(&section))?;
    if origin.starts_with("/resources/") {
        // A raw resource stands in the spec as it stands in the template.
        let rest: String = segments.map(|segment| format!("/{segment}")).collect();
        return match rest.is_empty() {
            true => loaded.key_place(origin),
            false => loaded.place(&format!("{origin}{rest}")),
        };
    }
    let rest: Vec<&str> = segments.skip_while(|segment| *segment == "Properties").collect();
    let type_ = rendered.template.resource(id).map_or("", |resource| resource.type_);
    match field(type_, &rest).map(|key| format!("{origin}/{key}")) {
        Some(pointer) => loaded.place(&pointer),
        None => loaded.key_place(origin),
    }
}

/// A template made elsewhere, whose findings have lines of its own file.
struct Outside {
    file: String,
    value: Value,
    positions: Positions,
}

impl Outside {
    /// The template of a spec that has one.
    fn of(loaded: &LoadedSpec) -> Option<Self> {
        let path = loaded.spec.template.as_ref()?;
        let document = yaml::parse_cloudformation(loaded.files.get("/template")?).ok()?;
        Some(Self { file: loaded.beside(path), value: document.value, positions: document.positions })
    }

    /// The place of what came from it.
    fn place(&self, rendered: &Rendered, path: &str) -> Option<Place> {
        let path = path.trim_start_matches('/');
        let mut segments = path.split('/');
        let (section, id) = (segments.next()?, segments.next()?);
        let from_here = match section {
            "Resources" | "Parameters" => rendered.origins.get(id).is_some_and(|origin| origin == "/template"),
            // What it has of these sections no component has: the same name twice would have been refused.
            _ => self.value.pointer(&format!("/{section}/{id}")).is_some(),
        };
        let (line, column) = self.positions.at(&format!("/{path}")).filter(|_| from_here)?;
        Some(Place { file: self.file.clone(), line, column })
    }
}

fn field(type_: &str, path: &[&str]) -> Option<String> {
    FIELDS.iter().find_map(|(of, property, key)| {
        let property: Vec<&str> = property.split('/').collect();
        let rest = path.strip_prefix(property.as_slice()).filter(|_| *of == type_)?;
        Some(match (key.ends_with('/'), rest.first()) {
            (true, Some(next)) => format!("{key}{}", escape(next)),
            _ => key.trim_end_matches('/').to_owned(),
        })
    })
}
