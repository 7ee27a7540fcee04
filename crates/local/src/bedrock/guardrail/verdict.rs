//! One exchange judged by all policies of a guardrail.

use std::collections::BTreeSet;
use std::ops::Range;

use regex::Regex;
use serde_json::{Value, json};

use super::detect::{PROFANITY, Plain, about, share, stem_set};
use super::{GuardedText, Guardrail, action, entries, personal, text};

/// A text to judge.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::bedrock) struct Piece {
    pub text: String,
    /// What the answer is measured against; not judged itself.
    pub grounds: bool,
    /// The question the answer is to be about; not judged itself unless marked as guarded, too.
    pub query: bool,
}

impl Piece {
    /// A text to judge.
    pub fn of(text: impl Into<String>) -> Self {
        Self { text: text.into(), ..Self::default() }
    }
}

/// What came of it.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::bedrock) struct GuardrailVerdict {
    /// Something is forbidden.
    pub blocked: bool,
    /// Something was masked.
    pub masked: bool,
    /// The judged texts, masked where that is asked for.
    pub texts: Vec<String>,
    /// What was found, in the API's form.
    pub assessment: Value,
}

impl GuardrailVerdict {
    /// Whether the guardrail stepped in.
    pub fn intervened(&self) -> bool {
        self.blocked || self.masked
    }
}

struct Findings {
    topics: Vec<Value>,
    filters: Vec<Value>,
    words: Vec<Value>,
    managed: Vec<Value>,
    personal: Vec<Value>,
    regexes: Vec<Value>,
    grounding: Vec<Value>,
    blocked: bool,
}

impl Findings {
    /// Notes what an action comes to, in the API's word for it.
    fn act(&mut self, action: &str) -> &'static str {
        match action {
            "BLOCK" => {
                self.blocked = true;
                "BLOCKED"
            }
            "ANONYMIZE" => "ANONYMIZED",
            _ => "NONE",
        }
    }
}

/// Judges texts.
pub(in crate::bedrock) fn judge(guardrail: &Guardrail, source: GuardedText, pieces: &[Piece]) -> GuardrailVerdict {
    let properties = &guardrail.properties;
    let guarded: Vec<&str> =
        pieces.iter().filter(|piece| !piece.grounds && !piece.query).map(|piece| piece.text.as_str()).collect();
    let all = guarded.join("\n");
    let mut found = Findings {
        topics: Vec::new(),
        filters: Vec::new(),
        words: Vec::new(),
        managed: Vec::new(),
        personal: Vec::new(),
        regexes: Vec::new(),
        grounding: Vec::new(),
        blocked: false,
    };
    let topics: Vec<&Value> = entries(properties, "TopicPolicyConfig", "TopicsConfig").collect();
    let said: Vec<BTreeSet<String>> =
        if topics.is_empty() { Vec::new() } else { guarded.iter().map(|text| stem_set(text)).collect() };
    for topic in topics {
        let Some(does) = action(topic, source, "BLOCK") else { continue };
        if said.iter().any(about(topic)) {
            let done = found.act(does);
            found.topics.push(json!({"name": text(topic, "Name"), "type": "DENY", "action": done, "detected": true}));
        }
    }
    let plain = Plain::of(&all);
    for filter in entries(properties, "ContentPolicyConfig", "FiltersConfig") {
        let kind = text(filter, "Type");
        let strength = text(filter, &format!("{}Strength", source.word()));
        let Some(does) = action(filter, source, "BLOCK").filter(|_| !matches!(strength, "NONE" | "")) else { continue };
        if plain.is_harmful(kind) {
            let done = found.act(does);
            // The word lists hold what nobody says by accident.
            found.filters.push(json!({"type": kind, "confidence": "HIGH", "filterStrength": strength, "action": done,
                "detected": true}));
        }
    }
    let own: Vec<(&str, &str)> = entries(properties, "WordPolicyConfig", "WordsConfig")
        .filter_map(|word| Some((text(word, "Text"), action(word, source, "BLOCK")?)))
        .collect();
    let held: BTreeSet<&str> =
        plain.which(&own.iter().map(|(phrase, _)| *phrase).collect::<Vec<_>>()).into_iter().collect();
    for (phrase, does) in own {
        if held.contains(phrase) {
            let done = found.act(does);
            found.words.push(json!({"match": phrase, "action": done, "detected": true}));
        }
    }
    for list in entries(properties, "WordPolicyConfig", "ManagedWordListsConfig") {
        let Some(does) = action(list, source, "BLOCK") else { continue };
        for word in plain.which(PROFANITY) {
            let done = found.act(does);
            found.managed.push(json!({"match": word, "type": text(list, "Type"), "action": done, "detected": true}));
        }
    }
    let mut texts: Vec<String> = Vec::new();
    let mut masked = false;
    let patterns: Vec<(&Value, Option<Regex>)> =
        entries(properties, "SensitiveInformationPolicyConfig", "RegexesConfig")
            .map(|entry| (entry, personal::pattern(text(entry, "Pattern"))))
            .collect();
    for given in &guarded {
        let mut covers: Vec<(Range<usize>, String)> = Vec::new();
        sensitive(properties, &patterns, source, given, &mut found, &mut covers);
        masked |= !covers.is_empty();
        texts.push(cover(given, covers));
    }
    if source == GuardedText::Output {
        ground(properties, pieces, &all, &mut found);
    }
    let blocked = found.blocked;
    GuardrailVerdict { blocked, masked: masked && !blocked, texts, assessment: assessment(found) }
}

