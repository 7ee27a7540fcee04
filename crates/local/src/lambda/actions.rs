//! Lambda.

use crate::ground::RequiredPermission;
use crate::lambda::Route;

/// What an operation needs.
pub(crate) fn required_permissions(route: &Route, region: &str) -> Vec<RequiredPermission> {
    vec![RequiredPermission::new(format!("lambda:{}", route.action()), route.resource(region))]
}
