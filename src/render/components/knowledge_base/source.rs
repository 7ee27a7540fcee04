//! Data sources: where documents come from, how they are read and cut, and the rights for it.

use serde_json::{Value, json};

use super::base::{Base, LONGEST_NAME, attribute, invoke, model_arn};
use crate::finding::Finding;
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::ids::bucket_id;
use crate::render::names::{pascal, service_name};
use crate::spec::{Chunking, ChunkingRule, Parsing, ParsingWay, Source, SourceDeletion, Store, WebScope, escape};

impl Base<'_> {
    fn source_pointer(&self, name: &str) -> String {
        format!("{}/sources/{}", self.pointer, escape(name))
    }

    /// What the knowledge base's role needs to read its sources.
    pub(super) fn reading(&self) -> Result<Vec<Statement>, Finding> {
        let mut statements = Vec::new();
        for (name, source) in &self.base.sources {
            let pointer = self.source_pointer(name);
            if let Some(bucket) = &source.bucket {
                statements.extend(self.bucket(bucket, source.prefix.as_deref(), &pointer)?);
            }
            match &source.parsing {
                Some(Parsing { by: ParsingWay::Model, model: Some(model), .. }) => {
                    statements.extend(invoke(self.references, model, &format!("{pointer}/parsing/model"))?);
                }
                Some(Parsing { by: ParsingWay::DataAutomation, .. }) => statements.extend(data_automation()),
                _ => {}
            }
        }
        Ok(statements)
    }

    fn bucket(&self, bucket: &str, prefix: Option<&str>, pointer: &str) -> Result<Vec<Statement>, Finding> {
        let arn = Expression::attribute(bucket_id(bucket), "Arn");
        let objects = arn.clone().text(format!("/{}*", prefix.unwrap_or_default()));
        let own = |statement: Statement| {
            statement.when("StringEquals", "aws:ResourceAccount", Expression::reference("AWS::AccountId").value())
        };
        let mut statements = vec![
            own(Statement::allow(["s3:ListBucket"], [arn.value()])),
            own(Statement::allow(["s3:GetObject"], [objects.value()])),
        ];
        let key = self.references.spec().buckets.get(bucket).and_then(|bucket| bucket.kms_key.as_ref());
        if let Some(key) = key {
            let key = self.references.text(key, &format!("{pointer}/bucket"))?;
            let service = Expression::literal("s3.").then(Expression::reference("AWS::Region")).text(".amazonaws.com");
            statements.push(Statement::allow(["kms:Decrypt"], [key.value()]).when(
                "StringEquals",
                "kms:ViaService",
                service.value(),
            ));
        }
        Ok(statements)
    }

    /// Adds one data source.
    pub(super) fn add_source(&self, assembly: &mut Assembly<'_>, name: &str, source: &Source) -> Result<(), Finding> {
        let pointer = self.source_pointer(name);
        let managed = self.base.store == Store::Managed;
        let bucket = source.bucket.as_deref().map(|bucket| {
            json!({
                "arn": Expression::attribute(bucket_id(bucket), "Arn").value(),
                "name": attribute(self.references, "buckets", bucket, "name", &pointer).unwrap_or_default(),
                "prefix": source.prefix,
            })
        });
        let web = source.web.as_ref().map(|web| {
            json!({
                "urls": web.urls,
                "scope": match web.scope {
                    WebScope::Path => Value::Null,
                    WebScope::Host => json!("HOST_ONLY"),
                    WebScope::Subdomains => json!("SUBDOMAINS"),
                },
                "rate": web.rate,
                "crawler": web.scope != WebScope::Path || web.rate.is_some(),
            })
        });
        let chunking = source.chunking.as_ref().map_or(Value::Null, chunking);
        let parsing = match &source.parsing {
            Some(parsing) => self.parsing(parsing, &format!("{pointer}/parsing/model"))?,
            None => Value::Null,
        };
        let enrichment = match (self.base.store, &self.base.neptune_analytics) {
            (Store::NeptuneAnalytics, Some(graph)) => {
                let pointer = format!("{}/neptune-analytics/model", self.pointer);
                json!({ "model_arn": model_arn(self.references, &graph.model, &pointer)? })
            }
            _ => Value::Null,
        };
        // As for the knowledge base: what makes a new data source gives it a new name.
        let content = json!([managed, source.web.is_some(), chunking, parsing]).to_string();
        let digest = digest::short(&content);
        let id = format!("{}{}DataSource", pascal(self.name), pascal(name));
        let data = json!({
            "id": id,
            "base_id": self.id,
            "name": format!("{}-{digest}", service_name(&[name], LONGEST_NAME - digest.len() - 1)),
            "deletion": match source.deletion {
                SourceDeletion::Retain => "RETAIN",
                SourceDeletion::Delete => "DELETE",
            },
            "managed": managed,
            "bucket": bucket,
            "web": web,
            "ingestion": !(chunking.is_null() && parsing.is_null() && enrichment.is_null()),
            "chunking": chunking,
            "parsing": parsing,
            "enrichment": enrichment,
            "output_id": format!("{id}Id"),
        });
        assembly.add("data-source", &data, &pointer);
        Ok(())
    }

    fn parsing(&self, parsing: &Parsing, pointer: &str) -> Result<Value, Finding> {
        Ok(match (parsing.by, &parsing.model) {
            (ParsingWay::Model, Some(model)) => json!({
                "strategy": "BEDROCK_FOUNDATION_MODEL",
                "model_arn": model_arn(self.references, model, pointer)?,
                "prompt": parsing.prompt,
            }),
            (ParsingWay::Model, None) => {
                return Err(Finding::error("R124", "which model reads the documents is not said")
                    .at(self.references.loaded.place(pointer))
                    .help("add `model:` with a name under `models`"));
            }
            (ParsingWay::DataAutomation, _) => {
                json!({ "strategy": "BEDROCK_DATA_AUTOMATION", "model_arn": null, "prompt": null })
            }
        })
    }
}

