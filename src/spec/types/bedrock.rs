//! Guardrails, prompts and flows.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::spec::text::Text;

/// What a model may not be asked or say. A version of it is made whenever it changes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Guardrail {
    /// A name of your own; else it is made from the use case, the stage and the name here.
    #[schemars(example = &"polite")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(length(min = 1, max = 200), example = &"Keeps to the subject of accounts")]
    pub description: Option<String>,
    /// What is answered to a question that is blocked.
    #[schemars(length(min = 1, max = 500), example = &"I cannot help with that.")]
    pub blocked_input: String,
    /// What is said in place of an answer that is blocked; as for questions unless said.
    #[schemars(length(min = 1, max = 500), example = &"I cannot say that.")]
    pub blocked_output: Option<String>,
    /// Topics that are refused, by name.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 30, "examples" = [{ "Investment advice": { "definition": "Advice on which shares or funds to buy or sell." } }]))]
    pub topics: BTreeMap<String, Topic>,
    /// Kinds of harmful content, each with how strictly it is kept out.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "hate": "high", "prompt-attack": "high" }]))]
    pub filters: BTreeMap<ContentFilter, Strength>,
    /// Words and phrases that are blocked.
    #[serde(default)]
    #[schemars(length(max = 10000), extend("examples" = [["guaranteed returns"]]))]
    pub words: Vec<String>,
    /// Block profane words, by Bedrock's own list.
    #[serde(default)]
    pub profanity: bool,
    /// Personal data, each kind with what is done about it.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "EMAIL": "anonymize", "CREDIT_DEBIT_CARD_NUMBER": "block" }]))]
    pub personal_data: BTreeMap<String, PersonalData>,
    /// Regular expressions of what is blocked or masked, by name.
    #[serde(default)]
    #[schemars(extend("maxProperties" = 30, "examples" = [{ "customer": { "matches": "[0-9]{10}", "action": "anonymize" } }]))]
    pub patterns: BTreeMap<String, GuardrailPattern>,
    /// How far an answer must rest on its sources, 0 to 0.99.
    #[schemars(range(min = 0, max = 0.99), example = 0.7)]
    pub grounding: Option<f64>,
    /// How far an answer must fit its question, 0 to 0.99.
    #[schemars(range(min = 0, max = 0.99), example = 0.5)]
    pub relevance: Option<f64>,
}

/// A topic that is refused.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Topic {
    /// What the topic is.
    #[schemars(length(min = 1, max = 1000), example = &"Advice on which shares or funds to buy or sell.")]
    pub definition: String,
    /// Questions of that topic.
    #[serde(default)]
    #[schemars(length(max = 5), extend("examples" = [["Which stock should I buy?"]]))]
    pub examples: Vec<String>,
}

/// A kind of harmful content.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum ContentFilter {
    /// Attacks on people for what they are.
    Hate,
    /// Attempts to humiliate.
    Insults,
    /// Sexual content.
    Sexual,
    /// Violence.
    Violence,
    /// Crime and fraud.
    Misconduct,
    /// Attempts to get round the instruction; questions only.
    PromptAttack,
}

/// How strictly content is kept out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Strength {
    /// Only what is certain.
    Low,
    /// What is likely.
    Medium,
    /// What may be.
    High,
}

/// What is done about personal data.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum PersonalData {
    /// The whole is blocked.
    Block,
    /// It is masked.
    Anonymize,
}

/// A regular expression of what is blocked or masked.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct GuardrailPattern {
    /// The expression.
    #[schemars(length(min = 1, max = 500), example = &"[0-9]{10}")]
    pub matches: String,
    /// What is done about it.
    pub action: PersonalData,
    /// What it finds.
    #[schemars(length(min = 1, max = 1000), example = &"Numbers of customers")]
    pub description: Option<String>,
}

/// A prompt kept in Bedrock. A version of it is made whenever it changes.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Prompt {
    /// A name of your own; else it is made from the use case, the stage and the name here.
    #[schemars(example = &"greeting")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(length(min = 1, max = 200), example = &"Answers a customer")]
    pub description: Option<String>,
    /// A name under `models`; its `inference` goes with the prompt.
    #[schemars(extend("x-names" = "models"), example = &"chat")]
    pub model: String,
    /// The system prompt: what the model's task is, with `{{variables}}` in it.
    #[schemars(length(min = 1, max = 200000), example = &"You answer customers of a bank in one or two sentences.")]
    pub system: Option<String>,
    /// What the user says, with `{{variables}}` in it: 20 of them at most, of letters, digits, `-` and `_`.
    #[schemars(length(min = 1, max = 200000), example = &"Answer the question: {{message}}")]
    pub text: String,
}

/// A Bedrock flow: nodes that hand their results on.
#[derive(Debug, Clone, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Flow {
    /// A name of your own; else it is made from the use case, the stage and the name here.
    #[schemars(example = &"drafting")]
    pub name: Option<Text>,
    /// What it is for.
    #[schemars(length(min = 1, max = 200), example = &"Drafts a letter")]
    pub description: Option<String>,
    /// Its nodes by name, of letters, digits and single underscores; `input` is what the flow is given and needs no entry.
    #[schemars(extend("minProperties" = 1, "examples" = [{ "draft": { "prompt": "drafts", "inputs": { "topic": "input" } }, "answer": { "output": "draft" } }]))]
    pub nodes: BTreeMap<String, FlowNode>,
}

/// A node of a flow: exactly one of `prompt`, `knowledge-base`, `function`, `agent` and `output`.
#[derive(Debug, Clone, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct FlowNode {
    /// A name under `prompts`.
    #[schemars(extend("x-names" = "prompts"), example = &"drafts")]
    pub prompt: Option<String>,
    /// A name under `knowledge-bases`.
    #[schemars(extend("x-names" = "knowledge-bases"), example = &"handbook")]
    pub knowledge_base: Option<String>,
    /// A name under `functions`.
    #[schemars(extend("x-names" = "functions"), example = &"lookup")]
    pub function: Option<String>,
    /// A name under `agents` with the engine `classic`.
    #[schemars(extend("x-names" = "agents"), example = &"assistant")]
    pub agent: Option<String>,
    /// The node whose result the flow gives back, or `NODE.field` for a field of it.
    #[schemars(example = &"draft")]
    pub output: Option<String>,
    /// Each input of the node and the node its value comes from, or `NODE.field` for a field of what it gives. A prompt's
    /// inputs are its variables, a knowledge base's is `query`, an agent's is `text`, a function's have names of your own.
    #[serde(default)]
    #[schemars(extend("examples" = [{ "topic": "input" }]))]
    pub inputs: BTreeMap<String, String>,
    /// The model by which a knowledge base answers; without one it gives what it found.
    #[schemars(extend("x-names" = "models"), example = &"chat")]
    pub model: Option<String>,
}
