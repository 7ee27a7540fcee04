//! What every kind of API, and a user pool, becomes.

use std::collections::BTreeSet;

use bedplate::check::{CheckOptions, check};
use bedplate::facts::Day;
use bedplate::render::{Partials, Rendered, render};
use bedplate::spec;
use serde_json::{Value, json};

use crate::render::{DEV, properties, rendered};

/// A spec with two functions, a user pool and these APIs.
fn with(apis: &str) -> String {
    let function = "{ code: f/, handler: app.handler, runtime: python3.13 }";
    format!(
        "bedplate: 1\nname: lab\nfunctions:\n  f: {function}\n  keeper: {function}\nuser-pools:\n  people: {{ clients: {{ app: {{}}, web: {{}} }} }}\napis:\n{apis}"
    )
}

fn ids(rendered: &Rendered, type_: &str) -> BTreeSet<String> {
    rendered.template.resources().filter(|it| it.type_ == type_).map(|it| it.logical_id.to_owned()).collect()
}

fn deployment(rendered: &Rendered) -> String {
    ids(rendered, "AWS::ApiGateway::Deployment").pop_first().expect("a deployment")
}

/// A REST API with everything a deployment holds.
const REST: &str = "  a:
    kind: rest
    cors: { origins: ['https://example.com'], max-age: 1h }
    throttle: { rate: 10, burst: 20 }
    authorizers:
      people: { user-pool: people, scopes: [read] }
      bearer: { function: keeper, event: token, cache: 60s }
      asked: { function: keeper, query: token }
    schemas:
      note: { type: object, required: [text] }
    usage-plans:
      partners: { throttle: { rate: 0.5, burst: 2 }, quota: { requests: 100, per: week }, keys: [acme] }
    routes:
      - GET /people: { function: f, auth: people, throttle: { rate: 1, burst: 2 } }
      - GET /bearer: { function: f, auth: bearer, request: { q: '${query.q}' }, timeout: 7s }
      - GET /asked: { function: f, auth: asked }
      - GET /partners/{id}: { function: f, auth: iam, api-key: true, throttle: { rate: 3, burst: 4 } }
      - POST /notes: { function: f, require: { body: note, query: [q] } }
      - PUT /notes: { function: f, require: { body: note } }
      - ANY /away/{proxy+}: { http: { url: 'https://example.com/{proxy}' } }
      - GET /health: { mock: { status: 203, body: { said: 'it''s $5 #1' } } }
      - OPTIONS /health: { function: f }
      - GET /inside: { vpc-link: { link: abc, target: 'http://inside.example.com' } }
";

#[test]
fn a_rest_route_says_who_may_call() {
    let rendered = rendered(&with(REST));
    let people = properties(&rendered, "AApiPeopleGet");
    assert_eq!(people["AuthorizationType"], "COGNITO_USER_POOLS");
    assert_eq!(people["AuthorizerId"], json!({ "Ref": "AApiPeopleAuthorizer" }));
    assert_eq!(people["AuthorizationScopes"], json!(["read"]));
    let authorizer = properties(&rendered, "AApiPeopleAuthorizer");
    assert_eq!(authorizer["Type"], "COGNITO_USER_POOLS");
    assert_eq!(authorizer["ProviderARNs"], json!([{ "Fn::GetAtt": ["PeopleUserPool", "Arn"] }]));

    assert_eq!(properties(&rendered, "AApiBearerGet")["AuthorizationType"], "CUSTOM");
    let bearer = properties(&rendered, "AApiBearerAuthorizer");
    assert_eq!((&bearer["Type"], &bearer["AuthorizerResultTtlInSeconds"]), (&json!("TOKEN"), &json!(60)));
    assert_eq!(bearer["IdentitySource"], "method.request.header.Authorization");
    let asked = properties(&rendered, "AApiAskedAuthorizer");
    assert_eq!((&asked["Type"], &asked["AuthorizerResultTtlInSeconds"]), (&json!("REQUEST"), &json!(300)));
    assert_eq!(asked["IdentitySource"], "method.request.querystring.token");
    assert_eq!(
        properties(&rendered, "AApiBearerAuthorizerPermission")["SourceArn"],
        json!({ "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${AApi}/authorizers/${AApiBearerAuthorizer}" })
    );

    let partners = properties(&rendered, "AApiPartnersIdParamGet");
    assert_eq!((&partners["AuthorizationType"], &partners["ApiKeyRequired"]), (&json!("AWS_IAM"), &json!(true)));
    assert_eq!(properties(&rendered, "AApiBearerGet")["Integration"]["TimeoutInMillis"], 7000);
}

