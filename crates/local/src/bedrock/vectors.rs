//! Vectors, in the format of each family of embedding models.

use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Bedrock;
use super::answer::invalid;
use super::converse::tool_id;
use super::family::{Family, NativeAnswer};
use super::identify::ModelTarget;
use super::text::words::tokens;
use crate::ground::ApiError;

/// Vectors in each family's format.
pub(super) async fn vectors(
    bedrock: &Arc<Bedrock>,
    target: &ModelTarget,
    family: Family,
    body: &Map<String, Value>,
) -> Result<NativeAnswer, ApiError> {
    let missing = |key: &str| {
        invalid(format!(
            "Malformed input request: required key [{key}] not found, please reformat your input and try again."
        ))
    };
    let whole = Value::Object(body.clone());
    let (texts, wanted): (Vec<String>, Option<&Value>) = match family {
        Family::CohereEmbed => {
            let texts = body.get("texts").and_then(Value::as_array).ok_or_else(|| missing("texts"))?;
            if body.get("input_type").and_then(Value::as_str).is_none() {
                return Err(missing("input_type"));
            }
            if texts.is_empty() || texts.len() > 96 {
                return Err(invalid("Malformed input request: texts must have 1 to 96 entries."));
            }
            (texts.iter().filter_map(Value::as_str).map(str::to_owned).collect(), body.get("output_dimension"))
        }
        Family::NovaEmbed => {
            let text = whole.pointer("/singleEmbeddingParams/text/value").and_then(Value::as_str);
            let text = text.ok_or_else(|| missing("singleEmbeddingParams.text.value"))?;
            (vec![text.to_owned()], whole.pointer("/singleEmbeddingParams/embeddingDimension"))
        }
        _ => {
            let text = body.get("inputText").and_then(Value::as_str).ok_or_else(|| missing("inputText"))?;
            if text.is_empty() {
                return Err(invalid(
                    "Malformed input request: expected minLength: 1, actual: 0, please reformat your input and try again.",
                ));
            }
            let dimension = if family == Family::TitanEmbedImage {
                whole.pointer("/embeddingConfig/outputEmbeddingLength")
            } else {
                body.get("dimensions")
            };
            (vec![text.to_owned()], dimension)
        }
    };
    let dimension = dimension_of(target, wanted)?;
    let input_tokens = texts.iter().map(|text| tokens(text)).sum();
    let vectors = bedrock.embed(&target.id, texts.clone(), dimension).await?;
    let first = vectors.first().cloned().unwrap_or_default();
    let body = match family {
        Family::CohereEmbed => {
            let id = tool_id(&texts.concat());
            match body.get("embedding_types").and_then(Value::as_array) {
                Some(types) => {
                    if types.iter().any(|kind| kind != "float") {
                        return Err(ApiError::not_implemented(
                            "bedrock-runtime",
                            "InvokeModel with embedding types other than float",
                        ));
                    }
                    json!({"id": id, "texts": texts, "embeddings": {"float": vectors}, "response_type": "embeddings_by_type"})
                }
                None => json!({"id": id, "texts": texts, "embeddings": vectors, "response_type": "embeddings_floats"}),
            }
        }
        Family::NovaEmbed => json!({"embeddings": [{"embeddingType": "TEXT", "embedding": first}]}),
        Family::TitanEmbedImage => json!({"embedding": first, "inputTextTokenCount": input_tokens, "message": null}),
        _ if target.model.id.contains("-v1") => json!({"embedding": first, "inputTextTokenCount": input_tokens}),
        _ => json!({"embedding": first, "embeddingsByType": {"float": first}, "inputTextTokenCount": input_tokens}),
    };
    Ok(NativeAnswer { body, input_tokens, output_tokens: 0 })
}

/// The dimension asked for, or the model's usual one.
pub(super) fn dimension_of(target: &ModelTarget, wanted: Option<&Value>) -> Result<usize, ApiError> {
    let known = &target.model.dimensions;
    let usual = known.first().copied().unwrap_or(1024);
    let dimension = match wanted.filter(|wanted| !wanted.is_null()) {
        None => usual,
        Some(wanted) => {
            let number =
                wanted.as_u64().or_else(|| wanted.as_str()?.parse().ok()).and_then(|number| u32::try_from(number).ok());
            number
                .filter(|number| known.is_empty() && (1..=4096).contains(number) || known.contains(number))
                .ok_or_else(|| {
                    invalid(format!("Malformed input request: #/dimensions: {wanted} is not a valid enum value, please reformat your input and try again."))
                })?
        }
    };
    Ok(usize::try_from(dimension).unwrap_or(1024))
}
