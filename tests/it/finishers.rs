//! Documents and rows of a spec: what `check` says of them, and what a person sees of their way into buckets and tables.

use insta::assert_snapshot;

use crate::support::Project;

const SPEC: &str = "\
bedplate: 1
name: handbook
region: us-west-2
buckets:
  docs: { documents: documents/ }
";

fn handbook() -> Project {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/handbook/usecase.yaml", SPEC);
    project.write("stacks/handbook/documents/rules.md", "# Rules\n");
    project.write("stacks/handbook/documents/more/faq.md", "# Questions\n");
    project
}

#[test]
fn documents_are_planned_uploaded_changed_and_destroyed() {
    let project = handbook();
    let mut session = String::new();
    let mut run = |args: &[&str]| {
        let run = project.run(args);
        session.push_str(&format!("$ bedplate {}\n{}\n\n", args.join(" "), run.session()));
    };
    run(&["deploy", "handbook", "--yes"]);
    run(&["deploy", "handbook", "--yes"]);
    project.write("stacks/handbook/documents/rules.md", "# Other rules\n");
    std::fs::remove_file(project.path().join("stacks/handbook/documents/more/faq.md")).expect("gone");
    run(&["plan", "handbook", "--exit-code"]);
    run(&["deploy", "handbook"]);
    run(&["deploy", "handbook", "--yes", "--allow", "data-loss", "--verbose"]);
    run(&["destroy", "handbook", "--yes"]);
    let name = regex::Regex::new(r"docsbucket-[0-9a-z]{12}").expect("a pattern");
    assert_snapshot!(name.replace_all(&session, "docsbucket-<random>"));
}

#[test]
fn documents_and_rows_that_are_wrong_are_told_by_check() {
    let project = handbook();
    let spec = format!(
        "{SPEC}  empty: {{ documents: nothing/ }}\n  gone: {{ documents: gone/ }}\n  out: {{ documents: ../../../ }}\n\
         tables:\n  accounts: {{ partition-key: {{ name: AccountID, type: number }}, seed: data/accounts.yaml }}\n  \
         words: {{ partition-key: {{ name: id }}, seed: data/words.txt }}\n  \
         none: {{ partition-key: {{ name: id }}, seed: data/none.json }}\n  \
         cells: {{ partition-key: {{ name: id }}, sort-key: {{ name: at, type: number }}, seed: ./data/cells.csv }}\n"
    );
    project.write("stacks/handbook/usecase.yaml", spec);
    project.write("stacks/handbook/nothing/.gitignore", "*\n");
    project.write(
        "stacks/handbook/data/accounts.yaml",
        "- AccountID: 5555\n- AccountID: \"6666\"\n- AccountName: Mary\n- AccountID: 5555.0\n",
    );
    project.write("stacks/handbook/data/words.txt", "a\n");
    project.write("stacks/handbook/data/none.json", "[]\n");
    project.write("stacks/handbook/data/cells.csv", "id,at,name\na,1,Ann\na,one,Bob\na,1.0,Cy\n");
    assert_snapshot!(project.run(&["check", "handbook"]).session());
}

#[test]
fn rows_are_written_where_their_keys_are_absent() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write(
        "stacks/bank/usecase.yaml",
        "bedplate: 1\nname: bank\nregion: us-west-2\ntables:\n  accounts:\n    \
         partition-key: { name: AccountID, type: number }\n    seed: data/accounts.yaml\n  log:\n    \
         partition-key: { name: who }\n    sort-key: { name: at, type: number }\n    seed: data/log.csv\n",
    );
    project.write(
        "stacks/bank/data/accounts.yaml",
        "- { AccountID: 5555, AccountName: John }\n- { AccountID: 6666, AccountName: Thomas, Tags: [new, { a: true }] }\n",
    );
    project.write("stacks/bank/data/log.csv", "who,at,what\nann,1,came\nann,2,\n");
    let deployed = project.run(&["deploy", "bank", "--yes"]).ok();
    assert!(deployed.stderr.contains("• tables.accounts: 2 to write\n"), "{}", deployed.session());
    assert!(deployed.stderr.contains("tables.log: 2 rows written\n"), "{}", deployed.session());
    let held = project.run(&["local", "status"]).ok();
    assert_eq!(held.stdout.matches("  2 items\n").count(), 2, "{}", held.stdout);

    project.write("stacks/bank/data/log.csv", "who,at,what\nann,1,went\nann,2,\nbob,1,came\n");
    let planned = project.run(&["plan", "bank"]).ok();
    assert!(planned.stdout.contains("• tables.log: 1 to write, 2 there already\n"), "{}", planned.session());
    let again = project.run(&["deploy", "bank", "--yes"]).ok();
    assert!(again.stderr.contains("tables.log: 1 row written, 2 there already\n"), "{}", again.session());
    let destroyed = project.run(&["destroy", "bank", "--yes"]).ok();
    assert!(destroyed.stderr.contains("nothing of it remains"), "{}", destroyed.session());
}

/// Another key type is another table, which has none of the rows yet.
#[test]
fn rows_of_a_table_whose_keys_change_are_all_written() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let spec = |key: &str| {
        format!(
            "bedplate: 1\nname: bank\nregion: us-west-2\ntables:\n  accounts:\n    partition-key: {key}\n    seed: rows.yaml\n"
        )
    };
    project.write("stacks/bank/usecase.yaml", spec("{ name: id }"));
    project.write("stacks/bank/rows.yaml", "- { id: one, v: 1 }\n- { id: two, v: 2 }\n");
    let _ = project.run(&["deploy", "bank", "--yes"]).ok();
    for (key, rows, written) in [
        ("{ name: id, type: number }", "- { id: 1, v: 1 }\n- { id: 2, v: 2 }\n- { id: 3, v: 3 }\n", "3 rows written"),
        ("{ name: other }", "- { other: a }\n", "1 row written"),
    ] {
        project.write("stacks/bank/usecase.yaml", spec(key));
        project.write("stacks/bank/rows.yaml", rows);
        let planned = project.run(&["plan", "bank"]).ok();
        let to_write = written.replace(" rows written", "").replace(" row written", "");
        assert!(planned.stdout.contains(&format!("• tables.accounts: {to_write} to write\n")), "{}", planned.session());
        assert!(planned.stdout.contains("±"), "{}", planned.session());
        let deployed = project.run(&["deploy", "bank", "--yes", "--allow", "replacement,data-loss"]).ok();
        assert!(deployed.stderr.contains(&format!("tables.accounts: {written}\n")), "{}", deployed.session());
        let held = project.run(&["local", "status"]).ok();
        let items = written.replace(" rows written", " items").replace(" row written", " item");
        assert!(held.stdout.contains(&format!("  {items}\n")), "{}", held.stdout);
    }
    let destroyed = project.run(&["destroy", "bank", "--yes"]).ok();
    assert!(destroyed.stderr.contains("nothing of it remains"), "{}", destroyed.session());
}
