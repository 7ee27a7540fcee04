//! Exports and who imports them.

use serde_json::{Value, json};

use super::{CloudFormationCall, page, shapes};
use crate::cloudformation::error::CloudFormationResult;
use crate::cloudformation::tables;
use crate::ground::ApiError;

/// Exports in one answer.
const EXPORTS: usize = 100;

impl CloudFormationCall<'_> {
    pub(super) async fn list_exports(self) -> CloudFormationResult<Value> {
        let (region, token) = (self.region(), self.text("NextToken"));
        self.read(move |tx| {
            let (exports, next) = page(tables::exports(tx, &region)?, token.as_deref(), EXPORTS)?;
            let shown: Value = exports
                .iter()
                .map(|export| json!({"ExportingStackId": export.stack_id, "Name": export.name, "Value": export.value}))
                .collect();
            Ok(shapes::compact(json!({"Exports": shown, "NextToken": next})))
        })
        .await
    }

    pub(super) async fn list_imports(self) -> CloudFormationResult<Value> {
        let (region, name, token) = (self.region(), self.required("ExportName")?, self.text("NextToken"));
        self.read(move |tx| {
            let importers = tables::importers(tx, &region, &name)?;
            if importers.is_empty() {
                return Err(ApiError::validation(format!("Export '{name}' is not imported by any stack.")));
            }
            let (importers, next) = page(importers, token.as_deref(), EXPORTS)?;
            Ok(shapes::compact(json!({"Imports": importers, "NextToken": next})))
        })
        .await
    }
}
