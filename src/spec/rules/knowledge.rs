//! Knowledge bases: what goes with which store, what goes with which way of cutting and reading documents.

use super::context::Rules;
use crate::finding::code;
use crate::spec::text::{Piece, Text};
use crate::spec::types::{Chunking, ChunkingRule, KnowledgeBase, Parsing, ParsingWay, Source, SourceDeletion, Store};
use crate::spec::words::{cut, escape};

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, base) in &spec.knowledge_bases {
        let pointer = format!("/knowledge-bases/{}", escape(name));
        if let Some(own) = &base.name {
            service_name(rules, &format!("{pointer}/name"), own, 100);
        }
        store(rules, &pointer, base);
        for (key, source) in &base.sources {
            self::source(rules, &format!("{pointer}/sources/{}", escape(key)), base, source);
        }
    }
}

/// The name Bedrock takes for most of its things, where it is known here.
pub(super) fn service_name(rules: &mut Rules<'_>, pointer: &str, text: &Text, most: usize) {
    let Ok(pieces) = text.pieces() else { return };
    let literal: String = pieces
        .into_iter()
        .map(|piece| match piece {
            Piece::Literal(literal) => literal,
            // Whatever it stands for, it is taken for a letter.
            Piece::Reference(_) => "x".to_owned(),
        })
        .collect();
    let separator = |c: char| c == '-' || c == '_';
    let fits = !literal.is_empty()
        && literal.len() <= most
        && !literal.starts_with(separator)
        && literal.chars().all(|c| c.is_ascii_alphanumeric() || separator(c))
        && !literal.as_bytes().windows(2).any(|pair| pair.iter().all(|b| separator(char::from(*b))));
    if !fits {
        let message = format!("`{}` cannot be a name in Bedrock", cut(text.source()));
        let help = format!(
            "use letters and digits with single `-` or `_` between them, a letter or digit first, at most {most} characters"
        );
        rules.error(code::S141, pointer, message, help);
    }
}

/// The key under which a store is described.
fn key(store: Store) -> Option<&'static str> {
    match store {
        Store::S3Vectors | Store::Managed => None,
        Store::OpensearchServerless => Some("opensearch-serverless"),
        Store::Aurora => Some("aurora"),
        Store::Pinecone => Some("pinecone"),
        Store::MongodbAtlas => Some("mongodb-atlas"),
        Store::NeptuneAnalytics => Some("neptune-analytics"),
        Store::OpensearchCluster => Some("opensearch-cluster"),
    }
}

/// A store's name as it is written.
fn written(store: Store) -> &'static str {
    match store {
        Store::S3Vectors => "s3-vectors",
        Store::Managed => "managed",
        other => key(other).unwrap_or_default(),
    }
}

fn store(rules: &mut Rules<'_>, pointer: &str, base: &KnowledgeBase) {
    let wanted = key(base.store);
    let chosen = written(base.store);
    let described = [
        ("opensearch-serverless", base.opensearch_serverless.is_some()),
        ("aurora", base.aurora.is_some()),
        ("pinecone", base.pinecone.is_some()),
        ("mongodb-atlas", base.mongodb_atlas.is_some()),
        ("neptune-analytics", base.neptune_analytics.is_some()),
        ("opensearch-cluster", base.opensearch_cluster.is_some()),
    ];
    for (key, there) in described {
        if there && wanted != Some(key) {
            let message = format!("`{key}` says nothing where `store` is `{chosen}`");
            rules.error_at_key(
                code::S142,
                &format!("{pointer}/{key}"),
                message,
                format!("write `store: {key}`, or remove it"),
            );
        }
        // A collection is made, and needs nothing said of it.
        let needed = key != "opensearch-serverless";
        if !there && needed && wanted == Some(key) && rules.document.pointer(&format!("{pointer}/{key}")).is_none() {
            let message = format!("the store `{key}` is not described");
            rules.error(
                code::S142,
                &format!("{pointer}/store"),
                message,
                format!("add `{key}:` with what the store is"),
            );
        }
    }
    if base.embedding.is_none() && base.store != Store::Managed {
        let message = format!("the store `{chosen}` needs an embedding model");
        let help = "name one of `models` under `embedding`; only a managed knowledge base has one of its own";
        rules.error_at_key(code::S143, pointer, message, help);
    }
}

