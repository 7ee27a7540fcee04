//! Lambda.

use rusqlite::Transaction;

use super::Asked;
use crate::local::errors::ApiError;
use crate::local::identity::Need;
use crate::local::lambda::route;

pub(super) fn needs(_: &Transaction<'_>, asked: &Asked<'_>) -> Result<Option<Vec<Need>>, ApiError> {
    Ok(route(asked.method, asked.path, asked.query).map(|route| {
        let action = format!("lambda:{}", route.action());
        vec![Need::new(action, route.resource(asked.region))]
    }))
}
