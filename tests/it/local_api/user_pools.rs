//! User pools: people sign in, and APIs take their tokens.

use super::authorizers::authorizer;
use super::http_apis::{at, http, v2};
use super::*;

impl World {
    /// Calls Cognito: as the administrator, or without a signature, as people's own programs do.
    async fn cognito(&self, operation: &str, body: Value, signed: bool) -> (u16, Value) {
        let target = format!("AWSCognitoIdentityProviderService.{operation}");
        let signature = format!("AWS4-HMAC-SHA256 Credential=local/20260105/{REGION}/cognito-idp/aws4_request");
        let mut headers = vec![("x-amz-target", target.as_str()), ("content-type", "application/x-amz-json-1.1")];
        if signed {
            headers.push(("authorization", &signature));
        }
        let answer = self.call("POST", "/", &headers, &body.to_string()).await;
        (answer.status, answer.json())
    }

    async fn done(&self, operation: &str, body: Value) -> Value {
        let (status, answer) = self.cognito(operation, body, true).await;
        assert_eq!(status, 200, "{operation}: {answer}");
        answer
    }

    async fn sign_in(&self, client: &str, name: &str, password: &str) -> (u16, Value) {
        let body = json!({ "AuthFlow": "USER_PASSWORD_AUTH", "ClientId": client,
            "AuthParameters": { "USERNAME": name, "PASSWORD": password } });
        self.cognito("InitiateAuth", body, false).await
    }
}

fn pool() -> Value {
    json!({ "Type": "AWS::Cognito::UserPool", "Properties": {
        "UsernameAttributes": ["email"], "UsernameConfiguration": { "CaseSensitive": false },
        "AutoVerifiedAttributes": ["email"] } })
}

fn client(pool: &str, flows: &[&str]) -> Value {
    json!({ "Type": "AWS::Cognito::UserPoolClient", "Properties": {
        "UserPoolId": { "Ref": pool }, "ExplicitAuthFlows": flows, "PreventUserExistenceErrors": "ENABLED" } })
}

/// A pool with a client, another pool with one, and outputs that give their ids.
fn with_pools(mut template: Value) -> Value {
    for (name, resource) in [
        ("People", pool()),
        ("App", client("People", &["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"])),
        ("Closed", client("People", &["ALLOW_USER_SRP_AUTH"])),
        ("Others", pool()),
        ("Other", client("Others", &["ALLOW_USER_PASSWORD_AUTH"])),
    ] {
        template["Resources"][name] = resource;
        template["Outputs"][format!("{name}Id")] = json!({ "Value": { "Ref": name } });
    }
    template
}

const PASSWORD: &str = "Correct-horse-7";

/// Makes somebody who may sign in.
async fn somebody(world: &World, pool: &str) {
    let attributes =
        json!([{ "Name": "email", "Value": "ada@example.com" }, { "Name": "email_verified", "Value": "true" }]);
    let body = json!({ "UserPoolId": pool, "Username": "ada@example.com", "UserAttributes": attributes });
    world.done("AdminCreateUser", body).await;
    let body = json!({ "UserPoolId": pool, "Username": "ada@example.com", "Password": PASSWORD, "Permanent": true });
    world.done("AdminSetUserPassword", body).await;
}

fn token<'a>(answer: &'a Value, kind: &str) -> &'a str {
    answer["AuthenticationResult"][kind].as_str().unwrap_or_else(|| panic!("no {kind}: {answer}"))
}

