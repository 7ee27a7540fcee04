//! What the facts say about the knowledge bases of a spec: embedding models, regions, limits, and what stores cost while
//! they wait.

use crate::facts::{self, HOURS_OF_A_MONTH};
use crate::finding::{Finding, code};
use crate::spec::{KnowledgeBase, LoadedSpec, Store, escape};

pub(super) fn check(loaded: &LoadedSpec, region: Option<&str>, findings: &mut Vec<Finding>) {
    for (name, base) in &loaded.spec.knowledge_bases {
        let pointer = format!("/knowledge-bases/{}", escape(name));
        if let Some(model) = &base.embedding {
            let place = loaded.place(&format!("{pointer}/embedding"));
            findings.extend(embedding(loaded, model).map(|finding| finding.at(place)));
        }
        let at_store = || loaded.place(&format!("{pointer}/store"));
        findings.extend(elsewhere(base, region).map(|finding| finding.at(at_store())));
        findings.extend(idle(base).map(|finding| finding.at(at_store())));
        findings.extend(beforehand(base).map(|finding| finding.at(at_store())));
        findings.extend(sources(base).map(|finding| finding.at(loaded.key_place(&format!("{pointer}/sources")))));
    }
    for (name, model) in &loaded.spec.models {
        let Some((wanted, fact)) = model.dimensions.zip(facts::models().get(&model.id)) else { continue };
        if !fact.dimensions.is_empty() && !fact.dimensions.contains(&wanted) {
            let offered = fact.dimensions.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
            findings.push(
                Finding::error(code::B023, format!("`{}` makes no vectors of length {wanted}", model.id))
                    .at(loaded.place(&format!("/models/{}/dimensions", escape(name))))
                    .help(format!("choose one of {offered}")),
            );
        }
    }
}

/// Whether a model can embed the documents of a knowledge base.
fn embedding(loaded: &LoadedSpec, name: &str) -> Option<Finding> {
    let model = loaded.spec.models.get(name)?;
    let table = facts::models();
    let by_profile = table.profile_of(&model.id).is_some()
        || (model.id.starts_with("arn:") && model.id.contains("inference-profile/"))
        || model.application_profile;
    if by_profile {
        let message = format!("a knowledge base calls `{}` by its own id, and by no inference profile", model.id);
        let help = match table.profile_of(&model.id) {
            Some((_, base)) => format!("write `id: {base}`"),
            None => "name the model itself, without `application-profile`".to_owned(),
        };
        return Some(Finding::error(code::B020, message).help(help));
    }
    let fact = table.get(&model.id)?;
    (fact.output != "embedding").then(|| {
        Finding::error(code::B021, format!("`{}` makes no vectors: it gives back {}", model.id, fact.output))
            .help("choose an embedding model, such as `amazon.titan-embed-text-v2:0`")
    })
}

fn elsewhere(base: &KnowledgeBase, region: Option<&str>) -> Option<Finding> {
    let (table, region) = (facts::knowledge_bases(), region?);
    let regions = &table.managed_regions;
    if base.store != Store::Managed || regions.values.iter().any(|known| known == region) {
        return None;
    }
    let offered = regions.values.iter().map(|it| format!("`{it}`")).collect::<Vec<_>>().join(", ");
    Some(
        Finding::error(code::B025, format!("managed knowledge bases are not offered in `{region}`")).help(format!(
            "on {} they were in {offered}; deploy to one of them, or choose another `store`",
            regions.as_of
        )),
    )
}

/// What a store costs when nobody asks it anything.
fn idle(base: &KnowledgeBase) -> Option<Finding> {
    let (price, count, unit) = match base.store {
        Store::OpensearchServerless => {
            let least = facts::knowledge_bases().opensearch_serverless_idle_ocus.value;
            let copies = if base.opensearch_serverless.as_ref().is_some_and(|store| store.standby) { 2 } else { 1 };
            ("opensearch-serverless-ocu", least * copies, "OCU")
        }
        Store::NeptuneAnalytics => {
            let memory = base.neptune_analytics.as_ref().and_then(|store| store.memory).unwrap_or(16);
            ("neptune-analytics-m-ncu", memory, "m-NCU")
        }
        _ => return None,
    };
    let price = facts::prices().get(price)?;
    let hour = price.usd * f64::from(count);
    let what = match base.store {
        Store::OpensearchServerless => "an OpenSearch Serverless collection",
        _ => "a Neptune Analytics graph",
    };
    Some(
        Finding::note(
            code::B026,
            format!(
                "{what} costs about {hour:.2} USD an hour, {:.0} a month, asked or not ({count} {unit})",
                hour * HOURS_OF_A_MONTH
            ),
        )
        .help(format!(
            "destroy it when you are done, or use `store: s3-vectors`, which costs next to nothing while it waits; the \
             price is of {} in us-east-1",
            price.as_of
        )),
    )
}

/// What CloudFormation cannot make and Bedrock wants to find.
fn beforehand(base: &KnowledgeBase) -> Option<Finding> {
    let (what, help) = match base.store {
        Store::Aurora => (
            format!("the table `{}`", base.aurora.as_ref().map_or("", |store| store.table.as_str())),
            "with the extension `vector` and the columns `id` (uuid, primary key), `embedding` (vector of the model's \
             length), `chunks` (text) and `metadata` (json), an index on `embedding` and one on `chunks`; the cluster \
             needs its Data API",
        ),
        Store::OpensearchCluster => (
            format!("the index `{}`", base.opensearch_cluster.as_ref().map_or("", |store| store.index.as_str())),
            "with a `knn_vector` field `bedrock-knowledge-base-default-vector` of the model's length, and let the domain's \
             policy admit the knowledge base's role",
        ),
        Store::Pinecone => ("the index".to_owned(), "with as many dimensions as the embedding model's vectors have"),
        Store::MongodbAtlas => (
            format!("the index `{}`", base.mongodb_atlas.as_ref().map_or("", |store| store.index.as_str())),
            "as a vector index on the field `AMAZON_BEDROCK_CHUNK_VECTOR`, of the model's length",
        ),
        _ => return None,
    };
    Some(
        Finding::note(code::B027, format!("{what} must be there before the knowledge base"))
            .help(format!("make it {help}")),
    )
}

fn sources(base: &KnowledgeBase) -> Option<Finding> {
    let most = &facts::knowledge_bases().most_data_sources;
    let count = base.sources.len();
    (count > most.value as usize).then(|| {
        Finding::warning(code::B024, format!("{count} sources are more than a knowledge base has by default"))
            .help(format!("use {} at most, or have the account's quota raised", most.value))
    })
}
