//! The listener, and which service a request is for.

use std::collections::HashMap;
use std::convert::Infallible;
use std::io::Read as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Uri, header};
use http_body_util::{BodyExt, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use s3s::Body;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::{JoinHandle, JoinSet};

use super::bedrock::{Door, gateway_of};
use super::cloudformation::custom;
use super::cognito;
use super::errors::{ApiError, Protocol, operation_name};
use super::execute_api::{Address, Gateway};
use super::identity::Who;
use super::lambda::code;
use super::pages;
use super::query::{CallContext, Params, QueryService, response};
use super::s3::Front;
use super::store::Store;
use super::{
    ACCOUNT_ID, DEFAULT_REGION, Host, JSON_SERVICES, LocalError, LocalOptions, SCHEMAS, admission, query_services,
};

/// The largest form body taken, in bytes, also after decompression: a template of 1 MiB whose every byte is escaped, and
/// some room.
const MAX_FORM: usize = 4 << 20;

/// How long a shutdown waits for requests under way.
const SHUTDOWN: Duration = Duration::from_secs(5);

/// A local target that is serving. Dropping it ends it, too, without waiting for anything.
#[derive(Debug)]
pub struct Running {
    host: Arc<Host>,
    address: SocketAddr,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Running {
    /// Where it listens, for example `http://127.0.0.1:4566`, with no trailing slash.
    pub fn url(&self) -> &str {
        &self.host.url
    }

    /// The address it listens on.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The account of everything in it.
    pub fn account_id(&self) -> &'static str {
        ACCOUNT_ID
    }

    /// Its state.
    pub fn store(&self) -> &Store {
        &self.host.store
    }

    /// What its services share.
    pub fn host(&self) -> &Arc<Host> {
        &self.host
    }

    /// Takes no more requests, lets those under way end (for five seconds at most), and tidies up.
    pub async fn shutdown(self) {
        let _ = self.stop.send(true);
        let _ = self.task.await;
        self.host.lambda.close();
        let store = self.host.store.clone();
        // What is left unswept now is swept at the next start.
        let _ = self.host.store.blocking(move || store.sweep_unused().and_then(|_| code::sweep(&store))).await;
    }
}

/// Starts a local target within the caller's runtime.
///
/// # Errors
///
/// When the state can't be opened or the port can't be had.
pub async fn start(options: LocalOptions) -> Result<Running, LocalError> {
    let LocalOptions { dir, port, fail, delay, model_server, clock, ids, functions } = options;
    let store = match tokio::task::spawn_blocking(move || Store::open(&dir, SCHEMAS)).await {
        Ok(store) => store?,
        Err(error) if error.is_panic() => std::panic::resume_unwind(error.into_panic()),
        Err(_) => return Err(super::store::StoreError::ShuttingDown.into()),
    };
    let port = port.unwrap_or(0);
    let listen_error = |source| LocalError::Listen { port, source };
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await.map_err(listen_error)?;
    let address = listener.local_addr().map_err(listen_error)?;
    let host = Arc::new(Host {
        store: store.clone(),
        clock,
        ids,
        fail,
        delay,
        functions,
        url: format!("http://{address}"),
        lambda: super::lambda::Pool::default(),
        model_server,
    });
    let server = Arc::new(Server::new(Arc::clone(&host)));
    let (stop, stopped) = watch::channel(false);
    let task = tokio::spawn(accept(listener, server, stopped));
    // Nobody waits for this: it only frees room that crashed processes left in use, and the next start tries again.
    tokio::task::spawn_blocking(move || store.sweep_after_crash().and_then(|()| code::sweep(&store)));
    Ok(Running { host, address, stop, task })
}

async fn accept(listener: TcpListener, server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            _ = stopped.changed() => break,
            Some(_) = connections.join_next(), if !connections.is_empty() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(serve(stream, Arc::clone(&server), stopped.clone()));
                }
                // Out of file descriptors, most likely: let some connections end first.
                Err(_) => tokio::time::sleep(Duration::from_millis(20)).await,
            },
        }
    }
    drop(listener);
    let all_done = async { while connections.join_next().await.is_some() {} };
    let _ = tokio::time::timeout(SHUTDOWN, all_done).await;
}

