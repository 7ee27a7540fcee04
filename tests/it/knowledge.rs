//! Knowledge bases, as a user could see them: what each store and source becomes, what its role may do, what is refused.

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::{Finding, Severity};
use bedplate::iam::Policy;
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec;
use serde_json::{Value, json};

use crate::render::{DEV, properties, rendered};
use crate::support::Project;

/// A spec with a knowledge base `k` over the bucket `docs`.
fn with(base: &str) -> String {
    format!(
        "bedplate: 1
name: course
region: us-west-2
models:
  e: {{ id: \"amazon.titan-embed-text-v2:0\" }}
  t: {{ id: us.amazon.nova-2-lite-v1:0 }}
buckets: {{ docs: {{}} }}
knowledge-bases:
  k:
{base}
"
    )
}

const SOURCE: &str = "    sources: { all: { bucket: docs } }";

fn s3_vectors() -> String {
    with(&format!("    embedding: e\n{SOURCE}"))
}

fn at<'a>(rendered: &'a Rendered, id: &str, pointer: &str) -> &'a Value {
    let template = rendered.template.value();
    template.pointer(&format!("/Resources/{id}{pointer}")).unwrap_or_else(|| panic!("{id} has no {pointer}"))
}

fn depends_on(rendered: &Rendered, id: &str) -> Vec<String> {
    serde_json::from_value(at(rendered, id, "/DependsOn").clone()).expect("a list of ids")
}

/// The actions that a knowledge base's role may do, each with its resources.
fn rights(rendered: &Rendered) -> Vec<(String, Vec<Value>)> {
    let policy = Policy::from_value(&properties(rendered, "KKnowledgeBaseRolePolicy")["PolicyDocument"]);
    let statements = policy.expect("a policy document").statements;
    let mut rights: Vec<_> = statements
        .into_iter()
        .flat_map(|it| it.actions.into_iter().map(move |action| (action, it.resources.clone())))
        .collect();
    rights.sort_by(|a, b| a.0.cmp(&b.0));
    rights
}

fn actions(rendered: &Rendered) -> Vec<String> {
    rights(rendered).into_iter().map(|(action, _)| action).collect()
}

fn findings(text: &str) -> Vec<Finding> {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec without findings");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let today = Day::parse("2026-11-24").expect("a day");
    let findings = check(&loaded, &rendered, &CheckOptions { today, region: None });
    findings.into_iter().filter(|it| it.code != "R102" && it.code != "R100").collect()
}

fn codes(text: &str) -> Vec<(&'static str, Severity, usize)> {
    let line = |it: &Finding| it.place.as_ref().map_or(0, |place| place.line);
    findings(text).iter().map(|it| (it.code.as_str(), it.severity, line(it))).collect()
}

#[test]
fn a_role_may_read_its_source_call_its_model_and_use_its_index() {
    let rendered = rendered(&s3_vectors());
    let index = json!({ "Fn::GetAtt": ["KKnowledgeBaseIndex", "IndexArn"] });
    let vectors = |action: &str| (format!("s3vectors:{action}"), vec![index.clone()]);
    let model = "arn:${AWS::Partition}:bedrock:${AWS::Region}::foundation-model/amazon.titan-embed-text-v2:0";
    let project = "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:project/default";
    assert_eq!(
        rights(&rendered),
        [
            ("bedrock:InvokeModel".to_owned(), vec![json!({ "Fn::Sub": project }), json!({ "Fn::Sub": model })]),
            ("s3:GetObject".to_owned(), vec![json!({ "Fn::Sub": "${DocsBucket.Arn}/*" })]),
            ("s3:ListBucket".to_owned(), vec![json!({ "Fn::GetAtt": ["DocsBucket", "Arn"] })]),
            vectors("DeleteVectors"),
            vectors("GetIndex"),
            vectors("GetVectors"),
            vectors("PutVectors"),
            vectors("QueryVectors"),
        ]
    );
    let trust = at(&rendered, "KKnowledgeBaseRole", "/Properties/AssumeRolePolicyDocument/Statement/0");
    assert_eq!(trust["Principal"], json!({ "Service": "bedrock.amazonaws.com" }));
    assert_eq!(trust["Condition"]["StringEquals"]["aws:SourceAccount"], json!({ "Ref": "AWS::AccountId" }));
    assert_eq!(
        trust["Condition"]["ArnLike"]["aws:SourceArn"],
        json!({ "Fn::Sub": "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:knowledge-base/*" })
    );
}

