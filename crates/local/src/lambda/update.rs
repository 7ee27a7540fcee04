//! New code for a function.

use std::sync::Arc;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::code::{self, owner_of};
use super::describe;
use super::function::{Function, Name, invalid, text};
use crate::ground::resource_table;
use crate::ground::store::BlobWriter;
use crate::ground::{ApiError, Host};
use crate::s3::object_blob;

/// Bytes of a package sent along. Source: Lambda quotas, "Deployment package (.zip file archive) size".
const LARGEST: usize = 50 << 20;

/// `UpdateFunctionCode`, by a zip or by an object.
pub(super) async fn code(host: &Arc<Host>, name: Name, body: &[u8]) -> Result<Value, ApiError> {
    let request: Value = serde_json::from_slice(body).map_err(|error| {
        ApiError::sender("InvalidRequestContentException", format!("Could not parse request: {error}"))
    })?;
    let dry = request.get("DryRun").and_then(Value::as_bool) == Some(true);
    if request.get("Publish").and_then(Value::as_bool) == Some(true) || request.get("ImageUri").is_some() {
        return Err(ApiError::not_implemented("lambda", "UpdateFunctionCode with Publish or ImageUri"));
    }
    let zip = match text(&request, "/ZipFile") {
        None => None,
        Some(encoded) => {
            let zip = STANDARD.decode(encoded).map_err(|error| invalid(format!("ZipFile is not Base64: {error}")))?;
            if zip.len() > LARGEST {
                return Err(invalid(format!("Zipped size must be smaller than {LARGEST} bytes")));
            }
            Some(zip)
        }
    };
    let (store, now) = (host.store.clone(), host.clock.now().as_second());
    host.store
        .blocking(move || {
            let staged = match &zip {
                None => None,
                Some(zip) => {
                    let mut writer = BlobWriter::new(&store)?;
                    writer.write(zip)?;
                    Some(writer.finish()?)
                }
            };
            store.write_now(|tx| {
                let function = Function::find(tx, &name)?;
                let blob = match staged {
                    Some(staged) => staged.place(&store, tx)?,
                    None => {
                        let (Some(bucket), Some(key)) = (text(&request, "/S3Bucket"), text(&request, "/S3Key")) else {
                            return Err(invalid("Please provide a source for function code."));
                        };
                        object_blob(tx, &bucket, &key, text(&request, "/S3ObjectVersion").as_deref()).map_err(
                            |error| {
                                invalid(format!(
                                    "Error occurred while GetObject. S3 Error Code: {}. S3 Error Message: {}",
                                    error.code, error.message
                                ))
                            },
                        )?
                    }
                };
                if !dry {
                    code::keep(tx, &owner_of(&name.region, &name.name), &blob)?;
                    if let Some(thing) = resource_table::find(tx, "AWS::Lambda::Function", &name.region, &name.name)? {
                        let state = json!({ "Modified": now });
                        resource_table::set_state(tx, &thing.resource_type, &thing.stack_id, &thing.id, &state)?;
                    }
                }
                let shown =
                    if dry { Function { source: Some(blob.into()), ..function } } else { Function::find(tx, &name)? };
                Ok(describe::configuration(&shown, false))
            })
        })
        .await
}
