//! The clients of one target, connected once and shared.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::stalled_stream_protection::StalledStreamProtectionConfig;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::provider::SharedCredentialsProvider;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use tokio::sync::OnceCell;

use super::error::{CallError, CallErrorKind};
use super::pace::Pace;
use super::target::{Target, TargetKind, is_plain_loopback};
use super::types::Identity;
use super::upload_connector::UploadConnector;
use super::uploads::UploadTurns;
use crate::finding::Finding;
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
    endpoint: Option<String>,
    region: String,
    pace: Pace,
    identity: OnceCell<Identity>,
}

impl Clients {
    /// Connects to a target: reads profiles and the environment, opens nothing.
    ///
    /// For the local target, and for a plain-HTTP endpoint on this machine while neither a profile nor
    /// `AWS_ACCESS_KEY_ID` is set, the credentials are `local`/`local`; real credentials then never take part.
    ///
    /// # Errors
    /// When no region is set anywhere or the endpoint is not a URL. Credentials are first asked for by the first call.
    pub async fn connect(target: &Target) -> Result<Self, Finding> {
        let endpoint = match target.kind {
            TargetKind::Local => target.endpoint_url.clone(),
            TargetKind::Aws => target.endpoint_url.clone().or_else(|| variable("AWS_ENDPOINT_URL")),
        };
        if let Some(url) = &endpoint
            && !url.parse::<http::Uri>().is_ok_and(|uri| uri.scheme().is_some() && uri.host().is_some())
        {
            return Err(Finding::error("C012", format!("`{url}` is not an endpoint URL"))
                .help("write it like `http://127.0.0.1:4566`"));
        }
        let loopback = endpoint.as_deref().is_some_and(is_plain_loopback);
        let named = target.profile.is_some() || variable("AWS_PROFILE").is_some();
        let stand_in =
            target.kind == TargetKind::Local || (loopback && !named && variable("AWS_ACCESS_KEY_ID").is_none());
        let config = if stand_in {
            let region = target.region.clone().or_else(|| variable("AWS_REGION"));
            stand_in_config(region.or_else(|| variable("AWS_DEFAULT_REGION")), loopback)
        } else {
            default_chain_config(target, loopback).await
        };
        let Some(region) = config.region().map(ToString::to_string) else {
            return Err(Finding::error("C013", "no AWS region is set")
                .help("write `region:` in the spec, pass `--region`, set `AWS_REGION`, or give the profile a region"));
        };
        let explicit = target.endpoint_url.clone().or(if stand_in { endpoint.clone() } else { None });
        Ok(Self::from_config(target.clone(), &config, explicit, endpoint, region, loopback))
    }

    fn from_config(
        target: Target,
        config: &SdkConfig,
        explicit: Option<String>,
        endpoint: Option<String>,
        region: String,
        loopback: bool,
    ) -> Self {
        let mut bedrock_agent = aws_sdk_bedrockagent::config::Builder::from(config);
        let mut cloudformation = aws_sdk_cloudformation::config::Builder::from(config);
        let mut dynamodb = aws_sdk_dynamodb::config::Builder::from(config);
        let mut s3 = aws_sdk_s3::config::Builder::from(config);
        let mut sts = aws_sdk_sts::config::Builder::from(config);
        if let Some(url) = &explicit {
            // Said for this command: it wins over a service's own `AWS_ENDPOINT_URL_…`.
            bedrock_agent = bedrock_agent.endpoint_url(url);
            cloudformation = cloudformation.endpoint_url(url);
            dynamodb = dynamodb.endpoint_url(url);
            s3 = s3.endpoint_url(url);
            sts = sts.endpoint_url(url);
        }
        // `bucket.127.0.0.1` resolves nowhere.
        s3 = s3.force_path_style(endpoint.is_some());
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
            endpoint,
            region,
            pace: Pace::new(loopback),
            identity: OnceCell::new(),
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
        self.inner.endpoint.as_deref()
    }