#[test]
fn a_knowledge_base_waits_for_its_rights_and_not_only_for_its_role() {
    let rendered = rendered(&s3_vectors());
    assert_eq!(depends_on(&rendered, "KKnowledgeBase"), ["KKnowledgeBaseRolePolicy"]);
    assert_eq!(properties(&rendered, "KKnowledgeBaseRolePolicy")["Roles"], json!([{ "Ref": "KKnowledgeBaseRole" }]));
}

#[test]
fn the_index_is_made_for_the_vectors_of_the_model() {
    let sized = |models: &str| {
        let rendered = rendered(&s3_vectors().replace("\"amazon.titan-embed-text-v2:0\"", models));
        let told =
            "/Properties/KnowledgeBaseConfiguration/VectorKnowledgeBaseConfiguration/EmbeddingModelConfiguration";
        let told = rendered
            .template
            .value()
            .pointer(&format!("/Resources/KKnowledgeBase{told}"))
            .map(|it| it["BedrockEmbeddingModelConfiguration"]["Dimensions"].clone());
        (properties(&rendered, "KKnowledgeBaseIndex")["Dimension"].clone(), told)
    };
    assert_eq!(sized("\"amazon.titan-embed-text-v2:0\""), (json!(1024), Some(json!(1024))));
    assert_eq!(sized("\"amazon.titan-embed-text-v2:0\", dimensions: 256"), (json!(256), Some(json!(256))));
    assert_eq!(sized("amazon.titan-embed-text-v1"), (json!(1536), None), "a model of one size is told none");
    let keys = at(
        &rendered(&s3_vectors()),
        "KKnowledgeBaseIndex",
        "/Properties/MetadataConfiguration/NonFilterableMetadataKeys",
    )
    .clone();
    assert_eq!(keys, json!(["AMAZON_BEDROCK_TEXT", "AMAZON_BEDROCK_METADATA"]));
}

#[test]
fn what_makes_a_new_knowledge_base_gives_it_a_new_name_and_nothing_else_does() {
    let names = |text: &str| {
        let rendered = rendered(text);
        let name = |id: &str| properties(&rendered, id)["Name"].as_str().expect("a name").to_owned();
        (name("KKnowledgeBase"), name("KAllDataSource"))
    };
    let spec = s3_vectors();
    let (base, source) = names(&spec);
    assert!(base.starts_with("course-dev-k-") && base.len() == "course-dev-k-".len() + 8, "{base}");
    assert!(source.starts_with("all-"), "{source}");
    let described = spec.replace("    embedding: e\n", "    embedding: e\n    description: Texts\n");
    assert_eq!(names(&described), (base.clone(), source.clone()));
    let smaller = names(&spec.replace("v2:0\"", "v2:0\", dimensions: 512"));
    assert_ne!(smaller.0, base);
    assert_eq!(smaller.1, source);
    let cut = names(&spec.replace("{ bucket: docs }", "{ bucket: docs, chunking: { by: none } }"));
    assert_eq!(cut.0, base);
    assert_ne!(cut.1, source);
    let own = names(&spec.replace("    embedding: e\n", "    embedding: e\n    name: mine\n"));
    assert_eq!(own.0, "mine");
}

