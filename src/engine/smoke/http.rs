//! Calls of APIs and invocations of functions, and whether what came back is what is expected.

use std::time::Duration;

use serde_json::Value;

use super::deployed::{DeployedStack, within};
use super::failure::{Failure, unsettled};
use super::picture;
use super::test::{Call, Sent};
use super::text::{Hidden, holds, is_like, is_wanted};
use crate::aws::{ApiCall, ApiResponse};
use crate::spec::{Expect, ImageFormat, escape};

/// How long a call may take where the test does not say: API Gateway itself gives up after 29 or 30 seconds.
const LONGEST_CALL: Duration = Duration::from_secs(60);
/// How long a function may take where the test does not say: the longest timeout a function can have, and its start.
const LONGEST_INVOCATION: Duration = Duration::from_secs(16 * 60);

pub(super) async fn call(deployed: &DeployedStack<'_>, call: &Call, expect: &Expect) -> Result<(), Failure> {
    let url = deployed.output(&call.output, "API")?.trim_end_matches('/');
    let mut hidden = Hidden::default();
    let mut headers = Vec::new();
    for (name, pieces) in &call.headers {
        headers.push((name.clone(), header(deployed, name, pieces, &mut hidden).await?));
    }
    if let Some(key) = &call.api_key {
        let id = deployed.id(key, "API key")?;
        let value = deployed.clients.api_key_value(id).await;
        let value = value.map_err(|reason| Failure::unanswered(format!("the API key cannot be read: {reason}")))?;
        hidden.add(&value);
        headers.push(("x-api-key".to_owned(), value));
    }
    let request = ApiCall {
        method: call.method.clone(),
        url: format!("{url}{}", call.target),
        headers,
        body: call.body.clone(),
        signed: call.signed,
    };
    let (answer, elapsed) = within(expect.within, LONGEST_CALL, deployed.clients.call_api(request)).await?;
    let status = answer.status;
    let judged = judge(&answer, status, expect, elapsed, &hidden);
    let judged = match judged {
        Ok(()) => is_picture(deployed, &answer, expect.image, &hidden).await,
        failed => failed,
    };
    judged.map_err(|failure| settled(failure, status, &answer))
}

pub(super) async fn invoke(
    deployed: &DeployedStack<'_>,
    function: &str,
    payload: &[u8],
    expect: &Expect,
) -> Result<(), Failure> {
    let name = deployed.id(function, "function")?;
    let asking = deployed.clients.invoke_function(name, payload.to_vec());
    let (answer, elapsed) = within(expect.within, LONGEST_INVOCATION, asking).await?;
    let hidden = Hidden::default();
    let said = || hidden.shown(&answer.text());
    // A function behind an API gives the status in what it returns.
    let status = own_status(&answer).unwrap_or(answer.status);
    let judged = if answer.function_error.is_some() {
        Err(Failure::unmet("", format!("the function failed: {}", said())))
    } else if answer.status >= 300 {
        Err(Failure::unmet("", format!("Lambda answered {}: {}", answer.status, said())))
    } else {
        match judge(&answer, status, expect, elapsed, &hidden) {
            Ok(()) => is_picture(deployed, &answer, expect.image, &hidden).await,
            failed => failed,
        }
    };
    judged.map_err(|failure| settled(failure, status, &answer))
}

/// A failure with the word whether a moment may change it.
fn settled(failure: Failure, status: u16, answer: &ApiResponse) -> Failure {
    Failure { unsettled: failure.unsettled || unsettled(Some(status), &answer.text()), ..failure }
}

/// The value of a header. What is secret in it goes into `hidden` before it can come back from anywhere.
pub(super) async fn header(
    deployed: &DeployedStack<'_>,
    header: &str,
    pieces: &[Sent],
    hidden: &mut Hidden,
) -> Result<String, Failure> {
    let mut value = String::new();
    for piece in pieces {
        match piece {
            Sent::Text(text) => value.push_str(text),
            Sent::Secret { id, name, key } => {
                let wrong = |why: String| Failure::unanswered(format!("the secret `{name}` cannot be sent: {why}"));
                let secret = deployed.clients.secret_value(deployed.id(id, "secret")?).await.map_err(wrong)?;
                hidden.add(&secret);
                let secret = match key {
                    None => secret,
                    Some(key) => {
                        let object: Value = serde_json::from_str(&secret).unwrap_or_default();
                        let own = object.get(key).and_then(Value::as_str).map(str::to_owned);
                        own.ok_or_else(|| wrong(format!("it has no text under `{key}`")))?
                    }
                };
                hidden.add(&secret);
                value.push_str(&secret);
            }
        }
    }
    if ::http::HeaderValue::from_str(&value).is_err() {
        let reason = format!("the header `{header}` would have characters that no header can have");
        return Err(Failure::unanswered(reason));
    }
    Ok(value)
}

