//! Searching in several steps: `AgenticRetrieveStream`. Where Bedrock has a model take a question apart, here each sentence
//! of it is a search of its own.

use std::sync::Arc;

use futures::future::BoxFuture;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::base::Base;
use super::generate::{Grounded, ground};
use super::search::{Hit, How, search};
use crate::bedrock::Bedrock;
use crate::bedrock::answer::{BedrockAnswer, BedrockRequest, BedrockResult, invalid, without_nulls};
use crate::bedrock::identify;
use crate::bedrock::stream::{Events, pieces};
use crate::bedrock::text::sentences::sentences;
use crate::ground::ApiError;

/// How many searches a question comes to at most when nothing is said.
const SEARCHES: usize = 5;

/// The most results.
const RESULTS: usize = 20;

/// A knowledge base, and how it is searched.
type Retriever = (Base, How);

/// What is wanted.
pub(in crate::bedrock) struct AgenticQuery {
    pub question: String,
    pub retrievers: Vec<(String, Value)>,
    /// The model that the caller chose.
    pub model: Option<String>,
    pub searches: usize,
    /// Whether an answer is to be worded.
    pub answers: bool,
}

/// What was found.
pub(in crate::bedrock) struct Retrieved {
    /// Each search, and what it found: how many.
    searches: Vec<(String, Vec<(String, Hit)>)>,
    results: Vec<(String, Hit)>,
    answer: Option<Grounded>,
}

impl AgenticQuery {
    /// From a request's body.
    ///
    /// # Errors
    ///
    /// What is missing, and what is not simulated.
    pub fn of(body: &Value) -> Result<Self, ApiError> {
        for name in ["memoryConfiguration", "nextToken", "policyConfiguration", "userContext"] {
            if body.get(name).is_some() {
                return Err(not_simulated(&format!("`{name}`")));
            }
        }
        let list = |name: &str| body.get(name).and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let last = list("messages").last().filter(|message| message.get("role").is_some_and(|role| role == "user"));
        let question = last.and_then(|message| message.pointer("/content/text")).and_then(Value::as_str);
        let question = question.map(str::trim).filter(|text| !text.is_empty());
        let question =
            question.ok_or_else(|| invalid("The last of `messages` must be the user's and say something"))?;
        let mut retrievers = Vec::new();
        for retriever in list("retrievers") {
            let own = retriever.pointer("/configuration/knowledgeBase").cloned().unwrap_or_default();
            let id = own.get("knowledgeBaseId").and_then(Value::as_str);
            let id = id.ok_or_else(|| invalid("Each of `retrievers` must name a knowledge base"))?;
            retrievers.push((id.to_owned(), own.get("retrievalOverrides").cloned().unwrap_or_default()));
        }
        if retrievers.is_empty() {
            return Err(invalid("`retrievers` must have at least one"));
        }
        let own = body.get("agenticRetrieveConfiguration").cloned().unwrap_or_default();
        if own.get("rerankingModelType").is_some_and(|kind| kind == "CUSTOM") {
            return Err(not_simulated("a reranking model of the call's own"));
        }
        let configured = own.get("foundationModelConfiguration");
        if configured.is_some_and(|model| model.get("mantleFoundationModelConfiguration").is_some()) {
            return Err(not_simulated("a Mantle model"));
        }
        let model = configured
            .and_then(|model| model.pointer("/bedrockFoundationModelConfiguration/modelConfiguration/modelArn"))
            .and_then(Value::as_str);
        if own.get("foundationModelType").is_some_and(|kind| kind == "CUSTOM") && model.is_none() {
            return Err(invalid(
                "`foundationModelConfiguration` must name a model when `foundationModelType` is CUSTOM",
            ));
        }
        let most = own.get("maxAgentIteration").and_then(Value::as_u64).and_then(|most| usize::try_from(most).ok());
        Ok(Self {
            question: question.to_owned(),
            retrievers,
            model: model.map(str::to_owned),
            searches: most.unwrap_or(SEARCHES).max(1),
            answers: body.get("generateResponse") != Some(&json!(false)),
        })
    }
}

fn not_simulated(what: &str) -> ApiError {
    ApiError::not_implemented("bedrock-agent-runtime", &format!("AgenticRetrieveStream with {what}"))
}

