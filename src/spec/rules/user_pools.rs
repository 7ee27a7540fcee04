//! User pools: passwords, addresses to come back to, and which client is meant.

use super::context::Rules;
use super::limits::literals;
use crate::finding::code;
use crate::spec::text::{Piece, Reference};
use crate::spec::types::{UserPool, UserPoolClient};
use crate::spec::words::{cut, escape};

/// Words Cognito takes in no domain of its own.
const RESERVED: [&str; 3] = ["aws", "amazon", "cognito"];

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, pool) in &spec.user_pools {
        let base = format!("/user-pools/{}", escape(name));
        if let Some(length) = pool.password_length.filter(|length| !(8..=99).contains(length)) {
            let message = format!("a password of {length} characters is out of bounds");
            rules.error(code::S116, &format!("{base}/password-length"), message, "write 8 to 99");
        }
        domain(rules, &base, pool);
        for (client_name, client) in &pool.clients {
            check_client(rules, &format!("{base}/clients/{}", escape(client_name)), pool, client);
        }
    }
    clients_meant(rules);
}

fn domain(rules: &mut Rules<'_>, base: &str, pool: &UserPool) {
    let Some(domain) = &pool.domain else { return };
    let all = literals(domain).concat();
    let source = domain.source();
    let pointer = format!("{base}/domain");
    let fits = all.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-');
    if source.is_empty() || !fits || all.len() > 63 || source.starts_with('-') || source.ends_with('-') {
        let message = format!("`{}` cannot begin the address of the sign-in pages", cut(source));
        rules.error(code::S116, &pointer, message, "use lower-case letters, digits and hyphens, at most 63");
    } else if let Some(word) = RESERVED.into_iter().find(|word| all.contains(word)) {
        let message = format!("`{}` holds `{word}`, which Cognito keeps for itself", cut(source));
        rules.error(code::S116, &pointer, message, "leave the word out");
    }
}

fn check_client(rules: &mut Rules<'_>, base: &str, pool: &UserPool, client: &UserPoolClient) {
    for (index, url) in client.callback_urls.iter().enumerate() {
        let local = ["http://localhost", "http://127.0.0.1", "http://[::1]"];
        let web = url.starts_with("https://") || local.iter().any(|host| url.starts_with(host));
        let app = !url.starts_with("http:") && url.contains("://");
        if !(web || app) || url.contains('#') {
            let message = format!("people cannot come back to `{}`", cut(url));
            let help = "write an `https://` address without `#`; `http://localhost` is taken for tests";
            rules.error(code::S116, &format!("{base}/callback-urls/{index}"), message, help);
        }
    }
    if !client.callback_urls.is_empty() && pool.domain.is_none() {
        let message = "people come back from the hosted sign-in pages, and the pool has none".to_owned();
        let help = "add `domain: NAME-${stage}-${account}` to the pool";
        rules.error_at_key(code::S116, &format!("{base}/callback-urls"), message, help);
    }
}

/// `${user-pools.NAME.client}` means something where the pool has one client.
fn clients_meant(rules: &mut Rules<'_>) {
    let (spec, marks) = (rules.spec, rules.marks);
    for mark in &marks.texts {
        for piece in mark.value.pieces().unwrap_or_default() {
            let Piece::Reference(Reference::Component { section, name, attribute }) = piece else { continue };
            if section != "user-pools" || attribute.as_deref() != Some("client") {
                continue;
            }
            let Some(pool) = spec.user_pools.get(&name).filter(|pool| pool.clients.len() != 1) else { continue };
            let message =
                format!("`${{user-pools.{name}.client}}` is the pool's one client, and it has {}", pool.clients.len());
            let help = match pool.clients.is_empty() {
                true => "add one under `clients`",
                false => "keep one client in the pool, or take the id from the outputs",
            };
            rules.error(code::S116, &mark.pointer, message, help);
        }
    }
}