/// The first expectation that is not met. Without a status in the spec, any below 400 will do.
fn judge(
    answer: &ApiResponse,
    status: u16,
    expect: &Expect,
    elapsed: Duration,
    hidden: &Hidden,
) -> Result<(), Failure> {
    let body = answer.text();
    let said = || hidden.shown(&body);
    match expect.status {
        Some(wanted) if wanted != status => {
            let reason = format!("answered {status}, expected {wanted}: {}", said());
            return Err(Failure::unmet("expect/status", reason));
        }
        None if status >= 400 => return Err(Failure::unmet("", format!("answered {status}: {}", said()))),
        _ => {}
    }
    for (name, wanted) in &expect.headers {
        let at = format!("expect/headers/{}", escape(name));
        let values: Vec<Value> = answer.header(name).map(Value::from).collect();
        if values.is_empty() {
            return Err(Failure::unmet(at, format!("the answer has no header `{name}`")));
        }
        is_wanted(&values.iter().collect::<Vec<_>>(), wanted, &at, &format!("the header `{name}`"), hidden)?;
    }
    if let Some(expected) = &expect.body {
        is_like(&body, expected, "expect/body", "the answer", hidden)?;
    }
    holds(&body, &expect.json, "expect/json", hidden)?;
    if let Some(within) = expect.within.filter(|within| elapsed > Duration::from_secs(within.0.into())) {
        let reason = format!("took {:.1} seconds, expected {within} at most", elapsed.as_secs_f64());
        return Err(Failure::unmet("expect/within", reason));
    }
    Ok(())
}

fn own_status(answer: &ApiResponse) -> Option<u16> {
    let answer: Value = serde_json::from_slice(&answer.body).ok()?;
    answer.get("statusCode")?.as_u64().and_then(|status| u16::try_from(status).ok())
}

/// Whether the body, or what lies at the address in it, is the picture that is expected.
async fn is_picture(
    deployed: &DeployedStack<'_>,
    answer: &ApiResponse,
    expected: Option<ImageFormat>,
    hidden: &Hidden,
) -> Result<(), Failure> {
    const AT: &str = "expect/image";
    let Some(expected) = expected else { return Ok(()) };
    let wanted = picture::name(expected);
    if picture::format_of(&answer.body).is_some() {
        return is_format(answer, expected, "the body");
    }
    let Some(url) = address(&answer.text()) else {
        let reason = format!("the body is not a picture and has no address of one: {}", hidden.shown(&answer.text()));
        return Err(Failure::unmet(AT, reason));
    };
    let shown = hidden.shown(&url);
    let fetching = tokio::time::timeout(LONGEST_CALL, deployed.clients.fetch(&url)).await;
    let fetched = match fetching {
        Ok(Ok(fetched)) => fetched,
        Ok(Err(reason)) => return Err(Failure::unmet(AT, hidden.shown(&reason))),
        Err(_) => return Err(Failure::unmet(AT, format!("`{shown}` did not answer in time"))),
    };
    if fetched.status != 200 {
        let (status, said) = (fetched.status, hidden.shown(&fetched.text()));
        let reason = format!("`{shown}` answered {status}, expected a {wanted} picture: {said}");
        let unsettled = unsettled(Some(status), &said);
        return Err(Failure { unsettled, ..Failure::unmet(AT, reason) });
    }
    is_format(&fetched, expected, &format!("what lies at `{shown}`"))
}

fn is_format(answer: &ApiResponse, expected: ImageFormat, what: &str) -> Result<(), Failure> {
    const AT: &str = "expect/image";
    let (wanted, media) = (picture::name(expected), picture::media_type(expected));
    match picture::format_of(&answer.body) {
        Some(found) if found == expected => {}
        Some(found) => {
            let reason = format!("{what} is a {} picture, expected {wanted}", picture::name(found));
            return Err(Failure::unmet(AT, reason));
        }
        None => return Err(Failure::unmet(AT, format!("{what} is not a {wanted} picture"))),
    }
    // A function's own payload says nothing of its type.
    let said = answer.header("content-type").next().unwrap_or_default();
    let said = said.split(';').next().unwrap_or_default().trim();
    if said.eq_ignore_ascii_case(media) {
        return Ok(());
    }
    let said = if said.is_empty() { "without a type".to_owned() } else { format!("as `{said}`") };
    Err(Failure::unmet(AT, format!("{what} is a {wanted} picture and is sent {said}, expected `{media}`")))
}

