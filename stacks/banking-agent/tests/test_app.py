"""What the function does with each kind of caller, and with what a stranger might make a model send.

Run from any folder with ``python -m unittest discover -s stacks/banking-agent/tests``; boto3 must be installed.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

from botocore.exceptions import ClientError

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "function"))
import app  # noqa: E402

ROWS = {
    "5555": ("John", "Active", "Active"),
    "6666": ("Thomas", "Pending", "InvalidIdentification"),
    "7777": ("Manju", "Pending", "InvalidAddressProof"),
}

HOSTILE: list[object] = [
    None,
    "",
    " ",
    "abc",
    "-7777",
    "+7777",
    "0",
    "007777",
    "7777.0",
    7777.0,
    "7e3",
    "0x1e61",
    "7_777",
    "٧٧٧٧",
    "7777\n6666",
    "7777 OR 1=1",
    '7777"}, "x": {"N": "1',
    "9" * 13,
    "9" * 100_000,
    10**12,
    10**5_000,
    -1,
    0,
    True,
    ["7777"],
    {"N": "7777"},
]
"""What is no account id, and must never reach the table."""


class StubTable:
    """Has the course's rows, and remembers what it was asked."""

    def __init__(self) -> None:
        self.calls: list[dict] = []

    def get_item(self, **call: object) -> dict:
        self.calls.append(call)
        number = call["Key"]["AccountID"]["N"]
        if number not in ROWS:
            return {}
        name, status, reason = ROWS[number]
        item = {"AccountID": {"N": number}, "AccountName": {"S": name}}
        return {"Item": {**item, "AccountStatus": {"S": status}, "Reason": {"S": reason}}}


def by_api(account_id: object, **changes: object) -> dict:
    event = {
        "messageVersion": "1.0",
        "agent": {"name": "bankofchicago-agent", "id": "A123456789", "alias": "TSTALIASID", "version": "DRAFT"},
        "inputText": "7777",
        "sessionId": "1",
        "actionGroup": "account-status",
        "apiPath": "/accounts/{accountId}/status",
        "httpMethod": "GET",
        "parameters": [{"name": "accountId", "type": "integer", "value": account_id}],
        "sessionAttributes": {},
        "promptSessionAttributes": {},
    }
    return {**event, **changes}


def by_function(account_id: object, **changes: object) -> dict:
    event = by_api(account_id, function="getAccountStatus")
    del event["apiPath"], event["httpMethod"]
    return {**event, **changes}


def gateway(tool: object = "bank___getAccountStatus") -> SimpleNamespace:
    return SimpleNamespace(client_context=SimpleNamespace(custom={"bedrockAgentCoreToolName": tool}))


class Calls(unittest.TestCase):
    """Calls the handler as Lambda does, with the course's rows behind it."""

    def setUp(self) -> None:
        self.table = StubTable()
        patch = mock.patch.object(app, "desk", lambda: app.Desk(self.table, "customerAccountStatus"))
        patch.start()
        self.addCleanup(patch.stop)

    def api(self, event: dict) -> tuple[int, dict]:
        response = app.handler(event, SimpleNamespace(client_context=None))["response"]
        return response["httpStatusCode"], json.loads(response["responseBody"]["application/json"]["body"])

    def function(self, event: dict) -> tuple[str | None, dict]:
        result = app.handler(event, SimpleNamespace(client_context=None))["response"]["functionResponse"]
        return result.get("responseState"), json.loads(result["responseBody"]["TEXT"]["body"])


class ApiSchema(Calls):
    def test_the_status_is_told_in_the_agents_form(self) -> None:
        self.assertEqual(
            app.handler(by_api("7777"), None),
            {
                "messageVersion": "1.0",
                "response": {
                    "actionGroup": "account-status",
                    "apiPath": "/accounts/{accountId}/status",
                    "httpMethod": "GET",
                    "httpStatusCode": 200,
                    "responseBody": {
                        "application/json": {
                            "body": '{"accountId": 7777, "accountStatus": "Pending", "reason": "InvalidAddressProof"}'
                        }
                    },
                },
            },
        )
        [call] = self.table.calls
        self.assertEqual(call, {"TableName": "customerAccountStatus", "Key": {"AccountID": {"N": "7777"}}})

    def test_every_row_is_found(self) -> None:
        for number, (name, account_status, reason) in ROWS.items():
            with self.subTest(number=number):
                status, body = self.api(by_api(f" {number} "))
                self.assertEqual(status, 200)
                self.assertEqual((body["accountStatus"], body["reason"]), (account_status, reason))
                self.assertNotIn(name, json.dumps(body))

    def test_an_unknown_account_is_404_and_tells_of_no_other(self) -> None:
        self.assertEqual(self.api(by_api("1234")), (404, {"error": "not found", "message": "There is no account 1234"}))

    def test_what_is_no_account_id_is_400_and_never_looked_up(self) -> None:
        for given in HOSTILE:
            with self.subTest(given=str(type(given))):
                self.assertEqual(self.api(by_api(given))[0], 400)
        self.assertEqual(self.table.calls, [])

    def test_parameters_that_are_none_are_400(self) -> None:
        given = {"name": "accountId", "type": "integer", "value": "7777"}
        for parameters in [
            None,
            {},
            [],
            "7777",
            ["7777"],
            [None],
            [{}],
            [{"name": "accountId"}],
            [{"value": "7777"}],
            [{**given, "name": "AccountID"}],
            [given, {**given, "value": "6666"}],
        ]:
            with self.subTest(parameters=parameters):
                self.assertEqual(self.api(by_api("", parameters=parameters))[0], 400)
        self.assertEqual(self.table.calls, [])

    def test_other_operations_are_404(self) -> None:
        for changes in [{"apiPath": "/accounts"}, {"httpMethod": "DELETE"}, {"apiPath": None}, {"httpMethod": ["GET"]}]:
            with self.subTest(changes=changes):
                self.assertEqual(self.api(by_api("7777", **changes))[0], 404)
        self.assertEqual(self.table.calls, [])

    def test_nothing_else_of_the_event_is_answered_back(self) -> None:
        event = by_api("7777", sessionAttributes={"token": "kept"}, inputText="kept")
        self.assertNotIn("kept", json.dumps(app.handler(event, None)))