#[tokio::test]
async fn people_sign_in_by_the_flows_their_client_allows() {
    let world = World::new().await;
    let outputs = world.deploy(&with_pools(json!({ "Resources": {}, "Outputs": {} }))).await;
    let (people, app) = (&outputs["PeopleId"], &outputs["AppId"]);
    let body = json!({ "UserPoolId": people, "Username": "ada@example.com" });
    let made = world.done("AdminCreateUser", body.clone()).await;
    assert_eq!(made["User"]["UserStatus"], "FORCE_CHANGE_PASSWORD");
    assert_ne!(
        made["User"]["Username"], "ada@example.com",
        "a pool whose people are named by an attribute names them itself"
    );
    let (_, again) = world.cognito("AdminCreateUser", body.clone(), true).await;
    assert_eq!(again["__type"], "UsernameExistsException");
    let mut weak = body.clone();
    weak["Password"] = json!("simple");
    let (_, refused) = world.cognito("AdminSetUserPassword", weak, true).await;
    assert_eq!(refused["message"], "Password did not conform with policy: Password not long enough");
    let mut strong = body;
    strong["Password"] = json!(PASSWORD);
    strong["Permanent"] = json!(true);
    world.done("AdminSetUserPassword", strong).await;

    // Names of this pool don't tell cases apart; a wrong name and a wrong password are the same answer.
    let (status, answer) = world.sign_in(app, "Ada@Example.com", PASSWORD).await;
    assert_eq!(status, 200, "{answer}");
    for (name, password) in [("ada@example.com", "Wrong-horse-7"), ("eve@example.com", PASSWORD)] {
        let (status, refused) = world.sign_in(app, name, password).await;
        assert_eq!((status, &refused["__type"]), (400, &json!("NotAuthorizedException")));
        assert_eq!(refused["message"], "Incorrect username or password.");
    }
    let (_, refused) = world.sign_in(&outputs["ClosedId"], "ada@example.com", PASSWORD).await;
    assert_eq!(refused["message"], "USER_PASSWORD_AUTH flow not enabled for this client");
    let (status, refused) =
        world.cognito("InitiateAuth", json!({ "AuthFlow": "USER_SRP_AUTH", "ClientId": app }), false).await;
    assert_eq!((status, &refused["__type"]), (501, &json!("NotImplemented")));
    assert!(refused["message"].as_str().is_some_and(|text| text.contains("USER_SRP_AUTH")), "{refused}");
    let (status, _) = world.cognito("CreateUserPool", json!({}), true).await;
    assert_eq!(status, 501);

    let me = json!({ "AccessToken": token(&answer, "AccessToken") });
    let (_, told) = world.cognito("GetUser", me.clone(), false).await;
    assert_eq!(told["Username"], made["User"]["Username"]);
    assert!(told.to_string().contains("ada@example.com"));
    let (_, refused) = world.cognito("GetUser", json!({ "AccessToken": token(&answer, "IdToken") }), false).await;
    assert_eq!(refused["message"], "Invalid Access Token");
    let refresh = json!({ "AuthFlow": "REFRESH_TOKEN_AUTH", "ClientId": app,
        "AuthParameters": { "REFRESH_TOKEN": token(&answer, "RefreshToken") } });
    world.pass(3700);
    let (_, refused) = world.cognito("GetUser", me, false).await;
    assert_eq!(refused["message"], "Access Token has expired");
    let (status, fresh) = world.cognito("InitiateAuth", refresh.clone(), false).await;
    assert_eq!(status, 200, "{fresh}");
    let (status, _) = world.cognito("GetUser", json!({ "AccessToken": token(&fresh, "AccessToken") }), false).await;
    assert_eq!(status, 200);
    world.pass(31 * 24 * 3600);
    let (_, refused) = world.cognito("InitiateAuth", refresh, false).await;
    assert_eq!(refused["message"], "Refresh Token has expired");

    // Who signs up is let in once confirmed.
    let up = json!({ "ClientId": app, "Username": "bob@example.com", "Password": PASSWORD });
    assert_eq!(world.cognito("SignUp", up, false).await.1["UserConfirmed"], false);
    assert_eq!(world.sign_in(app, "bob@example.com", PASSWORD).await.1["__type"], "UserNotConfirmedException");
    world.done("AdminConfirmSignUp", json!({ "UserPoolId": people, "Username": "bob@example.com" })).await;
    assert_eq!(world.sign_in(app, "bob@example.com", PASSWORD).await.0, 200);
    let found = json!({ "UserPoolId": people, "Filter": "email ^= \"bob\"" });
    assert_eq!(world.done("ListUsers", found).await["Users"].as_array().map(Vec::len), Some(1));
    let pool = world.done("DescribeUserPool", json!({ "UserPoolId": people })).await;
    assert_eq!(pool["UserPool"]["EstimatedNumberOfUsers"], 2);

    // Keys are published at the issuer's own name, and nothing else is.
    let host = format!("cognito-idp.{REGION}.amazonaws.com");
    let keys = world.call("GET", &format!("/{people}/.well-known/jwks.json"), &[("host", &host)], "").await;
    assert_eq!((keys.status, &keys.json()["keys"][0]["alg"]), (200, &json!("RS256")));
    let none = world.call("GET", "/us-west-2_none/.well-known/jwks.json", &[("host", &host)], "").await;
    assert_eq!(none.status, 404);
    assert_eq!(world.call("GET", "/", &[("host", &host)], "").await.status, 403);
}