async fn serve(stream: TcpStream, server: Arc<Server>, mut stopped: watch::Receiver<bool>) {
    // Small answers must not wait for more to come; that it can't be set costs time only.
    let _ = stream.set_nodelay(true);
    let service = service_fn(move |request| {
        let server = Arc::clone(&server);
        async move { Ok::<_, Infallible>(server.answer(request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .max_buf_size(256 << 10)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    // A connection that breaks is the client's business; there is nobody to tell.
    tokio::select! {
        _ = connection.as_mut() => {}
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            let _ = connection.await;
        }
    }
}

/// Who asks, and for what region and service, as the signature's credential scope says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Scope {
    pub access_key: Option<String>,
    pub region: Option<String>,
    pub service: Option<String>,
    /// Whether the signature is in the URL.
    pub presigned: bool,
}

impl Scope {
    pub(super) fn of(headers: &HeaderMap, uri: &Uri) -> Self {
        let from_header = headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok())
            .and_then(|value| value.split_once("Credential="))
            .and_then(|(_, rest)| rest.split([',', ' ']).next())
            .map(str::to_owned);
        let from_url = || {
            form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .find(|(name, _)| name == "X-Amz-Credential")
                .map(|(_, value)| value.into_owned())
        };
        let presigned = from_header.is_none();
        let Some(credential) = from_header.or_else(from_url) else {
            // A URL signed with Signature Version 2 names no region and no service; only S3 takes one.
            let access_key = form_urlencoded::parse(uri.query().unwrap_or_default().as_bytes())
                .find(|(name, _)| name == "AWSAccessKeyId")
                .map(|(_, value)| value.into_owned());
            let presigned = access_key.is_some();
            return Self { access_key, presigned, ..Self::default() };
        };
        // The access key itself may hold slashes; the scope after it has four parts.
        let mut parts = credential.rsplitn(5, '/');
        let mut next = || parts.next().map(str::to_owned).filter(|part| !part.is_empty());
        let (_terminator, service, region, _date) = (next(), next(), next(), next());
        Self { access_key: next(), region, service, presigned }
    }
}

struct Server {
    host: Arc<Host>,
    query: HashMap<&'static str, Arc<dyn QueryService>>,
    s3: Front,
    lambda: super::lambda::Front,
    apis: Arc<Gateway>,
    bedrock: super::bedrock::Front,
}

impl Server {
    fn new(host: Arc<Host>) -> Self {
        let query = query_services(&host).into_iter().map(|service| (service.signing_name(), service)).collect();
        let s3 = Front::new(Arc::clone(&host));
        let lambda = super::lambda::Front::new(Arc::clone(&host));
        let apis = Arc::new(Gateway::new(Arc::clone(&host)));
        let bedrock = super::bedrock::Front::new(Arc::clone(&host));
        Self { host, query, s3, lambda, apis, bedrock }
    }

    async fn answer(&self, request: Request<Incoming>) -> Response<Body> {
        let request_id = self.host.ids.uuid().to_string();
        // An API is public, to web pages too: who may call it is the API's own word.
        if let Some(address) = Address::of(&request) {
            let mut response = self.apis.answer(request, address, &request_id).await;
            if let Ok(value) = HeaderValue::from_str(&request_id) {
                response.headers_mut().insert("x-amzn-requestid", value);
            }
            return response;
        }
        let mut response = match gateway_of(request.headers(), request.uri().path()) {
            Some(gateway) => self.gateway(request, &gateway, &request_id).await,
            None => self.dispatch(request, &request_id).await,
        };
        if let Ok(value) = HeaderValue::from_str(&request_id) {
            response.headers_mut().insert("x-amzn-requestid", value.clone());
            response.headers_mut().insert("x-amz-request-id", value);
        }
        response
    }

    async fn dispatch(&self, request: Request<Incoming>, request_id: &str) -> Response<Body> {
        // The keys of a user pool are public, and asked for at its issuer's name.
        if let Some(asked) = cognito::well_known(request.method(), request.uri()) {
            let answered = asked.answer(&self.host).await;
            return answered.unwrap_or_else(|error| error_response(Protocol::RestJson, &error, request_id));
        }
        if let Some(refusal) = refuse_strangers(&request) {
            return error_response(Protocol::RestXml, &refusal, request_id);
        }
        if let Some(own) = request.uri().path().strip_prefix("/_bedplate/") {
            return match own {
                "operations" => pages::operations(self.query.values().map(AsRef::as_ref)),
                page => pages::answer(&self.host, page, request_id).await,
            };
        }
        if let Some(token) = request.uri().path().strip_prefix(custom::PATH).map(str::to_owned) {
            return self.custom_resource_answer(request, &token, request_id).await;
        }
        let scope = Scope::of(request.headers(), request.uri());
        // API Gateway itself verifies who manages connections, by the rules of the API they belong to.
        if request.uri().path().contains("/@connections/") && scope.service.as_deref() == Some("execute-api") {
            return self.apis.manage(request, request_id).await;
        }
        let is_query = speaks_query(&request, &scope);
        let request = match admission::admit(&self.host, request.map(Body::from), &scope, is_query).await {
            Ok(request) => request,
            Err((protocol, error)) => return error_response(protocol, &error, request_id),
        };
        if scope.service.as_deref() == Some("apigateway") {
            let region = scope.region.as_deref().unwrap_or(DEFAULT_REGION);
            if let Some(response) = self.apis.control(request.method(), request.uri(), region).await {
                return response;
            }
        }
        if !is_query {
            return self.not_query(request, &scope, request_id).await;
        }
        let (parts, body) = request.into_parts();
        let who = parts.extensions.get::<Who>().cloned().unwrap_or_else(Who::local);
        let name = scope.service.clone().unwrap_or_default();
        let form = match read_form(&parts.headers, &parts.uri, body).await {
            Ok(form) => form,
            Err(error) => return error_response(Protocol::Query, &error, request_id),
        };
        let params = match Params::parse(&form) {
            Ok(params) => params,
            Err(error) => return error_response(Protocol::Query, &error, request_id),
        };
        let action = params.text("Action").unwrap_or_default().to_owned();
        let version = params.text("Version").unwrap_or_default();
        let service = match scope.service.as_deref() {
            Some(name) => self.query.get(name),
            None => self.query.values().find(|service| service.version() == version),
        };
        let Some(service) = service else {
            let name = if name.is_empty() { format!("the API of version `{version}`") } else { name };
            let error = ApiError::not_implemented(&name, &action);
            return error_response(Protocol::of(&parts.headers, &name, true), &error, request_id);
        };
        let context = CallContext {
            region: scope.region.unwrap_or_else(|| DEFAULT_REGION.to_owned()),
            account: ACCOUNT_ID.to_owned(),
            who,
            request_id: request_id.to_owned(),
            now: self.host.clock.now(),
        };
        match service.call(&context, &action, params).await {
            Ok(result) => {
                let document = response::document(&action, service.namespace(), &result, request_id);
                respond(StatusCode::OK, "text/xml", document.into_bytes())
            }
            Err(error) => error_response(Protocol::Query, &error, request_id),
        }
    }

    /// The answer of a custom resource's function: an upload as to S3, whatever its content type says.
    async fn custom_resource_answer(
        &self,
        request: Request<Incoming>,
        token: &str,
        request_id: &str,
    ) -> Response<Body> {
        let taken = if request.method() == Method::PUT {
            match Limited::new(request.into_body(), MAX_FORM).collect().await {
                Ok(body) => custom::take(&self.host, token, body.to_bytes().to_vec()).await,
                Err(error) => Err(ApiError::sender("IncompleteBody", format!("The request body broke off: {error}"))),
            }
        } else {
            Err(refusal("The request signature we calculated does not match the signature you provided.".to_owned()))
        };
        match taken {
            Ok(()) => Response::new(Body::empty()),
            Err(error) => error_response(Protocol::RestXml, &error, request_id),
        }
    }

    async fn not_query(&self, request: Request<Body>, scope: &Scope, request_id: &str) -> Response<Body> {
        let service = match scope.service.as_deref() {
            Some("s3") => return self.s3.answer(request, scope.region.clone(), request_id).await,
            Some("lambda") => return self.lambda(request, scope, request_id).await,
            Some(name) if super::bedrock::SIGNING_NAMES.contains(&name) => {
                let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
                return self.bedrock.answer(request, name, region, request_id).await;
            }
            None if cognito::is_public(request.headers()) => "cognito-idp",
            // A target or an RPC path is never S3's.
            None if !request.headers().contains_key("x-amz-target")
                && !request.headers().contains_key("smithy-protocol") =>
            {
                return self.s3.answer(request, None, request_id).await;
            }
            None => "unsigned request",
            Some(service) => service,
        };
        if let Some(service) = JSON_SERVICES.iter().find(|known| known.name() == service) {
            let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
            return service.answer(Arc::clone(&self.host), request, region).await;
        }
        let operation = operation_name(request.headers(), request.method(), request.uri());
        let protocol = Protocol::of(request.headers(), service, false);
        error_response(protocol, &ApiError::not_implemented(service, &operation), request_id)
    }

    /// A gateway's own endpoint: let in as the gateway says, and by no page of another origin.
    async fn gateway(&self, request: Request<Incoming>, gateway: &str, request_id: &str) -> Response<Body> {
        let refused = |error: &ApiError| error_response(Protocol::RestJson, error, request_id);
        if let Some(refusal) = refuse_pages(&request) {
            return refused(&refusal);
        }
        let request = match self.bedrock.door(gateway, request.headers()).await {
            Err(error) => return refused(&error),
            Ok(Door::Open) => request.map(Body::from),
            Ok(Door::Signed) => {
                let scope = Scope::of(request.headers(), request.uri());
                if scope.access_key.is_none() {
                    return refused(&refusal("Missing Authentication Token".to_owned()));
                }
                if scope.service.as_deref() != Some("bedrock-agentcore") {
                    let message = "Credential should be scoped to correct service: 'bedrock-agentcore'.";
                    return refused(&refusal(message.to_owned()));
                }
                match admission::admit(&self.host, request.map(Body::from), &scope, false).await {
                    Ok(request) => request,
                    Err((_, error)) => return refused(&error),
                }
            }
        };
        self.bedrock.mcp(request, gateway, request_id).await
    }

    async fn lambda(&self, request: Request<Body>, scope: &Scope, request_id: &str) -> Response<Body> {
        let (parts, body) = request.into_parts();
        let region = scope.region.clone().unwrap_or_else(|| DEFAULT_REGION.to_owned());
        let answered = match admission::read_whole(body).await {
            Err(error) => Err(error),
            Ok(body) => self.lambda.answer(&parts.method, &parts.uri, &parts.headers, body, region).await,
        };
        answered
            .unwrap_or_else(|error| error_response(Protocol::of(&parts.headers, "lambda", false), &error, request_id))
    }
}

/// Only programs of this machine may ask, and no web page through a browser of this machine: requests are not
/// authenticated, so a page must neither reach us under its own name nor post to us from elsewhere.
fn refuse_strangers(request: &Request<Incoming>) -> Option<ApiError> {
    let headers = request.headers();
    let host = headers.get(header::HOST).and_then(|value| value.to_str().ok()).or_else(|| request.uri().host());
    if let Some(host) = host
        && !is_loopback(host)
    {
        return Some(refusal(format!("The local target answers on loopback only, not as `{host}`")));
    }
    refuse_pages(request)
}

/// No changes from pages of other origins.
fn refuse_pages(request: &Request<Incoming>) -> Option<ApiError> {
    let headers = request.headers();
    let safe = matches!(*request.method(), Method::GET | Method::HEAD | Method::OPTIONS);
    let origin = headers.get(header::ORIGIN).map(|value| value.to_str().unwrap_or("null"));
    match origin {
        Some(origin) if !safe && !origin.split_once("://").is_some_and(|(_, host)| is_loopback(host)) => {
            Some(refusal(format!("The local target takes no changes from the web page `{origin}`")))
        }
        _ => None,
    }
}

fn refusal(message: String) -> ApiError {
    ApiError::sender("AccessDenied", message).with_status(StatusCode::FORBIDDEN)
}

fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    };
    let name = name.trim_start_matches('[').trim_end_matches(']');
    name.eq_ignore_ascii_case("localhost")
        || name.to_ascii_lowercase().ends_with(".localhost")
        || name.parse::<std::net::IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A form (or, at the root, a query string) with an `Action` is awsQuery; S3 has neither.
fn speaks_query(request: &Request<Incoming>, scope: &Scope) -> bool {
    if matches!(scope.service.as_deref(), Some("s3")) || request.uri().path() != "/" {
        return false;
    }
    let is_form = request
        .headers()
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
    let action_in_url =
        form_urlencoded::parse(request.uri().query().unwrap_or_default().as_bytes()).any(|(name, _)| name == "Action");
    (request.method() == Method::POST && is_form) || action_in_url
}

/// The form of a call: the body's, or the URL's when the body has none.
async fn read_form(headers: &HeaderMap, uri: &Uri, body: Body) -> Result<Bytes, ApiError> {
    let too_large = || {
        ApiError::sender("RequestEntityTooLarge", format!("The request body is larger than {MAX_FORM} bytes"))
            .with_status(StatusCode::PAYLOAD_TOO_LARGE)
    };
    let body = match Limited::new(body, MAX_FORM).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => return Err(too_large()),
        Err(error) => return Err(ApiError::sender("IncompleteBody", format!("The request body broke off: {error}"))),
    };
    let is_gzip = headers.get(header::CONTENT_ENCODING).is_some_and(|value| value.as_bytes() == b"gzip");
    let body = if is_gzip {
        let mut plain = Vec::new();
        flate2::read::GzDecoder::new(body.as_ref())
            .take(MAX_FORM as u64 + 1)
            .read_to_end(&mut plain)
            .map_err(|error| ApiError::sender("SerializationException", format!("The body is not gzip: {error}")))?;
        if plain.len() > MAX_FORM {
            return Err(too_large());
        }
        Bytes::from(plain)
    } else {
        body
    };
    if body.is_empty() {
        return Ok(Bytes::copy_from_slice(uri.query().unwrap_or_default().as_bytes()));
    }
    Ok(body)
}

pub(super) fn error_response(protocol: Protocol, error: &ApiError, request_id: &str) -> Response<Body> {
    let (content_type, body) = protocol.render(error, request_id);
    let mut response = respond(error.status, content_type, body);
    for (name, value) in protocol.headers(error) {
        response.headers_mut().insert(name, value);
    }
    response
}

pub(super) fn respond(status: StatusCode, content_type: &'static str, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    response
}
