//! Single values AWS has bounds for: regions, tags, names, times, sizes.

use super::context::Rules;
use crate::facts;
use crate::finding::code;
use crate::spec::forms::is_region_name;
use crate::spec::text::{Piece, Reference, Text};
use crate::spec::types::{ApiKind, Function};
use crate::spec::values::{Days, Seconds};
use crate::spec::words::{cut, escape};

/// What CloudWatch Logs accepts as a log group's retention in days: the allowed values of `RetentionInDays` of
/// AWS::Logs::LogGroup.
const RETENTION_DAYS: [u32; 22] =
    [1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// A stack takes 50 tags, and five are Bedplate's.
const MOST_TAGS: usize = 45;

/// The longest name S3 takes.
const BUCKET_NAME: usize = 63;

/// Seconds a function may take; synchronous calls may run that long. Source: botocore 1.44.8, lambda `CreateFunction`.
const LAMBDA_TIMEOUT: std::ops::RangeInclusive<u32> = 1..=1800;

pub(super) fn check(rules: &mut Rules<'_>) {
    region(rules);
    tags(rules);
    let spec = rules.spec;
    if let Some(text) = &spec.description {
        length(rules, "/description", text, 1024);
    }
    for (name, layer) in &spec.layers {
        if let Some(text) = &layer.description {
            length(rules, &format!("/layers/{}/description", escape(name)), text, 256);
        }
    }
    for (name, bucket) in &spec.buckets {
        let base = format!("/buckets/{}", escape(name));
        if let Some(text) = &bucket.name {
            bucket_name(rules, &format!("{base}/name"), text);
        }
        if bucket.expire_after.is_some_and(|days| days.0 == 0) {
            let message = "objects cannot expire before they are a day old".to_owned();
            rules.error(code::S032, &format!("{base}/expire-after"), message, "write `1d` or more");
        }
    }
    for (name, function) in &spec.functions {
        of_function(rules, &format!("/functions/{}", escape(name)), function);
    }
    for (name, api) in &spec.apis {
        // The stage `$default` of an HTTP API is no part of its URL.
        let default = api.kind == ApiKind::Http && api.stage.as_ref().is_some_and(|stage| stage.source() == "$default");
        if let Some(stage) = api.stage.as_ref().filter(|_| !default) {
            api_stage(rules, &format!("/apis/{}/stage", escape(name)), stage);
        }
    }
}

fn length(rules: &mut Rules<'_>, pointer: &str, text: &str, most: usize) {
    let count = text.chars().count();
    if count > most {
        let message = format!("the description has {count} characters and AWS takes {most}");
        rules.error(code::S032, pointer, message, "shorten it");
    }
}

fn region(rules: &mut Rules<'_>) {
    let Some(region) = &rules.spec.region else { return };
    if !is_region_name(region) {
        let message = format!("`{}` is not the name of a region", cut(region));
        rules.error(code::S041, "/region", message, "write it as AWS does, such as `us-west-2`");
    }
}

fn tags(rules: &mut Rules<'_>) {
    let spec = rules.spec;
    if spec.tags.len() > MOST_TAGS {
        let message = format!("there are {} tags; a stack takes 50 and five are Bedplate's own", spec.tags.len());
        rules.error_at_key(code::S042, "/tags", message, format!("keep at most {MOST_TAGS}"));
    }
    let strange = |c: char| !(c.is_alphanumeric() || c == ' ' || "_.:/=+-@".contains(c));
    for (key, value) in &spec.tags {
        let pointer = format!("/tags/{}", escape(key));
        let lower = key.to_lowercase();
        if let Some(prefix) = ["aws:", "bedplate:"].into_iter().find(|prefix| lower.starts_with(prefix)) {
            let message = format!("`{}`: tags that begin with `{prefix}` are not yours to set", cut(key));
            rules.error_at_key(code::S042, &pointer, message, "use another prefix");
        }
        if key.is_empty() || key.chars().count() > 128 || key.chars().any(strange) {
            let message = format!("`{}` cannot be the key of a tag", cut(key));
            let help = "use 1 to 128 letters, digits, spaces and any of `_.:/=+-@`";
            rules.error_at_key(code::S042, &pointer, message, help);
        }
        if value.chars().count() > 256 || value.chars().any(strange) {
            let message = format!("`{}` cannot be the value of a tag", cut(value));
            rules.error(code::S042, &pointer, message, "use at most 256 letters, digits, spaces and any of `_.:/=+-@`");
        }
    }
}

fn bucket_name(rules: &mut Rules<'_>, pointer: &str, text: &Text) {
    let literals = literals(text);
    let all: String = literals.concat();
    if let Some(c) = all.chars().find(|c| !(c.is_ascii_lowercase() || c.is_ascii_digit() || *c == '-')) {
        let message =
            format!("`{}` cannot begin the name of a bucket: it holds `{}`", cut(text.source()), c.escape_debug());
        let lower = text.source().to_lowercase();
        let help = match lower.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-') {
            true => format!("write `{}`", cut(&lower)),
            false => "use lower-case letters, digits and hyphens".to_owned(),
        };
        return rules.error(code::S038, pointer, message, help);
    }
    let source = text.source();
    if source.is_empty() || source.starts_with('-') || source.starts_with("xn--") || source.starts_with("sthree-") {
        let message = format!("`{}` cannot begin the name of a bucket", cut(source));
        return rules.error(
            code::S038,
            pointer,
            message,
            "begin it with a letter or digit, and not with `xn--` or `sthree-`",
        );
    }
    // `<prefix>-<account>-<region>-an`; the longest region of today has 14 characters.
    let region = rules.spec.region.as_ref().map_or(14, String::len);
    let most = BUCKET_NAME.saturating_sub("-123456789012-".len() + region + "-an".len());
    if all.len() > most {
        let message = format!("the name's prefix has {} characters and there is room for {most}", all.len());
        let help = "S3 takes 63, and the account, the region and `-an` are put behind it";
        rules.error(code::S038, pointer, message, help);
    }
}

