"""Talks over a WebSocket: greets nobody, echoes every message, and lets go of who leaves.

API Gateway calls this for the routes ``$connect``, ``$disconnect`` and ``$default``. What the function returns is not
sent to the client; it posts to the connection, through the API's own address, which each event has in its request
context. Where ``AWS_ENDPOINT_URL`` is set it posts there instead: to an API that is not at AWS, AWS's address leads
nowhere.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from collections.abc import Callable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MAX_MESSAGE_CHARACTERS = 4_000
"""Enough for a chat. API Gateway lets 128 KB through."""

DOMAIN = re.compile(r"[a-z0-9]+\.execute-api\.[a-z0-9-]+\.amazonaws\.com(\.cn)?")
"""The address of an API without a domain of its own. A signed request goes there, so nothing else is taken for one."""

STAGE = re.compile(r"[A-Za-z0-9_-]{1,128}|\$default")
"""The name of a stage."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


def endpoint_of(request: Mapping[str, Any]) -> str:
    """Where connections of the API that sent an event are answered."""
    domain, stage = request.get("domainName"), request.get("stage")
    if not (isinstance(domain, str) and DOMAIN.fullmatch(domain) and isinstance(stage, str) and STAGE.fullmatch(stage)):
        raise ValueError("the event does not come from a WebSocket API at its own address")
    return f"https://{domain}/{stage}"


def reply_to(body: object) -> dict[str, str]:
    """What is answered to a message."""
    if not isinstance(body, str) or not body.strip():
        return {"error": "Say something"}
    if len(body) > MAX_MESSAGE_CHARACTERS:
        return {"error": f"The message has {len(body)} characters, and at most {MAX_MESSAGE_CHARACTERS} are read"}
    return {"echo": body}


def post(management: Any, connection_id: str, message: Mapping[str, str]) -> None:
    """Sends a message down a connection. A client that has left in the meantime is no failure."""
    try:
        management.post_to_connection(ConnectionId=connection_id, Data=json.dumps(message).encode())
    except ClientError as error:
        if error.response.get("Error", {}).get("Code") != "GoneException":
            raise
        log.info("%s has left", connection_id)


def answer(event: object, management_at: Callable[[str], Any]) -> dict[str, int]:
    """Answers an event, with a client for the address that its API is managed at."""
    request = event.get("requestContext") if isinstance(event, Mapping) else None
    connection_id = request.get("connectionId") if isinstance(request, Mapping) else None
    if not isinstance(connection_id, str) or not connection_id:
        raise ValueError("the event does not come from a WebSocket API")
    route = request.get("routeKey")
    log.info("%s of %s", route, connection_id)
    # Until `$connect` is answered the connection is not there yet, so nothing can be posted to it.
    if route not in ("$connect", "$disconnect"):
        post(management_at(endpoint_of(request)), connection_id, reply_to(event.get("body")))
    return {"statusCode": 200}


@functools.cache
def management_at(endpoint: str) -> Any:
    """The client for an address, made once for all calls that this process answers."""
    return boto3.client(
        "apigatewaymanagementapi",
        endpoint_url=None if os.environ.get("AWS_ENDPOINT_URL") else endpoint,
        config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 2}),
    )


def handler(event: object, context: object) -> dict[str, int]:
    """Lambda's entry."""
    del context
    return answer(event, management_at)
