//! Bedrock of the local target from outside.

use crate::support::Project;

const SPEC: &str = "\
bedplate: 1
name: learning
region: us-west-2
models:
  embedding: { id: \"amazon.titan-embed-text-v2:0\", output: embedding, dimensions: 512 }
buckets:
  texts: { documents: texts/ }
knowledge-bases:
  course:
    description: What the course teaches
    store: s3-vectors
    embedding: embedding
    sources:
      texts: { bucket: texts }
";

/// What was said of reading documents.
fn reading(session: &str) -> Vec<&str> {
    let of_source = |line: &&str| line.contains("knowledge-bases.course.sources.texts");
    session.lines().filter(of_source).filter(|line| !line.contains("(job ")).map(str::trim).collect()
}

#[test]
fn a_deploy_reads_documents_into_knowledge_bases_once() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/learning/usecase.yaml", SPEC);
    project.write("stacks/learning/texts/rules.md", "# Rules\n\nCertificates are valid for 24 months.\n");
    project.write("stacks/learning/texts/more.txt", "The course runs twice a year.\n");
    let deploy = || project.run(&["deploy", "learning", "--yes"]).session();
    let first = deploy();
    assert!(reading(&first).last().is_some_and(|line| line.ends_with("2 documents read")), "{first}");
    let second = deploy();
    assert!(second.contains("nothing would change") || reading(&second).is_empty(), "{second}");
    project.write("stacks/learning/texts/rules.md", "# Rules\n\nCertificates are valid for 36 months.\n");
    project.write("stacks/learning/texts/broken.pdf", "no PDF");
    std::fs::remove_file(project.path().join("stacks/learning/texts/more.txt")).expect("gone");
    let third = deploy();
    assert!(third.contains("1 of 2 documents could not be read") && third.contains("broken.pdf"), "{third}");
    let last = reading(&third).last().copied().unwrap_or_default().to_owned();
    assert!(last.ends_with("1 document read, 1 deleted, 1 failed"), "{third}");
}

#[test]
fn a_managed_knowledge_base_reads_its_connector() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let spec = SPEC.replace("    store: s3-vectors\n    embedding: embedding\n", "    store: managed\n");
    let spec = spec.replace(
        "models:\n  embedding: { id: \"amazon.titan-embed-text-v2:0\", output: embedding, dimensions: 512 }\n",
        "",
    );
    project.write("stacks/learning/usecase.yaml", spec);
    project.write("stacks/learning/texts/rules.md", "# Rules\n\nCertificates are valid for 24 months.\n");
    let session = project.run(&["deploy", "learning", "--yes"]).session();
    assert!(reading(&session).last().is_some_and(|line| line.ends_with("1 document read")), "{session}");
}