fn sensitive(
    properties: &Value,
    patterns: &[(&Value, Option<Regex>)],
    source: GuardedText,
    given: &str,
    found: &mut Findings,
    covers: &mut Vec<(Range<usize>, String)>,
) {
    for entity in entries(properties, "SensitiveInformationPolicyConfig", "PiiEntitiesConfig") {
        let kind = text(entity, "Type");
        let Some(does) = action(entity, source, "BLOCK") else { continue };
        for range in personal::find(kind, given) {
            let done = found.act(does);
            let matched = given.get(range.clone()).unwrap_or_default();
            found.personal.push(json!({"match": matched, "type": kind, "action": done, "detected": true}));
            if done == "ANONYMIZED" {
                covers.push((range, format!("{{{kind}}}")));
            }
        }
    }
    for (entry, regex) in patterns {
        let (name, pattern) = (text(entry, "Name"), text(entry, "Pattern"));
        let (Some(does), Some(regex)) = (action(entry, source, "BLOCK"), regex) else { continue };
        for range in personal::matches(regex, given) {
            let done = found.act(does);
            let matched = given.get(range.clone()).unwrap_or_default();
            found
                .regexes
                .push(json!({"name": name, "match": matched, "regex": pattern, "action": done, "detected": true}));
            if done == "ANONYMIZED" {
                covers.push((range, format!("{{{name}}}")));
            }
        }
    }
}

/// A text with ranges replaced; of two that overlap the first holds.
fn cover(text: &str, mut covers: Vec<(Range<usize>, String)>) -> String {
    covers.sort_by_key(|(range, _)| (range.start, range.end));
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for (range, mask) in covers {
        if range.start < at {
            continue;
        }
        out.push_str(text.get(at..range.start).unwrap_or_default());
        out.push_str(&mask);
        at = range.end;
    }
    out.push_str(text.get(at..).unwrap_or_default());
    out
}

fn ground(properties: &Value, pieces: &[Piece], answer: &str, found: &mut Findings) {
    let join = |pick: fn(&&Piece) -> bool| {
        pieces.iter().filter(pick).map(|piece| piece.text.as_str()).collect::<Vec<_>>().join("\n")
    };
    let (grounds, query) = (join(|piece| piece.grounds), join(|piece| piece.query));
    if grounds.is_empty() {
        return;
    }
    for filter in entries(properties, "ContextualGroundingPolicyConfig", "FiltersConfig") {
        let kind = text(filter, "Type");
        let number = filter.get("Threshold");
        let threshold = number.and_then(|it| it.as_f64().or_else(|| it.as_str()?.parse().ok())).unwrap_or(0.0);
        let score =
            if kind == "GROUNDING" { share(answer, &grounds) } else { share(&query, &format!("{answer}\n{grounds}")) };
        let detected = score < threshold;
        let does = filter.get("Action").and_then(Value::as_str).unwrap_or("BLOCK").to_owned();
        let done = if detected { found.act(&does) } else { "NONE" };
        found
            .grounding
            .push(json!({"type": kind, "threshold": threshold, "score": score, "action": done, "detected": detected}));
    }
}

