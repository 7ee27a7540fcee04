//! What a service, or the way to it, answered instead of doing what was asked.
//!
//! A message never holds a secret: the answer to a wrong signature repeats the signed request with its session token,
//! and a credential process may print anything, so neither is passed on.

use std::error::Error;
use std::fmt;

use aws_credential_types::provider::error::CredentialsError;
use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

use super::attempts::is_connecting;
use crate::finding::{Code, Finding, code};

/// What kind of failure it was: decides the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CallErrorKind {
    /// No provider that was asked had credentials.
    NoCredentials,
    /// There are credentials but getting at them failed.
    CredentialProvider,
    /// The credentials are past their time.
    Expired,
    /// The credentials are wrong.
    BadCredentials,
    /// This machine's clock differs too much from the service's.
    Clock,
    /// Nobody answers at the endpoint: the request was never sent.
    Unreachable,
    /// The connection broke before an answer came.
    BrokenOff,
    /// It took too long.
    TimedOut,
    /// Too many requests, after all attempts.
    Throttled,
    /// The identity may not do this.
    Denied,
    /// The thing named is not there.
    NotFound,
    /// The service refused for another reason, which it names.
    Refused,
    /// The service failed, and may have done what it was asked.
    ServiceFault,
    /// What came back is not what the service's protocol allows.
    Unreadable,
}

/// A call that failed.
#[derive(Debug, Clone)]
pub struct CallError {
    /// What kind of failure it was.
    pub kind: CallErrorKind,
    /// The call as an IAM action, such as `cloudformation:CreateChangeSet`.
    pub action: &'static str,
    /// The service's error code.
    pub code: Option<String>,
    /// The service's message, or the cause on the way to it.
    pub message: String,
    /// The service's id of the request, for its support.
    pub request_id: Option<String>,
    /// Where it was sent, when that is not AWS's own endpoint.
    pub endpoint: Option<String>,
    /// The profile that was asked for credentials.
    pub profile: Option<String>,
}

impl CallError {
    /// Whether the service gave this code.
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Whether the service's message contains this text, whatever its case.
    pub fn says(&self, text: &str) -> bool {
        self.message.to_ascii_lowercase().contains(&text.to_ascii_lowercase())
    }

    /// Whether the same request may succeed in a moment.
    pub fn is_transient(&self) -> bool {
        matches!(
            self.kind,
            CallErrorKind::Unreachable
                | CallErrorKind::BrokenOff
                | CallErrorKind::TimedOut
                | CallErrorKind::Throttled
                | CallErrorKind::ServiceFault
                | CallErrorKind::Unreadable
        )
    }

