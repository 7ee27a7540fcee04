//! Partials of a project's own: what they may say, and what is said when they may not.

use std::path::Path;

use bedplate::files::Root;
use bedplate::finding::Finding;
use bedplate::render::{Partials, render};

use crate::render::{DEV, examples, movie_poster, properties};

/// The partials of a project whose `templates/` is a folder.
fn with_overrides(dir: &Path) -> Result<Partials, Vec<Finding>> {
    let root = dir.parent().and_then(|folder| Root::new(folder).ok()).expect("a folder around it");
    Partials::with_overrides(&root, dir, dir)
}

/// The findings of a project whose `templates/` holds one file.
fn overriding(name: &str, text: &str) -> Result<Partials, Vec<Finding>> {
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join(name), text).expect("a file");
    with_overrides(dir.path())
}

#[test]
fn a_project_overrides_one_partial() {
    let bucket = Partials::embedded().source("bucket").expect("a partial");
    let text = bucket.replace("SSEAlgorithm: AES256", "SSEAlgorithm: aws:kms");
    assert_ne!(text, bucket);
    let partials = overriding("bucket.yaml.hbs", &text).expect("a sound partial");
    let rendered = render(&movie_poster(), &DEV, &partials).expect("a template");
    let encryption = &properties(&rendered, "PostersBucket")["BucketEncryption"]["ServerSideEncryptionConfiguration"];
    assert_eq!(encryption[0]["ServerSideEncryptionByDefault"]["SSEAlgorithm"], "aws:kms");
    assert!(rendered.template.resource("DesignFunction").is_some());
}

#[test]
fn the_embedded_partials_are_sound() {
    let dir = tempfile::tempdir().expect("a folder");
    for name in Partials::embedded().names() {
        let text = Partials::embedded().source(name).expect("a text");
        std::fs::write(dir.path().join(format!("{name}.yaml.hbs")), text).expect("a file");
    }
    let partials = with_overrides(dir.path()).expect("no finding");
    let files = std::fs::read_dir(crate::support::repository().join("templates")).expect("the partials");
    assert_eq!(partials.names().count(), files.count(), "every file of `templates/` is a partial of the program");
    assert!(with_overrides(&dir.path().join("none")).is_ok(), "no folder, no overrides");
}

#[test]
fn a_partial_that_could_let_a_value_out_is_refused_at_its_line() {
    for (line, column, text) in [
        (2, None, "Resources:\n  {{id}}:\n    Type: A\n"),
        (2, None, "Resources:\n  {{{id}}}:\n    Type: A\n"),
        (2, None, "Resources:\n  {{&id}}:\n    Type: A\n"),
        (3, None, "Resources:\n  A:\n    Type: \"{{json id}}\"\n"),
        (3, None, "Resources:\n  A:\n    Type: x-{{json id}}\n"),
        (3, None, "Resources:\n  A:\n    Type: {{json id}}-x\n"),
        (3, None, "Resources:\n  A:\n    Type: a, {{json id}}\n"),
        (3, None, "Resources:\n  A:\n    Type: a[{{json id}}]\n"),
        (3, None, "Resources:\n  A:\n    Type:{{json id}}\n"),
        (3, None, "Resources:\n  A:\n    - x- {{json id}}\n"),
        (4, None, "Resources:\n{{#if id}}\n  A:\n    Type: {{#each names}}{{this}}{{/each}}\n{{/if}}\n"),
        (1, None, "{{> other}}\n"),
        (1, None, "{{#lookup a b}}{{/lookup}}\n"),
        (1, Some(1), "{{#*inline \"x\"}}{{/inline}}\n"),
    ] {
        let findings = overriding("bucket.yaml.hbs", text).expect_err(text);
        assert_eq!(findings[0].code, "R002", "{text}: {findings:?}");
        let place = findings[0].place.as_ref().expect("a place");
        assert_eq!(place.file, "bucket.yaml.hbs", "as a person in the folder would name it");
        assert_eq!(place.line, line, "{text}: {findings:?}");
        assert!(column.is_none_or(|column| place.column == column), "{text}: {findings:?}");
    }
}

#[test]
fn a_partial_that_fails_says_where() {
    let fails = |text: &str| -> (&'static str, usize, String) {
        let finding = match overriding("bucket.yaml.hbs", text) {
            Err(mut findings) => findings.remove(0),
            Ok(partials) => render(&movie_poster(), &DEV, &partials).expect_err(text).remove(0),
        };
        let place = finding.place.expect("a place");
        assert!(place.file.ends_with("bucket.yaml.hbs"), "{text}");
        (finding.code.as_str(), place.line, finding.message)
    };
    assert_eq!(fails("Resources:\n  {{#if id}}\n").0, "R001");
    let (code, line, message) = fails("Resources:\n  {{json id}}:\n    Type: {{json nam}}\n");
    assert_eq!((code, line), ("R003", 3));
    assert!(message.contains("`nam`"), "{message}");
    let (code, line, _) = fails("Resources:\n  {{json id}}:\n    {{#if verioning}}\n    Type: A\n    {{/if}}\n");
    assert_eq!((code, line), ("R003", 3), "a misspelt condition is no condition that is false");
    let (code, line, _) = fails(
        "# {{json id}}\nResources:\n{{#if versioning}}\n  x: y\n{{/if}}\n  {{json id}}:\n   Type: A\n  Properties: {\n",
    );
    assert_eq!(code, "R004");
    assert!((8..=9).contains(&line), "the line of the partial, not of what it renders to: {line}");
    assert_eq!(fails("- 1\n").0, "R005");
    assert_eq!(fails("Resource:\n  A: { Type: B }\n").0, "R005");
    assert_eq!(fails("Resources:\n  A: { Tpye: B }\n").0, "R005");
}

#[test]
fn a_file_that_overrides_nothing_is_told() {
    let findings = overriding("buckets.yaml.hbs", "Resources: {}\n").expect_err("no such partial");
    assert_eq!(findings[0].code, "R006");
    assert_eq!(findings[0].help.as_deref(), Some("did you mean `bucket.yaml.hbs`?"));
    assert!(overriding("README.md", "{{ what }}").is_ok());
    let dir = tempfile::tempdir().expect("a folder");
    std::fs::write(dir.path().join("layer.yaml.hbs"), [0xff, 0xfe, 0x00]).expect("a file");
    std::fs::create_dir(dir.path().join("bucket.yaml.hbs")).expect("a folder");
    let codes: Vec<&str> =
        with_overrides(dir.path()).expect_err("unreadable").iter().map(|it| it.code.as_str()).collect();
    assert_eq!(codes, ["R007", "R007"]);
}

#[test]
fn the_page_about_partials_shows_one_that_works() {
    let examples = examples("partials.md", "handlebars");
    let partials = overriding("bucket.yaml.hbs", &examples[0]).expect("a sound partial");
    let rendered = render(&movie_poster(), &DEV, &partials).expect("a template");
    assert!(rendered.template.to_json().contains("alias/our-key"));
}
