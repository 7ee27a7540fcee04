//! Types that are no ordinary ones: those a function makes, and those that are refused.

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
