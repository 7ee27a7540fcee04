//! S3's refusals, in its own words.

use http::StatusCode;

use crate::ground::ApiError;

fn refusal(status: StatusCode, code: &str, message: impl Into<String>) -> ApiError {
    ApiError::sender(code, message).with_status(status)
}

pub(super) fn no_such_bucket() -> ApiError {
    refusal(StatusCode::NOT_FOUND, "NoSuchBucket", "The specified bucket does not exist")
}

pub(super) fn no_such_key() -> ApiError {
    refusal(StatusCode::NOT_FOUND, "NoSuchKey", "The specified key does not exist.")
}

pub(super) fn no_such_version() -> ApiError {
    refusal(StatusCode::NOT_FOUND, "NoSuchVersion", "The specified version does not exist.")
}

pub(super) fn no_such_upload() -> ApiError {
    refusal(
        StatusCode::NOT_FOUND,
        "NoSuchUpload",
        "The specified upload does not exist. The upload ID may be invalid, or the upload may have been aborted or completed.",
    )
}

pub(super) fn invalid_bucket_name() -> ApiError {
    refusal(StatusCode::BAD_REQUEST, "InvalidBucketName", "The specified bucket is not valid.")
}

pub(super) fn bucket_owned_by_you() -> ApiError {
    refusal(
        StatusCode::CONFLICT,
        "BucketAlreadyOwnedByYou",
        "Your previous request to create the named bucket succeeded and you already own it.",
    )
}

pub(super) fn bucket_not_empty(versioned: bool) -> ApiError {
    refusal(
        StatusCode::CONFLICT,
        "BucketNotEmpty",
        if versioned {
            "The bucket you tried to delete is not empty. You must delete all versions in the bucket."
        } else {
            "The bucket you tried to delete is not empty"
        },
    )
}

pub(super) fn precondition_failed() -> ApiError {
    refusal(
        StatusCode::PRECONDITION_FAILED,
        "PreconditionFailed",
        "At least one of the pre-conditions you specified did not hold",
    )
}

pub(super) fn not_modified() -> ApiError {
    refusal(StatusCode::NOT_MODIFIED, "NotModified", "Not Modified")
}

pub(super) fn invalid_range() -> ApiError {
    refusal(StatusCode::RANGE_NOT_SATISFIABLE, "InvalidRange", "The requested range is not satisfiable")
}

pub(super) fn method_not_allowed() -> ApiError {
    refusal(
        StatusCode::METHOD_NOT_ALLOWED,
        "MethodNotAllowed",
        "The specified method is not allowed against this resource.",
    )
}

pub(super) fn invalid_argument(message: impl Into<String>) -> ApiError {
    refusal(StatusCode::BAD_REQUEST, "InvalidArgument", message)
}

pub(super) fn invalid_request(message: impl Into<String>) -> ApiError {
    refusal(StatusCode::BAD_REQUEST, "InvalidRequest", message)
}

pub(super) fn malformed_xml() -> ApiError {
    refusal(
        StatusCode::BAD_REQUEST,
        "MalformedXML",
        "The XML you provided was not well-formed or did not validate against our published schema",
    )
}

pub(super) fn bad_digest(what: &str) -> ApiError {
    refusal(StatusCode::BAD_REQUEST, "BadDigest", format!("The {what} you specified did not match what we received."))
}

pub(super) fn incomplete_body() -> ApiError {
    refusal(StatusCode::BAD_REQUEST, "IncompleteBody", "The request body terminated unexpectedly")
}

pub(super) fn no_such(code: &str, message: &str) -> ApiError {
    refusal(StatusCode::NOT_FOUND, code, message)
}

pub(super) fn invalid_part() -> ApiError {
    refusal(
        StatusCode::BAD_REQUEST,
        "InvalidPart",
        "One or more of the specified parts could not be found. The part may not have been uploaded, or the specified \
         entity tag may not match the part's entity tag.",
    )
}

pub(super) fn invalid_part_order() -> ApiError {
    refusal(
        StatusCode::BAD_REQUEST,
        "InvalidPartOrder",
        "The list of parts was not in ascending order. Parts must be ordered by part number.",
    )
}

pub(super) fn entity_too_small() -> ApiError {
    refusal(StatusCode::BAD_REQUEST, "EntityTooSmall", "Your proposed upload is smaller than the minimum allowed size")
}
