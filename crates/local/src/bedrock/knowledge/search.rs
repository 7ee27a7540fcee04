//! Finding: the chunks whose vectors lie nearest to a question's.

use std::collections::BTreeSet;
use std::sync::Arc;

use futures::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::base::Base;
use super::filter::meets;
use super::store::StoreUse;
use crate::bedrock::Bedrock;
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid, without_nulls};
use crate::bedrock::embed::cosine;
use crate::bedrock::guardrail::{self, GuardedText, Piece};
use crate::bedrock::text::passages::fit;
use crate::ground::ApiError;

/// How many chunks are given when nothing is said, and at most. Source: Bedrock API reference, `Retrieve`.
const USUAL: usize = 5;
const MOST: usize = 100;

/// A chunk that was found.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) struct Hit {
    pub text: String,
    pub uri: String,
    pub score: f64,
    pub metadata: Map<String, Value>,
}

impl Hit {
    /// As the API shows it among references.
    pub fn reference(&self) -> Value {
        json!({
            "content": {"type": "TEXT", "text": self.text},
            "location": {"type": "S3", "s3Location": {"uri": self.uri}},
            "metadata": self.metadata,
        })
    }
}

/// Hits as `Retrieve` shows them.
pub(in crate::bedrock) fn results(hits: &[Hit]) -> Vec<Value> {
    let with_score = |hit: &Hit| {
        let mut result = hit.reference();
        if let Some(result) = result.as_object_mut() {
            result.insert("score".to_owned(), json!(hit.score));
        }
        result
    };
    hits.iter().map(with_score).collect()
}

/// How to search.
#[derive(Debug, Clone, Default, PartialEq)]
pub(in crate::bedrock) struct How {
    most: usize,
    filter: Option<Value>,
    hybrid: bool,
}

impl How {
    /// From a `retrievalConfiguration`.
    ///
    /// # Errors
    ///
    /// When it does not go with the knowledge base.
    pub fn of(configuration: Option<&Value>, base: &Base) -> Result<Self, ApiError> {
        let part = |name: &str| configuration.and_then(|configuration| configuration.get(name));
        let (vector, managed) = (part("vectorSearchConfiguration"), part("managedSearchConfiguration"));
        if base.managed && vector.is_some() {
            return Err(invalid(
                "A managed knowledge base takes `managedSearchConfiguration`, not `vectorSearchConfiguration`",
            ));
        }
        if !base.managed && managed.is_some() {
            return Err(invalid("Only a managed knowledge base takes `managedSearchConfiguration`"));
        }
        let own = vector.or(managed).unwrap_or(&Value::Null);
        let most = match own.get("numberOfResults") {
            None => USUAL,
            Some(number) => number
                .as_u64()
                .and_then(|number| usize::try_from(number).ok())
                .filter(|number| (1..=MOST).contains(number))
                .ok_or_else(|| invalid(format!("`numberOfResults` must be from 1 to {MOST}")))?,
        };
        for name in ["rerankingConfiguration", "implicitFilterConfiguration"] {
            if own.get(name).is_some() {
                return Err(ApiError::not_implemented("bedrock-agent-runtime", &format!("Retrieve with `{name}`")));
            }
        }
        let hybrid = own.get("overrideSearchType").and_then(Value::as_str) == Some("HYBRID");
        Ok(Self { most, filter: own.get("filter").cloned(), hybrid })
    }
}

struct Row {
    shown: String,
    text: String,
    uri: String,
    source: String,
    id: i64,
    metadata: String,
    vector: Vec<u8>,
}

