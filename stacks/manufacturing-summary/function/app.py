"""Sums up what a technician sends, such as the log of a breakdown.

The event is ``{"prompt": "..."}``, the text with what to do with it; the answer is ``{"summary": "..."}``. An error
whose message starts with a status in brackets, such as ``[400]``, is answered with that status by the API; every other
error is answered 500 without its text.

Environment: ``MODEL_ID`` is the text model or its inference profile. The client takes region, credentials and, where it
is set, ``AWS_ENDPOINT_URL`` from the environment too.
"""

from __future__ import annotations

import functools
import logging
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

MAX_PROMPT_CHARACTERS = 20_000
"""A long log. In a query string less arrives: API Gateway takes about 10 KB of request line and headers."""

MAX_TOKENS = 512
"""Far beyond two lines. Bedrock counts all of it against the quota, used or not, so it is always said."""

SYSTEM = (
    "You help technicians of a wind farm. Do what the message asks with the text in it, in plain language. Keep part "
    "numbers, dates and readings exactly as they are, and add nothing that the text does not say."
)

BUSY = frozenset({"ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException"})
"""Bedrock's errors that going slower helps against."""

FILTERED = frozenset({"content_filtered", "guardrail_intervened"})
"""The reasons to stop that say the model would not."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Refused(Exception):
    """An error the caller is told about, with its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"[{status}] {reason}")


@dataclass(frozen=True)
class Desk:
    """What summing up needs."""

    bedrock: Any
    model_id: str

    def sum_up(self, prompt: str) -> dict[str, str]:
        """Has the model do what the prompt asks."""
        try:
            response = self.bedrock.converse(
                modelId=self.model_id,
                system=[{"text": SYSTEM}],
                messages=[{"role": "user", "content": [{"text": prompt}]}],
                inferenceConfig={"maxTokens": MAX_TOKENS},
            )
        except (ConnectTimeoutError, EndpointConnectionError) as error:
            # The usual mistake in a network without internet, and one that shows only as silence.
            raise RuntimeError(
                "Bedrock cannot be reached: in subnets without internet the function needs an interface endpoint for "
                "bedrock-runtime with private DNS, whose security group lets this function's in on port 443"
            ) from error
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in BUSY:
                raise Refused(429, "The model is busy; try again in a moment") from error
            raise
        stopped, usage = response.get("stopReason"), response.get("usage", {})
        # What is summed up may be confidential, so it is not logged.
        log.info(
            "%s stopped for %s after %s tokens in, %s out",
            self.model_id,
            stopped,
            usage.get("inputTokens"),
            usage.get("outputTokens"),
        )
        if stopped in FILTERED:
            raise Refused(422, "The model would not sum this up")
        summary = text_of(response)
        if not summary:
            raise RuntimeError("the model answered without text")
        return {"summary": summary}


def text_of(response: Mapping[str, Any]) -> str:
    """The text of an answer. Other blocks, such as a model's reasoning, are not for the reader."""
    blocks = response.get("output", {}).get("message", {}).get("content", [])
    return "".join(block["text"] for block in blocks if "text" in block).strip()


def read_prompt(event: object) -> str:
    """The prompt of an event, without the space around it."""
    prompt = event.get("prompt") if isinstance(event, Mapping) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise Refused(400, "Say what to sum up in `prompt`")
    prompt = prompt.strip()
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise Refused(400, f"`prompt` has {len(prompt)} characters, and at most {MAX_PROMPT_CHARACTERS} are read")
    return prompt


@functools.cache
def desk() -> Desk:
    """The client, made once for all calls that this process answers."""
    return Desk(
        # Two tries within the API's 29 seconds, and a missing endpoint is found out in 4.
        bedrock=boto3.client(
            "bedrock-runtime",
            config=Config(connect_timeout=2, read_timeout=12, retries={"mode": "standard", "total_max_attempts": 2}),
        ),
        model_id=os.environ["MODEL_ID"],
    )


def handler(event: object, context: object) -> dict[str, str]:
    """Lambda's entry."""
    del context
    return desk().sum_up(read_prompt(event))
