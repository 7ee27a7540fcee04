"""What the function does with good and bad events, and with good and bad answers of the model.

Run from any folder with ``python -m unittest discover -s stacks/movie-poster/tests``; boto3 must be installed.
"""

from __future__ import annotations

import base64
import io
import json
import os
import sys
import unittest
from pathlib import Path
from unittest import mock

from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "function"))
import app  # noqa: E402

PNG = b"\x89PNG\r\n\x1a\n" + bytes(16)


class StubBedrock:
    """Answers with what it is given, and remembers what it was asked."""

    def __init__(self, answer: object) -> None:
        self.answer = answer
        self.calls: list[dict] = []

    def invoke_model(self, **call: object) -> dict:
        self.calls.append(call)
        if isinstance(self.answer, Exception):
            raise self.answer
        return {"body": io.BytesIO(json.dumps(self.answer).encode())}


class StubS3:
    def __init__(self) -> None:
        self.put: list[dict] = []

    def put_object(self, **call: object) -> None:
        self.put.append(call)

    def generate_presigned_url(self, operation: str, Params: dict, ExpiresIn: int) -> str:
        return f"https://signed/{operation}/{Params['Bucket']}/{Params['Key']}?{ExpiresIn}"


def drawn(**changes: object) -> dict:
    return {"seeds": [1], "finish_reasons": [None], "images": [base64.b64encode(PNG).decode()], **changes}


def answering(answer: object) -> app.Studio:
    return app.Studio(bedrock=StubBedrock(answer), s3=StubS3(), bucket="posters", model_id="model")


class Events(unittest.TestCase):
    def test_prompt_is_read_without_the_space_around_it(self) -> None:
        self.assertEqual(app.read_prompt({"prompt": "  a dog's \"day\"\n"}), 'a dog\'s "day"')

    def test_events_without_a_prompt_are_refused(self) -> None:
        for event in [{}, {"prompt": ""}, {"prompt": " \n"}, {"prompt": 3}, {"prompt": None}, "a dog", None, []]:
            with self.subTest(event=event), self.assertRaises(app.Refused) as caught:
                app.read_prompt(event)
            self.assertTrue(str(caught.exception).startswith("[400] "))

    def test_prompts_are_capped(self) -> None:
        app.read_prompt({"prompt": "x" * app.MAX_PROMPT_CHARACTERS})
        with self.assertRaisesRegex(app.Refused, r"^\[400\] .*2001 characters"):
            app.read_prompt({"prompt": "x" * (app.MAX_PROMPT_CHARACTERS + 1)})


class Designs(unittest.TestCase):
    def test_a_poster_is_drawn_kept_and_linked(self) -> None:
        studio = answering(drawn())
        url = studio.design("a dog at sunset")
        [call] = studio.bedrock.calls
        self.assertEqual(call["modelId"], "model")
        self.assertEqual(
            json.loads(call["body"]), {"prompt": "a dog at sunset", "aspect_ratio": "2:3", "output_format": "png"}
        )
        [put] = studio.s3.put
        self.assertRegex(put["Key"], r"^posters/\d{8}T\d{6}Z-[0-9a-f]{12}\.png$")
        self.assertEqual((put["Bucket"], put["Body"], put["ContentType"]), ("posters", PNG, "image/png"))
        self.assertEqual(url, f"https://signed/get_object/posters/{put['Key']}?3600")

    def test_two_posters_have_two_keys(self) -> None:
        studio = answering(drawn())
        self.assertNotEqual(studio.design("a"), studio.design("a"))

    def test_what_the_model_filters_is_told(self) -> None:
        studio = answering(drawn(finish_reasons=["Filter reason: prompt"], images=[]))
        with self.assertRaisesRegex(app.Refused, r"^\[422\] .*Filter reason: prompt"):
            studio.design("x")
        self.assertEqual(studio.s3.put, [])

    def test_a_busy_model_is_told(self) -> None:
        studio = answering(ClientError({"Error": {"Code": "ThrottlingException"}}, "InvokeModel"))
        with self.assertRaisesRegex(app.Refused, r"^\[429\] "):
            studio.design("x")

    def test_other_failures_are_not_the_callers(self) -> None:
        for answer, error in [
            (ClientError({"Error": {"Code": "AccessDeniedException"}}, "InvokeModel"), ClientError),
            (drawn(images=[]), RuntimeError),
            (drawn(images=["not base64!"]), RuntimeError),
        ]:
            with self.subTest(answer=answer), self.assertRaises(error):
                answering(answer).design("x")


class Handler(unittest.TestCase):
    def setUp(self) -> None:
        app.studio.cache_clear()
        self.addCleanup(app.studio.cache_clear)

    def test_the_handler_draws_with_the_clients_of_the_environment(self) -> None:
        environment = {
            "BUCKET": "posters", "MODEL_ID": "model", "AWS_REGION": "us-west-2", "AWS_DEFAULT_REGION": "us-west-2",
            "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        with mock.patch.dict(os.environ, environment):
            studio = app.studio()
            self.assertIs(studio, app.studio())
            self.assertEqual(studio.bedrock.meta.endpoint_url, "http://127.0.0.1:9")
            link = studio.s3.generate_presigned_url("get_object", Params={"Bucket": "posters", "Key": "k"}, ExpiresIn=60)
        self.assertIn("X-Amz-Algorithm=AWS4-HMAC-SHA256", link)
        self.assertIn("us-west-2", link)

    def test_links_are_regional(self) -> None:
        for region in ["us-west-2", "us-east-1"]:
            environment = {
                "BUCKET": "b", "MODEL_ID": "m", "AWS_DEFAULT_REGION": region,
                "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
            }
            app.studio.cache_clear()
            with mock.patch.dict(os.environ, environment), self.subTest(region=region):
                os.environ.pop("AWS_ENDPOINT_URL", None)
                s3 = app.studio().s3
                link = s3.generate_presigned_url("get_object", Params={"Bucket": "posters", "Key": "k"}, ExpiresIn=60)
                self.assertTrue(link.startswith(f"https://posters.s3.{region}.amazonaws.com/k?"), link)

    def test_the_handler_answers_with_the_link(self) -> None:
        with mock.patch.object(app, "studio", lambda: answering(drawn())):
            self.assertTrue(app.handler({"prompt": "a dog"}, None).startswith("https://signed/"))
            with self.assertRaises(app.Refused):
                app.handler({}, None)


if __name__ == "__main__":
    unittest.main()
