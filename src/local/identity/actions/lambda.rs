//! Lambda.

use crate::local::identity::Need;
use crate::local::lambda::Route;

pub(super) fn needs(route: &Route, region: &str) -> Vec<Need> {
    vec![Need::new(format!("lambda:{}", route.action()), route.resource(region))]
}
