"""Tells an agent how the opening of a customer's new account stands.

Three kinds of callers, three shapes of events, one look-up:

- an action group of Bedrock Agents Classic with an API schema, ``openapi/account-status.yaml``;
- an action group with a function schema, which calls ``getAccountStatus``;
- an AgentCore gateway, which names the tool in the context and sends the arguments alone.

An account is answered with its status and the reason for it. An unknown one is said to be unknown, an id that cannot be
is refused; both are answers, so that the agent can tell the customer. Any other event is an error.

What arrives was worded by a model from what a stranger typed: the account id is read as a number of at most twelve
digits, and nothing else of the event reaches the table.

Environment: ``TABLE`` is the table of new accounts, whose key is the number ``AccountID``. The client takes region,
credentials and, where it is set, ``AWS_ENDPOINT_URL`` from the environment too.
"""

from __future__ import annotations

import functools
import json
import logging
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

OPERATION = "getAccountStatus"
"""The operation of the API schema, the function of the function schema, and the tool of the gateway."""

API_PATH = "/accounts/{accountId}/status"
"""The operation's path in the API schema."""

ACCOUNT_ID = re.compile(r"[1-9][0-9]{0,11}")
"""An account id in digits."""

MAX_ACCOUNT_ID = 999_999_999_999
"""The largest account id, of twelve digits."""

log = logging.getLogger(__name__)
log.setLevel(logging.INFO)


@dataclass(frozen=True)
class Answer:
    """What is told, with the HTTP status it has where the caller's protocol has one."""

    status: int
    body: dict[str, Any]


@dataclass(frozen=True)
class Desk:
    """What looking up an account needs."""

    dynamodb: Any
    table: str

    def status_of(self, given: object) -> Answer:
        """How the account stands whose id is given."""
        account_id = read_account_id(given)
        if account_id is None:
            return Answer(400, {"error": "invalid", "message": "An account id is a number of at most 12 digits"})
        response = self.dynamodb.get_item(TableName=self.table, Key={"AccountID": {"N": str(account_id)}})
        item = response.get("Item")
        # Whose account is asked about is nobody's business, so the id is not logged.
        log.info("an account was asked for and %s", "found" if item else "not found")
        if not item:
            return Answer(404, {"error": "not found", "message": f"There is no account {account_id}"})
        # The name stays here: whoever guesses a number shall not learn whose it is.
        return Answer(
            200,
            {
                "accountId": account_id,
                "accountStatus": text_in(item, "AccountStatus"),
                "reason": text_in(item, "Reason"),
            },
        )


def read_account_id(given: object) -> int | None:
    """The account id a caller gave, in digits or as a number; nothing when it is not one."""
    if isinstance(given, str):
        digits = given.strip()
        given = int(digits) if ACCOUNT_ID.fullmatch(digits) else None
    # To Python, true is a whole number too.
    return given if isinstance(given, int) and not isinstance(given, bool) and 0 < given <= MAX_ACCOUNT_ID else None


def text_in(item: Mapping[str, Any], column: str) -> str:
    """A text of a row; empty when the row has none."""
    return item.get(column, {}).get("S", "")


def parameter(event: Mapping[str, Any], name: str) -> object:
    """A parameter of an action group's event. One that is given twice is none: which was meant, nobody can tell."""
    parameters = event.get("parameters")
    if not isinstance(parameters, list):
        return None
    values = [given.get("value") for given in parameters if isinstance(given, Mapping) and given.get("name") == name]
    return values[0] if len(values) == 1 else None


def tool_of(context: object) -> str | None:
    """The tool a gateway calls, without the target's name before it; nothing when the caller is no gateway."""
    custom = getattr(getattr(context, "client_context", None), "custom", None)
    name = custom.get("bedrockAgentCoreToolName") if isinstance(custom, Mapping) else None
    if not isinstance(name, str):
        return None
    # Gateways join the two names with three underscores; where a page of the documentation has two, those do as well.
    return name.rpartition("___" if "___" in name else "__")[2]


def answer_api(desk: Desk, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers an action group with an API schema."""
    if event.get("apiPath") == API_PATH and event.get("httpMethod") == "GET":
        answer = desk.status_of(parameter(event, "accountId"))
    else:
        answer = Answer(404, {"error": "not found", "message": "There is no such operation"})
    return {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": event.get("actionGroup"),
            "apiPath": event.get("apiPath"),
            "httpMethod": event.get("httpMethod"),
            "httpStatusCode": answer.status,
            "responseBody": {"application/json": {"body": json.dumps(answer.body)}},
        },
    }


def answer_function(desk: Desk, event: Mapping[str, Any]) -> dict[str, Any]:
    """Answers an action group with a function schema."""
    if event.get("function") == OPERATION:
        answer = desk.status_of(parameter(event, "accountId"))
    else:
        answer = Answer(400, {"error": "invalid", "message": "There is no such function"})
    result: dict[str, Any] = {"responseBody": {"TEXT": {"body": json.dumps(answer.body)}}}
    if answer.status == 400:
        # The agent asks again; FAILURE would end the customer's session.
        result["responseState"] = "REPROMPT"
    return {
        "messageVersion": "1.0",
        "response": {
            "actionGroup": event.get("actionGroup"),
            "function": event.get("function"),
            "functionResponse": result,
        },
    }


def answer_tool(desk: Desk, tool: str, event: object) -> dict[str, Any]:
    """Answers a gateway, whose event is the tool's arguments."""
    if tool != OPERATION:
        return {"error": "invalid", "message": "There is no such tool"}
    return desk.status_of(event.get("accountId") if isinstance(event, Mapping) else None).body


@functools.cache
def desk() -> Desk:
    """The client, made once for all calls that this process answers."""
    return Desk(
        # A customer waits for the agent, and the agent for this.
        dynamodb=boto3.client(
            "dynamodb",
            config=Config(connect_timeout=2, read_timeout=5, retries={"mode": "standard", "total_max_attempts": 3}),
        ),
        table=os.environ["TABLE"],
    )


def handler(event: object, context: object) -> dict[str, Any]:
    """Lambda's entry."""
    # The context comes from the service and the event from a model, so the context is asked first.
    tool = tool_of(context)
    if tool is not None:
        return answer_tool(desk(), tool, event)
    if isinstance(event, Mapping) and "messageVersion" in event:
        if "apiPath" in event:
            return answer_api(desk(), event)
        if "function" in event:
            return answer_function(desk(), event)
    raise ValueError("[400] This function answers action groups of Bedrock agents and AgentCore gateways only")