fn api_stage(rules: &mut Rules<'_>, pointer: &str, text: &Text) {
    let pieces = text.pieces().unwrap_or_default();
    let other = |piece: &Piece| !matches!(piece, Piece::Literal(_) | Piece::Reference(Reference::Stage));
    if pieces.iter().any(other) {
        let message = "the stage of an API can hold no reference but `${stage}`".to_owned();
        rules.error(code::S023, pointer, message, "write it out: it is a part of the API's URL");
    }
    let all = literals(text).concat();
    let fits = all.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    if text.source().is_empty() || !fits || all.len() > 128 {
        let message = format!("`{}` cannot be the stage of an API", cut(text.source()));
        rules.error(code::S039, pointer, message, "use letters, digits, `-` and `_`, at most 128");
    }
}

fn of_function(rules: &mut Rules<'_>, base: &str, function: &Function) {
    if let Some(text) = &function.description {
        length(rules, &format!("{base}/description"), text, 256);
    }
    if let Some(text) = &function.name {
        let all = literals(text).concat();
        let fits = all.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
        if text.source().is_empty() || !fits || all.len() > 64 {
            let message = format!("`{}` cannot be the name of a function", cut(text.source()));
            rules.error(code::S039, &format!("{base}/name"), message, "use letters, digits, `-` and `_`, at most 64");
        }
    }
    if let Some(Seconds(seconds)) = function.timeout.filter(|timeout| !LAMBDA_TIMEOUT.contains(&timeout.0)) {
        let message = format!("a timeout of {} is out of bounds", Seconds(seconds));
        rules.error(code::S032, &format!("{base}/timeout"), message, "Lambda takes 1s to 30m");
    }
    if let Some(memory) = function.memory.filter(|memory| !(128..=10240).contains(memory)) {
        let message = format!("{memory} MiB of memory is out of bounds");
        rules.error(code::S032, &format!("{base}/memory"), message, "Lambda takes 128 to 10240");
    }
    retention(rules, &format!("{base}/log-retention"), function.log_retention);
    environment(rules, &format!("{base}/environment"), function);
}

/// How long a log is kept.
pub(super) fn retention(rules: &mut Rules<'_>, pointer: &str, days: Option<Days>) {
    let Some(days) = days.filter(|days| !RETENTION_DAYS.contains(&days.0)) else { return };
    let nearest = RETENTION_DAYS.iter().min_by_key(|allowed| allowed.abs_diff(days.0)).copied().unwrap_or(14);
    let message = format!("CloudWatch keeps no log for exactly {days}");
    let all = RETENTION_DAYS.iter().map(u32::to_string).collect::<Vec<_>>().join(", ");
    let help = format!("the nearest is `{nearest}d`; the days it takes are {all}");
    rules.error(code::S033, pointer, message, help);
}

fn environment(rules: &mut Rules<'_>, base: &str, function: &Function) {
    let limits = &facts::runtimes().environment;
    let mut bytes = 0;
    for (name, value) in &function.environment {
        let pointer = format!("{base}/{}", escape(name));
        bytes += name.len() + literals(value).iter().map(String::len).sum::<usize>();
        if limits.reserved.contains(name) {
            let message = format!("Lambda sets `{name}` itself");
            rules.error_at_key(code::S040, &pointer, message, "remove it; Lambda sets it for the function");
            continue;
        }
        let fits = name.len() >= 2
            && name.starts_with(|c: char| c.is_ascii_alphabetic())
            && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        if !fits {
            let message = format!("`{}` cannot be the name of an environment variable", cut(name));
            rules.error_at_key(
                code::S040,
                &pointer,
                message,
                "use letters, digits and `_`, a letter first, two at least",
            );
        }
    }
    if bytes > limits.most_bytes {
        let message = format!("the environment has {bytes} bytes and Lambda takes {}", limits.most_bytes);
        rules.error_at_key(code::S040, base, message, "put long values into a file of the code or into a bucket");
    }
}

/// The stretches of a text that are known now.
pub(super) fn literals(text: &Text) -> Vec<String> {
    let pieces = text.pieces().unwrap_or_default();
    pieces
        .into_iter()
        .filter_map(|piece| match piece {
            Piece::Literal(literal) => Some(literal),
            Piece::Reference(_) => None,
        })
        .collect()
}