    /// Takes apart what the SDK gave back.
    pub(super) fn new<E>(action: &'static str, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + Send + Sync + 'static,
    {
        let raw = error.raw_response();
        let status = raw.map(|response| response.status().as_u16());
        let request_id = raw.and_then(|response| {
            ["x-amzn-requestid", "x-amz-request-id"].iter().find_map(|name| response.headers().get(*name))
        });
        let mut failure = CallError {
            kind: CallErrorKind::Unreadable,
            action,
            code: None,
            message: String::new(),
            request_id: request_id.map(str::to_owned),
            endpoint: None,
            profile: None,
        };
        match &error {
            SdkError::ServiceError(service) => {
                let meta = service.err().meta();
                let status = status.unwrap_or_default();
                let code = meta.code().map(str::to_owned).or_else(|| code_of_status(status).map(str::to_owned));
                failure.kind = kind_of(code.as_deref(), status);
                failure.message = match (meta.message(), failure.kind) {
                    (Some(message), _) => message.trim().to_owned(),
                    (None, CallErrorKind::Unreadable) => format!("HTTP status {status} and no error code"),
                    (None, _) => "the service gave no reason".to_owned(),
                };
                if matches!(failure.kind, CallErrorKind::BadCredentials | CallErrorKind::Clock) {
                    failure.message = first_sentence(&failure.message);
                }
                failure.code = code;
            }
            SdkError::TimeoutError(_) => {
                failure.kind = CallErrorKind::TimedOut;
                failure.message = "no answer came in time".to_owned();
            }
            SdkError::ResponseError(_) => {
                failure.message = "the answer could not be read".to_owned();
            }
            SdkError::DispatchFailure(dispatch) => {
                failure.kind = match () {
                    () if is_connecting(&error) => CallErrorKind::Unreachable,
                    () if dispatch.is_timeout() => CallErrorKind::TimedOut,
                    () if dispatch.is_user() => CallErrorKind::Refused,
                    () => CallErrorKind::BrokenOff,
                };
                failure.message = innermost(&error);
            }
            // Construction failures, and variants a later SDK may add.
            _ => {
                failure.kind = CallErrorKind::Refused;
                failure.message = innermost(&error);
            }
        }
        if let Some(credentials) = find_source::<CredentialsError>(&error) {
            (failure.kind, failure.message) = credentials_failure(credentials);
        }
        failure
    }

    /// That there are no credentials, or that they cannot be had; known before anything was sent.
    pub(super) fn from_credentials_error(error: Option<&CredentialsError>, profile: Option<String>) -> Self {
        let (kind, message) = error.map_or((CallErrorKind::NoCredentials, String::new()), credentials_failure);
        let action = "sts:GetCallerIdentity";
        CallError { kind, action, code: None, message, request_id: None, endpoint: None, profile }
    }

    /// The failure as a finding with its next step.
    pub fn finding(&self) -> Finding {
        let action = self.action;
        let at = self.endpoint.as_ref().map(|url| format!(" at `{url}`")).unwrap_or_default();
        let said = match &self.code {
            Some(code) => format!("{code}: {}", self.message),
            None => self.message.clone(),
        };
        let said = said.trim_end_matches('.');
        let profile = self.profile.as_deref().map(|name| format!(" --profile {name}")).unwrap_or_default();
        if let Some(finding) = self.local_state() {
            return finding;
        }
        let of_profile = self.profile.as_deref().map(|name| format!(" of the profile `{name}`")).unwrap_or_default();
        match self.kind {
            CallErrorKind::NoCredentials => match &self.profile {
                Some(name) => Finding::error(code::C001, format!("the profile `{name}` has no AWS credentials")).help(format!(
                    "sign in with `aws sso login{profile}`, give the profile keys with `aws configure{profile}`, or name \
                     another one with `--profile`"
                )),
                None => Finding::error(code::C001, "there are no AWS credentials").help(
                    "sign in with `aws sso login`, name a profile with `--profile`, or set `AWS_ACCESS_KEY_ID` and \
                     `AWS_SECRET_ACCESS_KEY`; without any account `--target local` needs none",
                ),
            },
            CallErrorKind::CredentialProvider => {
                Finding::error(code::C002, format!("the AWS credentials{of_profile} could not be loaded: {said}"))
                    .help(format!("try `aws sts get-caller-identity{profile}`: it uses the same profile and files"))
            }
            CallErrorKind::Expired => {
                Finding::error(code::C003, format!("the AWS credentials{of_profile} have expired ({said})"))
                    .help(format!("sign in again, for example with `aws sso login{profile}`, and repeat the command"))
            }
            CallErrorKind::BadCredentials => {
                Finding::error(code::C004, format!("AWS does not accept the credentials{of_profile} ({said})"))
                    .help("check the access key, its secret and the session token, and that they belong together")
            }
            CallErrorKind::Clock => Finding::error(code::C005, format!("the clock of this machine is off ({said})"))
                .help("set the clock and repeat the command"),
            CallErrorKind::Unreachable => Finding::error(code::C006, format!("`{action}` cannot be reached{at}: {said}"))
                .help(match &self.endpoint {
                    Some(_) => "start the endpoint, or check `--endpoint-url` and `AWS_ENDPOINT_URL`",
                    None => "check the network, the proxy settings and the region's name",
                }),
            CallErrorKind::BrokenOff => {
                Finding::error(code::C006, format!("the connection for `{action}`{at} broke off before an answer came: {said}"))
                    .help("check the network and the endpoint, and repeat the command")
            }
            CallErrorKind::TimedOut => Finding::error(code::C007, format!("`{action}` took too long{at}: {said}"))
                .help("check the network and repeat the command; it goes on where this one stopped"),
            CallErrorKind::Throttled => Finding::error(code::C008, format!("AWS throttles `{action}` ({said})"))
                .help("other programs use the same account and region; wait a minute and repeat the command"),
            CallErrorKind::Denied => Finding::error(code::C009, format!("`{action}` is denied ({said})"))
                .help(format!("the identity in use needs `{action}`; see who it is with `aws sts get-caller-identity{profile}`")),
            CallErrorKind::NotFound | CallErrorKind::Refused | CallErrorKind::ServiceFault => {
                Finding::error(code::C010, format!("`{action}` failed ({said})")).help(match &self.request_id {
                    Some(id) => format!("the service names the cause; its id of the request is `{id}`"),
                    None => "the service names the cause".to_owned(),
                })
            }
            CallErrorKind::Unreadable => {
                Finding::error(code::C011, format!("`{action}` gave an answer that is not the service's{at}: {said}"))
                    .help("check that the endpoint speaks the service's protocol")
            }
        }
    }
}

/// The codes with which the local target says that its state can't be used, each with its finding and the next step.
const LOCAL_STATE: [(&str, Code, &str, &str); 4] = [
    (
        "LocalStateFull",
        code::L160,
        "there is no space left for the local target's state",
        "free some space and repeat the command: it resumes what was in progress",
    ),
    (
        "LocalStateReadOnly",
        code::L161,
        "the local target's state cannot be written",
        "make the folder and its files writable and repeat the command: what was under way is taken up where it stopped",
    ),
    (
        "LocalStateGone",
        code::L162,
        "the local target's state was deleted while it was in use",
        "end the programs that work with it, `bedplate local serve` among them, and deploy again",
    ),
    (
        "LocalStateLocked",
        code::L163,
        "another process holds the local target's state",
        "end the program that has the database open, or wait for it, and repeat the command",
    ),
];

/// Whether a finding's code says that the local target's state can't be used.
pub fn is_local_state(code: Code) -> bool {
    LOCAL_STATE.iter().any(|(_, of, ..)| *of == code)
}

impl CallError {
    /// That the local target's state can't be used, if that is what it said.
    fn local_state(&self) -> Option<Finding> {
        let (_, code, what, help) = LOCAL_STATE.iter().find(|(code, ..)| self.is(code))?;
        let why = self.message.strip_prefix("The local target's state: ").unwrap_or(&self.message);
        Some(Finding::error(*code, format!("`{}` failed: {what}: {why}", self.action)).help(*help))
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.finding().fmt(f)
    }
}

impl Error for CallError {}

impl From<CallError> for Finding {
    fn from(error: CallError) -> Self {
        error.finding()
    }
}

/// A code for answers without one, such as those to `HeadObject`, which have no body.
fn code_of_status(status: u16) -> Option<&'static str> {
    match status {
        301 => Some("PermanentRedirect"),
        403 => Some("Forbidden"),
        404 => Some("NotFound"),
        _ => None,
    }
}

