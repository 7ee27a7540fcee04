"""Answers one message by a managed prompt, behind a guardrail.

An HTTP API hands over ``POST /chat`` in format 2.0, with the body ``{"message": "..."}``. The answer is 200 and
``{"blocked": false, "message": "..."}``, or ``{"blocked": true, ...}`` with the guardrail's own words when it stepped
in. A body that cannot be read is answered 400, a model that is busy 429; on any other error the API answers 500 without
its text.

The prompt decides which model answers, what it is told before the message, and how long the answer may be: Converse
takes no inference parameters, system text or tools beside the ARN of a prompt. The message goes into the prompt's
variable ``message``.

Environment: ``PROMPT_ARN`` is a version of the prompt, ``GUARDRAIL_ID`` and ``GUARDRAIL_VERSION`` are the guardrail.
The client takes region, credentials and, where it is set, ``AWS_ENDPOINT_URL`` from the environment too.
"""

from __future__ import annotations

import base64
import functools
import json
import logging
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MAX_BODY_CHARACTERS = 16_384
"""Beyond any message that is read, even one whose every character is escaped."""

MAX_MESSAGE_CHARACTERS = 2_000
"""A long question."""

BLOCKED = "This cannot be answered."
"""What is told when the guardrail stepped in without words of its own."""

BUSY = frozenset({"ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException"})
"""Bedrock's errors that going slower helps against."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Refused(Exception):
    """An error the caller is told about, with its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(reason)
        self.status = status


@dataclass(frozen=True)
class Chat:
    """What answering needs."""

    bedrock: Any
    prompt_arn: str
    guardrail_id: str
    guardrail_version: str

    def answer(self, message: str) -> dict[str, Any]:
        """Has the prompt's model answer, with the guardrail before and behind it."""
        try:
            response = self.bedrock.converse(
                modelId=self.prompt_arn,
                promptVariables={"message": {"text": message}},
                guardrailConfig={
                    "guardrailIdentifier": self.guardrail_id,
                    "guardrailVersion": self.guardrail_version,
                    # Only the trace tells a blocked answer from one with names masked.
                    "trace": "enabled",
                },
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in BUSY:
                raise Refused(429, "The model is busy; try again in a moment") from error
            raise
        stopped, text = response.get("stopReason"), text_of(response)
        blocked = stopped == "content_filtered" or (stopped == "guardrail_intervened" and not only_masked(response))
        # Neither what was said nor the trace is logged: both may hold what the guardrail keeps back.
        log.info("stopped for %s, %s", stopped, "blocked" if blocked else "answered")
        if not text and not blocked:
            raise RuntimeError("the model answered without text")
        return {"blocked": blocked, "message": text or BLOCKED}


def text_of(response: Mapping[str, Any]) -> str:
    """The text of an answer. Other blocks, such as a model's reasoning, are not for the reader."""
    blocks = response.get("output", {}).get("message", {}).get("content", [])
    return "".join(block["text"] for block in blocks if "text" in block).strip()


def only_masked(response: Mapping[str, Any]) -> bool:
    """Whether a guardrail that stepped in put placeholders for personal data and let the rest of the answer through."""
    actions = set(actions_in(response.get("trace", {}).get("guardrail", {})))
    return "ANONYMIZED" in actions and "BLOCKED" not in actions


def actions_in(trace: object) -> Iterator[str]:
    """What a guardrail did by each of its policies, wherever its trace says so."""
    if isinstance(trace, Mapping):
        if isinstance(trace.get("action"), str):
            yield trace["action"]
        for value in trace.values():
            yield from actions_in(value)
    elif isinstance(trace, list):
        for value in trace:
            yield from actions_in(value)


def read_message(event: object) -> str:
    """The message in an event's body, without the space around it."""
    fields = parse(body_of(event))
    if not isinstance(fields, dict) or set(fields) != {"message"}:
        raise Refused(400, 'The body must be an object with `message` and nothing else, {"message": "..."}')
    message = fields["message"]
    if not isinstance(message, str) or not message.strip():
        raise Refused(400, "`message` must be a text that says something")
    message = message.strip()
    if len(message) > MAX_MESSAGE_CHARACTERS:
        raise Refused(400, f"`message` has {len(message)} characters, and at most {MAX_MESSAGE_CHARACTERS} are read")
    try:
        message.encode()
    except UnicodeEncodeError as error:
        # JSON can escape half of a character.
        raise Refused(400, "`message` has a character that is none") from error
    return message


def body_of(event: object) -> str:
    """The body of an event, as text."""
    fields = event if isinstance(event, Mapping) else {}
    body = fields.get("body")
    if not isinstance(body, str) or not body:
        raise Refused(400, "The request has no body")
    if fields.get("isBase64Encoded"):
        # Four characters stand for three.
        if len(body) > MAX_BODY_CHARACTERS * 4 // 3 + 4:
            raise Refused(400, "The body is too long")
        try:
            body = base64.b64decode(body, validate=True).decode()
        except ValueError as error:
            raise Refused(400, "The body is not text in UTF-8") from error
    if len(body) > MAX_BODY_CHARACTERS:
        raise Refused(400, "The body is too long")
    return body


def parse(body: str) -> object:
    """The JSON in a body."""
    try:
        return json.loads(body)
    # Brackets nested a thousand deep are an error of another kind.
    except (ValueError, RecursionError) as error:
        raise Refused(400, "The body is not JSON") from error


@functools.cache
def chat() -> Chat:
    """The client, made once for all calls that this process answers."""
    return Chat(
        # Two tries within the API's 30 seconds.
        bedrock=boto3.client(
            "bedrock-runtime",
            config=Config(connect_timeout=2, read_timeout=12, retries={"mode": "standard", "total_max_attempts": 2}),
        ),
        prompt_arn=os.environ["PROMPT_ARN"],
        guardrail_id=os.environ["GUARDRAIL_ID"],
        guardrail_version=os.environ["GUARDRAIL_VERSION"],
    )


def reply(status: int, body: Mapping[str, Any]) -> dict[str, Any]:
    """An answer in the API's form."""
    return {"statusCode": status, "headers": {"Content-Type": "application/json"}, "body": json.dumps(body)}


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry."""
    del context
    try:
        return reply(200, chat().answer(read_message(event)))
    except Refused as refusal:
        return reply(refusal.status, {"message": str(refusal)})
