//! HTTP addresses and AWS services behind a REST API.

use http::Method;
use serde_json::{Map, Value};

use super::exchange::Exchange;
use super::integration_request::IntegrationRequest;
use super::refusal::{GatewayResponse, RestRefusal};
use crate::execute_api::call::encoded;
use crate::execute_api::client::{Outgoing, is_hop_by_hop, signed};
use crate::execute_api::reply::Reply;
use crate::ground::scalar::text;

/// AWS services that speak JSON, and what their operations' names begin with on the wire.
const TARGETS: &[(&str, &str)] = &[
    ("dynamodb", "DynamoDB_20120810"),
    ("events", "AWSEvents"),
    ("firehose", "Firehose_20150804"),
    ("kinesis", "Kinesis_20131202"),
    ("states", "AWSStepFunctions"),
];

/// How this endpoint refuses what it does not simulate.
const NOT_IMPLEMENTED: u16 = 501;

/// Headers of an answer that API Gateway gives another name.
const REMAPPED: [&str; 5] = ["date", "server", "via", "www-authenticate", "host"];

fn method(integration: &Value, exchange: &Exchange<'_>) -> Method {
    let named = text(integration, "IntegrationHttpMethod").filter(|method| method != "ANY");
    named.and_then(|method| method.parse().ok()).unwrap_or_else(|| exchange.call.method.clone())
}

/// Passes a request on to an address and its answer back.
pub(super) async fn proxy(exchange: &Exchange<'_>, integration: &Value, uri: &str) -> Result<Reply, RestRefusal> {
    let mut path = Map::new();
    let mut set: Vec<(String, String)> = Vec::new();
    let mut query = exchange.call.query.clone();
    for (target, source) in integration.get("RequestParameters").and_then(Value::as_object).into_iter().flatten() {
        let Some(value) = exchange.request_parameter(source.as_str().unwrap_or_default()) else { continue };
        match target.strip_prefix("integration.request.").and_then(|it| it.split_once('.')) {
            Some(("path", name)) => drop(path.insert(name.to_owned(), Value::String(value))),
            Some(("header", name)) => set.push((name.to_owned(), value)),
            Some(("querystring", name)) => {
                query.retain(|(known, _)| known != name);
                query.push((name.to_owned(), value));
            }
            _ => {}
        }
    }
    let mut headers: Vec<(String, String)> =
        exchange.headers().into_iter().filter(|(name, _)| !is_hop_by_hop(name) && name != "Host").collect();
    for (name, value) in set {
        headers.retain(|(known, _)| !known.eq_ignore_ascii_case(&name));
        headers.push((name, value));
    }
    let url = with_query(exchange.address(uri, &path, encoded), &query);
    let outgoing = Outgoing { method: method(integration, exchange), url, headers, body: exchange.call.body.to_vec() };
    let came = asked(exchange, outgoing).await?;
    let mut reply = Reply::new(came.status).body(came.body);
    for (name, value) in came.headers {
        if is_hop_by_hop(&name) {
            continue;
        }
        let renamed = REMAPPED.contains(&&*name.to_ascii_lowercase());
        reply.headers.push((if renamed { format!("x-amzn-remapped-{name}") } else { name }, value));
    }
    Ok(reply)
}

/// Asks an address for what the mappings say.
pub(super) async fn address(
    exchange: &Exchange<'_>,
    integration: &Value,
    uri: &str,
    asked_for: IntegrationRequest,
) -> Result<Reply, RestRefusal> {
    let IntegrationRequest { body, media, mut headers, query, path } = asked_for;
    if let Some(media) = media.filter(|_| !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type"))) {
        headers.push(("content-type".to_owned(), media));
    }
    let url = with_query(exchange.address(uri, &path, encoded), &query);
    asked(exchange, Outgoing { method: method(integration, exchange), url, headers, body }).await
}

async fn asked(exchange: &Exchange<'_>, outgoing: Outgoing) -> Result<Reply, RestRefusal> {
    exchange.gateway.client.ask(outgoing).await.map_err(|reason| {
        RestRefusal::saying(GatewayResponse::IntegrationFailure, "Network error communicating with endpoint")
            .because(reason)
    })
}

