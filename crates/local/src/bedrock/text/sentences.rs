//! Sentences of a text that may be wrapped, listed, or have headings.

use std::ops::Range;

/// Ends with a dot and is no end of a sentence.
const SHORT: &[&str] =
    &["mr", "mrs", "ms", "dr", "no", "nr", "vs", "etc", "e.g", "i.e", "approx", "fig", "st", "inc", "a.m", "p.m"];

/// A line that is at least so long, in bytes, and does not end a sentence goes on in the next one.
const WRAPPED: usize = 50;

/// Where the sentences of a text are, in bytes.
pub(in crate::bedrock) fn ranges(text: &str) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    for block in blocks(text) {
        split(text, block, &mut found);
    }
    found
}

/// The sentences, each on one line.
pub(in crate::bedrock) fn sentences(text: &str) -> Vec<String> {
    ranges(text).into_iter().filter_map(|range| text.get(range)).map(flat).filter(|one| !one.is_empty()).collect()
}

/// A sentence on one line, without the marks of Markdown before it.
pub(in crate::bedrock) fn flat(sentence: &str) -> String {
    let text = sentence.trim().trim_start_matches(['#', '>', '*', '-', '•', '|']).trim().trim_end_matches('|').trim();
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// Whether a text is a heading of Markdown.
pub(in crate::bedrock) fn heading(sentence: &str) -> bool {
    sentence.trim_start().starts_with('#')
}

/// Runs of lines that belong together: paragraphs, list entries, headings, table rows.
fn blocks(text: &str) -> Vec<Range<usize>> {
    let mut blocks: Vec<Range<usize>> = Vec::new();
    let mut open: Option<Range<usize>> = None;
    let mut at = 0;
    for line in text.split_inclusive('\n') {
        let range = at..at + line.len();
        at += line.len();
        let trimmed = line.trim();
        if trimmed.is_empty() {
            blocks.extend(open.take());
            continue;
        }
        let joins = open.as_ref().is_some_and(|open| {
            let before = text.get(open.clone()).unwrap_or_default().trim_end();
            let last = before.rsplit('\n').next().unwrap_or_default().trim();
            let ends = last.ends_with(['.', '!', '?', ':', ';']);
            let small = trimmed.chars().next().is_some_and(char::is_lowercase);
            !starts_entry(trimmed)
                && !heading(last)
                && !last.starts_with('|')
                && (small || last.len() >= WRAPPED || (ends && last.len() >= WRAPPED))
        });
        match &mut open {
            Some(block) if joins => block.end = range.end,
            _ => {
                blocks.extend(open.take());
                open = Some(range);
            }
        }
    }
    blocks.extend(open);
    blocks
}

fn starts_entry(line: &str) -> bool {
    if line.starts_with(['#', '-', '*', '•', '|', '>']) {
        return true;
    }
    let digits = line.chars().take_while(char::is_ascii_digit).count();
    digits > 0 && digits < 3 && line.get(digits..).is_some_and(|rest| rest.starts_with(". ") || rest.starts_with(") "))
}

fn split(text: &str, block: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(inside) = text.get(block.clone()) else { return };
    let mut start = block.start;
    let mut characters = inside.char_indices().peekable();
    while let Some((at, c)) = characters.next() {
        if !".!?".contains(c) {
            continue;
        }
        let mut end = at + c.len_utf8();
        while let Some((next, c)) = characters.peek().copied() {
            if !".!?\"'”’)]".contains(c) {
                break;
            }
            end = next + c.len_utf8();
            characters.next();
        }
        let rest = inside.get(end..).unwrap_or_default();
        let spaced = rest.is_empty() || rest.starts_with(char::is_whitespace);
        let goes_on = rest.trim_start().chars().next().is_some_and(char::is_lowercase);
        if !spaced || goes_on || (c == '.' && abbreviation(inside.get(..at).unwrap_or_default())) {
            continue;
        }
        push(text, start..block.start + end, found);
        start = block.start + end;
    }
    push(text, start..block.end, found);
}

fn abbreviation(before: &str) -> bool {
    let word = before.rsplit(char::is_whitespace).next().unwrap_or_default();
    let number_of_list = !word.is_empty() && word.len() < 3 && word.chars().all(|c| c.is_ascii_digit());
    let begins = before.trim_end_matches(word).trim().is_empty();
    SHORT.contains(&word.to_ascii_lowercase().as_str()) || (number_of_list && begins)
}

fn push(text: &str, range: Range<usize>, found: &mut Vec<Range<usize>>) {
    let Some(sentence) = text.get(range.clone()) else { return };
    let start = range.start + (sentence.len() - sentence.trim_start().len());
    let end = start + sentence.trim().len();
    if sentence.chars().any(char::is_alphanumeric) {
        found.push(start..end);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrapped_lines_are_one_sentence_and_entries_are_their_own() {
        let text = "# Rules\n\nIssue date: 25-12-2023\nModel: TB-CL-7882\n\nIn the inspection of the nacelle a crack was found in part\nMR 7882-9571, next to the hub. It is e.g. deep. Stop!\n\n- one\n- two\n1. first\n";
        assert_eq!(
            sentences(text),
            [
                "Rules",
                "Issue date: 25-12-2023",
                "Model: TB-CL-7882",
                "In the inspection of the nacelle a crack was found in part MR 7882-9571, next to the hub.",
                "It is e.g. deep.",
                "Stop!",
                "one",
                "two",
                "1. first",
            ]
        );
    }

    #[test]
    fn decimals_and_names_of_files_end_nothing() {
        assert_eq!(
            sentences("It costs 3.50 dollars in app.py today. Then it ends."),
            ["It costs 3.50 dollars in app.py today.", "Then it ends.",]
        );
    }
}
