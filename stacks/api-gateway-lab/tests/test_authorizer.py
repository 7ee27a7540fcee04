"""Whom the authoriser lets in, and in which form it says so."""

from __future__ import annotations

import os
import unittest
from unittest import mock

from botocore.exceptions import ClientError

from parts import load

app = load("authorizer")

STAGE = "arn:aws:execute-api:us-east-1:123456789012:abcde12345/dev"
TOKEN = "correct horse"


class StubSecrets:
    """Keeps a secret, and counts how often it is read."""

    def __init__(self, answer: object = None) -> None:
        self.answer = {"SecretString": TOKEN} if answer is None else answer
        self.reads = 0

    def get_secret_value(self, SecretId: str) -> object:
        self.reads += 1
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def keeping(answer: object = None, clock: object = lambda: 0.0) -> app.Keeper:
    return app.Keeper(secrets=StubSecrets(answer), secret_arn="arn:secret", clock=clock)


def by_token(value: object) -> dict:
    return {"type": "TOKEN", "authorizationToken": value, "methodArn": f"{STAGE}/GET/notes"}


def by_request(value: object, header: str = "Authorization", **changes: object) -> dict:
    event = {"type": "REQUEST", "headers": {header: value, "Host": "x"}, "methodArn": f"{STAGE}/GET/notes"}
    return {**event, **changes}


def by_http(value: object) -> dict:
    return {"version": "2.0", "type": "REQUEST", "routeArn": f"{STAGE}/GET/notes", "headers": {"authorization": value}}


def effect(answer: dict) -> str:
    [statement] = answer["policyDocument"]["Statement"]
    return statement["Effect"]


class Policies(unittest.TestCase):
    def test_the_right_token_opens_the_whole_stage(self) -> None:
        for event in [
            by_token(f"Bearer {TOKEN}"),
            by_request(f"Bearer {TOKEN}"),
            by_request(f"bearer  {TOKEN} ", "authorization"),
        ]:
            with self.subTest(event=event):
                self.assertEqual(
                    app.authorize(keeping(), event),
                    {
                        "principalId": "bearer",
                        "policyDocument": {
                            "Version": "2012-10-17",
                            "Statement": [
                                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": f"{STAGE}/*"}
                            ],
                        },
                    },
                )

    def test_a_policy_never_reaches_beyond_its_stage(self) -> None:
        for path in ["/GET/../../other/*", "/GET/a/b/c", "/$connect", "/POST/*"]:
            with self.subTest(path=path):
                answer = app.authorize(keeping(), by_request(f"Bearer {TOKEN}", methodArn=STAGE + path))
                self.assertEqual(answer["policyDocument"]["Statement"][0]["Resource"], f"{STAGE}/*")

    def test_a_wrong_token_is_denied(self) -> None:
        for token in ["wrong", TOKEN[:-1], TOKEN + "x", TOKEN.upper(), "ü", "\ud800", "\x00", "x" * 4_096]:
            with self.subTest(token=token):
                self.assertEqual(effect(app.authorize(keeping(), by_token(f"Bearer {token}"))), "Deny")

    def test_no_token_is_unauthorized(self) -> None:
        for value in [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}", 7, ["Bearer x"], "Bearer " + "x" * 4_097]:
            for event in [by_token(value), by_request(value)]:
                with self.subTest(event=event), self.assertRaisesRegex(app.Unauthorized, "^Unauthorized$"):
                    app.authorize(keeping(), event)

    def test_events_that_are_none_are_unauthorized(self) -> None:
        for event in [
            None,
            [],
            "x",
            {},
            {"type": "REQUEST", "headers": None},
            {"type": "REQUEST", "headers": []},
            by_request(f"Bearer {TOKEN}", methodArn=None),
            by_request("", headers={"Authorization": f"Bearer {TOKEN}", "authorization": f"Bearer {TOKEN}"}),
        ]:
            with self.subTest(event=event), self.assertRaises(app.Unauthorized):
                app.authorize(keeping(), event)


class SimpleAnswers(unittest.TestCase):
    def test_format_2_0_is_answered_with_yes_or_no(self) -> None:
        for value, allowed in [
            (f"Bearer {TOKEN}", True),
            ("Bearer wrong", False),
            ("", False),
            (None, False),
            (TOKEN, False),
        ]:
            with self.subTest(value=value):
                self.assertEqual(app.authorize(keeping(), by_http(value)), {"isAuthorized": allowed})


class Secrets(unittest.TestCase):
    def test_the_secret_is_read_again_when_it_may_have_been_rotated(self) -> None:
        now = [0.0]
        keeper = keeping(clock=lambda: now[0])
        for at, reads in [(0.0, 1), (299.0, 1), (300.0, 2), (301.0, 2)]:
            now[0] = at
            self.assertTrue(keeper.accepts(TOKEN))
            self.assertEqual(keeper.secrets.reads, reads)
        keeper.secrets.answer = {"SecretString": "new"}
        now[0] = 600.0
        self.assertFalse(keeper.accepts(TOKEN))
        self.assertTrue(keeper.accepts("new"))

    def test_without_a_secret_nobody_is_let_in(self) -> None:
        for answer, error in [
            ({"SecretString": ""}, RuntimeError),
            ({"SecretBinary": b"x"}, RuntimeError),
            ({}, RuntimeError),
            (ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetSecretValue"), ClientError),
        ]:
            for event in [by_token("Bearer x"), by_http("Bearer x")]:
                with self.subTest(answer=answer), self.assertRaises(error):
                    app.authorize(keeping(answer), event)

    def test_a_request_without_a_token_reads_no_secret(self) -> None:
        keeper = keeping()
        app.authorize(keeper, by_http(None))
        self.assertEqual(keeper.secrets.reads, 0)

    def test_tokens_are_neither_logged_nor_shown(self) -> None:
        keeper = keeping()
        with self.assertLogs(app.log) as logs:
            app.authorize(keeper, by_token(f"Bearer {TOKEN}"))
            app.authorize(keeper, by_token("Bearer wrong"))
        shown = " ".join([*logs.output, repr(keeper)])
        self.assertNotIn(TOKEN, shown)
        self.assertNotIn("wrong", shown)


class Handler(unittest.TestCase):
    def test_the_client_is_that_of_the_environment(self) -> None:
        environment = {
            "TOKEN_SECRET": "arn:secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        app.keeper.cache_clear()
        self.addCleanup(app.keeper.cache_clear)
        with mock.patch.dict(os.environ, environment):
            keeper = app.keeper()
            self.assertIs(keeper, app.keeper())
        self.assertEqual((keeper.secrets.meta.endpoint_url, keeper.secret_arn), ("http://127.0.0.1:9", "arn:secret"))

    def test_the_handler_authorizes(self) -> None:
        with mock.patch.object(app, "keeper", keeping):
            self.assertEqual(app.handler(by_http(f"Bearer {TOKEN}"), None), {"isAuthorized": True})


if __name__ == "__main__":
    unittest.main()
