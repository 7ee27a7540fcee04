//! The clients of one target, connected once and shared.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::{ProvideCredentials, SharedCredentialsProvider};
use aws_smithy_http_client::Builder as HttpClientBuilder;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use aws_types::service_config::ServiceConfigKey;
use tokio::sync::OnceCell;

use super::address::{AddressKind, address_kind, endpoint_address, is_plain_loopback};
use super::attempts::{AttemptObserver, Unwatched};
use super::credentials::{
    CredentialFacts, from_default_chain, from_profile, keys_in_environment, profile_of_environment,
};
use super::endpoints::Endpoints;
use super::environment::variable;
use super::error::{CallError, CallErrorKind};
use super::pace::Pace;
use super::services::variable_of;
use super::target::{Target, TargetKind};
use super::types::Identity;
use super::upload_connector::UploadConnector;
use super::upload_limits::UploadTurns;
use crate::finding::{Finding, code};
use crate::http_client;

/// A connection attempt that takes longer than this will not succeed.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Longest wait for the first byte of an answer; CloudFormation answers slow requests within half a minute.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// Attempts a call before its failure is reported; CloudFormation throttles whole accounts, so patience pays.
const MAX_ATTEMPTS: u32 = 6;
/// On this machine a refused connection stays refused.
const MAX_ATTEMPTS_LOOPBACK: u32 = 2;
/// A body that stands still this long is given up and tried again.
const STALL_GRACE: Duration = Duration::from_secs(20);

/// Everything that talks to one target. Cheap to clone; clones share connections, identity and pace.
#[derive(Debug, Clone)]
pub struct Clients {
    pub(super) inner: Arc<Inner>,
}

#[derive(Debug)]
pub(super) struct Inner {
    pub(super) bedrock_agent: aws_sdk_bedrockagent::Client,
    pub(super) cloudformation: aws_sdk_cloudformation::Client,
    pub(super) dynamodb: aws_sdk_dynamodb::Client,
    pub(super) s3: aws_sdk_s3::Client,
    /// For bodies: their connections are given up by lack of progress.
    pub(super) s3_uploads: aws_sdk_s3::Client,
    pub(super) upload_turns: UploadTurns,
    pub(super) sts: aws_sdk_sts::Client,
    pub(super) credentials: Option<SharedCredentialsProvider>,
    /// For what has no SDK client here; made when it is first needed, since it reads the machine's certificates.
    pub(super) http: OnceLock<http_client::Client>,
    target: Target,
    endpoints: Endpoints,
    stand_in: bool,
    region: String,
    pace: Pace,
    identity: OnceCell<Identity>,
    unwatched: Unwatched,
}

impl Clients {
    /// Connects to a target: reads profiles and the environment, opens nothing.
    ///
    /// For the local target, and for a plain-HTTP endpoint on this machine while neither a profile nor
    /// `AWS_ACCESS_KEY_ID` is set, the credentials are `local`/`local`; real credentials then never take part.
    ///
    /// # Errors
    /// When no region is set anywhere, a profile that is named does not exist, an endpoint is not a URL, or the services
    /// would be asked at different places. Credentials are first asked for by the first call.
    pub async fn connect(target: &Target) -> Result<Self, Finding> {
        let explicit = target.endpoint_url.as_deref();
        if let Some(url) = explicit {
            endpoint_address(url)?;
        }
        let by_variable = match target.kind {
            TargetKind::Aws if explicit.is_none() && !endpoints_ignored() => variable("AWS_ENDPOINT_URL"),
            _ => None,
        };
        let loopback = explicit.or(by_variable.as_deref()).is_some_and(is_plain_loopback);
        let named = target.profile.is_some() || profile_of_environment().is_some();
        let stand_in =
            target.kind == TargetKind::Local || (loopback && !named && variable("AWS_ACCESS_KEY_ID").is_none());
        let asked = target.region.clone().map(Region::new);
        let config = match &target.profile {
            _ if stand_in => {
                let region = target.region.clone().or_else(|| variable("AWS_REGION"));
                stand_in_config(region.or_else(|| variable("AWS_DEFAULT_REGION")), loopback)
            }
            Some(profile) => from_profile(loader(loopback), profile, asked).await?,
            None => from_default_chain(loader(loopback), asked).await?,
        };
        let endpoints = match explicit {
            // Said for this command: it wins over a service's own `AWS_ENDPOINT_URL_…`.
            Some(url) => Endpoints::resolve(|_| Some(url.to_owned()))?,
            None if stand_in => Endpoints::resolve(|id| variable(&variable_of(id)).or_else(|| by_variable.clone()))?,
            None => Endpoints::resolve(|id| configured_endpoint(&config, id))?,
        };
        let Some(region) = config.region().map(ToString::to_string).filter(|region| !region.is_empty()) else {
            return Err(Finding::error(code::C013, "no AWS region is set")
                .help("write `region:` in the spec, pass `--region`, set `AWS_REGION`, or give the profile a region"));
        };
        Ok(Self::from_config(target.clone(), &config, endpoints, stand_in, region))
    }

