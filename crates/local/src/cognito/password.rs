//! Passwords: the policy of a pool, and what is kept of them.

use std::num::NonZeroU32;

use aws_lc_rs::pbkdf2;
use rand::RngCore as _;
use serde_json::Value;

use crate::ground::scalar::text;

/// Rounds of PBKDF2 with HMAC-SHA-256: some tens of milliseconds. The folder is its owner's; what matters is that a
/// password used elsewhere does not lie there in clear.
const ROUNDS: NonZeroU32 = match NonZeroU32::new(100_000) {
    Some(rounds) => rounds,
    None => NonZeroU32::MIN,
};

/// Bytes of salts and hashes.
const LENGTH: usize = 32;

/// The longest password. Source: Cognito API reference, `PasswordType`.
const LONGEST: usize = 256;

/// What Cognito takes for a symbol. Source: Cognito developer guide, "Adding user pool password requirements".
const SYMBOLS: &str = "^$*.[]{}()?-\"!@#%&/\\,><':;|_~`+= ";

/// Why a policy refuses a password, in Cognito's words.
pub(super) fn refusal(pool: &Value, password: &str) -> Option<String> {
    let policy = pool.pointer("/Policies/PasswordPolicy");
    // A pool without a policy asks for everything.
    let asks = |name: &str| policy.is_none_or(|policy| text(policy, name).as_deref() == Some("true"));
    let least =
        policy.and_then(|policy| text(policy, "MinimumLength")).and_then(|least| least.parse().ok()).unwrap_or(8);
    let length = password.chars().count();
    let wrong = if length < least {
        "Password not long enough"
    } else if length > LONGEST {
        "Password too long"
    } else if asks("RequireUppercase") && !password.contains(|c: char| c.is_uppercase()) {
        "Password must have uppercase characters"
    } else if asks("RequireLowercase") && !password.contains(|c: char| c.is_lowercase()) {
        "Password must have lowercase characters"
    } else if asks("RequireNumbers") && !password.contains(|c: char| c.is_ascii_digit()) {
        "Password must have numeric characters"
    } else if asks("RequireSymbols") && !password.contains(|c| SYMBOLS.contains(c)) {
        "Password must have symbol characters"
    } else {
        return None;
    };
    Some(format!("Password did not conform with policy: {wrong}"))
}

/// A salt and the hash of a password with it.
pub(super) fn hash(password: &str) -> (Vec<u8>, Vec<u8>) {
    let (mut salt, mut hash) = (vec![0; LENGTH], vec![0; LENGTH]);
    rand::rng().fill_bytes(&mut salt);
    pbkdf2::derive(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, &salt, password.as_bytes(), &mut hash);
    (salt, hash)
}

/// Whether a password is the one that was hashed.
pub(super) fn fits(password: &str, kept: Option<&(Vec<u8>, Vec<u8>)>) -> bool {
    kept.is_some_and(|(salt, hash)| {
        pbkdf2::verify(pbkdf2::PBKDF2_HMAC_SHA256, ROUNDS, salt, password.as_bytes(), hash).is_ok()
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_policy_says_what_is_missing() {
        for (password, wrong) in [
            ("aB3$", Some("not long enough")),
            ("abcdef3$", Some("uppercase")),
            ("ABCDEF3$", Some("lowercase")),
            ("abcdeF$$", Some("numeric")),
            ("abcdeF33", Some("symbol")),
            ("abcdeF3$", None),
        ] {
            let told = refusal(&json!({}), password);
            assert_eq!(told.is_some(), wrong.is_some(), "{password}");
            assert!(told.unwrap_or_default().contains(wrong.unwrap_or_default()), "{password}");
        }
        let easy = json!({ "Policies": { "PasswordPolicy": { "MinimumLength": 6 } } });
        assert_eq!(refusal(&easy, "simple"), None);
    }

    #[test]
    fn only_the_password_itself_fits_its_hash() {
        let kept = hash("correct horse");
        assert!(fits("correct horse", Some(&kept)));
        assert!(!fits("wrong horse", Some(&kept)));
        assert!(!fits("", None));
        assert_ne!(hash("correct horse"), kept, "each has a salt of its own");
    }
}