/// Searches, and words an answer.
///
/// # Errors
///
/// When a knowledge base is not there or no managed one, or a model can't be called.
pub(in crate::bedrock) async fn agentic_retrieve(
    bedrock: &Arc<Bedrock>,
    region: &str,
    wanted: AgenticQuery,
    now: Timestamp,
) -> Result<Retrieved, ApiError> {
    let (here, asked, named) = (region.to_owned(), wanted.retrievers, wanted.model);
    let found = bedrock.host.store.read(move |tx| -> Result<(Vec<Retriever>, Option<String>), ApiError> {
        let mut retrievers = Vec::new();
        for (id, overrides) in &asked {
            let base = Base::find(tx, &here, id)?;
            if !base.managed {
                return Err(not_simulated("a knowledge base that is no managed one"));
            }
            let mut own = serde_json::Map::new();
            for (name, given) in [("filter", "filter"), ("numberOfResults", "maxNumberOfResults")] {
                if let Some(value) = overrides.get(given) {
                    own.insert(name.to_owned(), value.clone());
                }
            }
            let how = How::of(Some(&json!({ "managedSearchConfiguration": own })), &base)?;
            retrievers.push((base, how));
        }
        let Some(model) = named else { return Ok((retrievers, None)) };
        let target = identify::target(tx, &here, &model, now)?;
        if target.model.output != "text" {
            return Err(invalid("The model does not generate text"));
        }
        Ok((retrievers, Some(target.id)))
    });
    let (retrievers, model) = found.await?;
    let mut searches = Vec::new();
    let mut results: Vec<(String, Hit)> = Vec::new();
    for text in sentences(&wanted.question).into_iter().take(wanted.searches) {
        let mut of_search = Vec::new();
        for (base, how) in &retrievers {
            let hits = search(bedrock, base, &text, how.clone()).await?;
            of_search.extend(hits.into_iter().map(|hit| (base.id.clone(), hit)));
        }
        for (base, hit) in &of_search {
            match results.iter_mut().find(|(_, known)| known.uri == hit.uri && known.text == hit.text) {
                Some((_, known)) => known.score = known.score.max(hit.score),
                None => results.push((base.clone(), hit.clone())),
            }
        }
        searches.push((text, of_search));
    }
    results.sort_by(|(_, one), (_, other)| other.score.total_cmp(&one.score));
    results.truncate(RESULTS);
    let answer = if wanted.answers {
        let hits: Vec<Hit> = results.iter().map(|(_, hit)| hit.clone()).collect();
        ground(bedrock, model.as_deref().unwrap_or("managed"), &wanted.question, &hits, None).await?
    } else {
        None
    };
    Ok(Retrieved { searches, results, answer })
}

fn told((base, hit): &(String, Hit)) -> Value {
    json!({
        "content": {"mimeType": "text/plain", "text": hit.text},
        "metadata": hit.metadata,
        "sourceRetriever": {"identifier": base},
    })
}

impl Retrieved {
    /// The event that a stream ends with.
    pub fn result(&self) -> Value {
        let index = |reference: &Value| {
            let at = self.results.iter().position(|(_, hit)| hit.reference() == *reference);
            at.map(|at| json!({ "resultIndex": at }))
        };
        let citation = |(start, end, references): &(usize, usize, Vec<Value>)| {
            let references: Vec<Value> = references.iter().filter_map(index).collect();
            json!({"startIndex": start, "endIndex": end, "references": references})
        };
        let generated = self.answer.as_ref().map(|answer| {
            let citations: Vec<Value> = answer.parts.iter().map(citation).collect();
            json!({"answer": answer.text, "citations": citations})
        });
        let results: Vec<Value> = self.results.iter().map(told).collect();
        without_nulls(json!({"results": results, "generatedResponse": generated}))
    }
}

/// `AgenticRetrieveStream`.
pub(in crate::bedrock) fn agentic_retrieve_stream(
    bedrock: Arc<Bedrock>,
    call: BedrockRequest,
) -> BoxFuture<'static, BedrockResult> {
    Box::pin(async move {
        let retrieved = agentic_retrieve(&bedrock, &call.region, AgenticQuery::of(&call.body)?, call.now).await?;
        let mut events = Events::default();
        let mut trace = |attributes: Value| {
            let id = bedrock.host.ids.uuid().to_string();
            events.push(
                "traceEvent",
                &json!({"id": id, "timestamp": call.now.as_millisecond(), "attributes": attributes}),
            )
        };
        let sources = |hits: &[(String, Hit)]| {
            let ids: std::collections::BTreeSet<&String> = hits.iter().map(|(base, _)| base).collect();
            ids.into_iter().map(|id| json!({ "identifier": id })).collect::<Vec<Value>>()
        };
        let actions: Vec<Value> = retrieved
            .searches
            .iter()
            .map(|(text, hits)| json!({"retrieve": {"inputQuery": {"text": text}, "sourceRetrievers": sources(hits)}}))
            .collect();
        let message = format!("The question comes to {} searches", actions.len());
        trace(json!({"step": "Planning", "status": "SUCCEEDED", "message": message, "actions": actions}))?;
        for (text, hits) in &retrieved.searches {
            let found: Vec<Value> = hits.iter().map(told).collect();
            let kinds: Vec<Value> = sources(hits)
                .into_iter()
                .map(|source| json!({"identifier": source.get("identifier"), "retrievalType": "BedrockKnowledgeBase"}))
                .collect();
            trace(json!({
                "step": "Retrieval", "status": "SUCCEEDED", "message": format!("{} results for: {text}", hits.len()),
                "retrievalMetadata": kinds, "retrievalResponse": found,
            }))?;
        }
        for piece in retrieved.answer.iter().flat_map(|answer| pieces(&answer.text)) {
            events.push("responseEvent", &json!({ "text": piece }))?;
        }
        events.push("result", &retrieved.result())?;
        Ok(BedrockAnswer::Events { frames: events.into_frames(), headers: Vec::new() })
    })
}