#[test]
fn keys_count_where_a_plan_takes_them() {
    let rendered = rendered(&with(REST));
    let plan = properties(&rendered, "AApiPartnersPlan");
    assert_eq!(plan["ApiStages"], json!([{ "ApiId": { "Ref": "AApi" }, "Stage": { "Ref": "AApiStage" } }]));
    assert_eq!(plan["Throttle"], json!({ "RateLimit": 0.5, "BurstLimit": 2 }));
    assert_eq!(plan["Quota"], json!({ "Limit": 100, "Period": "WEEK" }));
    let key = properties(&rendered, "AApiPartnersPlanAcmeKey");
    assert_eq!(key["Enabled"], true);
    assert!(!key.contains_key("Value"), "a key's value is in no template");
    assert_eq!(
        properties(&rendered, "AApiPartnersPlanAcmeKeyInPlan")["UsagePlanId"],
        json!({ "Ref": "AApiPartnersPlan" })
    );
    let settings = &properties(&rendered, "AApiStage")["MethodSettings"];
    let paths: Vec<(&str, &str)> = settings
        .as_array()
        .expect("settings")
        .iter()
        .map(|it| (it["ResourcePath"].as_str().expect("a path"), it["HttpMethod"].as_str().expect("a method")))
        .collect();
    assert_eq!(paths, [("/*", "*"), ("/~1people", "GET"), ("/~1partners~1{id}", "GET")]);
}

#[test]
fn bodies_are_held_against_their_schema_whatever_their_type() {
    let rendered = rendered(&with(REST));
    let model = json!({ "Ref": "AApiNoteModel" });
    let post = properties(&rendered, "AApiNotesPost");
    assert_eq!(post["RequestModels"], json!({ "application/json": model, "$default": model }));
    assert_eq!(post["RequestValidatorId"], json!({ "Ref": "AApiRequestAndBodyValidator" }));
    assert_eq!(properties(&rendered, "AApiNotesPut")["RequestValidatorId"], json!({ "Ref": "AApiBodyValidator" }));
    assert_eq!(properties(&rendered, "AApiBodyValidator")["ValidateRequestParameters"], false);
    assert_eq!(properties(&rendered, "AApiNoteModel")["Schema"]["$schema"], "http://json-schema.org/draft-04/schema#");
    assert!(rendered.template.resource("AApiRequestValidator").is_none(), "no route requires parameters alone");
}

#[test]
fn what_is_no_function_answers_too() {
    let rendered = rendered(&with(REST));
    let away = &properties(&rendered, "AApiAwayProxyParamAny")["Integration"];
    assert_eq!((&away["Type"], &away["IntegrationHttpMethod"]), (&json!("HTTP_PROXY"), &json!("ANY")));
    assert_eq!(away["RequestParameters"], json!({ "integration.request.path.proxy": "method.request.path.proxy" }));
    let inside = &properties(&rendered, "AApiInsideGet")["Integration"];
    assert_eq!((&inside["ConnectionType"], &inside["ConnectionId"]), (&json!("VPC_LINK"), &json!("abc")));

    let health = &properties(&rendered, "AApiHealthGet")["Integration"];
    assert_eq!(health["RequestTemplates"]["application/json"], "{\"statusCode\": 203}");
    let answer = &health["IntegrationResponses"][0];
    assert_eq!(answer["StatusCode"], "203");
    let text = answer["ResponseTemplates"]["application/json"].as_str().expect("a template");
    assert!(!text.contains(['$', '#', '\'']), "nothing in it is Velocity's to act on: {text}");
    assert_eq!(serde_json::from_str::<Value>(text).expect("JSON"), json!({ "said": "it's $5 #1" }));
}

