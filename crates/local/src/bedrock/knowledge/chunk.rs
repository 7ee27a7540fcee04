//! Cutting a text into chunks: whole, of fixed size, in two levels, or where the subject changes. Sentences stay whole
//! unless one alone is too long.

use std::ops::Range;

use serde_json::Value;

use crate::bedrock::embed::{cosine, embed};
use crate::bedrock::text::sentences::ranges;
use crate::bedrock::text::words::tokens;

/// A piece of a text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Chunk {
    /// What is embedded.
    pub text: String,
    /// What is shown when it is found: the text itself, or the larger chunk around it.
    pub shown: String,
}

/// About how many tokens a chunk has when nothing is said, and the share that overlaps, in per cent.
/// Source: Bedrock user guide, "How content chunking works for knowledge bases".
const USUAL: (usize, usize) = (300, 20);

fn number(config: &Value, pointer: &str) -> Option<usize> {
    let found = config.pointer(pointer)?;
    found.as_u64().or_else(|| found.as_str()?.parse().ok()).and_then(|number| usize::try_from(number).ok())
}

/// Cuts a text as a `ChunkingConfiguration` says.
pub(super) fn chunks(text: &str, config: &Value) -> Vec<Chunk> {
    let same = |text: String| Chunk { shown: text.clone(), text };
    match config.get("ChunkingStrategy").and_then(Value::as_str) {
        Some("NONE") => vec![same(text.trim().to_owned())],
        Some("HIERARCHICAL") => {
            let level = |at: usize| {
                number(config, &format!("/HierarchicalChunkingConfiguration/LevelConfigurations/{at}/MaxTokens"))
            };
            let overlap = number(config, "/HierarchicalChunkingConfiguration/OverlapTokens").unwrap_or(60);
            let parents = packed(text, &ranges(text), level(0).unwrap_or(1500), 0);
            let mut chunks = Vec::new();
            for parent in parents {
                let children = packed(&parent, &ranges(&parent), level(1).unwrap_or(300), overlap);
                chunks.extend(children.into_iter().map(|text| Chunk { text, shown: parent.clone() }));
            }
            chunks
        }
        Some("SEMANTIC") => {
            let most = number(config, "/SemanticChunkingConfiguration/MaxTokens").unwrap_or(300);
            let breakpoint =
                number(config, "/SemanticChunkingConfiguration/BreakpointPercentileThreshold").unwrap_or(95);
            let buffer = number(config, "/SemanticChunkingConfiguration/BufferSize").unwrap_or(0);
            by_subject(text, most, breakpoint, buffer).into_iter().map(same).collect()
        }
        _ => {
            let most = number(config, "/FixedSizeChunkingConfiguration/MaxTokens").unwrap_or(USUAL.0);
            let share = number(config, "/FixedSizeChunkingConfiguration/OverlapPercentage").unwrap_or(USUAL.1);
            packed(text, &ranges(text), most, most * share / 100).into_iter().map(same).collect()
        }
    }
}

/// Sentences packed into chunks of so many tokens at most, each beginning with the last ones of the chunk before, as many
/// as the overlap holds.
fn packed(text: &str, sentences: &[Range<usize>], most: usize, overlap: usize) -> Vec<String> {
    let most = most.max(1);
    let mut pieces: Vec<Range<usize>> = Vec::new();
    for sentence in sentences {
        pieces.extend(halved(text, sentence.clone(), most));
    }
    let length = |range: &Range<usize>| text.get(range.clone()).map_or(0, tokens);
    let mut chunks = Vec::new();
    let mut start = 0;
    while start < pieces.len() {
        let mut end = start;
        let mut size = 0;
        while let Some(piece) = pieces.get(end) {
            let more = length(piece);
            if end > start && size + more > most {
                break;
            }
            size += more;
            end += 1;
        }
        if let (Some(first), Some(last)) = (pieces.get(start), pieces.get(end - 1)) {
            chunks.extend(text.get(first.start..last.end).map(str::to_owned));
        }
        if end >= pieces.len() {
            break;
        }
        let mut next = end;
        let mut shared = 0;
        while next > start + 1 {
            let back = pieces.get(next - 1).map_or(usize::MAX, length);
            if shared + back > overlap {
                break;
            }
            shared += back;
            next -= 1;
        }
        start = next;
    }
    chunks
}

/// A sentence that is too long, in parts that end at a space where there is one.
fn halved(text: &str, sentence: Range<usize>, most: usize) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = sentence.start;
    while let Some(rest) = text.get(start..sentence.end).filter(|rest| tokens(rest) > most) {
        let cut = rest.char_indices().nth(most * 4).map_or(rest.len(), |(at, _)| at);
        let cut = rest.get(..cut).and_then(|head| head.rfind(char::is_whitespace)).filter(|at| *at > 0).unwrap_or(cut);
        parts.push(start..start + cut);
        start += cut;
    }
    if start < sentence.end {
        parts.push(start..sentence.end);
    }
    parts
}