    fn from_config(target: Target, config: &SdkConfig, endpoints: Endpoints, stand_in: bool, region: String) -> Self {
        let unwatched = Unwatched::default();
        let observer = AttemptObserver::new(&unwatched);
        let mut bedrock_agent = aws_sdk_bedrockagent::config::Builder::from(config).interceptor(observer.clone());
        let mut cloudformation = aws_sdk_cloudformation::config::Builder::from(config).interceptor(observer.clone());
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(config).interceptor(observer.clone());
        let mut s3 = aws_sdk_s3::config::Builder::from(config).interceptor(observer.clone());
        let mut sts = aws_sdk_sts::config::Builder::from(config);
        // What was decided here is what is asked, whatever else a client would find by itself.
        let of = |service: &str| endpoints.for_host(service).map(str::to_owned);
        bedrock_agent.set_endpoint_url(of("bedrock-agent"));
        cloudformation.set_endpoint_url(of("cloudformation"));
        dynamodb.set_endpoint_url(of("dynamodb"));
        s3.set_endpoint_url(of("s3"));
        sts.set_endpoint_url(of("sts"));
        // What is on this machine is not asked through a proxy: it would see everything, and could not reach it.
        let direct = |service: &str| {
            endpoints.for_host(service).is_some_and(is_plain_loopback).then(|| HttpClientBuilder::new().build_http())
        };
        bedrock_agent.set_http_client(direct("bedrock-agent").or_else(|| config.http_client()));
        cloudformation.set_http_client(direct("cloudformation").or_else(|| config.http_client()));
        dynamodb.set_http_client(direct("dynamodb").or_else(|| config.http_client()));
        s3.set_http_client(direct("s3").or_else(|| config.http_client()));
        sts.set_http_client(direct("sts").or_else(|| config.http_client()));
        // `bucket.127.0.0.1` resolves nowhere.
        s3 = s3.force_path_style(endpoints.for_host("s3").is_some());
        let loopback = endpoints.common().is_some_and(is_plain_loopback);
        let uploads = s3
            .clone()
            .http_client(UploadConnector::new(CONNECT_TIMEOUT, target.uploads.standstill))
            .timeout_config(TimeoutConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .retry_config(retries(loopback).with_max_attempts(target.uploads.attempts));
        let inner = Inner {
            bedrock_agent: aws_sdk_bedrockagent::Client::from_conf(bedrock_agent.build()),
            cloudformation: aws_sdk_cloudformation::Client::from_conf(cloudformation.build()),
            dynamodb: aws_sdk_dynamodb::Client::from_conf(dynamodb.build()),
            s3: aws_sdk_s3::Client::from_conf(s3.build()),
            s3_uploads: aws_sdk_s3::Client::from_conf(uploads.build()),
            upload_turns: UploadTurns::default(),
            sts: aws_sdk_sts::Client::from_conf(sts.build()),
            credentials: config.credentials_provider(),
            http: OnceLock::new(),
            target,
            endpoints,
            stand_in,
            region,
            pace: Pace::new(loopback),
            identity: OnceCell::new(),
            unwatched,
        };
        Self { inner: Arc::new(inner) }
    }

    /// What it is connected to.
    pub fn target(&self) -> &Target {
        &self.inner.target
    }

    /// The region all calls go to.
    pub fn region(&self) -> &str {
        &self.inner.region
    }

    /// The endpoint, when it is not AWS's own.
    pub fn endpoint(&self) -> Option<&str> {
        self.inner.endpoints.common()
    }

    /// Where each service is asked.
    pub fn endpoints(&self) -> &Endpoints {
        &self.inner.endpoints
    }

    /// Where all that is sent leads.
    pub fn address_kind(&self) -> AddressKind {
        self.endpoint().map_or(AddressKind::Aws, address_kind)
    }

    /// Whose credentials are used; asks for them, and sends nothing to the target.
    ///
    /// # Errors
    /// When there are none, as the first call would report it.
    pub async fn credentials(&self) -> Result<CredentialFacts, Finding> {
        if self.inner.stand_in {
            return Ok(CredentialFacts::stand_in());
        }
        let none = || CallError::from_credentials_error(None, self.profile_asked());
        let provider = self.inner.credentials.as_ref().ok_or_else(none)?;
        let credentials = provider.provide_credentials().await;
        let credentials =
            credentials.map_err(|error| CallError::from_credentials_error(Some(&error), self.profile_asked()))?;
        Ok(CredentialFacts::describe(&credentials, self.profile_asked().as_deref()))
    }

    /// The profile that is asked for credentials: the one named for this run, else the environment's.
    pub(super) fn profile_asked(&self) -> Option<String> {
        let of_environment = || profile_of_environment().filter(|_| !keys_in_environment()).map(|(_, name)| name);
        self.inner.target.profile.clone().or_else(of_environment)
    }

    /// The turns followers of this account and region take.
    pub fn pace(&self) -> &Pace {
        &self.inner.pace
    }

    /// How many requests that change something were sent so far without being watched; see [`Attempts`](super::Attempts).
    pub fn unwatched_count(&self) -> usize {
        self.inner.unwatched.count()
    }

    /// The operations of those after the first `from`, each once.
    pub fn unwatched_since(&self, from: usize) -> Vec<String> {
        self.inner.unwatched.since(from)
    }

    /// Who the credentials belong to; asked once. Also the guard: a target that names an account accepts no other.
    ///
    /// # Errors
    /// When the call fails or the account is not the target's.
    pub async fn identity(&self) -> Result<&Identity, Finding> {
        let identity = self.inner.identity.get_or_try_init(|| self.caller_identity()).await?;
        match &self.inner.target.account {
            Some(account) if *account != identity.account => {
                let source = self.credentials().await?.source;
                Err(Finding::error(
                    code::C014,
                    format!("the credentials ({source}) belong to account `{}`, not to `{account}`", identity.account),
                )
                .help(
                    "`--account`, or the stage's `account` in `bedplate.yaml`, names the account this may go to: choose the \
                     profile of that account with `--profile`, or correct the number",
                ))
            }
            _ => Ok(identity),
        }
    }

    /// The account of the credentials, for calls that name the owner they expect.
    pub(super) async fn own_account(&self) -> Result<&str, CallError> {
        let identity = self.inner.identity.get_or_try_init(|| self.caller_identity()).await?;
        Ok(identity.account.as_str())
    }

    async fn caller_identity(&self) -> Result<Identity, CallError> {
        let answer = {
            // The first call of a run: a wrong address should not take a minute to tell.
            let twice = aws_sdk_sts::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(2));
            self.inner.sts.get_caller_identity().customize().config_override(twice).send().await
        };
        let answer = answer.map_err(|error| self.error("sts:GetCallerIdentity", error))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(self.unreadable("sts:GetCallerIdentity", "it names no account")),
        }
    }

    /// A failed call, with where it went.
    pub(super) fn error<E>(&self, action: &'static str, error: SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut error = CallError::new(action, error);
        if error.kind == CallErrorKind::Unreachable && self.endpoint().is_none() {
            let service = action.split(':').next().unwrap_or_default();
            error.message = format!("{service} in `{}`: {}", self.inner.region, error.message);
        }
        error.endpoint = self.endpoint().map(str::to_owned);
        error.profile = self.profile_asked();
        error
    }

    /// An answer that lacks what the service promises.
    pub(super) fn unreadable(&self, action: &'static str, message: &str) -> CallError {
        CallError {
            kind: super::error::CallErrorKind::Unreadable,
            action,
            code: None,
            message: message.to_owned(),
            request_id: None,
            endpoint: self.endpoint().map(str::to_owned),
            profile: self.profile_asked(),
        }
    }
}

