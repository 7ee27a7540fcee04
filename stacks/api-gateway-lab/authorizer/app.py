"""Lets in who has the token that a secret keeps: an authoriser function for REST, WebSocket and HTTP APIs.

The token comes as ``Authorization: Bearer …``. The answer has the form the API asks for:

- a policy, for the authorisers of REST and WebSocket APIs, of type TOKEN and REQUEST, and for HTTP APIs in format 1.0;
- ``{"isAuthorized": …}``, for HTTP APIs in format 2.0.

A wrong token is answered 403 by the API. A missing one is answered 401 where an authoriser can say so, which is by
raising ``Unauthorized``.

Environment: ``TOKEN_SECRET`` is the ARN of the secret, whose text is the token. The client takes region, credentials
and, where it is set, ``AWS_ENDPOINT_URL`` from the environment too.
"""

from __future__ import annotations

import functools
import hmac
import logging
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import boto3
from botocore.config import Config

SECRET_SECONDS = 300
"""How long a token read from the secret is good for: after a rotation the old one works this much longer at most."""

MAX_TOKEN_CHARACTERS = 4_096
"""Beyond any token this could be."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Unauthorized(Exception):
    """What API Gateway answers 401 to. It compares the message, so it has to be exactly this."""

    def __init__(self) -> None:
        super().__init__("Unauthorized")


@dataclass
class Keeper:
    """Knows the token."""

    secrets: Any
    secret_arn: str
    clock: Callable[[], float] = time.monotonic
    _token: bytes = field(default=b"", repr=False)
    _good_until: float = float("-inf")

    def accepts(self, given: str) -> bool:
        """Whether a token is the right one. How long this takes does not tell how much of it was right."""
        return hmac.compare_digest(given.encode("utf-8", "surrogatepass"), self._expected())

    def _expected(self) -> bytes:
        if self.clock() >= self._good_until:
            token = self.secrets.get_secret_value(SecretId=self.secret_arn).get("SecretString", "")
            if not token:
                # An empty token would let everybody in who sends none.
                raise RuntimeError("the secret has no text")
            self._token, self._good_until = token.encode("utf-8", "surrogatepass"), self.clock() + SECRET_SECONDS
        return self._token


def bearer(event: Mapping[str, Any]) -> str | None:
    """The token of a request; nothing when it has none in the right form."""
    if event.get("type") == "TOKEN":
        values = [event.get("authorizationToken")]
    else:
        headers = event.get("headers")
        pairs = headers.items() if isinstance(headers, Mapping) else ()
        values = [value for name, value in pairs if isinstance(name, str) and name.lower() == "authorization"]
    if len(values) != 1 or not isinstance(values[0], str):
        return None
    scheme, _, token = values[0].partition(" ")
    token = token.strip()
    return token if scheme.lower() == "bearer" and 0 < len(token) <= MAX_TOKEN_CHARACTERS else None


def policy(allowed: bool, method_arn: str) -> dict[str, Any]:
    """The policy that lets a caller in or keeps them out.

    API Gateway may keep a policy for a token and use it for the next request, which can be of another method. So it
    speaks of the whole stage: the token is good for all of it.
    """
    api_and_stage = "/".join(method_arn.split("/")[:2])
    return {
        "principalId": "bearer",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Action": "execute-api:Invoke",
                    "Effect": "Allow" if allowed else "Deny",
                    "Resource": f"{api_and_stage}/*",
                }
            ],
        },
    }


def authorize(keeper: Keeper, event: object) -> dict[str, Any]:
    """The answer to a request for authorisation."""
    if not isinstance(event, Mapping):
        raise Unauthorized
    token = bearer(event)
    allowed = token is not None and keeper.accepts(token)
    log.info("%s", "let in" if allowed else "kept out")
    if event.get("version") == "2.0":
        return {"isAuthorized": allowed}
    method_arn = event.get("methodArn")
    if token is None or not isinstance(method_arn, str):
        raise Unauthorized
    return policy(allowed, method_arn)


@functools.cache
def keeper() -> Keeper:
    """The client, made once for all calls that this process answers."""
    return Keeper(
        secrets=boto3.client(
            "secretsmanager",
            config=Config(connect_timeout=2, read_timeout=3, retries={"mode": "standard", "total_max_attempts": 2}),
        ),
        secret_arn=os.environ["TOKEN_SECRET"],
    )


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry."""
    del context
    return authorize(keeper(), event)
