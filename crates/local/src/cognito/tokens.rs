//! Tokens: JSON Web Tokens signed with the key of their pool (RS256), and the key sets that pools publish.
//!
//! Source: Cognito developer guide, "Understanding user pool JSON web tokens".

use aws_lc_rs::encoding::AsDer as _;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeyPair, KeySize};
use aws_lc_rs::signature::{KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, UnparsedPublicKey};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::{Map, Value, json};

use super::store::{self, SigningKey};
use crate::ground::ApiError;
use crate::ground::resource_table;

/// The issuer of a pool's tokens.
pub fn issuer(region: &str, pool: &str) -> String {
    format!("https://cognito-idp.{region}.amazonaws.com/{pool}")
}

/// The pool that an issuer stands for.
pub fn pool_of_issuer(issuer: &str) -> Option<&str> {
    let rest = issuer.strip_prefix("https://cognito-idp.")?;
    rest.split_once(".amazonaws.com/").map(|(_, pool)| pool.trim_end_matches('/'))
}

/// The key of a pool, made when it is first asked for.
///
/// # Errors
///
/// When there is no such pool, or the database refuses.
pub(super) fn key(db: &Connection, pool: &str) -> Result<SigningKey, ApiError> {
    if let Some(key) = store::key(db, pool)? {
        return Ok(key);
    }
    super::pool::pool(db, pool)?;
    let failed = |_| ApiError::internal("No key could be made");
    let pair = KeyPair::generate(KeySize::Rsa2048).map_err(failed)?;
    let private = pair.as_der().map_err(failed)?.as_ref().to_vec();
    let public = pair.public_key().as_ref().to_vec();
    let mut random = [0_u8; 32];
    rand::RngCore::fill_bytes(&mut rand::rng(), &mut random);
    let key = SigningKey { id: STANDARD.encode(random), private, public };
    store::set_key(db, pool, &key)?;
    Ok(key)
}

/// A token of some claims.
///
/// # Errors
///
/// When the key is none.
pub(super) fn sign(key: &SigningKey, claims: &Value) -> Result<String, ApiError> {
    let header = json!({ "kid": key.id, "alg": "RS256" });
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let text = format!("{}.{}", part(&header), part(claims));
    let failed = |what: &str| ApiError::internal(format!("The key of the user pool {what}"));
    let pair = KeyPair::from_pkcs8(&key.private).map_err(|_| failed("can't be read"))?;
    let mut signature = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature)
        .map_err(|_| failed("can't sign"))?;
    Ok(format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature)))
}

/// Why a token is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is no token, is of another issuer, or its signature is not right.
    Forged,
    /// Its time is over.
    Expired,
}

/// What a token is worth.
#[derive(Debug)]
pub enum TokenVerdict {
    /// Its signature, issuer and time are right; these are its claims.
    Valid(Map<String, Value>),
    /// It is not taken.
    Refused(Wrong),
}

/// Verifies a token of a pool.
///
/// # Errors
///
/// When the state can't be read.
pub fn verify(db: &Connection, pool: &str, token: &str, now: Timestamp) -> Result<TokenVerdict, ApiError> {
    let Some(thing) = resource_table::find_anywhere(db, super::pool::POOL, pool)? else {
        return Ok(TokenVerdict::Refused(Wrong::Forged));
    };
    let Some(key) = store::key(db, pool)? else { return Ok(TokenVerdict::Refused(Wrong::Forged)) };
    Ok(match verified(&key, token) {
        Err(wrong) => TokenVerdict::Refused(wrong),
        Ok(claims) if claims.get("iss").and_then(Value::as_str) != Some(&issuer(&thing.region, pool)) => {
            TokenVerdict::Refused(Wrong::Forged)
        }
        Ok(claims) => match claims.get("exp").and_then(Value::as_i64) {
            Some(exp) if now.as_second() < exp => TokenVerdict::Valid(claims),
            Some(_) => TokenVerdict::Refused(Wrong::Expired),
            None => TokenVerdict::Refused(Wrong::Forged),
        },
    })
}

