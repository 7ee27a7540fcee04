"""What the function does with good and bad bodies, and with what the model and the guardrail answer.

Run from any folder with ``python -m unittest discover -s stacks/guarded-chat/tests``; boto3 must be installed.
"""

from __future__ import annotations

import base64
import json
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

PROMPT_ARN = "arn:aws:bedrock:us-east-1:123456789012:prompt/ABCDE12345:1"


class StubBedrock:
    """Answers with what it is given, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[dict] = []

    def converse(self, **call: object) -> object:
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def said(*blocks: dict, stopped: str = "end_turn", **guardrail: object) -> dict:
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stopped,
        "usage": {"inputTokens": 20, "outputTokens": 40, "totalTokens": 60},
        "metrics": {"latencyMs": 1},
        **({"trace": {"guardrail": guardrail}} if guardrail else {}),
    }


def personal(*actions: str) -> dict:
    """The assessment of a guardrail that found personal data, by what it did about each."""
    found = [{"match": "Ann", "type": "NAME", "action": action} for action in actions]
    return {"sensitiveInformationPolicy": {"piiEntities": found, "regexes": []}}


def answering(answer: object) -> app.Chat:
    return app.Chat(StubBedrock(answer), PROMPT_ARN, "gr1", "2")


def posted(body: object, encoded: bool = False) -> dict:
    return {
        "version": "2.0",
        "routeKey": "POST /chat",
        "rawPath": "/chat",
        "headers": {"content-type": "application/json"},
        "requestContext": {"http": {"method": "POST", "path": "/chat"}},
        "body": body,
        "isBase64Encoded": encoded,
    }


def with_message(message: object) -> dict:
    return posted(json.dumps({"message": message}))


class Bodies(unittest.TestCase):
    def test_a_message_is_read_without_the_space_around_it(self) -> None:
        self.assertEqual(
            app.read_message(with_message(' a "quoted"\nline {{message}} ')), 'a "quoted"\nline {{message}}'
        )

    def test_a_body_may_come_in_base64(self) -> None:
        body = base64.b64encode(json.dumps({"message": "für"}, ensure_ascii=False).encode()).decode()
        self.assertEqual(app.read_message(posted(body, encoded=True)), "für")

    def test_bodies_that_are_no_message_are_refused(self) -> None:
        for body in [
            None,
            "",
            " ",
            "hello",
            "{",
            "null",
            "[]",
            "3",
            '"hello"',
            "{}",
            '{"message": "a", "system": "b"}',
            '{"Message": "a"}',
            7,
            {"message": "a"},
            "\ud800",
            "[" * 16_000,
            '{"a":' * 3_000,
            '{"message": ' + "9" * 5_000 + "}",
        ]:
            with self.subTest(body=str(body)[:40]), self.assertRaises(app.Refused) as caught:
                app.read_message(posted(body))
            self.assertEqual(caught.exception.status, 400)

    def test_messages_that_say_nothing_are_refused(self) -> None:
        for message in ["", " \n", None, 7, True, ["a"], {"text": "a"}, "half \ud800 a character"]:
            with self.subTest(message=message), self.assertRaisesRegex(app.Refused, "^`message`"):
                app.read_message(with_message(message))

    def test_base64_that_is_no_text_is_refused(self) -> None:
        for body in ["not base64!", "gICA", "ü", "A", "QUFB" * 10_000]:
            with self.subTest(body=body[:20]), self.assertRaises(app.Refused):
                app.read_message(posted(body, encoded=True))

    def test_sizes_are_capped(self) -> None:
        app.read_message(with_message("x" * 2_000))
        app.read_message(with_message("🎈" * 1_200))
        with self.assertRaisesRegex(app.Refused, "2001 characters"):
            app.read_message(with_message("x" * 2_001))
        with self.assertRaisesRegex(app.Refused, "too long"):
            app.read_message(with_message("x" * 20_000))

    def test_events_that_are_none_are_refused(self) -> None:
        for event in [None, [], "x", {}]:
            with self.subTest(event=event), self.assertRaises(app.Refused):
                app.read_message(event)


class Answers(unittest.TestCase):
    def test_the_prompt_gets_the_message_and_the_guardrail_goes_along(self) -> None:
        chat = answering(said({"text": "Hello."}))
        self.assertEqual(chat.answer("Hi"), {"blocked": False, "message": "Hello."})
        [call] = chat.bedrock.calls
        self.assertEqual(
            call,
            {
                "modelId": PROMPT_ARN,
                "promptVariables": {"message": {"text": "Hi"}},
                "guardrailConfig": {"guardrailIdentifier": "gr1", "guardrailVersion": "2", "trace": "enabled"},
            },
        )

    def test_the_request_is_one_that_botocore_takes(self) -> None:
        client = boto3.client(
            "bedrock-runtime", region_name="us-east-1", aws_access_key_id="x", aws_secret_access_key="x"
        )
        masked = said(
            {"text": "{NAME}"}, stopped="guardrail_intervened", outputAssessments={"gr1": [personal("ANONYMIZED")]}
        )
        with Stubber(client) as stub:
            stub.add_response("converse", masked)
            self.assertEqual(
                app.Chat(client, PROMPT_ARN, "gr1", "2").answer("Hi"), {"blocked": False, "message": "{NAME}"}
            )

    def test_it_is_told_that_the_guardrail_blocked(self) -> None:
        for guardrail in [
            {},
            {
                "inputAssessment": {
                    "gr1": {"topicPolicy": {"topics": [{"name": "x", "type": "DENY", "action": "BLOCKED"}]}}
                }
            },
            {"outputAssessments": {"gr1": [personal("ANONYMIZED", "BLOCKED")]}},
            {"inputAssessment": {"gr1": personal("BLOCKED")}, "outputAssessments": {"gr1": [personal("ANONYMIZED")]}},
            {"outputAssessments": {"gr1": [personal("NONE")]}},
        ]:
            with self.subTest(guardrail=guardrail):
                chat = answering(
                    said({"text": "I do not talk about this."}, stopped="guardrail_intervened", **guardrail)
                )
                self.assertEqual(chat.answer("x"), {"blocked": True, "message": "I do not talk about this."})

    def test_a_guardrail_without_words_blocks_all_the_same(self) -> None:
        for stopped in ["guardrail_intervened", "content_filtered"]:
            with self.subTest(stopped=stopped):
                self.assertEqual(
                    answering(said(stopped=stopped)).answer("x"), {"blocked": True, "message": app.BLOCKED}
                )

    def test_reasoning_is_left_out(self) -> None:
        chat = answering(
            said({"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "One"}, {"text": ", two."})
        )
        self.assertEqual(chat.answer("x")["message"], "One, two.")

    def test_neither_messages_nor_traces_are_logged(self) -> None:
        with self.assertLogs(app.log) as logs:
            answering(
                said({"text": "a secret"}, stopped="guardrail_intervened", inputAssessment={"gr1": personal("BLOCKED")})
            ).answer("a secret")
        self.assertNotIn("secret", " ".join(logs.output))
        self.assertNotIn("Ann", " ".join(logs.output))

    def test_failures_are_told_or_raised(self) -> None:
        with self.assertRaises(app.Refused) as caught:
            answering(ClientError({"Error": {"Code": "ThrottlingException"}}, "Converse")).answer("x")
        self.assertEqual(caught.exception.status, 429)
        for answer, error in [
            (ClientError({"Error": {"Code": "AccessDeniedException"}}, "Converse"), ClientError),
            (said(), RuntimeError),
        ]:
            with self.subTest(answer=answer), self.assertRaises(error):
                answering(answer).answer("x")


class Handler(unittest.TestCase):
    def setUp(self) -> None:
        app.chat.cache_clear()
        self.addCleanup(app.chat.cache_clear)

    def test_the_client_is_that_of_the_environment(self) -> None:
        environment = {
            "PROMPT_ARN": PROMPT_ARN,
            "GUARDRAIL_ID": "gr1",
            "GUARDRAIL_VERSION": "2",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        with mock.patch.dict(os.environ, environment):
            chat = app.chat()
            self.assertIs(chat, app.chat())
        self.assertEqual(chat.bedrock.meta.endpoint_url, "http://127.0.0.1:9")
        self.assertEqual((chat.prompt_arn, chat.guardrail_id, chat.guardrail_version), (PROMPT_ARN, "gr1", "2"))

    def test_answers_have_the_apis_form(self) -> None:
        with mock.patch.object(app, "chat", lambda: answering(said({"text": "Hello."}))):
            for event, status, body in [
                (with_message("Hi"), 200, {"blocked": False, "message": "Hello."}),
                (posted("{"), 400, {"message": "The body is not JSON"}),
                (None, 400, {"message": "The request has no body"}),
            ]:
                with self.subTest(event=event):
                    answer = app.handler(event, None)
                    self.assertEqual((answer["statusCode"], json.loads(answer["body"])), (status, body))
                    self.assertEqual(answer["headers"], {"Content-Type": "application/json"})


if __name__ == "__main__":
    unittest.main()