#[test]
fn pages_of_another_origin_are_told_what_they_may() {
    let rendered = rendered(&with(REST));
    let origin = "'https://example.com'";
    let options = properties(&rendered, "AApiNotesOptions");
    assert_eq!((&options["HttpMethod"], &options["AuthorizationType"]), (&json!("OPTIONS"), &json!("NONE")));
    assert!(!options.contains_key("ApiKeyRequired") && !options.contains_key("RequestValidatorId"));
    let headers = &options["Integration"]["IntegrationResponses"][0]["ResponseParameters"];
    assert_eq!(headers["method.response.header.Access-Control-Allow-Origin"], origin);
    assert_eq!(headers["method.response.header.Access-Control-Allow-Methods"], "'POST,PUT'");
    let allowed = headers["method.response.header.Access-Control-Allow-Headers"].as_str().expect("headers");
    assert_eq!(allowed, "'content-type,authorization,x-amz-date,x-amz-security-token,x-api-key'");
    // A route of the spec's own stays.
    assert_eq!(properties(&rendered, "AApiHealthOptions")["Integration"]["Type"], "AWS_PROXY");
    for id in ["AApiClientErrors", "AApiServerErrors"] {
        let parameters = &properties(&rendered, id)["ResponseParameters"];
        assert_eq!(parameters["gatewayresponse.header.Access-Control-Allow-Origin"], origin);
    }
    let mapped = properties(&rendered, "AApiBearerGet");
    let without: Vec<&Value> = mapped["Integration"]["IntegrationResponses"]
        .as_array()
        .expect("answers")
        .iter()
        .chain(mapped["MethodResponses"].as_array().expect("answers"))
        .filter(|it| it["ResponseParameters"]["method.response.header.Access-Control-Allow-Origin"].is_null())
        .collect();
    assert!(without.is_empty(), "{without:#?}");
    let resource = rendered.template.resource(&deployment(&rendered)).map(|it| it.depends_on().len());
    assert_eq!(resource, Some(10 + 7 + 2), "routes, questions of browsers, two kinds of errors");
}

#[test]
fn everything_that_callers_meet_is_part_of_the_deployment() {
    let first = deployment(&rendered(&with(REST)));
    for (from, to) in [
        ("max-age: 1h", "max-age: 2h"),
        ("['https://example.com']", "['https://example.org']"),
        ("scopes: [read]", "scopes: [write]"),
        ("cache: 60s", "cache: 61s"),
        ("required: [text]", "required: [title]"),
        ("auth: asked", "auth: bearer"),
        ("query: [q] ", "query: [] "),
        ("status: 203", "status: 204"),
        ("timeout: 7s", "timeout: 8s"),
        ("api-key: true, ", ""),
        ("kind: rest", "kind: rest\n    endpoint: edge"),
        ("kind: rest", "kind: private\n    vpc-endpoints: [vpce-1]"),
    ] {
        let changed = REST.replace(from, to);
        assert_ne!(changed, REST, "{from}");
        assert_ne!(deployment(&rendered(&with(&changed))), first, "{from} → {to}");
    }
    for (from, to) in [
        ("requests: 100", "requests: 200"),
        ("{ rate: 10, burst: 20 }", "{ rate: 11, burst: 20 }"),
        ("keys: [acme]", "keys: [acme, other]"),
        ("kind: rest", "kind: rest\n    access-logs: {}"),
    ] {
        let changed = REST.replace(from, to);
        assert_ne!(changed, REST, "{from}");
        assert_eq!(deployment(&rendered(&with(&changed))), first, "{from} → {to}");
    }
}

