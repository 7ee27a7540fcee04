"""What the echoing function tells of each shape of event.

Run from any folder with ``python -m unittest discover -s stacks/api-gateway-lab/tests``; boto3 must be installed.
"""

from __future__ import annotations

import json
import unittest

from parts import load

app = load("function")


def rest(**changes: object) -> dict:
    """A request in format 1.0, as a REST API sends it."""
    event = {
        "resource": "/raw/{proxy+}",
        "path": "/raw/notes",
        "httpMethod": "POST",
        "headers": {"Authorization": "Bearer kept", "x-api-key": "kept"},
        "queryStringParameters": None,
        "pathParameters": {"proxy": "notes"},
        "requestContext": {"authorizer": None, "identity": {"userArn": None, "sourceIp": "192.0.2.1"}, "stage": "dev"},
        "body": None,
        "isBase64Encoded": False,
    }
    return {**event, **changes}


def http(authorizer: object = None, **changes: object) -> dict:
    """A request in format 2.0, as an HTTP API sends it."""
    context = {"http": {"method": "GET", "path": "/notes", "sourceIp": "192.0.2.1"}, "stage": "$default"}
    if authorizer is not None:
        context["authorizer"] = authorizer
    event = {
        "version": "2.0",
        "routeKey": "GET /notes",
        "rawPath": "/notes",
        "rawQueryString": "a=1",
        "headers": {"authorization": "Bearer kept"},
        "queryStringParameters": {"a": "1"},
        "requestContext": context,
        "isBase64Encoded": False,
    }
    return {**event, **changes}


def told(event: dict) -> dict:
    answer = app.handler(event, None)
    assert answer["statusCode"] == 200, answer
    return json.loads(answer["body"])


class Mapped(unittest.TestCase):
    def test_a_mapped_event_is_told_as_it_is(self) -> None:
        event = {"method": "GET", "path": "/notes", "prompt": 'a "quoted"\nline'}
        self.assertEqual(
            app.handler(event, None),
            {"shape": "mapped", "method": "GET", "path": "/notes", "caller": "not told", "event": event},
        )

    def test_a_mapped_event_says_only_what_its_template_does(self) -> None:
        for event in [{}, {"requestContext": "x", "httpMethod": "GET"}, {"version": "2.0"}, {"httpMethod": "GET"}]:
            with self.subTest(event=event):
                answer = app.handler(event, None)
                self.assertEqual((answer["shape"], answer["method"], answer["event"]), ("mapped", None, event))

    def test_what_is_no_object_is_refused(self) -> None:
        for event in ["text", [], 3, None]:
            with self.subTest(event=event), self.assertRaisesRegex(app.Refused, r"^\[400\] "):
                app.handler(event, None)


class Proxy(unittest.TestCase):
    def test_a_rest_request_is_told(self) -> None:
        self.assertEqual(
            told(rest(body="abc", queryStringParameters={"q": "1"})),
            {
                "shape": "proxy 1.0",
                "method": "POST",
                "path": "/raw/notes",
                "caller": "anonymous",
                "query": {"q": "1"},
                "bodyBytes": 3,
            },
        )

    def test_an_http_request_is_told(self) -> None:
        self.assertEqual(
            told(http()),
            {
                "shape": "proxy 2.0",
                "method": "GET",
                "path": "/notes",
                "caller": "anonymous",
                "query": {"a": "1"},
                "bodyBytes": 0,
            },
        )

    def test_an_http_api_may_send_format_1_0(self) -> None:
        self.assertEqual(told(rest(version="1.0"))["shape"], "proxy 1.0")

    def test_the_kind_of_caller_is_told(self) -> None:
        for context, kind in [
            ({"identity": {"userArn": "arn:aws:iam::123456789012:user/x", "apiKey": None}}, "iam"),
            ({"identity": {"apiKey": "kept"}}, "api key"),
            ({"identity": {"apiKey": "kept"}, "authorizer": {"principalId": "bearer"}}, "authoriser function"),
            ({"authorizer": {"claims": {"sub": "kept"}}}, "cognito"),
            ({"identity": None, "authorizer": None}, "anonymous"),
            ({}, "anonymous"),
        ]:
            with self.subTest(kind=kind):
                self.assertEqual(told(rest(requestContext=context))["caller"], kind)
        for authorizer, kind in [
            ({"jwt": {"claims": {"sub": "kept"}}}, "jwt"),
            ({"lambda": None}, "authoriser function"),
            ({"iam": {"userArn": "x"}}, "iam"),
            ({}, "anonymous"),
        ]:
            with self.subTest(kind=kind):
                self.assertEqual(told(http(authorizer))["caller"], kind)

    def test_neither_headers_nor_keys_nor_claims_are_told_back(self) -> None:
        for event in [
            rest(requestContext={"identity": {"apiKey": "kept"}}),
            rest(requestContext={"authorizer": {"claims": {"sub": "kept"}}}),
            http({"jwt": {"claims": {"sub": "kept"}}}),
        ]:
            with self.subTest(event=event):
                self.assertNotIn("kept", json.dumps(app.handler(event, None)))

    def test_bodies_are_measured_in_bytes(self) -> None:
        for body, encoded, length in [("für", False, 4), ("AAEC", True, 3), ("", True, 0), ("\ud800", False, 3)]:
            with self.subTest(body=body):
                self.assertEqual(told(rest(body=body, isBase64Encoded=encoded))["bodyBytes"], length)

    def test_bodies_that_cannot_be_are_refused(self) -> None:
        for body, encoded in [("not base64!", True), ("ü", True), (7, False), (["a"], False)]:
            with self.subTest(body=body):
                answer = app.handler(rest(body=body, isBase64Encoded=encoded), None)
                self.assertEqual(answer["statusCode"], 400)
                self.assertIn("message", json.loads(answer["body"]))


if __name__ == "__main__":
    unittest.main()
