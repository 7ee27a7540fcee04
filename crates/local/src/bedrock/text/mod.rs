//! The stand-in for text models: it finds, it does not invent. The same conversation always gets the same answer.
//!
//! | file | holds |
//! | --- | --- |
//! | `words`, `sentences` | a text's pieces |
//! | `summary` | summing up |
//! | `passages` | answering from passages |
//! | `tools` | which tool is asked for, and its input |

pub(super) mod passages;
pub(super) mod sentences;
pub(super) mod summary;
pub(super) mod tools;
pub(super) mod words;

use serde_json::{Map, Value};

use self::tools::Tool;

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TurnRole {
    User,
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Turn {
    pub role: TurnRole,
    /// What was said.
    pub text: String,
    /// Documents that came with it.
    pub documents: Vec<String>,
    /// Tools the assistant asked for: id, name and input.
    pub uses: Vec<(String, String, Value)>,
    /// What tools answered: the id, and the answer.
    pub results: Vec<(String, Value)>,
}

impl Turn {
    /// A message of nothing but text.
    pub fn text(role: TurnRole, text: impl Into<String>) -> Self {
        Self { role, text: text.into(), documents: Vec::new(), uses: Vec::new(), results: Vec::new() }
    }
}

/// What is asked of a text model.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct ModelRequest {
    pub system: String,
    pub turns: Vec<Turn>,
    pub tools: Vec<Tool>,
    pub choice: Choice,
    /// At most so many tokens.
    pub most: Option<usize>,
    /// Texts at which an answer ends.
    pub stops: Vec<String>,
    pub temperature: Option<f64>,
    pub top_p: Option<f64>,
}

/// Whether a tool must be asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) enum Choice {
    #[default]
    Auto,
    Any,
    Named(String),
}

/// Why an answer ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Stop {
    Ended,
    Full,
    /// At this text.
    Sequence(String),
    Tool,
}

/// A model's answer.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct ModelReply {
    pub text: String,
    /// Tools asked for: name and input.
    pub uses: Vec<(String, Map<String, Value>)>,
    pub stop: Stop,
}

impl ModelReply {
    /// An answer in words.
    pub fn text(text: impl Into<String>) -> Self {
        Self { text: text.into(), uses: Vec::new(), stop: Stop::Ended }
    }

    fn tool(name: &str, input: Map<String, Value>) -> Self {
        Self { text: String::new(), uses: vec![(name.to_owned(), input)], stop: Stop::Tool }
    }
}

/// From how well a tool fits a message on that it is asked for, or its input is.
const FITS: f64 = 0.3;

/// Answers a conversation.
pub(super) fn reply(request: &ModelRequest) -> ModelReply {
    let mut reply = think(request);
    for stop in request.stops.iter().filter(|stop| !stop.is_empty()) {
        if let Some(at) = reply.text.find(stop.as_str()) {
            reply.text.truncate(at);
            reply.stop = Stop::Sequence(stop.clone());
        }
    }
    if let Some(most) = request.most
        && words::tokens(&reply.text) > most
    {
        reply.text = words::first_tokens(&reply.text, most).to_owned();
        reply.stop = Stop::Full;
    }
    reply
}

fn think(request: &ModelRequest) -> ModelReply {
    let Some(last) = request.turns.iter().rev().find(|turn| turn.role == TurnRole::User) else {
        return ModelReply::text("Hello! How can I help you today?");
    };
    if !last.results.is_empty() {
        return ModelReply::text(from_results(request, last));
    }
    let said: Vec<&str> = request
        .turns
        .iter()
        .filter(|turn| turn.role == TurnRole::User && !turn.text.is_empty())
        .map(|turn| turn.text.as_str())
        .collect();
    if let Some(reply) = with_tools(request, &said) {
        return reply;
    }
    ModelReply::text(in_words(request, last, &said))
}

