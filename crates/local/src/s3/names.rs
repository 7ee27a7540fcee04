//! What a bucket may be called, and where it may be made.
//!
//! Rules: <https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html>

use crate::ground::{ACCOUNT_ID, ApiError};

use super::refusals::{self, invalid_bucket_name};

const RESERVED_PREFIXES: &[&str] = &["xn--", "sthree-", "amzn-s3-demo-"];
const RESERVED_SUFFIXES: &[&str] = &["-s3alias", "--ol-s3", ".mrap", "--x-s3", "--table-s3"];

/// Where a bucket's name is unique.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// Among all accounts.
    Global,
    /// Within this account and region; the name ends in `-<account>-<region>-an`.
    AccountRegional,
}

/// Whether a general purpose bucket may have this name.
///
/// # Errors
///
/// `InvalidBucketName`.
pub fn check(name: &str, namespace: Namespace, region: &str) -> Result<(), ApiError> {
    let inner = |b: u8| b.is_ascii_lowercase() || b.is_ascii_digit();
    let bytes = name.as_bytes();
    let well_formed = (3..=63).contains(&bytes.len())
        && bytes.iter().all(|b| inner(*b) || matches!(b, b'.' | b'-'))
        && bytes.first().is_some_and(|b| inner(*b))
        && bytes.last().is_some_and(|b| inner(*b))
        && !name.contains("..")
        && name.parse::<std::net::Ipv4Addr>().is_err()
        && !RESERVED_PREFIXES.iter().any(|prefix| name.starts_with(prefix))
        && !RESERVED_SUFFIXES.iter().any(|suffix| name.ends_with(suffix));
    let suffix = format!("-{ACCOUNT_ID}-{region}-an");
    let in_namespace = match namespace {
        Namespace::Global => !name.ends_with("-an"),
        Namespace::AccountRegional => name.len() > suffix.len() && name.ends_with(&suffix),
    };
    if well_formed && in_namespace { Ok(()) } else { Err(invalid_bucket_name()) }
}

/// The region of a new bucket, from the region of the endpoint asked and the location asked for.
///
/// # Errors
///
/// `IllegalLocationConstraintException` when they disagree, as S3's regional endpoints have it; only us-east-1's makes
/// buckets elsewhere.
pub fn location(endpoint: &str, constraint: Option<&str>) -> Result<String, ApiError> {
    let illegal = |which: &str| {
        ApiError::sender(
            "IllegalLocationConstraintException",
            format!(
                "The {which} location constraint is incompatible for the region specific endpoint this request was sent to."
            ),
        )
    };
    match (endpoint, constraint.filter(|constraint| !constraint.is_empty())) {
        ("us-east-1", None) => Ok(endpoint.to_owned()),
        ("us-east-1", Some("us-east-1")) => {
            Err(ApiError::sender("InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        ("us-east-1", Some("EU")) => Ok("eu-west-1".to_owned()),
        ("us-east-1", Some(elsewhere)) if is_region(elsewhere) => Ok(elsewhere.to_owned()),
        ("us-east-1", Some(_)) => {
            Err(ApiError::sender("InvalidLocationConstraint", "The specified location-constraint is not valid"))
        }
        (_, None) => Err(illegal("unspecified")),
        (endpoint, Some(constraint)) if endpoint == constraint => Ok(constraint.to_owned()),
        (_, Some(constraint)) => Err(illegal(constraint)),
    }
}

fn is_region(text: &str) -> bool {
    text.split('-').count() >= 3
        && text.len() <= 32
        && text.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && text.ends_with(|c: char| c.is_ascii_digit())
}

/// Whether a key may be an object's.
///
/// # Errors
///
/// `KeyTooLongError` above 1,024 bytes.
pub fn check_key(key: &str) -> Result<(), ApiError> {
    if key.len() > 1024 {
        return Err(ApiError::sender("KeyTooLongError", "Your key is too long"));
    }
    if key.is_empty() {
        return Err(refusals::invalid_argument("An object key must not be empty"));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_aws_refuses_are_refused() {
        for name in [
            "ab",
            "Upper",
            "under_score",
            "-dash",
            "dash-",
            "a..b",
            "192.168.0.1",
            "xn--a",
            "sthree-a",
            "a-s3alias",
            "a--x-s3",
            "my-an",
            &"a".repeat(64),
        ] {
            assert_eq!(check(name, Namespace::Global, "us-west-2").expect_err(name).code, "InvalidBucketName");
        }
        for name in ["abc", "a.b-c", "0bucket9", &"a".repeat(63)] {
            assert_eq!(check(name, Namespace::Global, "us-west-2"), Ok(()), "{name}");
        }
    }

    #[test]
    fn a_name_in_the_account_regional_namespace_carries_account_and_region() {
        let name = "posters-123456789012-us-west-2-an";
        assert_eq!(check(name, Namespace::AccountRegional, "us-west-2"), Ok(()));
        assert!(check(name, Namespace::AccountRegional, "us-east-1").is_err());
        assert!(check(name, Namespace::Global, "us-west-2").is_err());
        assert!(check("posters", Namespace::AccountRegional, "us-west-2").is_err());
    }

    #[test]
    fn only_the_endpoint_of_us_east_1_makes_buckets_elsewhere() {
        assert_eq!(location("us-east-1", None).as_deref(), Ok("us-east-1"));
        assert_eq!(location("us-east-1", Some("us-west-2")).as_deref(), Ok("us-west-2"));
        assert_eq!(location("us-west-2", Some("us-west-2")).as_deref(), Ok("us-west-2"));
        for (endpoint, constraint) in [("us-west-2", None), ("us-west-2", Some("us-east-1"))] {
            let error = location(endpoint, constraint).expect_err("incompatible");
            assert_eq!(error.code, "IllegalLocationConstraintException");
        }
        assert_eq!(
            location("us-east-1", Some("us-east-1")).expect_err("odd, but so").code,
            "InvalidLocationConstraint"
        );
    }
}
