//! Lambda.

use crate::identity::Need;
use crate::lambda::Route;

pub(super) fn needs(route: &Route, region: &str) -> Vec<Need> {
    vec![Need::new(format!("lambda:{}", route.action()), route.resource(region))]
}