#[test]
fn a_service_is_called_with_what_the_route_says_and_nothing_more() {
    let rendered = rendered(&with(
        r##"  a:
    kind: rest
    routes:
      - GET /items/{id}:
          aws:
            service: dynamodb
            action: GetItem
            request: { TableName: "items-${stage}", Key: { id: { S: "#${path.id}" } }, ConsistentRead: true, Limits: [1, null] }
            uses: [{ statement: { actions: [dynamodb:GetItem], resources: ["arn:aws:dynamodb:us-west-2:123456789012:table/items"], reason: test } }]
"##,
    ));
    let integration = &properties(&rendered, "AApiItemsIdParamGet")["Integration"];
    assert_eq!(
        integration["Uri"],
        json!({ "Fn::Sub": "arn:${AWS::Partition}:apigateway:${AWS::Region}:dynamodb:action/GetItem" })
    );
    assert_eq!(integration["Credentials"], json!({ "Fn::GetAtt": ["AApiItemsIdParamGetRole", "Arn"] }));
    assert_eq!(
        integration["RequestTemplates"]["application/json"],
        r##"{"TableName": "items-dev", "Key": {"id": {"S": "\u0023$util.escapeJavaScript($input.params('id')).replaceAll("\\'", "'")"}}, "ConsistentRead": true, "Limits": [1, null]}"##
    );
    let policy = &properties(&rendered, "AApiItemsIdParamGetRole")["Policies"][0]["PolicyDocument"]["Statement"];
    assert_eq!(policy[0]["Action"], "dynamodb:GetItem");
    assert_eq!(policy.as_array().map(Vec::len), Some(1));
    let refused = &integration["IntegrationResponses"][1];
    assert_eq!((&refused["StatusCode"], &refused["SelectionPattern"]), (&json!("400"), &json!(r"4\d{2}")));
}

#[test]
fn a_private_api_is_reached_through_its_endpoints_alone() {
    let api = "  a: { kind: private, vpc-endpoints: [vpce-1], routes: [{ GET /: { function: f } }] }\n";
    let rendered = rendered(&with(api));
    let api = properties(&rendered, "AApi");
    assert_eq!(api["EndpointConfiguration"], json!({ "Types": ["PRIVATE"], "VpcEndpointIds": ["vpce-1"] }));
    let statements = api["Policy"]["Statement"].as_array().expect("statements");
    let conditions: Vec<(&Value, &Value)> = statements.iter().map(|it| (&it["Effect"], &it["Condition"])).collect();
    let (allow, deny) = (json!("Allow"), json!("Deny"));
    let endpoints = json!({ "aws:SourceVpce": ["vpce-1"] });
    assert_eq!(
        conditions,
        [(&allow, &json!({ "StringEquals": endpoints })), (&deny, &json!({ "StringNotEquals": endpoints }))]
    );
}

#[test]
fn the_log_waits_for_the_role_that_this_use_case_sets_and_leaves() {
    let set = with(
        "  a: { kind: rest, access-logs: { account-role: set }, routes: [{ GET /: { function: f } }] }\n  b: { kind: websocket, access-logs: { account-role: set }, routes: [{ $default: { function: f } }] }\n",
    );
    let rendered_set = rendered(&set);
    let value = rendered_set.template.value();
    for id in ["ApiGatewayAccount", "ApiGatewayLogsRole"] {
        assert_eq!(value["Resources"][id]["DeletionPolicy"], "Retain", "{id}");
    }
    assert_eq!(ids(&rendered_set, "AWS::ApiGateway::Account").len(), 1, "one for the account, however many APIs");
    for stage in ["AApiStage", "BApiStage"] {
        let stage = rendered_set.template.resource(stage).expect("a stage");
        assert!(stage.depends_on().contains(&"ApiGatewayAccount"), "{:?}", stage.depends_on());
    }
    let existing = rendered(&set.replace("account-role: set", "retention: 7d"));
    assert!(existing.template.resource("ApiGatewayAccount").is_none());
    assert_eq!(properties(&existing, "AApiLogs")["RetentionInDays"], 7);
    let format = properties(&existing, "AApiStage")["AccessLogSetting"]["Format"].as_str().expect("a format");
    assert!(serde_json::from_str::<Value>(format).is_ok_and(|it| it.is_object()), "{format}");
}