fn retries(loopback: bool) -> RetryConfig {
    if loopback {
        RetryConfig::standard()
            .with_max_attempts(MAX_ATTEMPTS_LOOPBACK)
            .with_initial_backoff(Duration::from_millis(50))
            .with_max_backoff(Duration::from_millis(200))
    } else {
        RetryConfig::standard().with_max_attempts(MAX_ATTEMPTS)
    }
}

fn timeouts() -> TimeoutConfig {
    TimeoutConfig::builder().connect_timeout(CONNECT_TIMEOUT).read_timeout(READ_TIMEOUT).build()
}

fn stalls() -> StalledStreamProtectionConfig {
    StalledStreamProtectionConfig::enabled().grace_period(STALL_GRACE).build()
}

/// For loopback: no file is read, no metadata service asked.
fn stand_in_config(region: Option<String>, loopback: bool) -> SdkConfig {
    let credentials = Credentials::new("local", "local", None, None, "bedplate-local");
    SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(region.map(Region::new))
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .retry_config(retries(loopback))
        .timeout_config(timeouts())
        .stalled_stream_protection(stalls())
        .build()
}

fn loader(loopback: bool) -> ConfigLoader {
    aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries(loopback))
        .timeout_config(timeouts())
        .stalled_stream_protection(stalls())
}

/// The address that the environment or the profile names for a service, in the SDK's own order.
fn configured_endpoint(config: &SdkConfig, service_id: &str) -> Option<String> {
    let key =
        ServiceConfigKey::builder().service_id(service_id).env("AWS_ENDPOINT_URL").profile("endpoint_url").build();
    let of_service = key.ok().and_then(|key| config.service_config()?.load_config(key));
    of_service.or_else(|| config.endpoint_url().map(str::to_owned)).filter(|url| !url.is_empty())
}

/// Whether the environment says that addresses of the environment and of profiles do not count.
fn endpoints_ignored() -> bool {
    variable("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS").is_some_and(|value| value.eq_ignore_ascii_case("true"))
}