/// The nearest chunks, the nearest first.
///
/// # Errors
///
/// When the model can't be called or the filter is none.
pub(in crate::bedrock) async fn search(
    bedrock: &Arc<Bedrock>,
    base: &Base,
    question: &str,
    how: How,
) -> Result<Vec<Hit>, ApiError> {
    let (of, now) = (base.clone(), bedrock.host.clock.now());
    let found = bedrock.host.store.read(move |tx| -> Result<_, ApiError> {
        let embedding = of.embedding(tx, now)?;
        let mut statement = tx.prepare_cached(
            "SELECT shown, text, uri, source, id, metadata, vector FROM bedrock_chunk WHERE base = ?1 ORDER BY uri, place",
        )?;
        let rows = statement.query_map([&of.id], |row| {
            Ok(Row {
                shown: row.get(0)?,
                text: row.get(1)?,
                uri: row.get(2)?,
                source: row.get(3)?,
                id: row.get(4)?,
                metadata: row.get(5)?,
                vector: row.get(6)?,
            })
        })?;
        Ok((embedding, rows.collect::<Result<Vec<Row>, _>>()?))
    });
    let ((model, dimension), rows) = found.await?;
    let mut needs = base.on_model(bedrock).await?;
    needs.extend(base.on_store(StoreUse::Search));
    if !needs.is_empty() {
        base.worker().may(bedrock, needs, bedrock.host.clock.now()).await?;
    }
    let asked =
        bedrock.embed(&model, vec![question.to_owned()], dimension).await?.into_iter().next().unwrap_or_default();
    let mut hits = Vec::new();
    for row in rows {
        let mut metadata: Map<String, Value> = serde_json::from_str(&row.metadata).unwrap_or_default();
        metadata.insert("x-amz-bedrock-kb-source-uri".to_owned(), json!(row.uri));
        metadata.insert("x-amz-bedrock-kb-data-source-id".to_owned(), json!(row.source));
        metadata.insert("x-amz-bedrock-kb-chunk-id".to_owned(), json!(format!("1%3A0%3A{}", row.id)));
        if let Some(filter) = &how.filter
            && !meets(&metadata, filter)?
        {
            continue;
        }
        let vector: Vec<f32> = row
            .vector
            .chunks_exact(4)
            .filter_map(|bytes| Some(f32::from_le_bytes(<[u8; 4]>::try_from(bytes).ok()?)))
            .collect();
        let near = f64::from(cosine(&asked, &vector));
        let near = if how.hybrid { 0.5 * near + 0.5 * fit(question, &row.text) } else { near };
        // From 0 to 1, as the service's scores are.
        let score = ((1.0 + near) / 2.0 * 10_000.0).round() / 10_000.0;
        hits.push(Hit { text: row.shown, uri: row.uri, score, metadata });
    }
    hits.sort_by(|one, other| other.score.total_cmp(&one.score));
    // Chunks that show the same larger one are one hit.
    let mut shown = BTreeSet::new();
    hits.retain(|hit| shown.insert((hit.uri.clone(), hit.text.clone())));
    hits.truncate(if how.most == 0 { USUAL } else { how.most });
    Ok(hits)
}

/// `Retrieve`.
pub(in crate::bedrock) fn retrieve(bedrock: Arc<Bedrock>, call: BedrockRequest) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let question = call.body.pointer("/retrievalQuery/text").and_then(Value::as_str).unwrap_or_default().to_owned();
        if question.is_empty() || question.chars().count() > 20_000 {
            return Err(invalid("`retrievalQuery.text` must have 1 to 20000 characters"));
        }
        let (region, id) = (call.region.clone(), call.label("knowledgeBaseId").to_owned());
        let guard = call.body.get("guardrailConfiguration").cloned();
        let found = bedrock.host.store.read(move |tx| -> Result<_, ApiError> {
            let base = Base::find(tx, &region, &id)?;
            let text =
                |guard: &Value, name: &str| guard.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
            let guardrail = match &guard {
                Some(guard) => {
                    let (id, version) = (text(guard, "guardrailId"), text(guard, "guardrailVersion"));
                    Some(guardrail::find(tx, &region, &id, &version)?)
                }
                None => None,
            };
            Ok((base, guardrail))
        });
        let (base, guardrail) = found.await?;
        let how = How::of(call.body.get("retrievalConfiguration"), &base)?;
        let mut action = None;
        if let Some(guardrail) = &guardrail {
            let verdict = guardrail::judge(guardrail, GuardedText::Input, &[Piece::of(question.clone())]);
            if verdict.blocked {
                return Ok(BedrockAnswer::Json(json!({"retrievalResults": [], "guardrailAction": "INTERVENED"})));
            }
            action = Some("NONE");
        }
        let hits = search(&bedrock, &base, &question, how).await?;
        Ok(BedrockAnswer::Json(without_nulls(json!({"retrievalResults": results(&hits), "guardrailAction": action}))))
    })
}