#[tokio::test]
async fn a_rest_api_takes_the_tokens_of_its_user_pool() {
    let world = World::new().await;
    world.fake.on("main", |event| {
        Ok(json!({ "statusCode": 200, "body": event["requestContext"]["authorizer"]["claims"].to_string() }))
    });
    let by = json!({ "AuthorizationType": "COGNITO_USER_POOLS", "AuthorizerId": { "Ref": "Auth" } });
    let mut scoped = by.clone();
    scoped["AuthorizationScopes"] = json!(["aws.cognito.signin.user.admin"]);
    let provider = json!({ "ProviderARNs": [{ "Fn::GetAtt": ["People", "Arn"] }] });
    let routes = [("GET /people", with(proxy("main"), by)), ("GET /scoped", with(proxy("main"), scoped))];
    let template = rest(&routes, json!({ "Auth": authorizer("COGNITO_USER_POOLS", provider) }));
    let outputs = world.deploy(&with_pools(template)).await;
    somebody(&world, &outputs["PeopleId"]).await;
    somebody(&world, &outputs["OthersId"]).await;
    let (_, own) = world.sign_in(&outputs["AppId"], "ada@example.com", PASSWORD).await;
    let (_, foreign) = world.sign_in(&outputs["OtherId"], "ada@example.com", PASSWORD).await;
    let ask = async |route: &str, token: &str| {
        let answer = world.call("GET", &path(&outputs, route), &[("authorization", token)], "").await;
        (answer.status, answer.json())
    };
    let id = token(&own, "IdToken");
    let (status, claims) = ask("/people", id).await;
    assert_eq!(status, 200, "{claims}");
    assert_eq!((&claims["email"], &claims["email_verified"]), (&json!("ada@example.com"), &json!("true")));
    assert_eq!((&claims["aud"], &claims["token_use"]), (&json!(outputs["AppId"]), &json!("id")));
    assert_eq!(claims["exp"], "Mon Jan 05 11:00:00 UTC 2026");
    assert_eq!(ask("/people", &format!("Bearer {id}")).await.0, 200);
    assert_eq!(ask("/scoped", token(&own, "AccessToken")).await.0, 200);
    let mut changed = id.to_owned();
    changed.replace_range(changed.len() - 9..changed.len() - 4, "AAAAA");
    for (route, token) in [
        ("/people", "nothing"),
        ("/people", changed.as_str()),
        ("/people", token(&foreign, "IdToken")),
        ("/people", token(&own, "AccessToken")),
        ("/scoped", id),
    ] {
        assert_eq!(ask(route, token).await, (401, json!({ "message": "Unauthorized" })), "{route} {token}");
    }
    world.pass(3600);
    assert_eq!(ask("/people", id).await, (401, json!({ "message": "The incoming token has expired" })));
}

#[tokio::test]
async fn an_http_api_takes_the_tokens_of_its_issuer() {
    let world = World::new().await;
    world.fake.on("main", |event| Ok(json!({ "who": event["requestContext"]["authorizer"] })));
    let jwt = v2(
        "Authorizer",
        json!({ "Name": "jwt", "AuthorizerType": "JWT", "IdentitySource": ["$request.header.Authorization"],
        "JwtConfiguration": { "Issuer": { "Fn::GetAtt": ["People", "ProviderURL"] }, "Audience": [{ "Ref": "App" }] } }),
    );
    let by = json!({ "AuthorizationType": "JWT", "AuthorizerId": { "Ref": "Jwt" } });
    let mut scoped = by.clone();
    scoped["AuthorizationScopes"] = json!(["posters/draw"]);
    let routes = [("GET /x", "main", by), ("GET /scoped", "main", scoped)];
    let mut template = with_pools(http(&routes, "$default", json!({}), json!({ "Jwt": jwt })));
    template["Resources"]["Second"] = client("People", &["ALLOW_USER_PASSWORD_AUTH"]);
    template["Outputs"]["SecondId"] = json!({ "Value": { "Ref": "Second" } });
    let outputs = world.deploy(&template).await;
    somebody(&world, &outputs["PeopleId"]).await;
    let (_, own) = world.sign_in(&outputs["AppId"], "ada@example.com", PASSWORD).await;
    let (_, second) = world.sign_in(&outputs["SecondId"], "ada@example.com", PASSWORD).await;
    let ask = async |route: &str, token: &str| {
        world.call("GET", &at(&outputs, route), &[("authorization", &format!("Bearer {token}"))], "").await
    };
    for kind in ["IdToken", "AccessToken"] {
        let answer = ask("/x", token(&own, kind)).await;
        assert_eq!(answer.status, 200, "{kind}: {}", answer.text());
        let told = answer.json();
        assert_eq!(told["who"]["jwt"]["claims"]["exp"], "1767610800", "claims are texts: {told}");
        assert_eq!(told["who"]["jwt"]["scopes"], Value::Null);
    }
    let unauthorized = json!({ "message": "Unauthorized" });
    let foreign = ask("/x", token(&second, "IdToken")).await;
    assert_eq!((foreign.status, foreign.json()), (401, unauthorized.clone()));
    assert!(foreign.header("www-authenticate").is_some_and(|told| told.contains("audience")), "{foreign:?}");
    assert_eq!(ask("/x", "a.b.c").await.status, 401);
    let scoped = ask("/scoped", token(&own, "AccessToken")).await;
    assert_eq!((scoped.status, scoped.json()), (403, json!({ "message": "Forbidden" })));
    world.pass(3600);
    let late = ask("/x", token(&own, "IdToken")).await;
    assert_eq!((late.status, late.json()), (401, unauthorized));
}