fn with_query(url: String, query: &[(String, String)]) -> String {
    if query.is_empty() {
        return url;
    }
    let pairs: Vec<String> =
        query.iter().map(|(name, value)| format!("{}={}", encoded(name), encoded(value))).collect();
    format!("{url}{}{}", if url.contains('?') { '&' } else { '?' }, pairs.join("&"))
}

/// Asks an AWS service: this endpoint, in the role of the integration.
pub(super) async fn service(
    exchange: &Exchange<'_>,
    integration: &Value,
    uri: &str,
    asked_for: IntegrationRequest,
) -> Result<Reply, RestRefusal> {
    let uri = exchange.address(uri, &Map::new(), str::to_owned);
    // arn:aws:apigateway:{region}:{service}:{action|path}/{rest}, the service perhaps with a subdomain.
    let mut parts = uri.splitn(6, ':').skip(3);
    let (region, service, rest) = (parts.next(), parts.next(), parts.next());
    let (Some(region), Some(service), Some((way, rest))) = (region, service, rest.and_then(|it| it.split_once('/')))
    else {
        return Err(RestRefusal::of(GatewayResponse::ApiConfiguration).because(format!("`{uri}` names no service")));
    };
    let service = service.rsplit('.').next().unwrap_or(service);
    let Some(role) = text(integration, "Credentials") else {
        return Err(RestRefusal::broken(500, "an integration with an AWS service needs the role in `Credentials`"));
    };
    let IntegrationRequest { body, media, mut headers, mut query, path } = asked_for;
    let mut body = body;
    let json_target = TARGETS.iter().find(|(name, _)| *name == service).map(|(_, target)| *target);
    let mut set = |name: &str, value: String| {
        headers.retain(|(known, _): &(String, String)| !known.eq_ignore_ascii_case(name));
        headers.push((name.to_owned(), value));
    };
    let mut http_method = method(integration, exchange);
    let tail = match (way, json_target) {
        ("path", _) => {
            let rest = exchange.address(rest, &path, encoded);
            if let Some(media) = media {
                set("content-type", media);
            }
            format!("/{}", rest.trim_start_matches('/'))
        }
        ("action", Some(target)) => {
            set("x-amz-target", format!("{target}.{rest}"));
            http_method = Method::POST;
            if body.is_empty() {
                body = b"{}".to_vec();
            }
            "/".to_owned()
        }
        ("action", None) => {
            // Services of forms take the action with the parameters.
            let (action, more) = rest.split_once('&').unwrap_or((rest, ""));
            let mut form = form_urlencoded::Serializer::new(String::new());
            form.append_pair("Action", action);
            for (name, value) in crate::execute_api::call::pairs(more).iter().chain(&query) {
                form.append_pair(name, value);
            }
            for (name, value) in form_urlencoded::parse(&body).filter(|_| media.as_deref() != Some("application/json"))
            {
                form.append_pair(&name, &value);
            }
            query.clear();
            body = form.finish().into_bytes();
            set("content-type", "application/x-www-form-urlencoded".to_owned());
            http_method = Method::POST;
            "/".to_owned()
        }
        _ => {
            return Err(RestRefusal::of(GatewayResponse::ApiConfiguration)
                .because(format!("`{uri}` is neither an action nor a path")));
        }
    };
    if json_target.is_some() && !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("content-type")) {
        headers.push(("content-type".to_owned(), "application/x-amz-json-1.0".to_owned()));
    }
    let url = with_query(format!("{}{tail}", exchange.gateway.host.url), &query);
    let outgoing = Outgoing { method: http_method, url, headers, body };
    let credentials = exchange.gateway.credentials(&role).await.map_err(|why| RestRefusal::broken(500, why))?;
    let now = exchange.call.at.into();
    let outgoing = signed(outgoing, service, region, &credentials, now).map_err(|why| RestRefusal::broken(500, why))?;
    let came = asked(exchange, outgoing).await?;
    // Whatever the integration responses would make of it: nothing was done, and no caller may take it for done.
    if came.status == NOT_IMPLEMENTED {
        return Err(RestRefusal::NotSimulated(format!("what the integration asks of `{service}` (`{way}/{rest}`)")));
    }
    Ok(came)
}