#[test]
fn opensearch_serverless_is_made_in_the_order_it_needs() {
    let text = with(&format!(
        "    store: opensearch-serverless\n    embedding: e\n    \
         opensearch-serverless: {{ readers: [team/Analyst, \"arn:aws:iam::123456789012:role/Reader\", \"${{parameters.auditor}}\"] }}\n{SOURCE}"
    ));
    let rendered =
        rendered(&text.replace("buckets:", "parameters: { auditor: { description: Who audits } }\nbuckets:"));
    assert_eq!(
        depends_on(&rendered, "KKnowledgeBaseCollection"),
        ["KKnowledgeBaseCollectionEncryption", "KKnowledgeBaseCollectionNetwork"]
    );
    assert_eq!(
        depends_on(&rendered, "KKnowledgeBaseIndex"),
        ["KKnowledgeBaseCollectionAccess", "KKnowledgeBaseRolePolicy"],
        "the older both are when the knowledge base is made, the better they are known"
    );
    assert_eq!(
        depends_on(&rendered, "KKnowledgeBase"),
        ["KKnowledgeBaseCollectionAccess", "KKnowledgeBaseIndex", "KKnowledgeBaseRolePolicy"]
    );
    let name = properties(&rendered, "KKnowledgeBaseCollection")["Name"].as_str().expect("a name");
    assert!(name.len() <= 32 && name.starts_with("course-dev-k-"), "{name}");
    assert_eq!(properties(&rendered, "KKnowledgeBaseCollection")["StandbyReplicas"], "DISABLED");

    let access = &properties(&rendered, "KKnowledgeBaseCollectionAccess")["Policy"]["Fn::Sub"];
    let access: Value = serde_json::from_str(access.as_str().expect("text")).expect("JSON, its references as text");
    let principals = json!([
        "${KKnowledgeBaseRole.Arn}",
        "${DeployerArn}",
        "arn:${AWS::Partition}:iam::${AWS::AccountId}:role/team/Analyst",
        "arn:aws:iam::123456789012:role/Reader",
        "${Auditor}",
    ]);
    let deployer = rendered.template.parameters().find(|it| it.name == "DeployerArn").expect("a parameter");
    assert!(deployer.default().is_none(), "only who deploys knows who deploys");
    assert_eq!(access[0]["Principal"], principals);
    assert_eq!(access[0]["Rules"][0]["Resource"], json!([format!("index/{name}/*")]));

    let vectors = "/Properties/Mappings/Properties/bedrock-knowledge-base-default-vector";
    assert_eq!(at(&rendered, "KKnowledgeBaseIndex", vectors)["Type"], "knn_vector");
    assert_eq!(at(&rendered, "KKnowledgeBaseIndex", vectors)["Dimension"], 1024);
    assert!(actions(&rendered).contains(&"aoss:APIAccessAll".to_owned()));
}

#[test]
fn the_longest_names_still_fit_a_collection() {
    let text = with(&format!(
        "    store: opensearch-serverless\n    embedding: e\n    \
         opensearch-serverless: {{ standby: true, readers: [\"arn:aws:iam::1:role/D\"] }}\n{SOURCE}"
    ));
    let name = |use_case: &str| {
        let text = text.replace("name: course", &format!("name: {use_case}"));
        let rendered = rendered(&text);
        properties(&rendered, "KKnowledgeBaseCollection")["Name"].as_str().expect("a name").to_owned()
    };
    let (one, other) = (name(&format!("C{}", "x".repeat(63))), name(&format!("C{}y", "x".repeat(62))));
    for name in [&one, &other] {
        let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
        assert!(name.len() <= 32 && name.chars().all(fits), "{name}");
    }
    assert_ne!(one, other);
}

#[test]
fn a_managed_knowledge_base_has_no_store_and_a_connector_for_a_source() {
    let rendered = rendered(&with("    store: managed\n    sources: { all: { bucket: docs, prefix: texts/ } }"));
    let base = properties(&rendered, "KKnowledgeBase");
    assert_eq!(base["KnowledgeBaseConfiguration"]["Type"], "MANAGED");
    assert!(!base.contains_key("StorageConfiguration"));
    let source = &properties(&rendered, "KAllDataSource")["DataSourceConfiguration"];
    assert_eq!(source["Type"], "MANAGED_KNOWLEDGE_BASE_CONNECTOR");
    assert_eq!(
        source["ManagedKnowledgeBaseConnectorConfiguration"]["ConnectorParameters"],
        json!({
            "type": "S3",
            "version": "1",
            "connectionConfiguration": {
                "bucketName": { "Ref": "DocsBucket" }, "bucketOwnerAccountId": { "Ref": "AWS::AccountId" },
            },
            "filterConfiguration": { "inclusionPrefixes": ["texts/"] },
        })
    );
    assert_eq!(actions(&rendered), ["cloudwatch:PutMetricData", "s3:GetObject", "s3:ListBucket"]);
    let policy = properties(&rendered, "KKnowledgeBaseRolePolicy")["PolicyDocument"].to_string();
    assert!(policy.contains("AWS/Bedrock/KnowledgeBases"), "metrics of this namespace only: {policy}");
    assert!(policy.contains("${DocsBucket.Arn}/texts/*"), "objects below the prefix only: {policy}");
}