#[test]
fn an_http_api_deploys_itself_and_reads_tokens() {
    let rendered = rendered(&with(
        "  a:
    kind: http
    stage: $default
    cors: { origins: ['https://a.example', 'https://b.example'] }
    throttle: { rate: 10, burst: 20 }
    authorizers:
      people: { user-pool: people, scopes: [read] }
      other: { jwt: { issuer: 'https://login.example.com/', audiences: [lab] }, header: X-Token }
      bearer: { function: keeper, cache: 0s }
    routes:
      - GET /a: { function: f, auth: people }
      - PUT /b/{id}: { function: f, auth: bearer, throttle: { rate: 1, burst: 2 }, timeout: 30s }
      - POST /c: { function: f, auth: other }
      - DELETE /d: { function: f, auth: iam }
      - GET /e: { vpc-link: { link: abc, target: 'arn:aws:elasticloadbalancing:us-west-2:123456789012:listener/app/x/1/2' } }
      - $default: { function: f }
outputs: { url: '${apis.a}', arn: '${apis.a.arn}' }
",
    ));
    let stage = properties(&rendered, "AApiStage");
    assert_eq!((&stage["StageName"], &stage["AutoDeploy"]), (&json!("$default"), &json!(true)));
    assert_eq!(stage["RouteSettings"]["PUT /b/{id}"]["ThrottlingBurstLimit"], 2);
    assert!(rendered.template.resource("AApiStage").expect("a stage").depends_on().contains(&"AApiBIdParamPutRoute"));
    let cors = &properties(&rendered, "AApi")["CorsConfiguration"];
    assert_eq!(cors["AllowOrigins"].as_array().map(Vec::len), Some(2));

    let people = properties(&rendered, "AApiPeopleAuthorizer");
    assert_eq!(
        people["JwtConfiguration"],
        json!({
            "Issuer": { "Fn::GetAtt": ["PeopleUserPool", "ProviderURL"] },
            "Audience": [{ "Ref": "PeopleUserPoolAppClient" }, { "Ref": "PeopleUserPoolWebClient" }],
        })
    );
    assert_eq!(properties(&rendered, "AApiOtherAuthorizer")["IdentitySource"], json!(["$request.header.X-Token"]));
    let bearer = properties(&rendered, "AApiBearerAuthorizer");
    assert_eq!(bearer["AuthorizerPayloadFormatVersion"], "2.0");
    assert_eq!((&bearer["EnableSimpleResponses"], &bearer["AuthorizerResultTtlInSeconds"]), (&json!(true), &json!(0)));

    let route = properties(&rendered, "AApiAGetRoute");
    assert_eq!((&route["RouteKey"], &route["AuthorizationType"]), (&json!("GET /a"), &json!("JWT")));
    assert_eq!(route["AuthorizationScopes"], json!(["read"]));
    assert_eq!(properties(&rendered, "AApiDDeleteRoute")["AuthorizationType"], "AWS_IAM");
    let integration = properties(&rendered, "AApiBIdParamPutIntegration");
    assert_eq!((&integration["PayloadFormatVersion"], &integration["TimeoutInMillis"]), (&json!("2.0"), &json!(30000)));
    assert_eq!(properties(&rendered, "AApiEGetIntegration")["ConnectionType"], "VPC_LINK");
    let source = |id: &str| properties(&rendered, id)["SourceArn"]["Fn::Sub"].as_str().map(str::to_owned);
    let calls = |what: &str| {
        Some(format!("arn:${{AWS::Partition}}:execute-api:${{AWS::Region}}:${{AWS::AccountId}}:${{AApi}}/*/{what}"))
    };
    assert_eq!(source("AApiBIdParamPutPermission"), calls("PUT/b/*"));
    assert_eq!(source("AApiDefaultPermission"), calls("$default"));

    let outputs = &rendered.template.value()["Outputs"];
    let url = "https://${AApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}";
    assert_eq!(outputs["Url"]["Value"], json!({ "Fn::Sub": url }), "the stage `$default` is no part of it");
    assert_eq!(outputs["AApiBIdParamPutUrl"]["Value"], json!({ "Fn::Sub": format!("{url}/b/{{id}}") }));
    assert_eq!(
        outputs["Arn"]["Value"],
        json!({ "Fn::Sub": "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${AApi}" })
    );
}