/// How documents are cut, as the partial takes it.
fn chunking(chunking: &Chunking) -> Value {
    let strategy = match chunking.by {
        ChunkingRule::None => "NONE",
        ChunkingRule::Fixed => "FIXED_SIZE",
        ChunkingRule::Hierarchical => "HIERARCHICAL",
        ChunkingRule::Semantic => "SEMANTIC",
    };
    let when = |rule: ChunkingRule, value: Value| if chunking.by == rule { value } else { Value::Null };
    json!({
        "strategy": strategy,
        "fixed": when(ChunkingRule::Fixed, json!({ "tokens": chunking.tokens, "overlap": chunking.overlap })),
        "hierarchical": when(ChunkingRule::Hierarchical, json!({
            "tokens": chunking.tokens, "child_tokens": chunking.child_tokens, "overlap_tokens": chunking.overlap_tokens,
        })),
        "semantic": when(ChunkingRule::Semantic, json!({
            "tokens": chunking.tokens, "breakpoint": chunking.breakpoint, "buffer": chunking.buffer,
        })),
    })
}

/// Bedrock Data Automation reads with a project that AWS keeps in every region, through a profile that sends documents to
/// other regions of the same part of the world.
fn data_automation() -> [Statement; 2] {
    let arn = |region: Expression, account: Expression, resource: &str| {
        Expression::literal("arn:")
            .then(Expression::reference("AWS::Partition"))
            .text(":bedrock:")
            .then(region)
            .text(":")
            .then(account)
            .text(format!(":{resource}"))
            .value()
    };
    let region = || Expression::reference("AWS::Region");
    let account = || Expression::reference("AWS::AccountId");
    [
        Statement::allow(
            ["bedrock:InvokeDataAutomationAsync"],
            [
                arn(region(), Expression::literal("aws"), "data-automation-project/public-rag-default"),
                arn(Expression::literal("*"), account(), "data-automation-profile/*"),
            ],
        ),
        Statement::allow(
            ["bedrock:GetDataAutomationStatus"],
            [arn(Expression::literal("*"), account(), "data-automation-invocation/*")],
        ),
    ]
}
