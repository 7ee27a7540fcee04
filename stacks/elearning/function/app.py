"""Answers a learner's question from the course texts of a knowledge base, and says where the answer comes from.

The event is ``{"prompt": "...", "sessionId": "..."}``, where ``sessionId`` is that of an earlier answer or left out;
the answer is ``{"answer": "...", "citations": [{"uri": "...", "snippet": "..."}], "sessionId": "..."}``. An error whose
message starts with a status in brackets, such as ``[400]``, is answered with that status by the API; every other error
is answered 500 without its text.

Environment: ``KNOWLEDGE_BASE_ID`` is a knowledge base with a vector store, ``MODEL_ARN`` the text model or inference
profile that words the answer. The client takes region, credentials and, where it is set, ``AWS_ENDPOINT_URL`` from the
environment too.
"""

from __future__ import annotations

import functools
import logging
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

MAX_PROMPT_CHARACTERS = 1_000
"""What RetrieveAndGenerate takes."""

MAX_CITATIONS = 5
"""How many passages are searched for, and how many sources are told."""

MAX_SNIPPET_CHARACTERS = 300
"""Enough to see whether a source is worth opening."""

MAX_TOKENS = 512
"""A few paragraphs. Bedrock counts all of it against the quota, used or not, so it is always said."""

SESSION_ID = re.compile(r"[0-9a-zA-Z._:-]{2,100}")
"""The form RetrieveAndGenerate gives its sessions' ids."""

BUSY = frozenset({"ThrottlingException", "ServiceQuotaExceededException"})
"""Bedrock's errors that going slower helps against."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


class Refused(Exception):
    """An error the caller is told about, with its HTTP status."""

    def __init__(self, status: int, reason: str) -> None:
        super().__init__(f"[{status}] {reason}")


@dataclass(frozen=True)
class Question:
    """What a learner asks, in a session begun earlier or in a new one."""

    prompt: str
    session_id: str | None = None


@dataclass(frozen=True)
class Tutor:
    """What answering needs."""

    bedrock: Any
    knowledge_base_id: str
    model_arn: str

    def answer(self, question: Question) -> dict[str, Any]:
        """Searches the course texts, words an answer, and names its sources."""
        session = {"sessionId": question.session_id} if question.session_id else {}
        try:
            response = self.bedrock.retrieve_and_generate(
                input={"text": question.prompt},
                retrieveAndGenerateConfiguration={
                    "type": "KNOWLEDGE_BASE",
                    "knowledgeBaseConfiguration": {
                        "knowledgeBaseId": self.knowledge_base_id,
                        "modelArn": self.model_arn,
                        "retrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": MAX_CITATIONS}},
                        "generationConfiguration": {
                            "inferenceConfig": {"textInferenceConfig": {"maxTokens": MAX_TOKENS}},
                        },
                    },
                },
                **session,
            )
        except ClientError as error:
            refusal = told(error, question)
            if refusal is None:
                raise
            raise refusal from error
        citations = cited(
            reference
            for citation in response.get("citations", [])
            for reference in citation.get("retrievedReferences", [])
        )
        # What a learner asks may be personal, so it is not logged.
        log.info("answered %d characters from %d sources", len(question.prompt), len(citations))
        return {
            "answer": response["output"]["text"],
            "citations": citations,
            "sessionId": response["sessionId"],
        }


def told(error: ClientError, question: Question) -> Refused | None:
    """What the caller is told about an error of Bedrock, when it is something the caller can act on."""
    code = error.response.get("Error", {}).get("Code")
    if code in BUSY:
        return Refused(429, "The knowledge base is busy; try again in a moment")
    if code == "ConflictException":
        return Refused(409, "The knowledge base is at work on another question of this session; try again in a moment")
    # The form of both has been looked at, so what is left is a session that has ended or never was.
    if code == "ValidationException" and question.session_id:
        return Refused(400, "Bedrock does not know this `sessionId` any more; leave it out to begin anew")
    return None


def cited(references: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """The sources that references name, each passage once, in the order of the answer."""
    citations: list[dict[str, str]] = []
    for reference in references:
        citation = {
            "uri": uri_of(reference.get("location", {})),
            "snippet": snippet_of(reference.get("content", {}).get("text", "")),
        }
        if citation not in citations:
            citations.append(citation)
    return citations[:MAX_CITATIONS]


def uri_of(location: Mapping[str, Any]) -> str:
    """Where a passage lies: each kind of data source says it under a name of its own."""
    for place in location.values():
        if isinstance(place, Mapping):
            return place.get("uri") or place.get("url") or place.get("id") or ""
    return ""


def snippet_of(text: str) -> str:
    """The beginning of a passage, on one line."""
    text = " ".join(text.split())
    return text if len(text) <= MAX_SNIPPET_CHARACTERS else text[: MAX_SNIPPET_CHARACTERS - 1].rstrip() + "…"


def read_question(event: object) -> Question:
    """The question of an event. A parameter that is not sent arrives as an empty text."""
    fields = event if isinstance(event, Mapping) else {}
    prompt, session_id = fields.get("prompt"), fields.get("sessionId") or None
    if not isinstance(prompt, str) or not prompt.strip():
        raise Refused(400, "Ask something in `prompt`")
    prompt = prompt.strip()
    if len(prompt) > MAX_PROMPT_CHARACTERS:
        raise Refused(400, f"`prompt` has {len(prompt)} characters, and at most {MAX_PROMPT_CHARACTERS} are read")
    if session_id is not None and not (isinstance(session_id, str) and SESSION_ID.fullmatch(session_id)):
        raise Refused(400, "`sessionId` is not one of an earlier answer; leave it out to begin anew")
    return Question(prompt, session_id)


@functools.cache
def tutor() -> Tutor:
    """The client, made once for all calls that this process answers."""
    return Tutor(
        # One try within the API's 29 seconds: a search with an answer takes most of them.
        bedrock=boto3.client(
            "bedrock-agent-runtime",
            config=Config(connect_timeout=2, read_timeout=25, retries={"mode": "standard", "total_max_attempts": 1}),
        ),
        knowledge_base_id=os.environ["KNOWLEDGE_BASE_ID"],
        model_arn=os.environ["MODEL_ARN"],
    )


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry."""
    del context
    return tutor().answer(read_question(event))
