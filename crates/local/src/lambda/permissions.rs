//! Who may call a function, by its own policy: the permissions that stacks gave.

use rusqlite::Connection;
use serde_json::json;

use super::function::text;
use crate::ground::resource_table;
use crate::ground::{ACCOUNT_ID, ApiError};
use bedplate_iam::{Policy, Principal as PolicyPrincipal, Statement};

/// The policy of a function (a name, perhaps with a qualifier): one statement a permission for exactly that name.
///
/// # Errors
///
/// When the database refuses.
pub(crate) fn policy(db: &Connection, region: &str, function: &str) -> Result<Policy, ApiError> {
    let arn = format!("arn:aws:lambda:{region}:{ACCOUNT_ID}:function:{function}");
    let mut statements = Vec::new();
    for permission in resource_table::of_type(db, "AWS::Lambda::Permission", Some(region))? {
        let property = |name: &str| text(&permission.properties, &format!("/{name}"));
        let named = property("FunctionName").unwrap_or_default();
        let named = named.rsplit_once(":function:").map_or(named.as_str(), |(_, name)| name);
        if named != function {
            continue;
        }
        let principal = property("Principal").unwrap_or_default();
        let principal = match principal.as_str() {
            "*" => PolicyPrincipal::Any,
            service if service.ends_with(".amazonaws.com") => PolicyPrincipal::service(service),
            account => PolicyPrincipal::aws(account),
        };
        let action = property("Action").unwrap_or_default();
        let mut statement = Statement::allow([action.as_str()], [json!(arn)]).to(principal);
        for (name, operator, key) in [
            ("SourceArn", "ArnLike", "aws:SourceArn"),
            ("SourceAccount", "StringEquals", "aws:SourceAccount"),
            ("PrincipalOrgID", "StringEquals", "aws:PrincipalOrgID"),
            ("EventSourceToken", "StringEquals", "lambda:EventSourceToken"),
            ("FunctionUrlAuthType", "StringEquals", "lambda:FunctionUrlAuthType"),
        ] {
            if let Some(value) = property(name) {
                statement = statement.when(operator, key, json!(value));
            }
        }
        statement.sid = Some(permission.logical_id.clone());
        statements.push(statement);
    }
    Ok(Policy { statements })
}
