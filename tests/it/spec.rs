//! Behaviour of the `spec` side, as a user could see it.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use bedplate::finding::{Finding, Severity};
use bedplate::spec::{self, Days, Grant, Seconds};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(name)
}

fn show(findings: &[Finding]) -> String {
    let mut text = String::new();
    for finding in findings {
        let place =
            finding.place.as_ref().map_or("nowhere".to_owned(), |place| format!("{}:{}", place.line, place.column));
        let _ = writeln!(text, "{place} {finding}");
        if let Some(help) = &finding.help {
            let _ = writeln!(text, "    {help}");
        }
    }
    text
}

#[test]
fn the_movie_poster_loads() {
    let loaded = spec::load(&fixture("movie-poster/usecase.yaml"), "usecase.yaml").map_err(|f| show(&f)).unwrap();
    let spec = &loaded.spec;
    assert_eq!(spec.name, "movie-poster");
    assert_eq!(spec.buckets["posters"].expire_after, Some(Days(7)));
    let design = &spec.functions["design"];
    assert_eq!(design.timeout, Some(Seconds(60)));
    assert_eq!(
        design.uses,
        [Grant::Invoke("models.artist".to_owned()), Grant::ReadWrite("buckets.posters".to_owned())]
    );
    assert_eq!(show(&loaded.warnings), "");
    let place = loaded.place("/functions/design/code").unwrap();
    assert_eq!((place.file.as_str(), place.line, place.column), ("usecase.yaml", 17, 11));
}

/// Every malformed spec: coded, placed, quick, and in words that read well.
#[test]
fn malformed_specs_are_told_what_is_wrong() {
    let mut files: Vec<PathBuf> =
        std::fs::read_dir(fixture("malformed")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|path| path.extension().is_some_and(|extension| extension == "yaml"));
    files.sort();
    assert!(files.len() >= 20);
    let mut all = String::new();
    for path in files {
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        let started = Instant::now();
        let findings = spec::load(&path, &name).map(|_| ()).unwrap_err();
        let took = started.elapsed();
        assert!(took < Duration::from_secs(1), "{name} took {took:?}");
        for finding in findings.iter().filter(|finding| finding.severity == Severity::Error) {
            assert!(finding.code.starts_with('S'), "{name}: {finding}");
            let place = finding.place.as_ref().unwrap_or_else(|| panic!("{name}: {finding} has no place"));
            assert_eq!(place.file, name);
            assert!(place.line >= 1 && place.column >= 1);
        }
        let _ = write!(all, "== {name}\n{}", show(&findings));
    }
    insta::assert_snapshot!(all);
}
