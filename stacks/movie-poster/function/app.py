"""Draws a movie poster from a prompt and answers with a link to it.

The event is ``{"prompt": "..."}``; the answer is the URL, good for one hour, of the drawn PNG. An error whose message
starts with a status in brackets, such as ``[400]``, is answered with that status by the API; every other error is
answered 500 without its text.

Environment: ``BUCKET`` is where posters are kept, ``MODEL_ID`` is the image model. The clients take region, credentials
and, where it is set, ``AWS_ENDPOINT_URL`` from the environment too.
"""

from __future__ import annotations

import base64
import binascii
import functools
import json
import logging
import os
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MAX_PROMPT_CHARACTERS = 2_000
"""Far beyond what helps a poster; the model itself takes 10,000."""

ASPECT_RATIO = "2:3"
"""That of a film poster."""

LINK_SECONDS = 3_600
"""How long a link works at most: it also ends with the credentials of the role that signed it."""

BUSY = frozenset({"ThrottlingException", "ServiceQuotaExceededException", "ModelNotReadyException"})
"""Bedrock's errors that going slower helps against."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Refused(Exception):
    """An error the caller is told about, with its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"[{status}] {reason}")


@dataclass(frozen=True)
class Studio:
    """What drawing a poster needs."""

    bedrock: Any
    s3: Any
    bucket: str
    model_id: str

    def design(self, prompt: str) -> str:
        """Draws a poster, keeps it, and gives a link to it."""
        image = self._draw(prompt)
        key = f"posters/{datetime.now(timezone.utc):%Y%m%dT%H%M%SZ}-{uuid.uuid4().hex[:12]}.png"
        self.s3.put_object(Bucket=self.bucket, Key=key, Body=image, ContentType="image/png")
        # What was asked for may be personal, so it is not logged.
        log.info("%s drew %s (%d bytes) from %d characters", self.model_id, key, len(image), len(prompt))
        return self.s3.generate_presigned_url(
            "get_object", Params={"Bucket": self.bucket, "Key": key}, ExpiresIn=LINK_SECONDS
        )

    def _draw(self, prompt: str) -> bytes:
        body = {"prompt": prompt, "aspect_ratio": ASPECT_RATIO, "output_format": "png"}
        try:
            response = self.bedrock.invoke_model(
                modelId=self.model_id,
                body=json.dumps(body),
                contentType="application/json",
                accept="application/json",
            )
        except ClientError as error:
            if error.response.get("Error", {}).get("Code") in BUSY:
                raise Refused(429, "The model is busy; try again in a moment") from error
            raise
        answer = json.loads(response["body"].read())
        reasons = [reason for reason in answer.get("finish_reasons", []) if reason]
        if reasons:
            raise Refused(422, f"The model would not draw this: {reasons[0]}")
        images = answer.get("images")
        if not images:
            raise RuntimeError("the model answered without an image")
        try:
            return base64.b64decode(images[0], validate=True)
        except binascii.Error as error:
            raise RuntimeError("the model's image is not base64") from error


def read_prompt(event: object) -> str:
    """The prompt of an event, without the space around it."""
    prompt = event.get("prompt") if isinstance(event, Mapping) else None
    if not isinstance(prompt, str) or not prompt.strip():
        raise Refused(400, "Say what to draw in `prompt`")
    prompt = prompt.strip()
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise Refused(400, f"`prompt` has {len(prompt)} characters, and at most {MAX_PROMPT_CHARACTERS} are read")
    return prompt


@functools.cache
def studio() -> Studio:
    """The clients, made once for all calls that this process answers."""
    return Studio(
        # One try within the API's 29 seconds: an image that is asked for twice is paid for twice.
        bedrock=boto3.client(
            "bedrock-runtime",
            config=Config(connect_timeout=2, read_timeout=25, retries={"mode": "standard", "total_max_attempts": 1}),
        ),
        # A link must be signed by version 4 for the bucket's own region: the global endpoint only redirects, and a new
        # bucket's redirect breaks the signature.
        s3=boto3.client(
            "s3",
            config=Config(
                signature_version="s3v4",
                s3={"addressing_style": "virtual", "us_east_1_regional_endpoint": "regional"},
            ),
        ),
        bucket=os.environ["BUCKET"],
        model_id=os.environ["MODEL_ID"],
    )


def handler(event: object, context: object) -> str:
    """Lambda's entry."""
    del context
    return studio().design(read_prompt(event))