fn verified(key: &SigningKey, token: &str) -> Result<Map<String, Value>, Wrong> {
    let (text, signature) = token.rsplit_once('.').ok_or(Wrong::Forged)?;
    let (header, claims) = text.split_once('.').ok_or(Wrong::Forged)?;
    let decoded = |part: &str| URL_SAFE_NO_PAD.decode(part).map_err(|_| Wrong::Forged);
    let json = |part: &str| -> Result<Map<String, Value>, Wrong> {
        serde_json::from_slice(&decoded(part)?).map_err(|_| Wrong::Forged)
    };
    let header = json(header)?;
    let says = |name: &str, value: &str| header.get(name).and_then(Value::as_str) == Some(value);
    // What the token says of its algorithm is compared, never believed.
    if !says("alg", "RS256") || !says("kid", &key.id) {
        return Err(Wrong::Forged);
    }
    UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.public)
        .verify(text.as_bytes(), &decoded(signature)?)
        .map_err(|_| Wrong::Forged)?;
    json(claims)
}

/// The pool a token says it is of; nothing of it is checked yet.
pub fn pool_of(token: &str) -> Option<String> {
    let claims = token.split('.').nth(1)?;
    let claims: Value = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(claims).ok()?).ok()?;
    pool_of_issuer(claims.get("iss")?.as_str()?).map(str::to_owned)
}

/// The key set of a pool.
///
/// # Errors
///
/// When there is no such pool.
pub fn key_set(db: &Connection, pool: &str) -> Result<Value, ApiError> {
    let key = key(db, pool)?;
    let (modulus, exponent) = numbers(&key.public).ok_or_else(|| ApiError::internal("The key can't be read"))?;
    let text = |number: &[u8]| URL_SAFE_NO_PAD.encode(number);
    Ok(json!({ "keys": [{
        "alg": "RS256", "e": text(exponent), "kid": key.id, "kty": "RSA", "n": text(modulus), "use": "sig",
    }] }))
}

/// Modulus and exponent of an `RSAPublicKey` in DER: a sequence of two numbers.
fn numbers(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (sequence, _) = element(der, 0x30)?;
    let (modulus, rest) = element(sequence, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    // A leading zero only says that a number is not negative.
    let plain = |number: &'_ [u8]| number.iter().take_while(|byte| **byte == 0).count();
    Some((modulus.get(plain(modulus)..)?, exponent.get(plain(exponent)..)?))
}

/// The content of an element with a tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(*first), rest),
        _ => {
            let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
            (bytes.iter().try_fold(0_usize, |sum, byte| sum.checked_mul(256)?.checked_add(usize::from(*byte)))?, rest)
        }
    };
    (*found == tag).then(|| rest.split_at_checked(length)).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> SigningKey {
        let pair = KeyPair::generate(KeySize::Rsa2048).expect("a key");
        let private = pair.as_der().expect("DER").as_ref().to_vec();
        SigningKey { id: "k".to_owned(), private, public: pair.public_key().as_ref().to_vec() }
    }

    #[test]
    fn a_token_is_taken_as_it_was_signed_and_no_other() {
        let (own, other) = (pair(), pair());
        let claims = json!({ "sub": "ada" });
        let token = sign(&own, &claims).expect("a token");
        assert_eq!(verified(&own, &token).map(Value::Object), Ok(claims));
        assert_eq!(verified(&other, &token), Err(Wrong::Forged));
        let parts: Vec<&str> = token.split('.').collect();
        let changed = URL_SAFE_NO_PAD.encode(json!({ "sub": "eve" }).to_string());
        let unsigned = URL_SAFE_NO_PAD.encode(json!({ "alg": "none", "kid": "k" }).to_string());
        for forged in [
            format!("{}.{changed}.{}", parts[0], parts[2]),
            format!("{unsigned}.{}.", parts[1]),
            format!("{}.{}", parts[0], parts[1]),
            String::new(),
        ] {
            assert_eq!(verified(&own, &forged), Err(Wrong::Forged), "{forged}");
        }
    }

    #[test]
    fn the_numbers_of_a_key_are_found() {
        let key = pair();
        let (modulus, exponent) = numbers(&key.public).expect("numbers");
        assert_eq!((modulus.len(), exponent), (256, &[1, 0, 1][..]));
        assert_eq!(numbers(&key.public[..20]), None);
    }

    #[test]
    fn an_issuer_names_its_pool() {
        assert_eq!(pool_of_issuer(&issuer("us-west-2", "us-west-2_AbC")), Some("us-west-2_AbC"));
        assert_eq!(pool_of_issuer("https://accounts.example.com/x"), None);
    }
}