#[test]
fn stores_that_are_there_already_are_named_and_what_they_need_is_granted() {
    let secret = "secretsmanager:GetSecretValue";
    for (store, described, type_, granted) in [
        (
            "aurora",
            "cluster: \"arn:aws:rds:us-west-2:123456789012:cluster:c\", database: postgres, table: bedrock.k, \
             secret: \"arn:aws:secretsmanager:us-west-2:123456789012:secret:s-abc\"",
            "RDS",
            vec!["rds-data:BatchExecuteStatement", "rds-data:ExecuteStatement", "rds:DescribeDBClusters", secret],
        ),
        (
            "opensearch-cluster",
            "domain: \"arn:aws:es:us-west-2:123456789012:domain/know\", index: texts, endpoint: \"https://x.amazonaws.com\"",
            "OPENSEARCH_MANAGED_CLUSTER",
            vec![
                "es:DescribeDomain",
                "es:ESHttpDelete",
                "es:ESHttpGet",
                "es:ESHttpHead",
                "es:ESHttpPost",
                "es:ESHttpPut",
            ],
        ),
    ] {
        let rendered =
            rendered(&with(&format!("    store: {store}\n    {store}: {{ {described} }}\n    embedding: e\n{SOURCE}")));
        assert_eq!(at(&rendered, "KKnowledgeBase", "/Properties/StorageConfiguration/Type"), type_, "{store}");
        let mut expected = vec!["bedrock:InvokeModel", "s3:GetObject", "s3:ListBucket"];
        expected.extend(granted);
        expected.sort_unstable();
        assert_eq!(actions(&rendered), expected, "{store}");
    }
}

#[test]
fn a_graph_is_made_and_its_model_finds_what_documents_speak_of() {
    let rendered = rendered(&with(&format!(
        "    store: neptune-analytics\n    neptune-analytics: {{ model: t }}\n    embedding: e\n{SOURCE}"
    )));
    let graph = properties(&rendered, "KKnowledgeBaseGraph");
    assert_eq!(graph["ProvisionedMemory"], 16);
    assert_eq!(graph["VectorSearchConfiguration"]["VectorSearchDimension"], 1024);
    let enrichment = "/Properties/VectorIngestionConfiguration/ContextEnrichmentConfiguration";
    assert_eq!(at(&rendered, "KAllDataSource", enrichment)["Type"], "BEDROCK_FOUNDATION_MODEL");
    let actions = actions(&rendered);
    assert!(actions.contains(&"neptune-graph:WriteDataViaQuery".to_owned()), "{actions:?}");
    assert!(actions.contains(&"bedrock:GetInferenceProfile".to_owned()), "the model is called through a profile");
}

