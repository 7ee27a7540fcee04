//! Behaviour of the `render` side, as a user could see it.

use std::path::{Path, PathBuf};

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::finding::Finding;
use bedplate::render::{ArtifactComponent, Partials, RenderOptions, Rendered, render};
use bedplate::spec::{self, LoadedSpec};
use serde_json::{Map, Value, json};

pub const DEV: RenderOptions<'static> = RenderOptions { stage: "dev", region: Some("us-west-2") };

pub fn stacks() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("stacks")
}

pub fn movie_poster() -> LoadedSpec {
    let path = stacks().join("movie-poster/usecase.yaml");
    spec::load(&path, "stacks/movie-poster/usecase.yaml").expect("a spec without findings")
}

pub fn rendered(text: &str) -> Rendered {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec without findings");
    render(&loaded, &DEV, Partials::embedded()).expect("a template")
}

fn refused(text: &str) -> Vec<Finding> {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec without findings");
    render(&loaded, &DEV, Partials::embedded()).expect_err("no template")
}

/// The properties of a resource.
pub fn properties<'a>(rendered: &'a Rendered, id: &str) -> &'a Map<String, Value> {
    rendered.template.resource(id).and_then(|it| it.properties()).unwrap_or_else(|| panic!("no {id}"))
}

#[test]
fn movie_poster_renders_as_recorded() {
    let rendered = render(&movie_poster(), &DEV, Partials::embedded()).expect("a template");
    insta::assert_snapshot!("movie-poster.json", rendered.template.to_json());
    insta::assert_snapshot!("movie-poster.yaml", rendered.template.to_yaml());
}

#[test]
fn a_rendering_says_where_everything_came_from_and_what_a_deploy_must_give() {
    let rendered = render(&movie_poster(), &DEV, Partials::embedded()).expect("a template");
    assert_eq!(rendered.capabilities, ["CAPABILITY_IAM"]);
    assert_eq!(rendered.tags["bedplate:use-case"], "movie-poster");
    assert_eq!(rendered.tags["bedplate:stage"], "dev");
    let artifacts: Vec<(&str, &ArtifactComponent)> =
        rendered.artifacts.iter().map(|it| (it.parameter.as_str(), &it.component)).collect();
    assert_eq!(
        artifacts,
        [
            ("Boto3LayerKey", &ArtifactComponent::Layer("boto3".to_owned())),
            ("DesignCodeKey", &ArtifactComponent::Function("design".to_owned())),
        ]
    );
    assert_eq!(rendered.origins["PostersBucketPolicy"], "/buckets/posters");
    assert_eq!(rendered.origins["PostersApiMoviePosterDesignGet"], "/apis/posters/routes/0/GET ~1moviePosterDesign");
    for resource in rendered.template.resources() {
        assert!(rendered.origins.contains_key(resource.logical_id), "{} has no origin", resource.logical_id);
    }
}

#[test]
fn a_stage_changes_names_and_no_logical_id() {
    let prod = RenderOptions { stage: "prod", region: None };
    let text = "bedplate: 1\nname: x\nbuckets: { b: { name: \"b-${stage}\" } }\n";
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec");
    let (dev, prod) = (
        render(&loaded, &DEV, Partials::embedded()).expect("a template"),
        render(&loaded, &prod, Partials::embedded()).expect("a template"),
    );
    assert_eq!(properties(&dev, "BBucket")["BucketNamePrefix"], "b-dev");
    assert_eq!(properties(&prod, "BBucket")["BucketNamePrefix"], "b-prod");
    assert_eq!(dev.origins, prod.origins);
}

/// A function `f`, and whatever is put in the places named.
pub fn with_function(function: &str, more: &str) -> String {
    format!(
        "bedplate: 1\nname: x\n{more}\nfunctions:\n  f: {{ code: function/, handler: app.handler, runtime: python3.13{function} }}\n"
    )
}

