//! Functions: where the code is, what goes with a network, an alias, a URL.

use super::context::Rules;
use crate::finding::code;
use crate::spec::types::{Cors, Function, UrlAuth};
use crate::spec::words::{cut, escape, suggest};

/// The methods a function's URL can let pages of other origins use; it answers `OPTIONS` itself.
const URL_METHODS: [&str; 7] = ["*", "DELETE", "GET", "HEAD", "PATCH", "POST", "PUT"];

/// The longest a browser may keep what a URL said of other origins, in seconds.
const LONGEST_MAX_AGE: u32 = 86_400;

pub(super) fn check(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    for (name, function) in &spec.functions {
        let base = format!("/functions/{}", escape(name));
        code(rules, &base, name, function);
        if function.in_network && rules.document.get("network").is_none() {
            let message = format!("`functions.{name}` runs in the network, and the spec has none");
            let help = "add `network:` with the endpoints the function needs, or remove `in-network`";
            rules.error(code::S202, &format!("{base}/in-network"), message, help);
        }
        if let Some(alias) = &function.alias {
            let letters = alias.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
            let number = alias.bytes().all(|b| b.is_ascii_digit());
            if alias.is_empty() || alias.len() > 128 || !letters || number {
                let message = format!("`{}` cannot be the name of an alias", cut(alias));
                let help = "use letters, digits, `-` and `_`, at most 128, and not digits alone";
                rules.error(code::S203, &format!("{base}/alias"), message, help);
            }
        }
        let Some(url) = &function.url else { continue };
        if url.auth == UrlAuth::None {
            let message = format!("anyone in the world can call the URL of `functions.{name}`, at your cost");
            let help = "write `auth: iam`, or put an API with a throttle before it; `concurrency` bounds the cost";
            rules.warning(code::S205, &format!("{base}/url/auth"), message, help);
        }
        if let Some(shared) = &url.cors {
            cors(rules, &format!("{base}/url/cors"), shared);
        }
    }
}

/// The code is in a folder or in the template: one of the two.
fn code(rules: &mut Rules<'_>, base: &str, name: &str, function: &Function) {
    match (&function.code, &function.inline) {
        (Some(_), Some(_)) => {
            let message = format!("`functions.{name}` has both `code` and `inline`");
            rules.error_at_key(code::S200, &format!("{base}/inline"), message, "keep one of the two");
        }
        (None, None) => {
            let message = format!("`functions.{name}` has no code");
            let help = "name its folder with `code: function/`, or a file of at most 4096 bytes with `inline:`";
            rules.error_at_key(code::S200, base, message, help);
        }
        (Some(_), None) => {}
        (None, Some(_)) => {
            let scripted = ["python", "nodejs"].iter().any(|family| function.runtime.starts_with(family));
            if !scripted {
                let message = format!("`{}` takes no code in the template", cut(&function.runtime));
                let help = "only Python and Node.js do; write `code:` with the folder of the code";
                rules.error(code::S201, &format!("{base}/runtime"), message, help);
            }
            // CloudFormation puts inline code into a file of this name.
            let called = function.handler.strip_prefix("index.").filter(|called| !called.is_empty());
            if called.is_none_or(|called| called.contains(['.', '/'])) {
                let (_, called) = function.handler.rsplit_once('.').unwrap_or(("", "handler"));
                let message = format!("`{}` is not in the file that inline code becomes", cut(&function.handler));
                let help = format!("CloudFormation calls the file `index`: write `handler: index.{}`", cut(called));
                rules.error(code::S201, &format!("{base}/handler"), message, help);
            }
        }
    }
}

fn cors(rules: &mut Rules<'_>, base: &str, cors: &Cors) {
    for (index, method) in cors.methods.iter().enumerate() {
        if !URL_METHODS.contains(&method.as_str()) {
            let message = format!("a function's URL cannot let other pages use `{}`", cut(method));
            let help = suggest(method, URL_METHODS, "it takes");
            rules.error(code::S204, &format!("{base}/methods/{index}"), message, help);
        }
    }
    if let Some(age) = cors.max_age.filter(|age| age.0 > LONGEST_MAX_AGE) {
        let message = format!("a browser cannot keep this for {age}");
        rules.error(code::S204, &format!("{base}/max-age"), message, "a function's URL takes at most 24h");
    }
}