/// What the tools said, in sentences.
fn from_results(request: &ModelRequest, last: &Turn) -> String {
    let uses: Vec<&(String, String, Value)> = request.turns.iter().flat_map(|turn| &turn.uses).collect();
    let told = last.results.iter().map(|(id, result)| {
        let name = uses.iter().find(|(known, ..)| known == id).map_or("the tool", |(_, name, _)| name.as_str());
        tools::told(name, result)
    });
    told.collect::<Vec<_>>().join("\n")
}

fn with_tools(request: &ModelRequest, said: &[&str]) -> Option<ModelReply> {
    let named: Vec<Tool>;
    let tools = match &request.choice {
        Choice::Named(name) => {
            named = request.tools.iter().filter(|tool| tool.name == *name).cloned().collect();
            &named
        }
        _ => &request.tools,
    };
    let fits = tools::fits(tools, said);
    let best = fits.first()?;
    if request.choice != Choice::Auto {
        let mut input = best.input.clone();
        for parameter in &best.missing {
            // What must be given and was not said: the message itself is the best there is for a text.
            let value = match parameter.kind.as_str() {
                "integer" | "number" => Value::from(0),
                "boolean" => Value::from(false),
                "array" => Value::Array(Vec::new()),
                "object" => Value::Object(Map::new()),
                _ => Value::from(said.last().copied().unwrap_or_default()),
            };
            input.insert(parameter.name.clone(), value);
        }
        return Some(ModelReply::tool(&best.tool.name, input));
    }
    let last = said.last().copied().unwrap_or_default();
    let fits_words = best.score >= FITS;
    // "7777" alone is an answer to a question for an id.
    let bare = best.fresh && words::stems(last).len() <= 3;
    if best.missing.is_empty() && (fits_words || bare) {
        return Some(ModelReply::tool(&best.tool.name, best.input.clone()));
    }
    (!best.missing.is_empty() && fits_words)
        .then(|| ModelReply::text(tools::ask_for(&best.missing, &tools::purpose(best.tool))))
}

fn in_words(request: &ModelRequest, last: &Turn, said: &[&str]) -> String {
    if let Some(material) = Material::of_json(&last.text) {
        return answer_from(request, &material);
    }
    let (instruction, text) = apart(&last.text);
    if summary::asked(&instruction) {
        let mut text = text;
        for document in &last.documents {
            text.push_str("\n\n");
            text.push_str(document);
        }
        let earlier = said.iter().rev().nth(1).copied().unwrap_or_default();
        let text = if text.trim().is_empty() { earlier } else { text.as_str() };
        return summary::summarise(text, summary::form(&instruction));
    }
    let mut passages: Vec<String> = last.documents.clone();
    if !text.trim().is_empty() {
        passages.push(text);
    }
    passages.extend(context_of(&request.system));
    if !passages.is_empty() {
        return answer_from(request, &Material { question: instruction, passages });
    }
    if greeting(&last.text) {
        return "Hello! How can I help you today?".to_owned();
    }
    if let Some(remembered) = remembered(&last.text, said) {
        return remembered;
    }
    format!(
        "This is the local target's stand-in for a model: it answers from what it is given and makes nothing up. You said: {}",
        sentences::flat(&last.text)
    )
}

/// A question and what to answer it from.
struct Material {
    question: String,
    passages: Vec<String>,
}

impl Material {
    /// A message that is a JSON object with a question and passages.
    fn of_json(text: &str) -> Option<Self> {
        let Value::Object(fields) = serde_json::from_str(text).ok()? else { return None };
        let question = ["question", "query", "prompt"].iter().find_map(|name| fields.get(*name)?.as_str())?;
        let passages = fields.values().find_map(Value::as_array)?;
        let text = |passage: &Value| match passage {
            Value::String(text) => Some(text.clone()),
            Value::Object(fields) => {
                ["text", "content", "passage"].iter().find_map(|name| fields.get(*name)?.as_str()).map(str::to_owned)
            }
            _ => None,
        };
        Some(Self { question: question.to_owned(), passages: passages.iter().filter_map(text).collect() })
    }
}