#[test]
fn a_function_may_do_what_it_uses_and_no_more() {
    let rendered = rendered(&with_function(
        ", uses: [{ invoke: models.m }, { read: buckets.b/in/ }, { write: buckets.b }, { invoke: models.p }, { invoke: models.g }]",
        "models: { m: { id: 'amazon.nova-lite-v1:0' }, p: { id: 'us.amazon.nova-2-lite-v1:0' }, g: { id: 'global.anthropic.claude-haiku-5-5' } }\nbuckets: { b: {} }",
    ));
    let statements = &properties(&rendered, "FFunctionRole")["Policies"][0]["PolicyDocument"]["Statement"];
    let foundation = |region: &str, id: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:bedrock:{region}::foundation-model/{id}") });
    let profile = |id: &str| json!({ "Fn::Sub": format!("arn:${{AWS::Partition}}:bedrock:${{AWS::Region}}:${{AWS::AccountId}}:inference-profile/{id}") });
    let project =
        || json!({ "Fn::Sub": "arn:${AWS::Partition}:bedrock:${AWS::Region}:${AWS::AccountId}:project/default" });
    let through = |id: &str| json!({ "StringEquals": { "bedrock:InferenceProfileArn": profile(id) } });
    assert_eq!(
        statements,
        &json!([
            { "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": [
                profile("global.anthropic.claude-haiku-5-5"),
                profile("us.amazon.nova-2-lite-v1:0"),
                project(),
                foundation("${AWS::Region}", "amazon.nova-lite-v1:0"),
            ] },
            { "Effect": "Allow", "Action": "bedrock:InvokeModel", "Resource": [
                foundation("${AWS::Region}", "anthropic.claude-haiku-5-5"),
                foundation("", "anthropic.claude-haiku-5-5"),
            ], "Condition": through("global.anthropic.claude-haiku-5-5") },
            { "Effect": "Allow", "Action": "bedrock:InvokeModel",
              "Resource": foundation("*", "amazon.nova-2-lite-v1:0"), "Condition": through("us.amazon.nova-2-lite-v1:0") },
            { "Effect": "Allow", "Action": "s3:GetObject", "Resource": { "Fn::Sub": "${BBucket.Arn}/in/*" } },
            { "Effect": "Allow", "Action": "s3:PutObject", "Resource": { "Fn::Sub": "${BBucket.Arn}/*" } },
            { "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"],
              "Resource": { "Fn::GetAtt": ["FFunctionLogs", "Arn"] } },
        ])
    );
}

#[test]
fn a_function_waits_as_long_as_its_caller() {
    let alone = rendered(&with_function("", ""));
    assert_eq!(properties(&alone, "FFunction")["Timeout"], 60);
    let api = "apis: { a: { kind: rest, routes: [{ GET /: { function: f } }] } }";
    assert_eq!(properties(&rendered(&with_function("", api)), "FFunction")["Timeout"], 29);
    assert_eq!(properties(&rendered(&with_function(", timeout: 5m", api)), "FFunction")["Timeout"], 300);
}

pub const ROUTES: &str = "apis:
  a:
    kind: rest
    routes:
      - GET /: { function: f }
      - ANY /items/{id}: { function: f, require: { headers: [X-Tenant] }, request: { id: '${path.id}', tenant: '${header.X-Tenant}' } }
      - POST /items/{id}/notes: { function: f, request: { note: '${body}' } }
";