#[test]
fn documents_are_cut_and_read_as_the_spec_says() {
    let ingestion = |source: &str| {
        let text = with(&format!("    embedding: e\n    sources: {{ all: {{ {source} }} }}"));
        let rendered = rendered(&text);
        let source = properties(&rendered, "KAllDataSource").clone();
        (source.get("VectorIngestionConfiguration").cloned().unwrap_or_default(), source, actions(&rendered))
    };
    let (none, source, _) = ingestion("bucket: docs");
    assert_eq!((none, &source["DataDeletionPolicy"]), (Value::Null, &json!("RETAIN")));
    let (fixed, ..) = ingestion("bucket: docs, chunking: { by: fixed, tokens: 300, overlap: 20 }");
    assert_eq!(
        fixed["ChunkingConfiguration"],
        json!({ "ChunkingStrategy": "FIXED_SIZE",
            "FixedSizeChunkingConfiguration": { "MaxTokens": 300, "OverlapPercentage": 20 } })
    );
    let (levels, ..) =
        ingestion("bucket: docs, chunking: { by: hierarchical, tokens: 1500, child-tokens: 300, overlap-tokens: 60 }");
    assert_eq!(
        levels["ChunkingConfiguration"]["HierarchicalChunkingConfiguration"],
        json!({ "LevelConfigurations": [{ "MaxTokens": 1500 }, { "MaxTokens": 300 }], "OverlapTokens": 60 })
    );
    let (meaning, source, _) = ingestion(
        "web: { urls: [\"https://example.com/\"], scope: subdomains, rate: 30 }, deletion: delete, \
         chunking: { by: semantic, tokens: 300, breakpoint: 95, buffer: 0 }",
    );
    assert_eq!(
        meaning["ChunkingConfiguration"]["SemanticChunkingConfiguration"],
        json!({ "MaxTokens": 300, "BreakpointPercentileThreshold": 95, "BufferSize": 0 })
    );
    assert_eq!(source["DataDeletionPolicy"], "DELETE");
    let web = &source["DataSourceConfiguration"]["WebConfiguration"];
    assert_eq!(web["CrawlerConfiguration"], json!({ "Scope": "SUBDOMAINS", "CrawlerLimits": { "RateLimit": 30 } }));
    assert_eq!(web["SourceConfiguration"]["UrlConfiguration"]["SeedUrls"], json!([{ "Url": "https://example.com/" }]));
    let (read, _, actions) = ingestion("bucket: docs, parsing: { by: model, model: t, prompt: \"Read {all}.\" }");
    let model = &read["ParsingConfiguration"]["BedrockFoundationModelConfiguration"];
    assert_eq!(model["ParsingPrompt"]["ParsingPromptText"], "Read {all}.");
    assert!(
        model["ModelArn"]["Fn::Sub"]
            .as_str()
            .is_some_and(|arn| arn.ends_with("inference-profile/us.amazon.nova-2-lite-v1:0"))
    );
    assert!(actions.contains(&"bedrock:GetInferenceProfile".to_owned()), "{actions:?}");
    let (read, _, actions) = ingestion("bucket: docs, parsing: { by: data-automation }");
    assert_eq!(read["ParsingConfiguration"], json!({ "ParsingStrategy": "BEDROCK_DATA_AUTOMATION" }));
    assert!(actions.contains(&"bedrock:InvokeDataAutomationAsync".to_owned()), "{actions:?}");
}

#[test]
fn an_encrypted_bucket_is_read_with_its_key_through_s3_only() {
    let text = s3_vectors().replace("docs: {}", "docs: { kms-key: \"arn:aws:kms:us-west-2:123456789012:key/k\" }");
    let rendered = rendered(&text);
    let policy = properties(&rendered, "KKnowledgeBaseRolePolicy")["PolicyDocument"].to_string();
    assert!(actions(&rendered).contains(&"kms:Decrypt".to_owned()) && policy.contains("kms:ViaService"), "{policy}");
}

#[test]
fn functions_search_or_ask_a_knowledge_base_and_get_its_id() {
    let uses = |grant: &str| {
        format!(
            "{}functions:\n  f:\n    code: function/\n    handler: app.handler\n    runtime: python3.13\n    \
             environment: {{ BASE: \"${{knowledge-bases.k}}\", ARN: \"${{knowledge-bases.k.arn}}\" }}\n    \
             uses: [{{ {grant}: knowledge-bases.k }}]\n",
            s3_vectors()
        )
    };
    let arn = json!({ "Fn::GetAtt": ["KKnowledgeBase", "KnowledgeBaseArn"] });
    let rendered = rendered(&uses("ask"));
    let policy = at(&rendered, "FFunctionRole", "/Properties/Policies/0/PolicyDocument");
    let statements = Policy::from_value(policy).expect("a policy").statements;
    let granted = |action: &str| {
        let found = statements.iter().find(|it| it.actions.contains(action));
        found.map(|it| it.resources.clone()).unwrap_or_default()
    };
    assert_eq!(granted("bedrock:Retrieve"), std::slice::from_ref(&arn));
    assert_eq!(granted("bedrock:RetrieveAndGenerate"), [json!("*")], "IAM knows no resource for it");
    let variables = &properties(&rendered, "FFunction")["Environment"]["Variables"];
    assert_eq!(variables["BASE"], json!({ "Fn::GetAtt": ["KKnowledgeBase", "KnowledgeBaseId"] }));
    assert_eq!(variables["ARN"], arn);

    let managed = uses("ask").replace("    embedding: e\n", "    store: managed\n");
    let refused = spec::load_str(&managed, "usecase.yaml").expect_err("no spec");
    assert_eq!(
        (refused[0].code.as_str(), refused[0].place.as_ref().map(|it| it.line)),
        ("S147", Some(18)),
        "{refused:?}"
    );
    assert!(refused[0].help.as_deref().is_some_and(|help| help.contains("retrieve: knowledge-bases.k")));
}

