//! Where a template's text comes from: the request, a URL of an object in the local S3, or the stack itself.

use crate::cloudformation::error::{CloudFormationResult, not_simulated};
use crate::ground::{ApiError, Host};
use crate::s3;

/// The largest template in a request, in bytes.
const INLINE: usize = bedplate_cfn::template::BODY_LIMIT_INLINE;
/// The largest template in S3, in bytes.
const IN_S3: usize = bedplate_cfn::template::BODY_LIMIT_S3;

/// Checks a template's text that came with the request.
///
/// # Errors
///
/// It is larger than a request may carry.
pub fn inline(text: &str) -> CloudFormationResult<String> {
    if text.len() > INLINE {
        return Err(ApiError::validation(format!(
            "1 validation error detected: Value at 'templateBody' failed to satisfy constraint: Member must have length \
             less than or equal to {INLINE}"
        )));
    }
    Ok(text.to_owned())
}

/// Bucket and key of an object's URL: `https://bucket.s3.region.amazonaws.com/key`, path style, or this server's own.
pub fn bucket_and_key(own: &str, url: &str) -> Option<(String, String, Option<String>)> {
    let (rest, query) = url.split_once('?').unwrap_or((url, ""));
    let version = form_urlencoded::parse(query.as_bytes())
        .find(|(name, _)| name == "versionId")
        .map(|(_, value)| value.into_owned());
    let (_, rest_of) = rest.split_once("://")?;
    let (host, path) = rest_of.split_once('/')?;
    let name = host.split(':').next().unwrap_or(host);
    let decode = |text: &str| {
        // A plus sign in a path is a plus sign.
        let text = text.replace('+', "%2B");
        form_urlencoded::parse(format!("k={text}").as_bytes()).next().map(|(_, value)| value.into_owned())
    };
    let loopback = rest.starts_with(own) || name == "localhost" || name.starts_with("127.");
    if loopback || name == "s3.amazonaws.com" || name.starts_with("s3.") || name.starts_with("s3-") {
        let (bucket, key) = path.split_once('/')?;
        return Some((bucket.to_owned(), decode(key)?, version));
    }
    if let Some(bucket) = name.strip_suffix(".localhost") {
        return Some((bucket.strip_suffix(".s3").unwrap_or(bucket).to_owned(), decode(path)?, version));
    }
    let (bucket, _) = name.split_once(".s3.").or_else(|| name.split_once(".s3-"))?;
    name.contains(".amazonaws.com").then_some(())?;
    Some((bucket.to_owned(), decode(path)?, version))
}

/// Reads a template from the local S3.
///
/// # Errors
///
/// It is not there, too large, no text, or not in S3 at all.
pub async fn from_url(host: &Host, url: &str) -> CloudFormationResult<String> {
    if url.starts_with("ssm-doc://") {
        return Err(not_simulated("templates in SSM documents"));
    }
    let Some((bucket, key, version)) = bucket_and_key(&host.url, url) else {
        return Err(ApiError::validation("TemplateURL must be a supported URL."));
    };
    let bytes = s3::get_object(&host.store, &bucket, &key, version.as_deref()).await.map_err(|error| {
        ApiError::validation(format!("S3 error: {} (bucket `{bucket}`, key `{key}`)", error.message))
    })?;
    if bytes.len() > IN_S3 {
        return Err(ApiError::validation(format!("Template may not exceed {IN_S3} bytes in size.")));
    }
    String::from_utf8(bytes).map_err(|_| ApiError::validation("Template format error: the template is not UTF-8 text"))
}

#[cfg(test)]
mod tests {
    use super::bucket_and_key;

    #[test]
    fn every_form_of_an_object_url_is_understood() {
        let own = "http://127.0.0.1:4566";
        for url in [
            "https://templates.s3.us-west-2.amazonaws.com/a/b.yaml",
            "https://templates.s3.amazonaws.com/a/b.yaml",
            "https://s3.us-west-2.amazonaws.com/templates/a/b.yaml",
            "https://s3.amazonaws.com/templates/a/b.yaml",
            "http://127.0.0.1:4566/templates/a/b.yaml",
            "http://localhost:4566/templates/a/b.yaml",
            "http://templates.s3.localhost:4566/a/b.yaml",
        ] {
            let (bucket, key, _) = bucket_and_key(own, url).expect(url);
            assert_eq!((bucket.as_str(), key.as_str()), ("templates", "a/b.yaml"), "{url}");
        }
        assert!(bucket_and_key(own, "https://example.com/a").is_none());
        let (_, key, version) = bucket_and_key(own, "https://s3.amazonaws.com/b/a%20b+c?versionId=3").expect("a URL");
        assert_eq!((key.as_str(), version.as_deref()), ("a b+c", Some("3")));
    }
}
