"""Says how a request reached it: the shape of its event, the method and path, and what kind of caller API Gateway saw.

Three shapes of events come from API Gateway:

- mapped: a REST API made the event by a mapping template, and the answer becomes the body as it is;
- proxy 1.0: a REST API, or an HTTP API told so, hands over the whole request, and the answer has status, headers and
  body;
- proxy 2.0: the same from an HTTP API, in a newer form.

A mapped event holds what its template put there and nothing else; of method and path this function knows only what it
was told. An error whose message starts with a status in brackets, such as ``[400]``, is answered with that status by
the API.

No header is ever told back: an authorisation or a key would be among them.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Mapping
from typing import Any

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Refused(Exception):
    """An error the caller is told about, with its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"[{status}] {reason}")
        self.status = status
        self.reason = reason


def section(of: Mapping[str, Any], *names: str) -> Mapping[str, Any]:
    """A part of an event within its parts; empty when there is none. API Gateway sends null for what is not there."""
    for name in names:
        inner = of.get(name)
        of = inner if isinstance(inner, Mapping) else {}
    return of


def caller_1_0(event: Mapping[str, Any]) -> str:
    """What kind of caller an event of format 1.0 came from."""
    authorizer, identity = section(event, "requestContext", "authorizer"), section(event, "requestContext", "identity")
    if "claims" in authorizer:
        return "cognito"
    if authorizer:
        return "authoriser function"
    if identity.get("userArn"):
        return "iam"
    return "api key" if identity.get("apiKey") else "anonymous"


def caller_2_0(event: Mapping[str, Any]) -> str:
    """What kind of caller an event of format 2.0 came from."""
    authorizer = section(event, "requestContext", "authorizer")
    for name, kind in [("jwt", "jwt"), ("lambda", "authoriser function"), ("iam", "iam")]:
        if name in authorizer:
            return kind
    return "anonymous"


def body_bytes(event: Mapping[str, Any]) -> int:
    """How long the request's body is."""
    body = event.get("body") or ""
    if not isinstance(body, str):
        raise Refused(400, "The body is not text")
    if not event.get("isBase64Encoded"):
        return len(body.encode("utf-8", "surrogatepass"))
    try:
        return len(base64.b64decode(body, validate=True))
    except (binascii.Error, ValueError) as error:
        raise Refused(400, "The body is not base64") from error


def describe(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a proxy event says about its request."""
    if event.get("version") == "2.0":
        http = section(event, "requestContext", "http")
        told = {
            "shape": "proxy 2.0",
            "method": http.get("method"),
            "path": event.get("rawPath"),
            "caller": caller_2_0(event),
        }
    else:
        told = {
            "shape": "proxy 1.0",
            "method": event.get("httpMethod"),
            "path": event.get("path"),
            "caller": caller_1_0(event),
        }
    return {**told, "query": dict(section(event, "queryStringParameters")), "bodyBytes": body_bytes(event)}


def is_proxy(event: Mapping[str, Any]) -> bool:
    """Whether API Gateway handed over a whole request: a template maps no request context unless it means to."""
    return isinstance(event.get("requestContext"), Mapping) and ("httpMethod" in event or event.get("version") == "2.0")


def answer(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in the form both proxy formats share."""
    return {
        "statusCode": status,
        "headers": {"Content-Type": "application/json"},
        "body": json.dumps(body),
        "isBase64Encoded": False,
    }


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry."""
    del context
    if not isinstance(event, Mapping):
        raise Refused(400, "The event is not an object; map the request to one")
    if not is_proxy(event):
        log.info("a mapped event with %d fields", len(event))
        return {
            "shape": "mapped",
            "method": event.get("method"),
            "path": event.get("path"),
            "caller": "not told",
            "event": dict(event),
        }
    try:
        told = describe(event)
    except Refused as refusal:
        return answer(refusal.status, {"message": refusal.reason})
    log.info("%s from %s", told["shape"], told["caller"])
    return answer(200, told)
