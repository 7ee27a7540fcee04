//! Pages of the endpoint's own, below `/_bedplate/`: what no AWS API tells.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use http::{Response, StatusCode};
use s3s::Body;

use super::registry::Registry;
use crate::ground::body::respond;
use crate::ground::{ACCOUNT_ID, ApiError, Host};
use crate::identity;
use crate::lambda::code;
use crate::protocol::errors::{Protocol, error_response};

/// Answers a page by its name.
pub(super) async fn answer(host: &Arc<Host>, registry: &Registry, page: &str, request_id: &str) -> Response<Body> {
    match page {
        "operations" => operations(registry),
        "health" => health(host, request_id).await,
        "denials" => denials(host, request_id).await,
        other => match other.strip_prefix("code/") {
            Some(digest) => package(host, digest.to_owned(), request_id).await,
            None => not_ours(request_id),
        },
    }
}

/// What is simulated: the operations of each service, under the names that the AWS SDKs have for both. The tables that
/// dispatch tell it.
fn operations(registry: &Registry) -> Response<Body> {
    let mut all: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for (service, operation) in registry.operations() {
        all.entry(service).or_default().insert(operation);
    }
    respond(StatusCode::OK, "application/json", serde_json::json!(all).to_string().into_bytes())
}

/// What roles were denied, for a person who looks for the right that is missing.
async fn denials(host: &Arc<Host>, request_id: &str) -> Response<Body> {
    let found = host.store.read::<_, ApiError>(|tx| Ok(identity::denials(tx)?)).await;
    match found {
        Ok(denials) => {
            let body = serde_json::json!({ "denials": denials });
            respond(StatusCode::OK, "application/json", body.to_string().into_bytes())
        }
        Err(error) => error_response(Protocol::RestJson, &error, request_id),
    }
}

/// A package of a function or layer, where Lambda's API says it is.
async fn package(host: &Arc<Host>, digest: String, request_id: &str) -> Response<Body> {
    let asked = digest.clone();
    let kept = host.store.read::<_, ApiError>(move |tx| Ok(code::is_kept(tx, &asked)?)).await;
    let store = host.store.clone();
    let read = match kept {
        Ok(true) => store.clone().blocking(move || Ok::<_, ApiError>(store.read_blob(&digest)?)).await,
        Ok(false) => return not_ours(request_id),
        Err(error) => Err(error),
    };
    match read {
        Ok(zip) => respond(StatusCode::OK, "application/zip", zip),
        Err(error) => error_response(Protocol::RestJson, &error, request_id),
    }
}

async fn health(host: &Arc<Host>, request_id: &str) -> Response<Body> {
    let counted = host
        .store
        .read::<_, ApiError>(|tx| {
            let count =
                |table: &str| tx.query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get::<_, i64>(0));
            Ok(serde_json::json!({
                "buckets": count("s3_buckets")?,
                "versions": count("s3_versions")?,
                "uploads": count("s3_uploads")?,
                "bodies": count("blobs")?,
            }))
        })
        .await;
    match counted {
        Ok(counts) => {
            let body = serde_json::json!({
                "version": env!("CARGO_PKG_VERSION"),
                "dir": host.store.dir(),
                "account": ACCOUNT_ID,
                "counts": counts,
            });
            respond(StatusCode::OK, "application/json", body.to_string().into_bytes())
        }
        Err(error) => error_response(Protocol::RestJson, &error, request_id),
    }
}

/// The refusal of a path below `/_bedplate/` that means nothing.
fn not_ours(request_id: &str) -> Response<Body> {
    let error = ApiError::sender("NotFound", "There is no such page of the local target");
    error_response(Protocol::RestJson, &error.with_status(StatusCode::NOT_FOUND), request_id)
}