#[test]
fn a_model_whose_vectors_are_of_unknown_length_is_refused_until_it_is_said() {
    let text = s3_vectors().replace("\"amazon.titan-embed-text-v2:0\"", "new.embed-v9:0");
    let loaded = spec::load_str(&text, "usecase.yaml").expect("a spec");
    let refused = render(&loaded, &DEV, Partials::embedded()).expect_err("no template");
    assert_eq!(
        (refused[0].code.as_str(), refused[0].place.as_ref().map(|it| it.line)),
        ("R120", Some(10)),
        "{refused:?}"
    );
    let said = rendered(&text.replace("v9:0", "v9:0, dimensions: 768"));
    assert_eq!(properties(&said, "KKnowledgeBaseIndex")["Dimension"], 768);
}

#[test]
fn embedding_models_and_regions_are_held_against_the_facts() {
    use Severity::{Error, Note, Warning};
    let model = |id: &str| codes(&s3_vectors().replace("\"amazon.titan-embed-text-v2:0\"", id));
    assert_eq!(codes(&s3_vectors()), []);
    assert_eq!(model("global.cohere.embed-v4:0"), [("B020", Error, 10), ("B009", Note, 5)]);
    assert_eq!(model("amazon.nova-lite-v1:0, dimensions: 8"), [("B021", Error, 10)]);
    assert_eq!(model("\"amazon.titan-embed-text-v2:0\", dimensions: 300"), [("B023", Error, 5)]);
    let sources: String = (0..6).map(|number| format!("s{number}: {{ bucket: docs }}, ")).collect();
    assert_eq!(codes(&with(&format!("    embedding: e\n    sources: {{ {sources} }}"))), [("B024", Warning, 11)]);
    let managed = with(&format!("    store: managed\n{SOURCE}"));
    assert_eq!(codes(&managed), []);
    assert_eq!(codes(&managed.replace("us-west-2", "us-east-2")), [("B025", Error, 10)]);
    let reads = "    embedding: e\n    sources: { all: { bucket: docs, parsing: { by: model, model: e } } }";
    assert_eq!(codes(&with(reads)), [("B022", Error, 11)]);
}

#[test]
fn what_costs_while_it_waits_is_told_with_its_price() {
    let store = |more: &str| {
        findings(&with(&format!(
            "    store: opensearch-serverless\n    embedding: e\n    \
             opensearch-serverless: {{ readers: [\"arn:aws:iam::1:role/D\"]{more} }}\n{SOURCE}"
        )))
    };
    let (one, two) = (store(""), store(", standby: true"));
    assert_eq!((one.len(), one[0].code.as_str(), one[0].severity), (1, "B026", Severity::Note));
    let price = |finding: &Finding| {
        let dollars = regex::Regex::new(r"about ([0-9.]+) USD an hour").expect("a pattern");
        dollars.captures(&finding.message).expect("a price")[1].parse::<f64>().expect("a number")
    };
    assert!(price(&one[0]) > 0.0);
    assert!((price(&two[0]) - 2.0 * price(&one[0])).abs() < 0.011, "a second copy costs as much again");
    let aurora = with(&format!(
        "    store: aurora\n    aurora: {{ cluster: \"arn:aws:rds:us-west-2:123456789012:cluster:c\", database: d, \
         table: t, secret: \"arn:aws:secretsmanager:us-west-2:123456789012:secret:s\" }}\n    embedding: e\n{SOURCE}"
    ));
    assert_eq!(codes(&aurora), [("B027", Severity::Note, 10)], "what must be there beforehand is told");
}