fn answer_from(request: &ModelRequest, material: &Material) -> String {
    let passages: Vec<&str> = material.passages.iter().map(String::as_str).collect();
    let form = summary::form(&material.question);
    let found = passages::answer(&material.question, &passages, form.map_or(3, |form| form.count));
    if found.is_empty() {
        return unknown(&request.system).unwrap_or("I could not find an answer in the text I was given.").to_owned();
    }
    // Some ask for the numbers of the passages, in brackets.
    let numbered = request.system.contains("[1]");
    let sentence = |one: &passages::FoundPassage| {
        if numbered { format!("{} [{}]", one.sentence, one.passage + 1) } else { one.sentence.clone() }
    };
    found.iter().map(sentence).collect::<Vec<_>>().join(if form.is_some_and(|form| form.lines) { "\n" } else { " " })
}

/// What a system text wants said when there is no answer: "answer exactly: …".
fn unknown(system: &str) -> Option<&str> {
    let lower = system.to_lowercase();
    let at = ["answer exactly:", "say exactly:", "reply exactly:", "answer exactly"].iter().find_map(|it| {
        let at = lower.find(it)? + it.len();
        // Lower case may have another length than the text.
        system.get(at..)
    })?;
    let told = at.trim_start_matches(':').trim().lines().next()?.trim().trim_matches(['"', '“', '”']);
    (!told.is_empty()).then_some(told)
}

/// Apart: what is asked, and the text it is asked about.
fn apart(message: &str) -> (String, String) {
    for tag in ["context", "text", "document", "documents", "passages", "search_results"] {
        let (open, close) = (format!("<{tag}>"), format!("</{tag}>"));
        if let Some((before, rest)) = message.split_once(&open)
            && let Some((inside, after)) = rest.split_once(&close)
        {
            return (format!("{before} {after}").trim().to_owned(), inside.to_owned());
        }
    }
    for mark in ["Question:", "question:", "Query:"] {
        if let Some((before, rest)) = message.rsplit_once(mark) {
            let (question, after) = rest.split_once('\n').unwrap_or((rest, ""));
            let text = format!("{before}\n{}", after.trim_start_matches("Answer:"));
            return (question.trim().to_owned(), without_label(&text));
        }
    }
    let ranges = sentences::ranges(message);
    let asks = |text: &str| text.trim_end().ends_with('?') || summary::asked(text) || summary::form(text).is_some();
    let texts: Vec<&str> = ranges.iter().filter_map(|range| message.get(range.clone())).collect();
    let asking: Vec<usize> = texts.iter().enumerate().filter(|(_, text)| asks(text)).map(|(at, _)| at).collect();
    if texts.len() < 2 || asking.is_empty() {
        return (message.to_owned(), String::new());
    }
    let instruction: Vec<&str> = asking.iter().filter_map(|at| texts.get(*at).copied()).collect();
    let mut rest = message.to_owned();
    for at in asking.iter().rev() {
        if let Some(range) = ranges.get(*at) {
            rest.replace_range(range.clone(), "");
        }
    }
    // A greeting before a question is no material.
    let rest = if words::stems(&rest).len() < 4 { String::new() } else { without_label(&rest) };
    (instruction.join(" "), rest)
}

fn without_label(text: &str) -> String {
    let text = text.trim();
    for label in ["Context:", "context:", "Text:", "Documents:"] {
        if let Some((_, rest)) = text.split_once(label) {
            return rest.trim().to_owned();
        }
    }
    text.to_owned()
}

/// The passages in a system text.
fn context_of(system: &str) -> Option<String> {
    for (open, close) in [("<context>", "</context>"), ("<documents>", "</documents>"), ("$search_results$", "")] {
        if let Some((_, rest)) = system.split_once(open) {
            let inside =
                if close.is_empty() { rest } else { rest.split_once(close).map_or(rest, |(inside, _)| inside) };
            return Some(inside.to_owned());
        }
    }
    ["Context:", "context:"].iter().find_map(|mark| system.split_once(mark)).map(|(_, rest)| rest.to_owned())
}

