//! The provider schemas' findings, at the line of the spec they come from.

use super::escape;
use crate::cfn::validate;
use crate::finding::{Finding, Place};
use crate::render::Rendered;
use crate::spec::LoadedSpec;

/// Which key of a component a property comes from: the type, the start of the property's path, and the key below the
/// component. A key that ends in `/` goes on with the next segment of the path.
const FIELDS: [(&str, &str, &str); 37] = [
    ("AWS::Lambda::Function", "FunctionName", "name"),
    ("AWS::Lambda::Function", "Description", "description"),
    ("AWS::Lambda::Function", "Handler", "handler"),
    ("AWS::Lambda::Function", "Runtime", "runtime"),
    ("AWS::Lambda::Function", "Architectures", "architecture"),
    ("AWS::Lambda::Function", "Timeout", "timeout"),
    ("AWS::Lambda::Function", "MemorySize", "memory"),
    ("AWS::Lambda::Function", "Layers", "layers"),
    ("AWS::Lambda::Function", "Environment/Variables", "environment/"),
    ("AWS::Logs::LogGroup", "RetentionInDays", "log-retention"),
    ("AWS::IAM::Role", "Policies", "uses"),
    ("AWS::Lambda::LayerVersion", "Description", "description"),
    ("AWS::Lambda::LayerVersion", "CompatibleRuntimes", "runtimes"),
    ("AWS::Lambda::LayerVersion", "CompatibleArchitectures", "architecture"),
    ("AWS::S3::Bucket", "BucketNamePrefix", "name"),
    ("AWS::S3::Bucket", "LifecycleConfiguration", "expire-after"),
    ("AWS::S3::Bucket", "VersioningConfiguration", "versioning"),
    ("AWS::ApiGateway::RestApi", "Name", "name"),
    ("AWS::ApiGateway::RestApi", "Description", "description"),
    ("AWS::ApiGateway::RestApi", "EndpointConfiguration", "endpoint"),
    ("AWS::ApiGateway::Stage", "StageName", "stage"),
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
];

pub(super) fn check(loaded: &LoadedSpec, rendered: &Rendered, region: Option<&str>, findings: &mut Vec<Finding>) {
    for finding in validate(&rendered.template, region) {
        let place = finding.template_path.as_deref().and_then(|path| place(loaded, rendered, path));
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
    let rest: Vec<&str> = segments.skip_while(|segment| *segment == "Properties").collect();
    let type_ = rendered.template.resource(id).map_or("", |resource| resource.type_);
    match field(type_, &rest).map(|key| format!("{origin}/{key}")) {
        Some(pointer) => loaded.place(&pointer),
        None => loaded.key_place(origin),
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