/// The address a body is, or the first text in it as JSON that is one.
fn address(body: &str) -> Option<String> {
    fn first(value: &Value) -> Option<&str> {
        match value {
            Value::String(text) => Some(text.trim()).filter(|text| is_address(text)),
            Value::Array(items) => items.iter().find_map(first),
            Value::Object(map) => map.values().find_map(first),
            _ => None,
        }
    }
    let body = body.trim();
    if is_address(body) {
        return Some(body.to_owned());
    }
    first(&serde_json::from_str(body).ok()?).map(str::to_owned)
}

fn is_address(text: &str) -> bool {
    (text.starts_with("https://") || text.starts_with("http://")) && !text.contains(char::is_whitespace)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn expect(value: Value) -> Expect {
        serde_json::from_value(value).expect("an expectation")
    }

    fn answer(status: u16, body: &str) -> ApiResponse {
        let headers = vec![("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned())];
        ApiResponse { status, headers, body: body.to_owned().into(), function_error: None }
    }

    fn failure_of(expected: Value, status: u16, body: &str, millis: u64) -> Option<(String, String)> {
        let elapsed = Duration::from_millis(millis);
        let failure = judge(&answer(status, body), status, &expect(expected), elapsed, &Hidden::default()).err()?;
        Some((failure.at, failure.reason))
    }

    #[test]
    fn each_expectation_is_told_by_name() {
        let all = json!({
            "status": 200, "within": "2s", "body": {"contains": "60"},
            "headers": {"content-type": {"contains": "json"}},
            "json": {"$.days": 60, "$.from[*].name": {"matches": "^b"}},
        });
        let body = r#"{"days": 60.0, "from": [{"name": "a"}, {"name": "b.md"}]}"#;
        assert_eq!(failure_of(all.clone(), 200, body, 2_000), None);
        let said = |status, body, millis| failure_of(all.clone(), status, body, millis).expect("a reason");
        assert_eq!(said(404, "gone", 1), ("expect/status".into(), "answered 404, expected 200: gone".into()));
        assert_eq!(said(200, "b", 1).0, "expect/body/contains/0");
        assert_eq!(
            said(200, "60", 1),
            ("expect/json/$.days".into(), "nothing is at `$.days` of the answer: 60".into())
        );
        assert_eq!(said(200, "60 days", 1), ("expect/json".into(), "the answer is not JSON: 60 days".into()));
        let late = said(200, body, 2_100);
        assert_eq!(late, ("expect/within".into(), "took 2.1 seconds, expected 2s at most".into()));
        let header = |expected: Value| failure_of(json!({ "headers": expected }), 200, "", 1).expect("a reason");
        assert_eq!(header(json!({"x-one": "1"})).1, "the answer has no header `x-one`");
        let (at, reason) = header(json!({"content-type": "text/html"}));
        assert_eq!(at, "expect/headers/content-type");
        assert!(reason.contains("application/json; charset=utf-8") && reason.contains("text/html"), "{reason}");
    }

    #[test]
    fn without_expectations_an_error_still_fails() {
        assert_eq!(failure_of(json!({}), 302, "", 1), None);
        assert_eq!(failure_of(json!({}), 500, "", 1), Some((String::new(), "answered 500: nothing".into())));
        assert_eq!(own_status(&answer(200, "{\"statusCode\": 500}")), Some(500));
        assert_eq!(own_status(&answer(200, "null")), None);
    }

    #[test]
    fn an_address_is_found_in_a_body() {
        assert_eq!(address(" https://a/b.png?x=1 \n").as_deref(), Some("https://a/b.png?x=1"));
        assert_eq!(address("\"https://a/b\"").as_deref(), Some("https://a/b"));
        assert_eq!(address(r#"{"note": "see", "at": {"url": "http://a/"}}"#).as_deref(), Some("http://a/"));
        assert_eq!(address("see https://a/").as_deref(), None);
    }

    #[test]
    fn a_picture_of_another_format_or_type_is_told() {
        let png = |content_type: &str| ApiResponse {
            status: 200,
            headers: vec![("content-type".into(), content_type.into())],
            body: (&b"\x89PNG\r\n\x1a\n"[..]).into(),
            function_error: None,
        };
        assert_eq!(is_format(&png("image/png"), ImageFormat::Png, "it"), Ok(()));
        let said = |answer: &ApiResponse, format| is_format(answer, format, "it").expect_err("a reason").reason;
        assert_eq!(said(&png("image/png"), ImageFormat::Webp), "it is a PNG picture, expected WebP");
        let untyped = said(&png("binary/octet-stream"), ImageFormat::Png);
        assert_eq!(untyped, "it is a PNG picture and is sent as `binary/octet-stream`, expected `image/png`");
        assert_eq!(said(&answer(200, "{}"), ImageFormat::Gif), "it is not a GIF picture");
    }
}
