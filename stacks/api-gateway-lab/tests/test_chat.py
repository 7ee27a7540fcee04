"""What the chat posts, where to, and what it takes for an event."""

from __future__ import annotations

import json
import os
import unittest
from unittest import mock

from botocore.exceptions import ClientError

from parts import load

app = load("chat")


class StubManagement:
    """Stands for the connections of the address it was made for."""

    def __init__(self, error: Exception | None = None) -> None:
        self.error = error
        self.endpoints: list[str] = []
        self.posts: list[tuple[str, dict]] = []

    def at(self, endpoint: str) -> StubManagement:
        self.endpoints.append(endpoint)
        return self

    def post_to_connection(self, ConnectionId: str, Data: bytes) -> None:
        if self.error:
            raise self.error
        self.posts.append((ConnectionId, json.loads(Data)))


def message(body: object = "hello", route: str = "$default", **changes: object) -> dict:
    request = {
        "routeKey": route,
        "connectionId": "C1=",
        "domainName": "abcde12345.execute-api.us-east-1.amazonaws.com",
        "stage": "dev",
    }
    return {"requestContext": {**request, **changes}, "body": body, "isBase64Encoded": False}


def gone(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "PostToConnection")


class Messages(unittest.TestCase):
    def test_a_message_is_echoed_to_its_connection(self) -> None:
        management = StubManagement()
        self.assertEqual(app.answer(message('a "quoted"\nline'), management.at), {"statusCode": 200})
        self.assertEqual(management.posts, [("C1=", {"echo": 'a "quoted"\nline'})])
        self.assertEqual(management.endpoints, ["https://abcde12345.execute-api.us-east-1.amazonaws.com/dev"])

    def test_coming_and_going_is_answered_without_a_post(self) -> None:
        for route in ["$connect", "$disconnect"]:
            management = StubManagement()
            with self.subTest(route=route):
                self.assertEqual(app.answer(message(None, route), management.at), {"statusCode": 200})
                self.assertEqual((management.posts, management.endpoints), ([], []))

    def test_messages_that_cannot_be_echoed_are_told_so(self) -> None:
        for body in [None, "", " \n", 7, {"a": 1}, "x" * 4_001]:
            management = StubManagement()
            with self.subTest(body=body):
                app.answer(message(body), management.at)
                [(_, reply)] = management.posts
                self.assertEqual(list(reply), ["error"])

    def test_a_client_that_left_is_no_failure(self) -> None:
        self.assertEqual(app.answer(message(), StubManagement(gone("GoneException")).at), {"statusCode": 200})

    def test_other_failures_are_failures(self) -> None:
        with self.assertRaises(ClientError):
            app.answer(message(), StubManagement(gone("ForbiddenException")).at)

    def test_messages_are_not_logged(self) -> None:
        with self.assertLogs(app.log) as logs:
            app.answer(message("a secret"), StubManagement().at)
        self.assertNotIn("a secret", " ".join(logs.output))


class Events(unittest.TestCase):
    def test_events_of_other_origins_are_errors(self) -> None:
        for event in [
            None,
            [],
            "x",
            {},
            {"requestContext": None},
            {"requestContext": {}},
            message(connectionId=7),
            message(connectionId=""),
        ]:
            management = StubManagement()
            with self.subTest(event=event), self.assertRaises(ValueError):
                app.answer(event, management.at)
            self.assertEqual(management.posts, [])

    def test_nothing_is_sent_to_an_address_that_is_no_api(self) -> None:
        for changes in [
            {"domainName": "evil.example"},
            {"domainName": "x.execute-api.us-east-1.amazonaws.com.evil.example"},
            {"domainName": "evil.example/x.execute-api.us-east-1.amazonaws.com"},
            {"domainName": "169.254.169.254"},
            {"domainName": None},
            {"stage": None},
            {"stage": "dev/../x"},
            {"stage": ""},
            {"stage": "dev?x"},
            {"stage": "dev\n"},
        ]:
            management = StubManagement()
            with self.subTest(changes=changes), self.assertRaises(ValueError):
                app.answer(message(**changes), management.at)
            self.assertEqual(management.endpoints, [])


class Handler(unittest.TestCase):
    def test_the_client_is_that_of_the_events_api_or_of_the_environment(self) -> None:
        keys = {"AWS_DEFAULT_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local"}
        endpoint = app.endpoint_of(message()["requestContext"])
        for given, used in [("", endpoint), ("http://127.0.0.1:9", "http://127.0.0.1:9")]:
            app.management_at.cache_clear()
            self.addCleanup(app.management_at.cache_clear)
            with mock.patch.dict(os.environ, {**keys, "AWS_ENDPOINT_URL": given}), self.subTest(given=given):
                client = app.management_at(endpoint)
                self.assertIs(client, app.management_at(endpoint))
                self.assertEqual(client.meta.endpoint_url, used)

    def test_the_handler_answers(self) -> None:
        management = StubManagement()
        with mock.patch.object(app, "management_at", management.at):
            self.assertEqual(app.handler(message(), None), {"statusCode": 200})
        self.assertEqual(len(management.posts), 1)


if __name__ == "__main__":
    unittest.main()
