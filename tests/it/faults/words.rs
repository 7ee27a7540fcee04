//! Where it may be said that nothing was changed: in the ledger, which knows.

use regex::Regex;

use crate::support::{repository, sources};

/// The one file that may say it.
const LEDGER: &str = "src/engine/ledger.rs";

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
        found.extend(sources(&repository().join("src").join(room)));
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
            // And a page may show a session in which the ledger says so, at the end of a line.
            let shows = shown.ends_with(".md") && line.ends_with("; nothing was changed");
            if claim.is_match(line) && !shows && !line.contains("\u{201c}") && !line.contains("with nothing changed") {
                claims.push(format!("{shown}:{}: {}", number + 1, line.trim()));
            }
        }
    }
    assert!(claims.is_empty(), "said without looking at the ledger:\n{}", claims.join("\n"));
}
