"""Keeps a text in a bucket: ``{"name": "notes.txt", "text": "..."}`` becomes the object uploads/notes.txt.

The code is inline in the template, where Lambda takes 4,096 characters. Environment: ``BUCKET`` is the bucket.
"""

from __future__ import annotations

import functools
import os
import re
from typing import Any

import boto3

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
"""No slash, so that no name leads out of ``uploads/``."""

MAX_BYTES = 100_000
"""Beyond any snippet of code."""


def read(event: object) -> tuple[str, bytes]:
    """The name and the text of an event, the text in UTF-8."""
    fields = event if isinstance(event, dict) else {}
    name, text = fields.get("name"), fields.get("text")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        raise ValueError("[400] `name` must be 1 to 100 letters, digits, dots, dashes and underscores")
    if not isinstance(text, str):
        raise ValueError("[400] `text` must be a text")
    try:
        body = text.encode()
    except UnicodeEncodeError as error:
        raise ValueError("[400] `text` has a character that is none") from error
    if len(body) > MAX_BYTES:
        raise ValueError(f"[400] `text` has {len(body)} bytes, and at most {MAX_BYTES} are kept")
    return name, body


@functools.cache
def client() -> Any:
    """The client, made once for all calls that this process answers."""
    return boto3.client("s3")


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry. Answers with the bucket and the key of the object."""
    del context
    name, body = read(event)
    bucket, key = os.environ["BUCKET"], f"uploads/{name}"
    client().put_object(Bucket=bucket, Key=key, Body=body, ContentType="text/plain; charset=utf-8")
    return {"bucket": bucket, "key": key, "bytes": len(body)}
