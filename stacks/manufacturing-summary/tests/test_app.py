"""What the function does with good and bad events, and with good and bad answers of the model.

Run from any folder with ``python -m unittest discover -s stacks/manufacturing-summary/tests``; boto3 must be installed.
"""

from __future__ import annotations

import os
import sys
import unittest
from pathlib import Path
from unittest import mock

from botocore.exceptions import ClientError, ConnectTimeoutError, EndpointConnectionError

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "function"))
import app  # noqa: E402

LOG = (HERE.parent / "data" / "turbine-log.txt").read_text(encoding="utf-8")


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


def said(*blocks: dict, stopped: str = "end_turn") -> dict:
    return {
        "output": {"message": {"role": "assistant", "content": list(blocks)}},
        "stopReason": stopped,
        "usage": {"inputTokens": 200, "outputTokens": 40, "totalTokens": 240},
    }


def answering(answer: object) -> app.Desk:
    return app.Desk(bedrock=StubBedrock(answer), model_id="model")


class Events(unittest.TestCase):
    def test_prompt_is_read_without_the_space_around_it(self) -> None:
        self.assertEqual(app.read_prompt({"prompt": '  a "cracked"\npart\n'}), 'a "cracked"\npart')

    def test_the_courses_log_is_not_too_long(self) -> None:
        self.assertEqual(app.read_prompt({"prompt": LOG}), LOG.strip())

    def test_events_without_a_prompt_are_refused(self) -> None:
        for event in [{}, {"prompt": ""}, {"prompt": " \n"}, {"prompt": 3}, {"prompt": ["a"]}, "a log", None, []]:
            with self.subTest(event=event), self.assertRaises(app.Refused) as caught:
                app.read_prompt(event)
            self.assertTrue(str(caught.exception).startswith("[400] "))

    def test_prompts_are_capped(self) -> None:
        app.read_prompt({"prompt": "x" * app.MAX_PROMPT_CHARACTERS})
        with self.assertRaisesRegex(app.Refused, r"^\[400\] .*20001 characters"):
            app.read_prompt({"prompt": "x" * (app.MAX_PROMPT_CHARACTERS + 1)})


class Summaries(unittest.TestCase):
    def test_the_prompt_is_the_only_message_and_the_tokens_are_capped(self) -> None:
        desk = answering(said({"text": "Two lines."}))
        self.assertEqual(desk.sum_up(LOG), {"summary": "Two lines."})
        [call] = desk.bedrock.calls
        self.assertEqual(call["modelId"], "model")
        self.assertEqual(call["messages"], [{"role": "user", "content": [{"text": LOG}]}])
        self.assertEqual(call["inferenceConfig"], {"maxTokens": app.MAX_TOKENS})

    def test_text_is_joined_and_reasoning_is_left_out(self) -> None:
        desk = answering(
            said({"reasoningContent": {"reasoningText": {"text": "hm"}}}, {"text": "One"}, {"text": ", two.\n"})
        )
        self.assertEqual(desk.sum_up("x"), {"summary": "One, two."})

    def test_what_the_model_will_not_do_is_told(self) -> None:
        for stopped in ["content_filtered", "guardrail_intervened"]:
            with self.subTest(stopped=stopped), self.assertRaisesRegex(app.Refused, r"^\[422\] "):
                answering(said({"text": "no"}, stopped=stopped)).sum_up("x")

    def test_a_busy_model_is_told(self) -> None:
        with self.assertRaisesRegex(app.Refused, r"^\[429\] "):
            answering(ClientError({"Error": {"Code": "ThrottlingException"}}, "Converse")).sum_up("x")

    def test_other_failures_are_not_the_callers(self) -> None:
        for answer, error in [
            (ClientError({"Error": {"Code": "AccessDeniedException"}}, "Converse"), ClientError),
            (said(), RuntimeError),
            (said({"reasoningContent": {}}), RuntimeError),
        ]:
            with self.subTest(answer=answer), self.assertRaises(error):
                answering(answer).sum_up("x")

    def test_a_missing_endpoint_is_named_in_the_log_and_not_to_the_caller(self) -> None:
        for error in [
            ConnectTimeoutError(endpoint_url="https://bedrock-runtime.us-east-1.amazonaws.com"),
            EndpointConnectionError(endpoint_url="https://bedrock-runtime.us-east-1.amazonaws.com"),
        ]:
            with (
                self.subTest(error=error),
                self.assertRaisesRegex(RuntimeError, "^Bedrock cannot be reached: .*endpoint"),
            ):
                answering(error).sum_up("x")

    def test_what_is_summed_up_is_not_logged(self) -> None:
        with self.assertLogs(app.log) as logs:
            answering(said({"text": "a secret summary"})).sum_up("a secret log")
        self.assertNotIn("secret", " ".join(logs.output))


class Handler(unittest.TestCase):
    def setUp(self) -> None:
        app.desk.cache_clear()
        self.addCleanup(app.desk.cache_clear)

    def test_the_client_is_that_of_the_environment(self) -> None:
        environment = {
            "MODEL_ID": "model",
            "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        with mock.patch.dict(os.environ, environment):
            desk = app.desk()
            self.assertIs(desk, app.desk())
        self.assertEqual((desk.bedrock.meta.endpoint_url, desk.model_id), ("http://127.0.0.1:9", "model"))

    def test_the_handler_answers_with_the_summary(self) -> None:
        with mock.patch.object(app, "desk", lambda: answering(said({"text": "Short."}))):
            self.assertEqual(app.handler({"prompt": LOG}, None), {"summary": "Short."})
            with self.assertRaises(app.Refused):
                app.handler({}, None)


if __name__ == "__main__":
    unittest.main()