/// Codes that mean the same whatever the service.
/// Source: "Common errors" in the API references of CloudFormation, STS and S3.
fn kind_of(code: Option<&str>, status: u16) -> CallErrorKind {
    let Some(code) = code else {
        return if status == 429 { CallErrorKind::Throttled } else { CallErrorKind::Unreadable };
    };
    match code {
        "ExpiredToken" | "ExpiredTokenException" | "RequestExpired" | "TokenRefreshRequired" => CallErrorKind::Expired,
        "InvalidClientTokenId"
        | "UnrecognizedClientException"
        | "SignatureDoesNotMatch"
        | "InvalidAccessKeyId"
        | "InvalidToken"
        | "MissingAuthenticationToken"
        | "IncompleteSignature"
        | "AuthFailure" => CallErrorKind::BadCredentials,
        "RequestTimeTooSkewed" | "InvalidSignatureException" => CallErrorKind::Clock,
        "AccessDenied"
        | "AccessDeniedException"
        | "Forbidden"
        | "UnauthorizedOperation"
        | "NotAuthorized"
        | "OptInRequired" => CallErrorKind::Denied,
        "Throttling"
        | "ThrottlingException"
        | "TooManyRequestsException"
        | "RequestLimitExceeded"
        | "SlowDown"
        | "RequestThrottled"
        | "ProvisionedThroughputExceededException" => CallErrorKind::Throttled,
        "NotFound"
        | "NoSuchKey"
        | "NoSuchBucket"
        | "NoSuchUpload"
        | "ChangeSetNotFound"
        | "ResourceNotFoundException" => CallErrorKind::NotFound,
        _ if status >= 500 => CallErrorKind::ServiceFault,
        _ => CallErrorKind::Refused,
    }
}