#[test]
fn paths_nest_and_parameters_are_declared() {
    let rendered = rendered(&with_function("", ROUTES));
    assert_eq!(
        properties(&rendered, "AApiItemsResource")["ParentId"],
        json!({ "Fn::GetAtt": ["AApi", "RootResourceId"] })
    );
    assert_eq!(properties(&rendered, "AApiItemsIdParamResource")["ParentId"], json!({ "Ref": "AApiItemsResource" }));
    assert_eq!(properties(&rendered, "AApiItemsIdParamResource")["PathPart"], "{id}");
    let any = properties(&rendered, "AApiItemsIdParamAny");
    assert_eq!(
        any["RequestParameters"],
        json!({ "method.request.header.X-Tenant": true, "method.request.path.id": true })
    );
    assert_eq!(any["RequestValidatorId"], json!({ "Ref": "AApiRequestValidator" }));
    let sub = |id: &str| properties(&rendered, id)["SourceArn"]["Fn::Sub"].as_str().map(str::to_owned);
    let arn = |call: &str| {
        Some(format!("arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{AApi}}/*/{call}"))
    };
    assert_eq!(sub("AApiItemsIdParamAnyPermission"), arn("*/items/*"));
    assert_eq!(sub("AApiItemsIdParamNotesPostPermission"), arn("POST/items/*/notes"));
    assert_eq!(sub("AApiGetPermission"), arn("GET/"));
    let proxy = properties(&rendered, "AApiGet");
    assert_eq!(proxy["Integration"]["Type"], "AWS_PROXY");
    assert_eq!(proxy["ResourceId"], json!({ "Fn::GetAtt": ["AApi", "RootResourceId"] }));
    assert!(!proxy.contains_key("MethodResponses") && !proxy.contains_key("RequestValidatorId"));
}

fn deployment(rendered: &Rendered) -> String {
    let of_type = |it: &bedplate::cfn::Resource<'_>| it.type_ == "AWS::ApiGateway::Deployment";
    rendered.template.resources().find(of_type).map(|it| it.logical_id.to_owned()).expect("a deployment")
}

#[test]
fn whatever_changes_in_an_api_makes_a_new_deployment_and_nothing_else_does() {
    let base = with_function("", ROUTES);
    let first = deployment(&rendered(&base));
    for (from, to) in [
        ("headers: [X-Tenant]", "headers: []"),
        ("note: '${body}'", "message: '${body}'"),
        ("GET /:", "POST /:"),
        ("      - GET /: { function: f }\n", ""),
        ("/notes", "/remarks"),
    ] {
        let changed = base.replace(from, to);
        assert_ne!(changed, base);
        assert_ne!(deployment(&rendered(&changed)), first, "{from} → {to}");
    }
    let same = base.replace("runtime: python3.13", "runtime: python3.13, timeout: 7s, environment: { AB: c }");
    assert_eq!(deployment(&rendered(&same)), first);
    let depends = rendered(&base);
    let resource = depends.template.resource(&deployment(&depends)).expect("the deployment");
    assert_eq!(resource.depends_on(), ["AApiGet", "AApiItemsIdParamAny", "AApiItemsIdParamNotesPost"]);
}

#[test]
fn names_that_give_one_id_are_told_at_the_second() {
    let findings = refused("bedplate: 1\nname: x\nbuckets: { b: {} }\noutputs:\n  BBucketName: hello\n");
    assert_eq!(findings.iter().map(|it| it.code).collect::<Vec<_>>(), ["R010"]);
    let findings = refused(&with_function(
        "",
        "apis:\n  a:\n    kind: rest\n    routes:\n      - GET /a-b: { function: f }\n      - GET /aB: { function: f }\n",
    ));
    assert!(findings.iter().all(|it| it.code == "R010"), "{findings:?}");
    assert_eq!(findings[0].place.as_ref().map(|it| it.line), Some(8), "{findings:?}");
    assert!(findings[0].message.contains("usecase.yaml:7:"), "{}", findings[0].message);
}

#[test]
fn one_name_from_two_places_of_a_request_is_refused() {
    let api = "apis: { a: { kind: rest, routes: [{ 'GET /x/{q}': { function: f, request: { a: '${path.q}', b: '${query.q}' } } }] } }";
    let findings = refused(&with_function("", api));
    assert_eq!(findings.iter().map(|it| it.code).collect::<Vec<_>>(), ["R023"]);
}

/// The fenced blocks of a kind in a page.
pub fn examples(page: &str, kind: &str) -> Vec<String> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs").join(page);
    let text = std::fs::read_to_string(path).expect("a page");
    let fence = format!("```{kind}\n");
    text.split(fence.as_str())
        .skip(1)
        .filter_map(|rest| rest.split_once("```"))
        .map(|(block, _)| block.to_owned())
        .collect()
}

