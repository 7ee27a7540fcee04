//! Real models in place of the stand-ins: conversations and texts in the form of OpenAI's API.

use http::StatusCode;
use serde_json::{Map, Value, json};

use super::text::{Choice, ModelReply, ModelRequest, Stop, TurnRole};
use crate::ground::{ApiError, ModelServer};

impl ModelServer {
    /// A text model's answer.
    ///
    /// # Errors
    ///
    /// `ModelErrorException` when the server does not answer, or not in this API's form.
    pub(super) async fn chat(&self, model: &str, request: &ModelRequest) -> Result<ModelReply, ApiError> {
        let answer = self.ask("/v1/chat/completions", &chat_body(model, request)).await?;
        let choice = answer.pointer("/choices/0").cloned().unwrap_or_default();
        let message = choice.get("message").cloned().unwrap_or_default();
        let text = message.get("content").and_then(Value::as_str).unwrap_or_default().to_owned();
        let calls = message.get("tool_calls").and_then(Value::as_array).into_iter().flatten();
        let uses: Vec<(String, Map<String, Value>)> = calls
            .filter_map(|call| {
                let name = call.pointer("/function/name")?.as_str()?.to_owned();
                let input = call.pointer("/function/arguments").and_then(Value::as_str).unwrap_or("{}");
                Some((name, serde_json::from_str(input).unwrap_or_default()))
            })
            .collect();
        let stop = match choice.get("finish_reason").and_then(Value::as_str) {
            _ if !uses.is_empty() => Stop::Tool,
            Some("length") => Stop::Full,
            _ => Stop::Ended,
        };
        Ok(ModelReply { text, uses, stop })
    }

    /// Vectors of texts.
    ///
    /// # Errors
    ///
    /// `ModelErrorException` when the server does not answer, or its vectors have another dimension.
    pub(super) async fn embed(
        &self,
        model: &str,
        texts: &[String],
        dimension: usize,
    ) -> Result<Vec<Vec<f32>>, ApiError> {
        let answer =
            self.ask("/v1/embeddings", &json!({"model": model, "input": texts, "dimensions": dimension})).await?;
        let data = answer.get("data").and_then(Value::as_array).cloned().unwrap_or_default();
        let vectors: Vec<Vec<f32>> = data
            .iter()
            .map(|one| {
                let numbers = one.get("embedding").and_then(Value::as_array).into_iter().flatten();
                #[expect(clippy::cast_possible_truncation, reason = "vectors are kept in single precision")]
                let vector = numbers.filter_map(Value::as_f64).map(|number| number as f32).collect();
                vector
            })
            .collect();
        let right = vectors.len() == texts.len() && vectors.iter().all(|vector| vector.len() == dimension);
        if right {
            return Ok(vectors);
        }
        let got = vectors.first().map_or(0, Vec::len);
        Err(ApiError::sender(
            "ModelErrorException",
            format!("The model server {} gives vectors of dimension {got}, not {dimension}", self.url()),
        )
        .with_status(StatusCode::FAILED_DEPENDENCY))
    }
}

fn chat_body(model: &str, request: &ModelRequest) -> Value {
    let mut messages = Vec::new();
    if !request.system.is_empty() {
        messages.push(json!({"role": "system", "content": request.system}));
    }
    for turn in &request.turns {
        for (id, result) in &turn.results {
            let content = result.as_str().map_or_else(|| result.to_string(), str::to_owned);
            messages.push(json!({"role": "tool", "tool_call_id": id, "content": content}));
        }
        let mut text = turn.text.clone();
        for document in &turn.documents {
            text.push_str(&format!("\n\n<document>\n{document}\n</document>"));
        }
        let role = if turn.role == TurnRole::User { "user" } else { "assistant" };
        let calls: Vec<Value> = turn
            .uses
            .iter()
            .map(|(id, name, input)| {
                json!({"id": id, "type": "function", "function": {"name": name, "arguments": input.to_string()}})
            })
            .collect();
        if !calls.is_empty() {
            messages.push(json!({"role": role, "content": text, "tool_calls": calls}));
        } else if !text.is_empty() {
            messages.push(json!({"role": role, "content": text}));
        }
    }
    let mut body = json!({"model": model, "messages": messages, "stream": false});
    let Some(fields) = body.as_object_mut() else { return body };
    if let Some(most) = request.most {
        fields.insert("max_tokens".to_owned(), json!(most));
    }
    if let Some(temperature) = request.temperature {
        fields.insert("temperature".to_owned(), json!(temperature));
    }
    if let Some(top_p) = request.top_p {
        fields.insert("top_p".to_owned(), json!(top_p));
    }
    if !request.stops.is_empty() {
        fields.insert("stop".to_owned(), json!(request.stops));
    }
    if !request.tools.is_empty() {
        let tools: Vec<Value> = request
            .tools
            .iter()
            .map(|tool| {
                json!({"type": "function", "function":
                    {"name": tool.name, "description": tool.description, "parameters": tool.schema()}})
            })
            .collect();
        fields.insert("tools".to_owned(), Value::Array(tools));
        let choice = match &request.choice {
            Choice::Auto => json!("auto"),
            Choice::Any => json!("required"),
            Choice::Named(name) => json!({"type": "function", "function": {"name": name}}),
        };
        fields.insert("tool_choice".to_owned(), choice);
    }
    body
}

#[cfg(test)]
mod tests {
    use super::super::text::Turn;
    use super::*;

    #[test]
    fn a_conversation_is_sent_in_the_form_of_that_api() {
        let request = ModelRequest {
            system: "Be kind.".to_owned(),
            turns: vec![Turn::text(TurnRole::User, "Hi")],
            most: Some(5),
            ..ModelRequest::default()
        };
        assert_eq!(
            chat_body("m", &request),
            json!({"model": "m", "stream": false, "max_tokens": 5, "messages": [
                {"role": "system", "content": "Be kind."}, {"role": "user", "content": "Hi"}]})
        );
    }
}