    /// The turns followers of this account and region take.
    pub fn pace(&self) -> &Pace {
        &self.inner.pace
    }

    /// Who the credentials belong to; asked once. Also the guard: a target that names an account accepts no other.
    ///
    /// # Errors
    /// When the call fails or the account is not the target's.
    pub async fn identity(&self) -> Result<&Identity, Finding> {
        let identity = self.inner.identity.get_or_try_init(|| self.caller_identity()).await?;
        match &self.inner.target.account {
            Some(account) if *account != identity.account => Err(Finding::error(
                "C014",
                format!(
                    "the credentials belong to account `{}`, but this stage belongs to `{account}`",
                    identity.account
                ),
            )
            .help("choose the right profile with `--profile`, or correct the stage's `account` in `bedplate.yaml`")),
            _ => Ok(identity),
        }
    }

    async fn caller_identity(&self) -> Result<Identity, Finding> {
        let answer = {
            // The first call of a run: a wrong address should not take a minute to tell.
            let twice = aws_sdk_sts::config::Builder::new().retry_config(RetryConfig::standard().with_max_attempts(2));
            self.inner.sts.get_caller_identity().customize().config_override(twice).send().await
        };
        let answer = answer.map_err(|error| self.error("sts:GetCallerIdentity", error))?;
        match (answer.account, answer.arn) {
            (Some(account), Some(arn)) => Ok(Identity { account, arn }),
            _ => Err(self.unreadable("sts:GetCallerIdentity", "it names no account").finding()),
        }
    }

    /// A failed call, with where it went.
    pub(super) fn error<E>(&self, action: &'static str, error: SdkError<E, HttpResponse>) -> CallError
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let mut error = CallError::new(action, error);
        if error.kind == CallErrorKind::Unreachable && self.inner.endpoint.is_none() {
            let service = action.split(':').next().unwrap_or_default();
            error.message = format!("{service} in `{}`: {}", self.inner.region, error.message);
        }
        error.endpoint = self.inner.endpoint.clone();
        error.profile = self.inner.target.profile.clone();
        let unfound = matches!(error.kind, CallErrorKind::NoCredentials | CallErrorKind::CredentialProvider);
        if let Some(name) = error.profile.as_deref().filter(|name| unfound && !is_defined(name)) {
            // The chain went on to other sources, and only the last of them speaks.
            error.message = format!("the profile `{name}` is not defined");
            error.kind = CallErrorKind::CredentialProvider;
        }
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
            endpoint: self.inner.endpoint.clone(),
            profile: self.inner.target.profile.clone(),
        }
    }
}

/// Whether the AWS configuration files have a profile. Only the names in brackets are looked at.
fn is_defined(profile: &str) -> bool {
    let home = std::env::home_dir().unwrap_or_default().join(".aws");
    [("AWS_CONFIG_FILE", "config"), ("AWS_SHARED_CREDENTIALS_FILE", "credentials")].iter().any(|(name, file)| {
        let path = variable(name).map_or_else(|| home.join(file), std::path::PathBuf::from);
        let text = std::fs::read_to_string(path).unwrap_or_default();
        text.lines().any(|line| {
            let name = line.trim_start().strip_prefix('[').and_then(|rest| rest.split(']').next()).unwrap_or_default();
            let name = name.trim();
            name == profile || name.strip_prefix("profile").is_some_and(|rest| rest.trim() == profile)
        })
    })
}

/// A variable that is set to something.
fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
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

/// The SDK's own chain: environment, profiles, SSO, web identity, process, container, instance.
async fn default_chain_config(target: &Target, loopback: bool) -> SdkConfig {
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .retry_config(retries(loopback))
        .timeout_config(timeouts())
        .stalled_stream_protection(stalls());
    if let Some(profile) = &target.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(region) = &target.region {
        loader = loader.region(Region::new(region.clone()));
    }
    loader.load().await
}