#[test]
fn the_examples_of_the_component_pages_render_without_a_finding() {
    let pages = [
        "alarms",
        "apis",
        "buckets",
        "functions",
        "layers",
        "models",
        "needs",
        "network",
        "resources",
        "roles",
        "template",
    ];
    let examples = crate::rendered::examples();
    for page in pages {
        let page = format!("docs/components/{page}.md");
        let here: Vec<_> = examples.iter().filter(|example| example.page == page).collect();
        assert!(!here.is_empty(), "{page} has no example");
        for example in here {
            let folder = tempfile::tempdir().expect("a folder");
            let loaded = example.load(folder.path()).expect(&page);
            let rendered = render(&loaded, &DEV, Partials::embedded()).expect(&page);
            let today = Day::parse("2026-11-22").expect("a day");
            let mut findings = check(&loaded, &rendered, &CheckOptions { today, region: DEV.region });
            findings.extend(loaded.warnings);
            findings.retain(|finding| finding.severity != bedplate::finding::Severity::Note);
            assert_eq!(findings, [], "{page}:{}", example.line);
        }
    }
}

/// Every row `| `x` | …` of a component page's first table of references, tried in an output.
#[test]
fn every_reference_the_pages_name_renders() {
    for (page, text) in [
        ("buckets", "buckets: { n: {} }"),
        (
            "models",
            "models: { n: { id: amazon.nova-lite-v1:0, dimensions: 256, \
         inference: { max-tokens: 9, temperature: 0.1, top-p: 0.1, top-k: 9 } } }",
        ),
    ] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("docs/components/{page}.md"));
        let page_text = std::fs::read_to_string(path).expect("a page");
        let references: Vec<String> = page_text
            .split('`')
            .filter(|code| code.starts_with("${") && code.contains(".NAME"))
            .map(|code| code.replace("NAME", "n"))
            .collect();
        assert!(references.len() >= 3, "{page}: {references:?}");
        for reference in references {
            let bucket = if page == "buckets" { "" } else { "buckets: { b: {} }" };
            rendered(&format!("bedplate: 1\nname: x\n{text}\n{bucket}\noutputs: {{ o: '{reference}' }}\n"));
        }
    }
}

#[test]
fn a_list_parameter_is_text_wherever_text_is_wanted() {
    let text = "bedplate: 1\nname: x\nparameters: { lst: { type: list } }\nfunctions:\n  f:\n    code: f/\n    \
                handler: app.handler\n    runtime: python3.13\n    environment:\n      SUB: \"x-${parameters.lst}\"\n      \
                LIST: \"${parameters.lst}\"\noutputs: { all: \"${parameters.lst}\" }\n";
    let rendered = rendered(text);
    let joined = serde_json::json!({ "Fn::Join": [",", { "Ref": "Lst" }] });
    let variables = &properties(&rendered, "FFunction")["Environment"]["Variables"];
    assert_eq!(variables["LIST"], joined);
    assert_eq!(variables["SUB"], serde_json::json!({ "Fn::Sub": ["x-${Lst}", { "Lst": joined }] }));
    assert_eq!(rendered.template.value()["Outputs"]["All"]["Value"], joined);
    let findings = bedplate::cfn::validate::validate(&rendered.template, Some("us-west-2"));
    assert!(findings.is_empty(), "{findings:?}");
}

#[test]
fn a_use_case_without_a_component_is_told_at_its_name() {
    let findings = refused("bedplate: 1\nname: lonely\nparameters: { p: {} }\n");
    let told: Vec<_> =
        findings.iter().map(|it| (it.code.as_str(), it.place.as_ref().map(|place| place.line))).collect();
    assert_eq!(told, [("R025", Some(2))]);
}

#[test]
fn lambda_alone_may_take_a_functions_role() {
    let trust = properties(&rendered(&with_function("", "")), "FFunctionRole")["AssumeRolePolicyDocument"].clone();
    assert_eq!(trust["Statement"][0]["Principal"], serde_json::json!({ "Service": "lambda.amazonaws.com" }));
    assert!(trust["Statement"][0].get("Condition").is_none(), "{trust}");
}
