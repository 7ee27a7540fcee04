//! Where it may be said that nothing was changed: in the ledger, which knows.

use std::path::Path;

use regex::Regex;

use crate::support::repository;

/// The one file that may say it.
const LEDGER: &str = "src/engine/ledger.rs";

fn files(folder: &Path, ending: &str, found: &mut Vec<std::path::PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            files(&path, ending, found);
        } else if path.to_string_lossy().ends_with(ending) {
            found.push(path);
        }
    }
}

#[test]
fn only_the_ledger_says_that_nothing_was_changed() {
    let claim = Regex::new(
        r"(?i)\bnothing (was|is|has been|were) (changed|touched|sent|made|begun|deleted|written|uploaded|executed)|nothing (changed|sent) *[·|`\x22]|half-made",
    )
    .expect("a pattern");
    assert!(claim.is_match("refused; nothing was changed") && claim.is_match("Nothing is sent anywhere"));
    let mut found = Vec::new();
    // The local target's own words are of its services, and what the language says is of parameters.
    for room in ["engine", "cli", "report", "aws", "plan"] {
        files(&repository().join("src").join(room), ".rs", &mut found);
    }
    for page in ["docs/ci.md", "docs/deploying.md", "docs/findings.md", "README.md"] {
        found.push(repository().join(page));
    }
    let mut claims = Vec::new();
    for path in found {
        let shown = path.strip_prefix(repository()).expect("below the repository").to_string_lossy().into_owned();
        if shown == LEDGER {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a file");
        for (number, line) in text.lines().enumerate() {
            // In quotation marks a page speaks about the words; and a deploy may be made with nothing changed in the spec.
            if claim.is_match(line) && !line.contains("\u{201c}") && !line.contains("with nothing changed") {
                claims.push(format!("{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(claims.is_empty(), "said without looking at the ledger:\n{}", claims.join("\n"));
}