fn greeting(text: &str) -> bool {
    let greets = ["hi", "hello", "hey", "good", "morning", "evening", "afternoon", "there", "greetings"];
    let mut count = 0;
    let all = words::words(text).all(|word| {
        count += 1;
        greets.contains(&word.as_str())
    });
    all && count > 0
}

/// What the user said earlier, when it answers a question about it.
fn remembered(question: &str, said: &[&str]) -> Option<String> {
    let earlier = said.get(..said.len().saturating_sub(1)).filter(|earlier| !earlier.is_empty())?;
    if !question.contains('?') {
        return None;
    }
    let found = passages::answer(question, earlier, 1);
    found.first().map(|one| format!("You told me: “{}”", one.sentence))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const LOG: &str = include_str!("../../../../../stacks/manufacturing-summary/data/turbine-log.txt");

    fn said(text: &str) -> ModelRequest {
        ModelRequest { turns: vec![Turn::text(TurnRole::User, text)], ..ModelRequest::default() }
    }

    #[test]
    fn a_summary_leaves_its_instruction_out_and_keeps_to_it() {
        let reply = reply(&said(LOG));
        assert_eq!(reply.text.lines().count(), 2, "{}", reply.text);
        assert!(reply.text.contains("TB-CL-7882") && !reply.text.contains("Summarize"), "{}", reply.text);
        assert_eq!(reply.stop, Stop::Ended);
    }

    #[test]
    fn a_limit_of_tokens_ends_an_answer() {
        let reply = reply(&ModelRequest { most: Some(5), ..said(LOG) });
        assert_eq!((reply.text.chars().count(), reply.stop), (20, Stop::Full));
    }

    #[test]
    fn a_stop_sequence_ends_an_answer() {
        let reply = reply(&ModelRequest { stops: vec!["help".to_owned()], ..said("Hi") });
        assert_eq!(reply.text, "Hello! How can I ");
        assert_eq!(reply.stop, Stop::Sequence("help".to_owned()));
    }

    #[test]
    fn numbered_passages_are_cited_and_ignorance_is_told_as_asked() {
        let message = |question: &str| {
            json!({"question": question, "passages": [{"number": 1, "text": "Cats sleep."}, {"number": 2, "text": "The office closes at 18:00."}]})
                .to_string()
        };
        let system = "Name passages like [1]. If they do not answer, answer exactly: Not in the texts.".to_owned();
        let answered = reply(&ModelRequest { system: system.clone(), ..said(&message("When does the office close?")) });
        assert_eq!(answered.text, "The office closes at 18:00. [2]");
        let unknown = reply(&ModelRequest { system, ..said(&message("What is the tallest mountain on Mars?")) });
        assert_eq!(unknown.text, "Not in the texts.");
    }

    #[test]
    fn a_tool_is_asked_for_when_its_input_is_there_and_its_answer_is_told() {
        let tool = Tool::of_schema(
            "get_weather",
            "The weather of a city",
            &json!({"required": ["city"], "properties": {"city": {"type": "string"}}}),
        );
        let mut request = ModelRequest { tools: vec![tool], ..said("What is the weather in Porto?") };
        let asked = reply(&request);
        assert_eq!(asked.stop, Stop::Tool);
        assert_eq!(Value::Object(asked.uses[0].1.clone()), json!({"city": "Porto"}));
        let mut turn = Turn::text(TurnRole::Assistant, "");
        turn.uses.push(("id".to_owned(), "get_weather".to_owned(), json!({"city": "Porto"})));
        request.turns.push(turn);
        let mut turn = Turn::text(TurnRole::User, "");
        turn.results.push(("id".to_owned(), json!({"temperature": 21, "sky": "clear"})));
        request.turns.push(turn);
        assert_eq!(reply(&request).text, "The temperature is 21 and the sky is clear.");
    }

    #[test]
    fn what_was_said_is_remembered() {
        let mut request = said("My name is Asha and I like trains.");
        request.turns.push(Turn::text(TurnRole::Assistant, "Hello"));
        request.turns.push(Turn::text(TurnRole::User, "What is my name?"));
        assert!(reply(&request).text.contains("Asha"));
    }
}