/// Cut where neighbours are least alike.
fn by_subject(text: &str, most: usize, breakpoint: usize, buffer: usize) -> Vec<String> {
    let sentences = ranges(text);
    let around = |at: usize| {
        let from = at.saturating_sub(buffer);
        let to = (at + buffer + 1).min(sentences.len());
        let parts = sentences.get(from..to).unwrap_or_default().iter().filter_map(|range| text.get(range.clone()));
        embed(&parts.collect::<Vec<_>>().join(" "), 256)
    };
    let vectors: Vec<Vec<f32>> = (0..sentences.len()).map(around).collect();
    let distances: Vec<f32> = vectors.iter().zip(vectors.iter().skip(1)).map(|(a, b)| 1.0 - cosine(a, b)).collect();
    let mut sorted = distances.clone();
    sorted.sort_by(f32::total_cmp);
    // The nearest rank: of a few distances only the largest.
    let rank = (sorted.len() * breakpoint.min(100)).div_ceil(100).saturating_sub(1);
    let limit = sorted.get(rank).copied().unwrap_or(f32::MAX);
    let mut groups: Vec<Vec<Range<usize>>> = vec![Vec::new()];
    for (at, sentence) in sentences.iter().enumerate() {
        if let Some(group) = groups.last_mut() {
            group.push(sentence.clone());
        }
        if distances.get(at).is_some_and(|distance| *distance >= limit && *distance > 0.0) {
            groups.push(Vec::new());
        }
    }
    groups.iter().filter(|group| !group.is_empty()).flat_map(|group| packed(text, group, most, 0)).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    const UNIT: &str = include_str!("../../../../../stacks/elearning/documents/vector-stores.md");

    fn fixed(tokens: usize, overlap: usize) -> Value {
        json!({"ChunkingStrategy": "FIXED_SIZE",
            "FixedSizeChunkingConfiguration": {"MaxTokens": tokens, "OverlapPercentage": overlap}})
    }

    #[test]
    fn fixed_chunks_hold_the_whole_text_and_overlap() {
        let chunks = chunks(UNIT, &fixed(100, 20));
        assert!(chunks.len() > 4);
        for chunk in &chunks {
            // Spaces between sentences are not counted when they are packed.
            assert!(tokens(&chunk.text) <= 110, "{}", tokens(&chunk.text));
        }
        for sentence in crate::bedrock::text::sentences::ranges(UNIT) {
            let sentence = &UNIT[sentence];
            assert!(chunks.iter().any(|chunk| chunk.text.contains(sentence)), "{sentence}");
        }
        let apart = super::chunks(UNIT, &fixed(100, 0));
        assert!(chunks.len() >= apart.len());
        let total: usize = apart.iter().map(|chunk| chunk.text.len()).sum();
        assert!(total <= UNIT.len());
    }

    #[test]
    fn children_show_their_parents() {
        let config = json!({"ChunkingStrategy": "HIERARCHICAL", "HierarchicalChunkingConfiguration": {
            "LevelConfigurations": [{"MaxTokens": 200}, {"MaxTokens": 50}], "OverlapTokens": 10}});
        let chunks = chunks(UNIT, &config);
        assert!(chunks.iter().all(|chunk| chunk.shown.contains(&chunk.text)));
        assert!(chunks.iter().any(|chunk| chunk.shown.len() > 2 * chunk.text.len()));
    }

    #[test]
    fn a_subject_ends_a_semantic_chunk_and_nothing_is_lost() {
        let text = "Cats sleep all day. Cats sleep in the sun. Taxes are due in April. Taxes are paid online.";
        let config = json!({"ChunkingStrategy": "SEMANTIC", "SemanticChunkingConfiguration": {
            "MaxTokens": 300, "BreakpointPercentileThreshold": 95, "BufferSize": 0}});
        let chunks: Vec<String> = chunks(text, &config).into_iter().map(|chunk| chunk.text).collect();
        assert_eq!(
            chunks,
            ["Cats sleep all day. Cats sleep in the sun.", "Taxes are due in April. Taxes are paid online."]
        );
    }

    #[test]
    fn a_sentence_without_end_is_cut() {
        let chunks = chunks(&"word ".repeat(1000), &fixed(100, 20));
        assert!(chunks.len() > 10 && chunks.iter().all(|chunk| tokens(&chunk.text) <= 100));
        assert_eq!(super::chunks("One. Two.", &json!({"ChunkingStrategy": "NONE"})).len(), 1);
    }
}
