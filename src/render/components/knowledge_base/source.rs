//! Data sources: where documents come from, how they are read and cut, and the rights for it.

use serde_json::{Value, json};

use super::base::{KnowledgeBaseContext, LONGEST_NAME, attribute, invoke, model_arn};
use crate::finding::{Finding, code};
use crate::iam::Statement;
use crate::render::assemble::Assembly;
use crate::render::data::PartialData;
use crate::render::digest;
use crate::render::expression::Expression;
use crate::render::grants::Asked;
use crate::render::ids::bucket_id;
use crate::render::names::{pascal, service_name};
use crate::spec::{Chunking, ChunkingRule, Parsing, ParsingWay, Source, SourceDeletion, Store, WebScope, escape};

impl KnowledgeBaseContext<'_> {
    fn source_pointer(&self, name: &str) -> String {
        format!("{}/sources/{}", self.pointer, escape(name))
    }

    /// What the knowledge base's role needs to read its sources.
    pub(super) fn reading(&self, asked: &mut Asked) -> Result<(), Finding> {
        for (name, source) in &self.base.sources {
            let pointer = self.source_pointer(name);
            if let Some(bucket) = &source.bucket {
                let statements = self.bucket(bucket, source.prefix.as_deref(), &pointer)?;
                asked.add(format!("{pointer}/bucket"), statements);
            }
            match &source.parsing {
                Some(Parsing { by: ParsingWay::Model, model: Some(model), .. }) => {
                    let pointer = format!("{pointer}/parsing/model");
                    let statements = invoke(self.references, model, &pointer)?;
                    asked.add(pointer, statements);
                }
                Some(Parsing { by: ParsingWay::DataAutomation, .. }) => {
                    asked.add(format!("{pointer}/parsing/by"), data_automation());
                }
                _ => {}
            }
        }
        Ok(())
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
            let name = attribute(self.references, "buckets", bucket, "name", &pointer).unwrap_or_default();
            PartialData::new(format!("{pointer}/bucket"))
                .made("arn", Expression::attribute(bucket_id(bucket), "Arn").value())
                .made("name", name)
                .said("prefix", &format!("{pointer}/prefix"), &source.prefix)
        });
        let web = source.web.as_ref().map(|web| {
            let scope = match web.scope {
                WebScope::Path => None,
                WebScope::Host => Some("HOST_ONLY"),
                WebScope::Subdomains => Some("SUBDOMAINS"),
            };
            PartialData::new(format!("{pointer}/web"))
                .said("urls", "urls", &web.urls)
                .said("scope", "scope", scope)
                .said("rate", "rate", web.rate)
                .made("crawler", web.scope != WebScope::Path || web.rate.is_some())
        });
        let chunking = source.chunking.as_ref().map(|it| chunking(&format!("{pointer}/chunking"), it));
        let parsing = match &source.parsing {
            Some(parsing) => Some(self.parsing(parsing, &format!("{pointer}/parsing"))?),
            None => None,
        };
        let enrichment = match (self.base.store, &self.base.neptune_analytics) {
            (Store::NeptuneAnalytics, Some(graph)) => {
                let pointer = format!("{}/neptune-analytics/model", self.pointer);
                let arn = model_arn(self.references, &graph.model, &pointer)?;
                Some(PartialData::new(pointer).made("model_arn", arn))
            }
            _ => None,
        };
        // As for the knowledge base: what makes a new data source gives it a new name.
        let values = |part: &Option<PartialData>| part.clone().map(|part| part.into_parts().0);
        let content = json!([managed, source.web.is_some(), values(&chunking), values(&parsing)]).to_string();
        let digest = digest::short(&content);
        let id = format!("{}{}DataSource", pascal(self.name), pascal(name));
        // A managed knowledge base allows DELETE only, which is its default.
        let deletion = (!managed).then(|| match source.deletion.unwrap_or_default() {
            SourceDeletion::Retain => "RETAIN",
            SourceDeletion::Delete => "DELETE",
        });
        let data = PartialData::new(&pointer)
            .made("base_id", &self.id)
            .made("name", format!("{}-{digest}", service_name(&[name], LONGEST_NAME - digest.len() - 1)))
            .said("deletion", "deletion", deletion)
            .said("managed", &self.store_pointer(), managed)
            .part("bucket", bucket)
            .part("web", web)
            .made("ingestion", chunking.is_some() || parsing.is_some() || enrichment.is_some())
            .part("chunking", chunking)
            .part("parsing", parsing)
            .part("enrichment", enrichment)
            .made("output_id", format!("{id}Id"))
            .made("id", id);
        assembly.add("data-source", data);
        Ok(())
    }

    fn parsing(&self, parsing: &Parsing, pointer: &str) -> Result<PartialData, Finding> {
        let model_pointer = format!("{pointer}/model");
        let (strategy, model, prompt) = match (parsing.by, &parsing.model) {
            (ParsingWay::Model, Some(model)) => {
                let arn = model_arn(self.references, model, &model_pointer)?;
                ("BEDROCK_FOUNDATION_MODEL", arn, parsing.prompt.as_ref())
            }
            (ParsingWay::Model, None) => {
                return Err(Finding::error(code::R124, "which model reads the documents is not said")
                    .at(self.references.loaded.place(&model_pointer))
                    .help("add `model:` with a name under `models`"));
            }
            (ParsingWay::DataAutomation, _) => ("BEDROCK_DATA_AUTOMATION", Value::Null, None),
        };
        Ok(PartialData::new(pointer)
            .said("strategy", "by", strategy)
            .said("model_arn", "model", model)
            .said("prompt", "prompt", prompt))
    }
}

/// How documents are cut, as the partial takes it.
fn chunking(pointer: &str, chunking: &Chunking) -> PartialData {
    let strategy = match chunking.by {
        ChunkingRule::None => "NONE",
        ChunkingRule::Fixed => "FIXED_SIZE",
        ChunkingRule::Hierarchical => "HIERARCHICAL",
        ChunkingRule::Semantic => "SEMANTIC",
    };
    let when = |rule: ChunkingRule| {
        (chunking.by == rule).then(|| PartialData::new(pointer).said("tokens", "tokens", chunking.tokens))
    };
    let fixed = when(ChunkingRule::Fixed).map(|data| data.said("overlap", "overlap", chunking.overlap));
    let hierarchical = when(ChunkingRule::Hierarchical).map(|data| {
        data.said("child_tokens", "child-tokens", chunking.child_tokens).said(
            "overlap_tokens",
            "overlap-tokens",
            chunking.overlap_tokens,
        )
    });
    let semantic = when(ChunkingRule::Semantic).map(|data| {
        data.said("breakpoint", "breakpoint", chunking.breakpoint).said("buffer", "buffer", chunking.buffer)
    });
    PartialData::new(pointer)
        .said("strategy", "by", strategy)
        .part("fixed", fixed)
        .part("hierarchical", hierarchical)
        .part("semantic", semantic)
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
