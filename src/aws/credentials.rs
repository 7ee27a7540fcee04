//! Whose credentials a run uses: those of a profile that was named, or what the standard chain finds.
//!
//! A profile that is named for this run (`--profile`, a stage's `profile`) beats keys in the environment and is asked
//! alone: what it does not have is not looked for elsewhere. A profile named by `AWS_PROFILE` does not beat them.
//! Source: botocore 1.43.106, 2026-11-29: `credentials.create_credential_resolver` takes the provider of the environment
//! out of the chain when the profile is an instance variable of the session (`disable_env_vars`), as the AWS CLI 1.46.3
//! sets it for `--profile` (`clidriver.py`); its comment says that `AWS_PROFILE` leaves the environment first.

use std::collections::BTreeSet;
use std::time::{Duration, SystemTime};

use aws_config::environment::EnvironmentVariableRegionProvider;
use aws_config::meta::region::ProvideRegion;
use aws_config::profile::{ProfileFileCredentialsProvider, ProfileFileRegionProvider, ProfileSet};
use aws_config::provider_config::ProviderConfig;
use aws_config::{ConfigLoader, Region, SdkConfig};
use aws_credential_types::Credentials;
use aws_credential_types::credential_feature::AwsCredentialFeature;
use aws_credential_types::provider::{ProvideCredentials, Result as ProviderResult, SharedCredentialsProvider, future};
use aws_types::os_shim_internal::{Env, Fs};
use tokio::sync::Mutex;

use super::environment::variable;
use crate::finding::{Finding, code};

/// Credentials that end sooner than this are asked for anew.
const MARGIN: Duration = Duration::from_secs(60);

/// The shortest id that an access key of AWS can have; what is shorter is made up for an emulator.
/// Source: `accessKeyIdType` in botocore's models of IAM and STS, 1.43.106, 2026-11-29.
const SHORTEST_KEY_ID: usize = 16;

/// The most profiles an error names.
const MOST_NAMES: usize = 8;

/// Where the credentials of a run come from. It names, and never holds, them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CredentialSource {
    /// `local` / `local`, for an endpoint on this machine.
    StandIn,
    /// Keys in the environment.
    Environment,
    /// A profile of the AWS configuration files.
    Profile(String),
    /// What the machine or container is given.
    Machine,
}

impl std::fmt::Display for CredentialSource {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            CredentialSource::StandIn => f.write_str("stand-in credentials"),
            CredentialSource::Environment => f.write_str("keys of the environment"),
            CredentialSource::Profile(name) => write!(f, "profile `{name}`"),
            CredentialSource::Machine => f.write_str("credentials of this machine"),
        }
    }
}

/// Whose credentials were used, as far as it decides what is asked and shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CredentialFacts {
    /// Where they come from.
    pub source: CredentialSource,
    /// They can be AWS's: the id of the access key is long enough.
    pub can_be_real: bool,
}

impl CredentialFacts {
    /// Of credentials, with the profile that the chain would ask.
    pub(super) fn describe(credentials: &Credentials, profile: Option<&str>) -> Self {
        let features = credentials.get_property::<Vec<AwsCredentialFeature>>().map(Vec::as_slice).unwrap_or_default();
        // What a profile gives may itself come from the environment (`credential_source`): the profile decides.
        let source = if features.contains(&AwsCredentialFeature::CredentialsProfile) {
            CredentialSource::Profile(profile.unwrap_or("default").to_owned())
        } else if features.contains(&AwsCredentialFeature::CredentialsEnvVars) {
            CredentialSource::Environment
        } else {
            CredentialSource::Machine
        };
        Self { source, can_be_real: can_be_real(credentials.access_key_id()) }
    }

    /// Of the stand-in credentials.
    pub(super) fn stand_in() -> Self {
        Self { source: CredentialSource::StandIn, can_be_real: false }
    }
}

/// Whether an access key of AWS can have this id. LocalStack's own begin with an `L`, where AWS's have an `A`.
/// Source: LocalStack's documentation, "Credentials", 2026-11-29.
fn can_be_real(key_id: &str) -> bool {
    key_id.len() >= SHORTEST_KEY_ID && !key_id.starts_with("LKIA") && !key_id.starts_with("LSIA")
}

/// The profile that the environment names, with the variable that does.
/// Source: botocore 1.43.106, `configprovider.py`: `AWS_DEFAULT_PROFILE` comes before `AWS_PROFILE`; 2026-11-29.
pub(super) fn profile_of_environment() -> Option<(&'static str, String)> {
    ["AWS_DEFAULT_PROFILE", "AWS_PROFILE"].into_iter().find_map(|name| Some((name, variable(name)?)))
}

/// Whether the environment has keys, which then come before a profile that it names.
pub(super) fn keys_in_environment() -> bool {
    variable("AWS_ACCESS_KEY_ID").is_some() && variable("AWS_SECRET_ACCESS_KEY").is_some()
}

