//! The examples of the documentation are specs that work.

use crate::rendered::{examples, examples_in};

#[test]
fn every_example_loads_passes_the_check_and_renders() {
    let examples = examples();
    assert!(examples.len() >= 6, "the pages of the components have an example each: {}", examples.len());
    let wrong: Vec<String> = examples
        .iter()
        .filter_map(|example| {
            let folder = tempfile::tempdir().expect("a folder");
            example.template(folder.path()).err()
        })
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn every_component_page_has_an_example() {
    let examples = examples();
    for entry in std::fs::read_dir(crate::support::repository().join("docs/components")).expect("the pages") {
        let page = format!("docs/components/{}", entry.expect("an entry").file_name().to_string_lossy());
        assert!(examples.iter().any(|it| it.page == page), "{page} has no whole spec to start from");
    }
}

#[test]
fn files_of_an_example_are_named_in_a_comment_before_it() {
    let page = "text\n\n<!-- files: { a.txt: one, data/b.yaml: \"- { Id: 1 }\" } -->\n```yaml\nbedplate: 1\nname: x\n```\n\n\
                ```yaml\nbuckets: {}\n```\n<!-- files:\n  c.yaml: |\n    openapi: 3.0.3\n-->\n\n```yaml\nbedplate: 1\n```\n\
                ```yaml\nbedplate: 1\nname: y\n```\n";
    let found: Vec<(usize, Vec<(String, String)>)> =
        examples_in("page.md", page).into_iter().map(|it| (it.line, it.files)).collect();
    let pairs = |files: &[(&str, &str)]| files.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
    assert_eq!(
        found,
        [
            (5, pairs(&[("a.txt", "one"), ("data/b.yaml", "- { Id: 1 }")])),
            (18, pairs(&[("c.yaml", "openapi: 3.0.3\n")])),
            (21, Vec::new()),
        ]
    );
}