/// Source: `dataDeletionPolicy` of CreateDataSource in botocore 1.43.106.
#[test]
fn the_sources_of_a_managed_knowledge_base_delete_what_was_read() {
    let managed = s3_vectors().replace("    embedding: e\n", "    store: managed\n");
    let policy = |text: &str| {
        let rendered = rendered(text);
        let sources: Vec<Value> = rendered
            .template
            .resources()
            .filter(|it| it.type_ == "AWS::Bedrock::DataSource")
            .map(|it| it.properties().and_then(|it| it.get("DataDeletionPolicy")).cloned().unwrap_or_default())
            .collect();
        assert_eq!(sources.len(), 1, "{text}");
        sources[0].clone()
    };
    assert_eq!(policy(&s3_vectors()), json!("RETAIN"));
    assert_eq!(policy(&managed), Value::Null);
    let with = |deletion: &str| managed.replace("bucket: docs", &format!("bucket: docs, deletion: {deletion}"));
    assert_ne!(with("retain"), managed);
    assert_eq!(policy(&with("delete")), Value::Null);
    let refused = spec::load_str(&with("retain"), "usecase.yaml").expect_err("no spec");
    assert_eq!(refused.iter().map(|it| it.code.as_str()).collect::<Vec<_>>(), ["S144"], "{refused:?}");
    assert!(refused[0].message.contains("cannot be retained"), "{}", refused[0]);
}

#[test]
fn the_local_target_retains_nothing_of_a_managed_knowledge_base_either() {
    let project = Project::empty();
    project.write("bedplate.yaml", "");
    let served = project.serve(&[]);
    let create = |name: &str, policy: &str| {
        let template = json!({ "Resources": {
            "Role": { "Type": "AWS::IAM::Role", "Properties": { "AssumeRolePolicyDocument": { "Statement": [
                { "Effect": "Allow", "Principal": { "Service": "bedrock.amazonaws.com" }, "Action": "sts:AssumeRole" }
            ] } } },
            "Base": { "Type": "AWS::Bedrock::KnowledgeBase", "Properties": {
                "Name": name, "RoleArn": { "Fn::GetAtt": "Role.Arn" },
                "KnowledgeBaseConfiguration": {
                    "Type": "MANAGED",
                    "ManagedKnowledgeBaseConfiguration": { "EmbeddingModelType": "MANAGED" }
                }
            } },
            "Source": { "Type": "AWS::Bedrock::DataSource", "Properties": {
                "Name": "documents", "KnowledgeBaseId": { "Ref": "Base" }, "DataDeletionPolicy": policy,
                "DataSourceConfiguration": {
                    "Type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
                    "ManagedKnowledgeBaseConnectorConfiguration": { "ConnectorParameters": { "type": "S3" } }
                }
            } }
        } });
        let body: String = form_urlencoded::byte_serialize(template.to_string().as_bytes()).collect();
        served.act("us-west-2", "cloudformation", &format!(
            "Action=CreateStack&Version=2010-05-15&StackName={name}&Capabilities.member.1=CAPABILITY_IAM&TemplateBody={body}"
        ));
        let events = format!("Action=DescribeStackEvents&Version=2010-05-15&StackName={name}");
        let end = |text: &str| {
            text.contains(">CREATE_COMPLETE<") && text.matches("AWS::CloudFormation::Stack<").count() > 1
                || text.contains(">ROLLBACK_COMPLETE<")
        };
        loop {
            let text = served.act("us-west-2", "cloudformation", &events);
            if end(&text) {
                return text;
            }
        }
    };
    let refused = create("retained", "RETAIN");
    assert!(refused.contains("the only supported data deletion policy is DELETE"), "{refused}");
    let made = create("deleted", "DELETE");
    assert!(!made.contains("_FAILED<"), "{made}");
}