class FunctionSchema(Calls):
    def test_the_status_is_told_in_the_agents_form(self) -> None:
        self.assertEqual(
            app.handler(by_function("5555"), None),
            {
                "messageVersion": "1.0",
                "response": {
                    "actionGroup": "account-status",
                    "function": "getAccountStatus",
                    "functionResponse": {
                        "responseBody": {
                            "TEXT": {
                                "body": '{"accountId": 5555, "accountStatus": "Active", "reason": "Active"}'
                            }
                        }
                    },
                },
            },
        )

    def test_an_unknown_account_is_an_answer(self) -> None:
        state, body = self.function(by_function("1234"))
        self.assertEqual((state, body["error"]), (None, "not found"))

    def test_what_is_no_account_id_is_asked_for_again(self) -> None:
        for given in HOSTILE:
            with self.subTest(given=str(type(given))):
                state, body = self.function(by_function(given))
                self.assertEqual((state, body["error"]), ("REPROMPT", "invalid"))
        self.assertEqual(self.table.calls, [])

    def test_other_functions_are_refused(self) -> None:
        self.assertEqual(self.function(by_function("7777", function="deleteAccount"))[0], "REPROMPT")
        self.assertEqual(self.table.calls, [])


class Gateway(Calls):
    def test_the_status_is_told_as_it_is(self) -> None:
        for tool in [
            "bank___getAccountStatus",
            "bank__getAccountStatus",
            "a__b___getAccountStatus",
            "getAccountStatus",
        ]:
            for given in ["7777", 7777]:
                with self.subTest(tool=tool, given=given):
                    self.assertEqual(
                        app.handler({"accountId": given}, gateway(tool)),
                        {"accountId": 7777, "accountStatus": "Pending", "reason": "InvalidAddressProof"},
                    )

    def test_an_unknown_account_is_an_answer(self) -> None:
        self.assertEqual(app.handler({"accountId": 1234}, gateway())["error"], "not found")

    def test_what_is_no_account_id_is_refused(self) -> None:
        for event in [*({"accountId": given} for given in HOSTILE), {}, [], "7777", None]:
            with self.subTest(event=str(type(event))):
                self.assertEqual(app.handler(event, gateway())["error"], "invalid")
        self.assertEqual(self.table.calls, [])

    def test_other_tools_are_refused(self) -> None:
        for tool in ["bank___deleteAccount", "bank", "", "getAccountStatus___", "getAccountStatus___x"]:
            with self.subTest(tool=tool):
                self.assertEqual(app.handler({"accountId": 7777}, gateway(tool))["error"], "invalid")
        self.assertEqual(self.table.calls, [])

    def test_arguments_cannot_pass_for_another_caller(self) -> None:
        self.assertEqual(app.handler(by_api("7777"), gateway())["error"], "invalid")


class Others(Calls):
    def test_any_other_event_is_an_error(self) -> None:
        contexts = [
            None,
            SimpleNamespace(client_context=None),
            SimpleNamespace(client_context=SimpleNamespace(custom=None)),
            gateway(tool=None),
            gateway(tool=7),
        ]
        for context in contexts:
            for event in [
                {"accountId": "7777"},
                {"prompt": "7777"},
                {"messageVersion": "1.0"},
                {"function": "getAccountStatus"},
                {},
                {"httpMethod": "GET", "requestContext": {}},
                [],
                "7777",
                None,
            ]:
                with self.subTest(event=event, context=context), self.assertRaisesRegex(ValueError, r"^\[400\] .*only"):
                    app.handler(event, context)
        self.assertEqual(self.table.calls, [])


class Desk(unittest.TestCase):
    def test_a_row_with_columns_missing_is_still_a_row(self) -> None:
        table = SimpleNamespace(get_item=lambda **_: {"Item": {"AccountID": {"N": "7777"}}})
        self.assertEqual(
            app.Desk(table, "t").status_of(7777).body, {"accountId": 7777, "accountStatus": "", "reason": ""}
        )

    def test_failures_of_the_table_are_errors(self) -> None:
        table = mock.Mock()
        table.get_item.side_effect = ClientError({"Error": {"Code": "AccessDeniedException"}}, "GetItem")
        with self.assertRaises(ClientError):
            app.Desk(table, "t").status_of(7777)

    def test_account_ids_are_not_logged(self) -> None:
        with self.assertLogs(app.log) as logs:
            app.Desk(StubTable(), "t").status_of("7777")
        self.assertNotIn("7777", " ".join(logs.output))

    def test_the_client_is_that_of_the_environment(self) -> None:
        environment = {
            "TABLE": "customerAccountStatus",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "local",
            "AWS_SECRET_ACCESS_KEY": "local",
            "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        }
        app.desk.cache_clear()
        self.addCleanup(app.desk.cache_clear)
        with mock.patch.dict(os.environ, environment):
            desk = app.desk()
            self.assertIs(desk, app.desk())
        self.assertEqual((desk.dynamodb.meta.endpoint_url, desk.table), ("http://127.0.0.1:9", "customerAccountStatus"))


if __name__ == "__main__":
    unittest.main()