fn credentials_failure(error: &CredentialsError) -> (CallErrorKind, String) {
    let cause = innermost(error);
    // Only looked at: what a provider says may hold anything.
    let chain = format!("{error:?}").to_ascii_lowercase();
    match error {
        // Neither the environment nor a profile had any; the last one asked is the machine's own metadata service.
        CredentialsError::ProviderError(_) | CredentialsError::ProviderTimedOut(_)
            if chain.contains("imds") || chain.contains("ec2instancemetadata") =>
        {
            (CallErrorKind::NoCredentials, String::new())
        }
        // A profile that takes its credentials from another one, which does not exist.
        CredentialsError::CredentialsNotLoaded(_) if cause.contains("was not defined") => {
            (CallErrorKind::CredentialProvider, cause)
        }
        CredentialsError::CredentialsNotLoaded(_) => (CallErrorKind::NoCredentials, String::new()),
        CredentialsError::ProviderTimedOut(_) => {
            (CallErrorKind::CredentialProvider, "the credential provider took too long".to_owned())
        }
        // A profile file's own words hold names of profiles and keys, never values.
        CredentialsError::InvalidConfiguration(_) => (CallErrorKind::CredentialProvider, cause),
        _ if ["expired", "token has", "sso"].iter().any(|word| cause.to_ascii_lowercase().contains(word)) => {
            (CallErrorKind::Expired, "the sign-in session is no longer valid".to_owned())
        }
        _ => (CallErrorKind::CredentialProvider, "the credential provider failed".to_owned()),
    }
}

/// The text up to the first full stop or line end.
fn first_sentence(text: &str) -> String {
    let end = text.find(['\n', '.']).unwrap_or(text.len());
    text.get(..end).unwrap_or_default().to_owned()
}

/// The last cause in a chain of errors: the one that says what happened.
fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

fn find_source<'a, T: Error + 'static>(error: &'a (dyn Error + 'static)) -> Option<&'a T> {
    let mut cause = Some(error);
    while let Some(error) = cause {
        if let Some(found) = error.downcast_ref::<T>() {
            return Some(found);
        }
        cause = error.source();
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signed_request_is_not_repeated() {
        let message = "The request signature we calculated does not match the signature you provided. Check your key.\n\
                       The Canonical String for this request should have been 'POST x-amz-security-token:SECRET'";
        assert!(!first_sentence(message).contains("SECRET"));
        assert_eq!(first_sentence("no stop"), "no stop");
    }

    #[test]
    fn codes_sort_into_kinds() {
        assert_eq!(kind_of(Some("ExpiredToken"), 403), CallErrorKind::Expired);
        assert_eq!(kind_of(Some("AccessDenied"), 403), CallErrorKind::Denied);
        assert_eq!(kind_of(Some("ValidationError"), 400), CallErrorKind::Refused);
        assert_eq!(kind_of(Some("InternalFailure"), 500), CallErrorKind::ServiceFault);
        assert_eq!(kind_of(Some("SlowDown"), 503), CallErrorKind::Throttled);
        assert_eq!(kind_of(None, 429), CallErrorKind::Throttled);
        assert_eq!(kind_of(None, 502), CallErrorKind::Unreadable);
    }

    #[test]
    fn an_answer_that_does_not_come_in_time_is_told_with_what_to_do() {
        use aws_sdk_sts::operation::get_caller_identity::GetCallerIdentityError;
        let error: SdkError<GetCallerIdentityError, HttpResponse> = SdkError::timeout_error("late");
        let error = CallError::new("sts:GetCallerIdentity", error);
        assert!(error.is_transient());
        let finding = error.finding();
        assert_eq!(finding.code, "C007");
        assert!(
            finding.message.contains("`sts:GetCallerIdentity` took too long") && finding.help.is_some(),
            "{finding}"
        );
    }

    #[test]
    fn what_is_wrong_with_the_local_targets_state_has_a_code_each() {
        let codes = [
            ("LocalStateFull", "L160"),
            ("LocalStateReadOnly", "L161"),
            ("LocalStateGone", "L162"),
            ("LocalStateLocked", "L163"),
        ];
        for (said, code) in codes {
            let error = CallError {
                kind: CallErrorKind::ServiceFault,
                action: "s3:PutObject",
                code: Some(said.to_owned()),
                message: "database or disk is full".to_owned(),
                request_id: None,
                endpoint: None,
                profile: None,
            };
            let finding = error.finding();
            assert_eq!(finding.code, code);
            assert!(is_local_state(finding.code) && finding.help.is_some(), "{finding}");
        }
        assert!(!is_local_state(code::C010));
    }
}