fn source(rules: &mut Rules<'_>, pointer: &str, base: &KnowledgeBase, source: &Source) {
    match (&source.bucket, &source.web) {
        (None, None) => {
            let message = "a source is a bucket or pages of the web, and this names neither".to_owned();
            rules.error_at_key(code::S144, pointer, message, "write `bucket:` with a name under `buckets`, or `web:`");
        }
        (Some(_), Some(_)) => {
            let message = "a source is a bucket or pages of the web, and this names both".to_owned();
            rules.error_at_key(code::S144, &format!("{pointer}/web"), message, "make two sources of it");
        }
        _ => {}
    }
    if source.prefix.is_some() && source.bucket.is_none() {
        let message = "`prefix` goes with `bucket`".to_owned();
        rules.error_at_key(code::S144, &format!("{pointer}/prefix"), message, "remove it");
    }
    if let Some(web) = &source.web {
        for (index, url) in web.urls.iter().enumerate() {
            let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
            let host = rest.is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_alphanumeric()));
            if !host || url.contains(char::is_whitespace) {
                let message = format!("`{}` is not the address of a page", cut(url));
                rules.error(
                    code::S144,
                    &format!("{pointer}/web/urls/{index}"),
                    message,
                    "write it as `https://HOST/PATH`",
                );
            }
        }
    }
    if base.store == Store::Managed {
        let refused = [
            ("web", source.web.is_some()),
            ("chunking", source.chunking.is_some()),
            ("parsing", source.parsing.is_some()),
        ];
        for (key, there) in refused {
            if there {
                let message = format!("a managed knowledge base takes no `{key}`");
                let help = "Bedrock reads and cuts the documents of its buckets as it sees fit; choose another `store` to \
                            say how";
                rules.error_at_key(code::S144, &format!("{pointer}/{key}"), message, help);
            }
        }
        if source.deletion == Some(SourceDeletion::Retain) {
            // Source: `dataDeletionPolicy` of CreateDataSource in botocore 1.43.106; the local target refuses the same.
            let message = "the vectors of a managed knowledge base cannot be retained".to_owned();
            let help =
                "leave `deletion` out: Bedrock deletes them with the source; choose another `store` to retain them";
            rules.error(code::S144, &format!("{pointer}/deletion"), message, help);
        }
    }
    if let Some(chunking) = &source.chunking {
        self::chunking(rules, &format!("{pointer}/chunking"), chunking);
    }
    if let Some(parsing) = &source.parsing {
        self::parsing(rules, &format!("{pointer}/parsing"), parsing);
    }
}

/// The fields of a way of cutting: those it must have, and those it may have besides.
fn fields(rule: ChunkingRule) -> (&'static str, &'static [&'static str]) {
    match rule {
        ChunkingRule::None => ("none", &[]),
        ChunkingRule::Fixed => ("fixed", &["tokens", "overlap"]),
        ChunkingRule::Hierarchical => ("hierarchical", &["tokens", "child-tokens", "overlap-tokens"]),
        ChunkingRule::Semantic => ("semantic", &["tokens", "breakpoint", "buffer"]),
    }
}

fn chunking(rules: &mut Rules<'_>, pointer: &str, chunking: &Chunking) {
    let (rule, wanted) = fields(chunking.by);
    let given = [
        ("tokens", chunking.tokens),
        ("overlap", chunking.overlap),
        ("child-tokens", chunking.child_tokens),
        ("overlap-tokens", chunking.overlap_tokens),
        ("breakpoint", chunking.breakpoint),
        ("buffer", chunking.buffer),
    ];
    let list = wanted.iter().map(|field| format!("`{field}`")).collect::<Vec<_>>().join(", ");
    for (field, value) in given {
        let wants = wanted.contains(&field);
        if value.is_some() && !wants {
            let message = format!("`{field}` says nothing of `by: {rule}`");
            let help = if list.is_empty() { "remove it".to_owned() } else { format!("`by: {rule}` takes {list}") };
            rules.error_at_key(code::S145, &format!("{pointer}/{field}"), message, help);
        } else if value.is_none() && wants {
            let message = format!("`by: {rule}` needs `{field}`");
            rules.error(code::S145, &format!("{pointer}/by"), message, format!("say {list}"));
        }
    }
    if let (ChunkingRule::Hierarchical, Some(parent), Some(child)) =
        (chunking.by, chunking.tokens, chunking.child_tokens)
        && child > parent
    {
        let message = format!("a child piece of {child} tokens is larger than its parent of {parent}");
        rules.error(code::S145, &format!("{pointer}/child-tokens"), message, "make it smaller than `tokens`");
    }
    if let (ChunkingRule::Hierarchical, Some(child), Some(overlap)) =
        (chunking.by, chunking.child_tokens, chunking.overlap_tokens)
        && overlap >= child
    {
        let message = format!("pieces of {child} tokens cannot repeat {overlap} of the one before");
        rules.error(code::S145, &format!("{pointer}/overlap-tokens"), message, "make it smaller than `child-tokens`");
    }
}

fn parsing(rules: &mut Rules<'_>, pointer: &str, parsing: &Parsing) {
    match parsing.by {
        ParsingWay::Model if parsing.model.is_none() => {
            let message = "`by: model` does not say which model reads".to_owned();
            rules.error(code::S146, &format!("{pointer}/by"), message, "add `model:` with a name under `models`");
        }
        ParsingWay::DataAutomation => {
            for (field, there) in [("model", parsing.model.is_some()), ("prompt", parsing.prompt.is_some())] {
                if there {
                    let message = format!("`{field}` says nothing of `by: data-automation`");
                    rules.error_at_key(code::S146, &format!("{pointer}/{field}"), message, "remove it");
                }
            }
        }
        ParsingWay::Model => {}
    }
}