#[test]
fn a_websocket_api_asks_once_and_its_function_may_push() {
    let text = with(
        "  chat:
    kind: websocket
    auth: bearer
    authorizers: { bearer: { function: keeper, query: token } }
    routes:
      - $connect: { function: f }
      - say: { function: f }
      - my-route: { function: f }
  other: { kind: rest, routes: [{ GET /: { function: f, auth: iam } }] }
",
    )
    .replace(
        "  f: { code: f/,",
        "  f: { environment: { URL: '${apis.chat}' }, uses: [{ push: apis.chat }, { invoke: apis.other }, { invoke: apis.chat }], code: f/,",
    );
    let rendered = rendered(&text);
    let api = properties(&rendered, "ChatApi");
    assert_eq!(
        (&api["ProtocolType"], &api["RouteSelectionExpression"]),
        (&json!("WEBSOCKET"), &json!("$request.body.action"))
    );
    let auth = |id: &str| properties(&rendered, id)["AuthorizationType"].as_str().map(str::to_owned);
    assert_eq!(auth("ChatApiConnectRoute").as_deref(), Some("CUSTOM"));
    assert_eq!(auth("ChatApiSayRoute").as_deref(), Some("NONE"));
    assert_eq!(properties(&rendered, "ChatApiMyRouteRoute")["RouteKey"], "my-route");
    let authorizer = properties(&rendered, "ChatApiBearerAuthorizer");
    assert_eq!(authorizer["IdentitySource"], json!(["route.request.querystring.token"]));
    assert!(!authorizer.contains_key("AuthorizerResultTtlInSeconds"), "no WebSocket API keeps answers");
    assert_eq!(properties(&rendered, "ChatApiStage")["AutoDeploy"], true);

    let statements = properties(&rendered, "FFunctionRole")["Policies"][0]["PolicyDocument"]["Statement"].to_string();
    for calls in ["${ChatApi}/dev/POST/@connections/*", "${ChatApi}/dev/$connect", "${OtherApi}/dev/*"] {
        assert!(statements.contains(calls), "{calls}: {statements}");
    }
    assert_eq!(
        properties(&rendered, "FFunction")["Environment"]["Variables"]["URL"],
        json!({ "Fn::Sub": "wss://${ChatApi}.execute-api.${AWS::Region}.${AWS::URLSuffix}/dev" })
    );
}

#[test]
fn a_domain_leads_to_the_stage() {
    let domain =
        "domain: { name: api.example.com, certificate: 'arn:aws:acm:us-east-1:123456789012:certificate/x', path: v1 }";
    let text = with(&format!(
        "  a: {{ kind: rest, endpoint: edge, {domain}, routes: [{{ GET /: {{ function: f }} }}] }}\n  b: {{ kind: http, {domain}, routes: [{{ GET /: {{ function: f }} }}] }}\n"
    ));
    let rendered = rendered(&text);
    assert!(properties(&rendered, "AApiDomain").contains_key("CertificateArn"), "an edge domain's certificate");
    assert_eq!(properties(&rendered, "AApiDomainMapping")["BasePath"], "v1");
    assert_eq!(properties(&rendered, "BApiDomainMapping")["ApiMappingKey"], "v1");
    let outputs = &rendered.template.value()["Outputs"];
    let target = |attribute: &str, id: &str| json!({ "Fn::GetAtt": [id, attribute] });
    assert_eq!(outputs["AApiDomainTarget"]["Value"], target("DistributionDomainName", "AApiDomain"));
    assert_eq!(outputs["BApiDomainTarget"]["Value"], target("RegionalDomainName", "BApiDomain"));
    assert_eq!(outputs["BApiDomainUrl"]["Value"], "https://api.example.com/v1");
}

