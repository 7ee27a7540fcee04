//! Lambda.

use crate::ground::Need;
use crate::lambda::Route;

/// What an operation needs.
pub(crate) fn needs(route: &Route, region: &str) -> Vec<Need> {
    vec![Need::new(format!("lambda:{}", route.action()), route.resource(region))]
}