/// The settings of a run with a profile named for it: its credentials and no others, and its region where the environment
/// names none, as in the AWS CLI (botocore's chain for `region`: the session's own, the environment, the profile).
///
/// # Errors
/// C002 when there is no such profile.
pub(super) async fn from_profile(
    loader: ConfigLoader,
    profile: &str,
    region: Option<Region>,
) -> Result<SdkConfig, Finding> {
    must_exist(profile, None).await?;
    let region = match region {
        Some(region) => Some(region),
        None => match EnvironmentVariableRegionProvider::new().region().await.filter(|it| !it.as_ref().is_empty()) {
            Some(region) => Some(region),
            None => ProfileFileRegionProvider::builder().profile_name(profile).build().region().await,
        },
    };
    let settings = ProviderConfig::without_region().with_region(region.clone());
    let provider = ProfileFileCredentialsProvider::builder().configure(&settings).profile_name(profile).build();
    let loader = loader.profile_name(profile).credentials_provider(CachedCredentials::new(provider));
    // Without a region, no other source is asked for one.
    Ok(loader.region(FixedRegion(region)).load().await)
}

/// The settings of a run for which no profile is named: the environment, then the profile it names or `default`, then web
/// identity, container and machine.
///
/// # Errors
/// C002 when the environment names a profile that does not exist, as in the AWS CLI.
pub(super) async fn from_default_chain(loader: ConfigLoader, region: Option<Region>) -> Result<SdkConfig, Finding> {
    let mut loader = loader;
    if let Some((variable, name)) = profile_of_environment() {
        must_exist(&name, Some(variable)).await?;
        loader = loader.profile_name(name);
    }
    if let Some(region) = region {
        loader = loader.region(region);
    }
    let config = loader.load().await;
    let Some(provider) = config.credentials_provider() else { return Ok(config) };
    let provider = SharedCredentialsProvider::new(CachedCredentials::new(provider));
    Ok(config.into_builder().credentials_provider(provider).build())
}

/// Refuses a profile that is in none of the AWS configuration files.
async fn must_exist(name: &str, variable: Option<&str>) -> Result<(), Finding> {
    // Files that cannot be read or parsed are reported when credentials are asked for, with what is wrong with them.
    let Ok(known) = profiles().await else { return Ok(()) };
    if known.get_profile(name).is_some() {
        return Ok(());
    }
    let by = variable.map(|variable| format!(" (`{variable}` names it)")).unwrap_or_default();
    let names: BTreeSet<&str> = known.profiles().collect();
    let names: Vec<&str> = names.into_iter().take(MOST_NAMES).collect();
    let help = match names.as_slice() {
        [] => "no profile is defined; `aws configure sso` writes one".to_owned(),
        names => format!("known profiles: `{}`; `aws configure list-profiles` shows all", names.join("`, `")),
    };
    let message = format!("the AWS credentials could not be loaded: the profile `{name}` is not defined{by}");
    Err(Finding::error(code::C002, message).help(help))
}

/// The AWS configuration files, as the SDK itself reads them.
async fn profiles() -> Result<ProfileSet, aws_config::profile::ProfileFileLoadError> {
    #[expect(
        deprecated,
        reason = "the type has moved to a crate that is not a dependency; this is its name in aws-config"
    )]
    let files = aws_config::profile::profile_file::ProfileFiles::default();
    aws_config::profile::load(&Fs::real(), &Env::real(), &files, None).await
}

/// A region that was decided on, or none: nothing else is asked.
#[derive(Debug)]
struct FixedRegion(Option<Region>);

impl ProvideRegion for FixedRegion {
    fn region(&self) -> aws_config::meta::region::future::ProvideRegion<'_> {
        aws_config::meta::region::future::ProvideRegion::ready(self.0.clone())
    }
}

/// Credentials asked for once and kept until they are about to end: a process, a role or a sign-in is not asked for every
/// request that is signed here.
#[derive(Debug)]
struct CachedCredentials<P> {
    provider: P,
    kept: Mutex<Option<Credentials>>,
}

impl<P: ProvideCredentials> CachedCredentials<P> {
    fn new(provider: P) -> Self {
        Self { provider, kept: Mutex::new(None) }
    }

    async fn get(&self) -> ProviderResult {
        let mut kept = self.kept.lock().await;
        let soon = SystemTime::now() + MARGIN;
        if let Some(credentials) = kept.as_ref().filter(|it| it.expiry().is_none_or(|end| end > soon)) {
            return Ok(credentials.clone());
        }
        let credentials = self.provider.provide_credentials().await?;
        *kept = Some(credentials.clone());
        Ok(credentials)
    }
}

impl<P: ProvideCredentials> ProvideCredentials for CachedCredentials<P> {
    fn provide_credentials<'a>(&'a self) -> future::ProvideCredentials<'a>
    where
        Self: 'a,
    {
        future::ProvideCredentials::new(self.get())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_up_keys_are_told_from_those_that_can_be_real() {
        for id in ["AKIAIOSFODNN7EXAMPLE", "ASIAIOSFODNN7EXAMPLE", "abcdefghijklmnop"] {
            assert!(can_be_real(id), "{id}");
        }
        for id in ["", "local", "test", "testing", "000000000001", "LKIAQAAAAAAALILNVHFS", "LSIAQAAAAAAVNCBMPNSG"] {
            assert!(!can_be_real(id), "{id}");
        }
    }
}