#[test]
fn a_user_pool_invites_and_its_clients_keep_no_secret() {
    let text = "bedplate: 1
name: lab
user-pools:
  people:
    mfa: required
    domain: lab-${stage}-${account}
    clients:
      web: { callback-urls: ['https://example.com/in'] }
outputs: { client: '${user-pools.people.client}', issuer: '${user-pools.people.issuer}' }
";
    let rendered_pool = rendered(text);
    let pool = properties(&rendered_pool, "PeopleUserPool");
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], true);
    assert_eq!((&pool["MfaConfiguration"], &pool["EnabledMfas"]), (&json!("ON"), &json!(["SOFTWARE_TOKEN_MFA"])));
    assert_eq!((&pool["DeletionProtection"], &pool["UsernameAttributes"]), (&json!("INACTIVE"), &json!(["email"])));
    let client = properties(&rendered_pool, "PeopleUserPoolWebClient");
    assert_eq!((&client["GenerateSecret"], &client["AllowedOAuthFlows"]), (&json!(false), &json!(["code"])));
    assert_eq!(client["ExplicitAuthFlows"], json!(["ALLOW_REFRESH_TOKEN_AUTH", "ALLOW_USER_SRP_AUTH"]));
    assert_eq!(
        properties(&rendered_pool, "PeopleUserPoolDomain")["Domain"],
        json!({ "Fn::Sub": "lab-dev-${AWS::AccountId}" })
    );
    let outputs = &rendered_pool.template.value()["Outputs"];
    assert_eq!(outputs["Client"]["Value"], json!({ "Ref": "PeopleUserPoolWebClient" }));
    assert_eq!(outputs["Issuer"]["Value"], json!({ "Fn::GetAtt": ["PeopleUserPool", "ProviderURL"] }));

    let open = rendered(
        &text.replace("mfa: required", "self-sign-up: true").replace("web: {", "web: { password-sign-in: true,"),
    );
    let pool = properties(&open, "PeopleUserPool");
    assert_eq!(pool["AdminCreateUserConfig"]["AllowAdminCreateUserOnly"], false);
    assert_eq!(pool["MfaConfiguration"], "OFF");
    let flows = &properties(&open, "PeopleUserPoolWebClient")["ExplicitAuthFlows"];
    assert!(flows.as_array().is_some_and(|flows| flows.contains(&json!("ALLOW_USER_PASSWORD_AUTH"))), "{flows}");
}

/// The codes of a spec's check, errors and notes alike.
fn checked(text: &str) -> Vec<String> {
    let loaded = spec::load_str(text, "usecase.yaml").expect("a spec without findings");
    let rendered = render(&loaded, &DEV, Partials::embedded()).expect("a template");
    let options = CheckOptions { today: Day::parse("2026-11-22").expect("a day"), region: Some("us-west-2") };
    let findings = check(&loaded, &rendered, &options);
    findings.iter().filter(|it| it.code.as_str() != "R102").map(|it| it.code.as_str().to_owned()).collect()
}

#[test]
fn the_check_says_what_an_api_needs_and_what_nobody_can_call() {
    let one = |what: &str, kind: &str, route: &str| {
        checked(&with(&format!("  a: {{ kind: {kind}, {what} routes: [{{ {route}: {{ function: f }} }}] }}\n")))
    };
    assert_eq!(one("", "rest", "GET /"), [""; 0]);
    assert_eq!(one("access-logs: {},", "rest", "GET /"), ["L120"]);
    assert_eq!(one("access-logs: { account-role: set },", "websocket", "$default"), ["L121"]);
    assert_eq!(one("access-logs: {},", "http", "GET /"), [""; 0]);
    assert_eq!(one("api-key: true,", "rest", "GET /"), ["L122"]);
    assert_eq!(one("usage-plans: { p: { keys: [k] } },", "rest", "GET /"), ["L123"]);
    assert_eq!(one("authorizers: { people: { user-pool: people } },", "http", "GET /"), ["L124"]);
}

#[test]
fn a_function_that_outlasts_its_api_is_told() {
    let timed = |timeout: &str, api: &str| {
        let text = with(api).replace("  f: { code: f/,", &format!("  f: {{ timeout: {timeout}, code: f/,"));
        checked(&text)
    };
    let route =
        |kind: &str, more: &str| format!("  a: {{ kind: {kind}, routes: [{{ GET /: {{ function: f{more} }} }}] }}\n");
    assert_eq!(timed("30s", &route("http", "")), [""; 0]);
    assert_eq!(timed("31s", &route("http", "")), ["L101"]);
    assert_eq!(timed("30s", &route("rest", "")), ["L101"]);
    assert_eq!(timed("10s", &route("rest", ", timeout: 5s")), ["L101"]);
}