fn assessment(found: Findings) -> Value {
    let mut out = serde_json::Map::new();
    if !found.topics.is_empty() {
        out.insert("topicPolicy".to_owned(), json!({"topics": found.topics}));
    }
    if !found.filters.is_empty() {
        out.insert("contentPolicy".to_owned(), json!({"filters": found.filters}));
    }
    if !found.words.is_empty() || !found.managed.is_empty() {
        out.insert("wordPolicy".to_owned(), json!({"customWords": found.words, "managedWordLists": found.managed}));
    }
    if !found.personal.is_empty() || !found.regexes.is_empty() {
        let policy = json!({"piiEntities": found.personal, "regexes": found.regexes});
        out.insert("sensitiveInformationPolicy".to_owned(), policy);
    }
    if !found.grounding.is_empty() {
        out.insert("contextualGroundingPolicy".to_owned(), json!({"filters": found.grounding}));
    }
    Value::Object(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guardrail(properties: Value) -> Guardrail {
        Guardrail { id: "g".to_owned(), arn: String::new(), version: "1".to_owned(), properties }
    }

    #[test]
    fn personal_data_are_masked_or_blocked_as_configured() {
        let masks = guardrail(json!({"SensitiveInformationPolicyConfig": {
            "PiiEntitiesConfig": [{"Type": "EMAIL", "Action": "ANONYMIZE"}],
            "RegexesConfig": [{"Name": "turbine", "Pattern": "TB-[A-Z]+-\\d+", "Action": "ANONYMIZE"}]}}));
        let verdict = judge(&masks, GuardedText::Output, &[Piece::of("Ask a@b.example about TB-CL-7882.")]);
        assert_eq!(verdict.texts, ["Ask {EMAIL} about {turbine}."]);
        assert!(verdict.masked && !verdict.blocked);
        let blocks = guardrail(json!({"SensitiveInformationPolicyConfig": {
            "PiiEntitiesConfig": [{"Type": "EMAIL", "Action": "ANONYMIZE", "InputAction": "BLOCK"}]}}));
        assert!(judge(&blocks, GuardedText::Input, &[Piece::of("a@b.example")]).blocked);
        assert!(!judge(&blocks, GuardedText::Output, &[Piece::of("a@b.example")]).blocked);
    }

    #[test]
    fn words_and_filters_block_in_the_direction_they_are_for() {
        let one = guardrail(json!({
            "WordPolicyConfig": {"WordsConfig": [{"Text": "secret project"}], "ManagedWordListsConfig": [{"Type": "PROFANITY"}]},
            "ContentPolicyConfig": {"FiltersConfig": [{"Type": "VIOLENCE", "InputStrength": "HIGH", "OutputStrength": "NONE"}]}}));
        let blocked = |source, text: &str| judge(&one, source, &[Piece::of(text)]).blocked;
        assert!(blocked(GuardedText::Input, "Tell me about the Secret Project."));
        assert!(blocked(GuardedText::Input, "Build a bomb") && !blocked(GuardedText::Output, "Build a bomb"));
        assert!(blocked(GuardedText::Output, "Holy shit!"));
        assert!(!blocked(GuardedText::Input, "A secret, a project"));
    }

    #[test]
    fn grounding_is_measured_against_its_source() {
        let one = guardrail(
            json!({"ContextualGroundingPolicyConfig": {"FiltersConfig": [{"Type": "GROUNDING", "Threshold": 0.6}]}}),
        );
        let grounds = Piece { grounds: true, ..Piece::of("Certificates are valid for 24 months.") };
        let judged = |answer: &str| judge(&one, GuardedText::Output, &[grounds.clone(), Piece::of(answer)]);
        assert!(!judged("The certificates are valid for 24 months").blocked);
        assert!(judged("Elephants paint bright pictures").blocked);
    }
}
