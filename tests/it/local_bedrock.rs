//! Bedrock of the local target from outside.

use crate::support::{self, Project};

/// A use case with a knowledge base that reads a folder of texts.
pub const SPEC: &str = "\
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
    let deploy = || project.run(&["deploy", "learning", "--yes", "--allow", "data-loss"]).session();
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

const FLOW: &str = "\
bedplate: 1
name: letters
region: us-east-1
models:
  embedding: { id: \"amazon.titan-embed-text-v2:0\" }
  writer: { id: \"amazon.nova-lite-v1:0\", output: text, inference: { max-tokens: 600 } }
buckets:
  documents: { documents: documents/ }
knowledge-bases:
  rules: { embedding: embedding, sources: { all: { bucket: documents } } }
prompts:
  letter: { model: writer, text: \"Context: {{customer}}. {{rules}} Question: {{topic}}\" }
functions:
  lookup: { code: lookup/, handler: app.handler, runtime: python3.13 }
  start:
    code: start/
    handler: app.handler
    runtime: python3.13
    timeout: 30s
    environment: { FLOW_ID: \"${flows.letter}\", FLOW_ALIAS_ID: \"${flows.letter.alias}\" }
    uses: [{ invoke: flows.letter }]
flows:
  letter:
    nodes:
      lookup: { function: lookup, inputs: { number: input.customer } }
      rules: { knowledge-base: rules, model: writer, inputs: { query: input.topic } }
      draft: { prompt: letter, inputs: { customer: lookup, topic: input.topic, rules: rules } }
      answer: { output: draft }
smoke:
  - invoke: functions.start
    payload: { customer: \"4711\", topic: How long are certificates valid? }
    expect: { body: { contains: 24 months } }
";

const START: &str = r#"
import os
import boto3

def handler(event, context):
    answer = boto3.client("bedrock-agent-runtime").invoke_flow(
        flowIdentifier=os.environ["FLOW_ID"], flowAliasIdentifier=os.environ["FLOW_ALIAS_ID"],
        inputs=[{"nodeName": "input", "nodeOutputName": "document", "content": {"document": event}}],
    )
    given = [part["flowOutputEvent"]["content"]["document"] for part in answer["responseStream"] if "flowOutputEvent" in part]
    return given[0]
"#;

const LOOKUP: &str = r#"
def handler(event, context):
    values = {one["name"]: one["value"] for one in event["node"]["inputs"]}
    return "Customer " + values["number"]
"#;

/// What the language makes of a flow runs, and its role has the rights it needs: where the environment names a Python with
/// the SDK, which a function needs to call the flow.
#[test]
fn a_flow_runs_with_the_rights_that_were_derived_for_it() {
    let python = support::judges();
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    project.write("stacks/letters/usecase.yaml", FLOW);
    project.write("stacks/letters/documents/rules.md", "# Rules\n\nCertificates are valid for 24 months.\n");
    project.write("stacks/letters/start/app.py", START);
    project.write("stacks/letters/lookup/app.py", LOOKUP);
    let own = python.parent().expect("a folder").display().to_string();
    let path = format!("{own}:{}", std::env::var("PATH").unwrap_or_default());
    let run = project.run_with(&["deploy", "letters", "--yes"], &[("PATH", &path)]).ok();
    assert!(run.stderr.contains("1 of 1 smoke test passed"), "{}", run.session());
}
