"""What the function does with good and bad events, and with good and bad answers of the knowledge base.

Run from any folder with ``python -m unittest discover -s stacks/elearning/tests``; boto3 must be installed.
"""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path
from unittest import mock

import boto3
from botocore.exceptions import ClientError
from botocore.stub import Stubber

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "function"))
import app  # noqa: E402


class StubBedrock:
    """Answers with what it is given, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[dict] = []

    def retrieve_and_generate(self, **call: object) -> object:
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def passage(text: str, uri: str = "s3://courses/basics.md") -> dict:
    return {"content": {"text": text}, "location": {"type": "S3", "s3Location": {"uri": uri}}}


def answered(*citations: list[dict]) -> dict:
    return {
        "output": {"text": "A token is a piece of text."},
        "citations": [{"retrievedReferences": references} for references in citations],
        "sessionId": "session-1",
    }


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "RetrieveAndGenerate")


def answering(answer: object) -> app.Tutor:
    return app.Tutor(bedrock=StubBedrock(answer), knowledge_base_id="KB12345678", model_arn="arn")


class Events(unittest.TestCase):
    def test_a_question_begins_a_session_or_goes_on_with_one(self) -> None:
        for event, question in [
            ({"prompt": ' What is a "token"?\n'}, app.Question('What is a "token"?')),
            ({"prompt": "x", "sessionId": ""}, app.Question("x")),
            ({"prompt": "x", "sessionId": None}, app.Question("x")),
            ({"prompt": "x", "sessionId": "3f2a:1"}, app.Question("x", "3f2a:1")),
        ]:
            with self.subTest(event=event):
                self.assertEqual(app.read_question(event), question)

    def test_events_without_a_question_are_refused(self) -> None:
        for event in [{}, {"prompt": ""}, {"prompt": " \n"}, {"prompt": 3}, {"prompt": None}, "x", None, []]:
            with self.subTest(event=event), self.assertRaisesRegex(app.Refused, r"^\[400\] .*`prompt`"):
                app.read_question(event)

    def test_sessions_that_cannot_be_are_refused(self) -> None:
        for session_id in ["x", "a b", "a\n", "../x", "x" * 101, 7, ["ab"], {"a": 1}]:
            with self.subTest(session_id=session_id), self.assertRaisesRegex(app.Refused, r"^\[400\] .*`sessionId`"):
                app.read_question({"prompt": "x", "sessionId": session_id})

    def test_questions_are_capped(self) -> None:
        app.read_question({"prompt": "x" * 1_000})
        with self.assertRaisesRegex(app.Refused, r"^\[400\] .*1001 characters"):
            app.read_question({"prompt": "x" * 1_001})


class Answers(unittest.TestCase):
    def test_the_answer_comes_with_its_sources_and_session(self) -> None:
        tutor = answering(answered([passage("Tokens\n\nare  pieces.")], [passage("More.", "s3://courses/more.md")]))
        self.assertEqual(
            tutor.answer(app.Question("What is a token?")),
            {
                "answer": "A token is a piece of text.",
                "citations": [
                    {"uri": "s3://courses/basics.md", "snippet": "Tokens are pieces."},
                    {"uri": "s3://courses/more.md", "snippet": "More."},
                ],
                "sessionId": "session-1",
            },
        )
        [call] = tutor.bedrock.calls
        self.assertNotIn("sessionId", call)

    def test_the_request_is_one_that_botocore_takes(self) -> None:
        client = boto3.client(
            "bedrock-agent-runtime", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        with Stubber(client) as stub:
            stub.add_response("retrieve_and_generate", answered([passage("Tokens.")]))
            arn = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
            answer = app.Tutor(client, "KB12345678", arn).answer(app.Question("x", "session-1"))
        self.assertEqual(answer["sessionId"], "session-1")

    def test_a_session_is_handed_on(self) -> None:
        tutor = answering(answered())
        tutor.answer(app.Question("And then?", "session-1"))
        self.assertEqual(tutor.bedrock.calls[0]["sessionId"], "session-1")

    def test_at_most_five_sources_are_told_and_each_once(self) -> None:
        same = [passage("same")] * 3
        tutor = answering(answered(same, [passage(f"passage {number}") for number in range(9)]))
        snippets = [citation["snippet"] for citation in tutor.answer(app.Question("x"))["citations"]]
        self.assertEqual(snippets, ["same", "passage 0", "passage 1", "passage 2", "passage 3"])

    def test_long_passages_are_cut(self) -> None:
        [citation] = app.cited([passage("word " * 500)])
        self.assertTrue(citation["snippet"].endswith("word…"))
        self.assertLessEqual(len(citation["snippet"]), app.MAX_SNIPPET_CHARACTERS)

    def test_sources_of_every_kind_have_a_place(self) -> None:
        for location, uri in [
            ({"type": "WEB", "webLocation": {"url": "https://example.com"}}, "https://example.com"),
            ({"type": "CUSTOM", "customDocumentLocation": {"id": "d-1"}}, "d-1"),
            ({"type": "S3"}, ""),
            ({}, ""),
        ]:
            with self.subTest(location=location):
                self.assertEqual(app.uri_of(location), uri)

    def test_an_answer_without_sources_says_so(self) -> None:
        self.assertEqual(answering(answered([])).answer(app.Question("x"))["citations"], [])


class Failures(unittest.TestCase):
    def test_what_the_caller_can_act_on_is_told(self) -> None:
        for code, question, status in [
            ("ThrottlingException", app.Question("x"), 429),
            ("ServiceQuotaExceededException", app.Question("x"), 429),
            ("ConflictException", app.Question("x", "session-1"), 409),
            ("ValidationException", app.Question("x", "ended"), 400),
        ]:
            with self.subTest(code=code), self.assertRaisesRegex(app.Refused, rf"^\[{status}\] "):
                answering(refused(code)).answer(question)

    def test_other_failures_are_not_the_callers(self) -> None:
        for code in ["ValidationException", "AccessDeniedException", "ResourceNotFoundException"]:
            with self.subTest(code=code), self.assertRaises(ClientError):
                answering(refused(code)).answer(app.Question("x"))


class Handler(unittest.TestCase):
    def setUp(self) -> None:
        app.tutor.cache_clear()
        self.addCleanup(app.tutor.cache_clear)

    def test_the_client_is_that_of_the_environment(self) -> None:
        environment = {
            "KNOWLEDGE_BASE_ID": "KB12345678",
            "MODEL_ARN": "arn",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        with mock.patch.dict(os.environ, environment):
            tutor = app.tutor()
            self.assertIs(tutor, app.tutor())
        self.assertEqual(tutor.bedrock.meta.endpoint_url, "http://127.0.0.1:9")
        self.assertEqual((tutor.knowledge_base_id, tutor.model_arn), ("KB12345678", "arn"))

    def test_the_handler_answers_questions_only(self) -> None:
        with mock.patch.object(app, "tutor", lambda: answering(answered())):
            self.assertEqual(app.handler({"prompt": "x"}, None)["sessionId"], "session-1")
            with self.assertRaises(app.Refused):
                app.handler({}, None)


if __name__ == "__main__":
    unittest.main()
