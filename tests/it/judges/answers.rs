//! Answers to what a judge finds: one table in one page, held against the findings both ways.

use std::collections::BTreeMap;

use crate::support::repository;

/// A finding as a page answers it: what is found, and on what.
type Answered = (String, String);

/// Fails where a finding has no answer in the page's table, and where an answer is of no use any more. The table is the
/// one with the columns named; the first two say what is answered, the third is the answer.
pub fn hold(page: &str, columns: [&str; 3], found: &BTreeMap<Answered, Vec<String>>) {
    let answers = table(page, columns);
    let unanswered = found.iter().filter(|(finding, _)| !answers.contains_key(*finding)).map(|((what, on), seen)| {
        let seen: Vec<String> = seen.iter().take(3).map(|each| format!("    {each}")).collect();
        format!("no answer: | {what} | `{on}` | … |\n{}", seen.join("\n"))
    });
    let idle = answers
        .keys()
        .filter(|answer| !found.contains_key(*answer))
        .map(|(what, on)| format!("nothing needs it any more: | {what} | `{on}` |"));
    let wrong: Vec<String> = unanswered.chain(idle).collect();
    assert!(wrong.is_empty(), "correct what is found, or answer it in {page}:\n{}", wrong.join("\n"));
}

fn table(page: &str, columns: [&str; 3]) -> BTreeMap<Answered, String> {
    let text = std::fs::read_to_string(repository().join(page)).expect("the page");
    let head = format!("| {} |", columns.join(" | "));
    let rows = text.lines().skip_while(|line| *line != head).skip(2).take_while(|line| line.starts_with('|'));
    let mut answers = BTreeMap::new();
    for row in rows {
        let cells: Vec<String> =
            row.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`').to_owned()).collect();
        let [what, on, answer] = cells.as_slice() else { panic!("{page}: three columns: {row}") };
        assert!(answer.len() > 20, "{page}: an answer says why: {row}");
        let before = answers.insert((what.clone(), on.clone()), answer.clone());
        assert_eq!(before, None, "{page}: one answer each: {row}");
    }
    answers
}
