"""Drives DynamoDB of the local target with boto3: every operation it has, on tables that a stack makes.

Usage: dynamodb.py ENDPOINT_URL. Ends with 0 and one line when all is as on AWS, with a traceback otherwise.
"""

import json
import sys
import uuid
from decimal import Decimal

import boto3
import botocore
from boto3.dynamodb.conditions import Attr, Key
from botocore.config import Config

endpoint = sys.argv[1]
region = "us-west-2"
session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)
config = Config(retries={"max_attempts": 1})
client = session.client("dynamodb", endpoint_url=endpoint, config=config)
resource = session.resource("dynamodb", endpoint_url=endpoint, config=config)
stacks = session.client("cloudformation", endpoint_url=endpoint, config=config)
run = uuid.uuid4().hex[:12]


def refused(code, words, call, **arguments):
    """Asserts that a call is refused with a code and words; gives the error."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        assert words in error.response["Error"]["Message"], (words, error.response)
        return error.response
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def invalid(words, call, **arguments):
    return refused("ValidationException", words, call, **arguments)


def key_schema(*names):
    return [{"AttributeName": name, "KeyType": role} for name, role in zip(names, ["HASH", "RANGE"])]


def definitions(**kinds):
    return [{"AttributeName": name, "AttributeType": kind} for name, kind in kinds.items()]


TEMPLATE = {
    "Resources": {
        "Accounts": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": key_schema("AccountID"),
                "AttributeDefinitions": definitions(AccountID="N"),
            },
        },
        "Messages": {
            "Type": "AWS::DynamoDB::Table",
            "Properties": {
                "BillingMode": "PAY_PER_REQUEST",
                "KeySchema": key_schema("chat", "at"),
                "AttributeDefinitions": definitions(chat="S", at="N", author="S", words="N"),
                "LocalSecondaryIndexes": [
                    {"IndexName": "by-words", "KeySchema": key_schema("chat", "words"), "Projection": {"ProjectionType": "KEYS_ONLY"}}
                ],
                "GlobalSecondaryIndexes": [
                    {
                        "IndexName": "by-author",
                        "KeySchema": key_schema("author", "at"),
                        "Projection": {"ProjectionType": "INCLUDE", "NonKeyAttributes": ["text"]},
                    }
                ],
            },
        },
    },
    "Outputs": {name: {"Value": {"Ref": name}} for name in ["Accounts", "Messages"]},
}


def make(name, template):
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template))
    waiter = stacks.get_waiter("stack_create_complete")
    waiter.wait(StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
    outputs = stacks.describe_stacks(StackName=name)["Stacks"][0].get("Outputs", [])
    return {output["OutputKey"]: output["OutputValue"] for output in outputs}


def remove(name):
    stacks.delete_stack(StackName=name)
    stacks.get_waiter("stack_delete_complete").wait(StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})


def tables(names):
    assert set(names.values()) <= set(client.list_tables()["TableNames"])
    first = client.list_tables(Limit=1)
    assert client.list_tables(ExclusiveStartTableName=first["LastEvaluatedTableName"])["TableNames"]
    told = client.describe_table(TableName=names["Messages"])["Table"]
    assert told["TableStatus"] == "ACTIVE" and told["KeySchema"] == key_schema("chat", "at"), told
    assert told["BillingModeSummary"]["BillingMode"] == "PAY_PER_REQUEST" and told["CreationDateTime"], told
    assert told["GlobalSecondaryIndexes"][0]["IndexStatus"] == "ACTIVE", told
    assert told["LocalSecondaryIndexes"][0]["Projection"] == {"ProjectionType": "KEYS_ONLY"}, told
    assert client.describe_table(TableName=told["TableArn"])["Table"]["TableId"] == told["TableId"]
    client.get_waiter("table_exists").wait(TableName=names["Messages"])
    refused("ResourceNotFoundException", "Table: none not found", client.describe_table, TableName="none")
    refused("ResourceNotFoundException", "Requested resource not found", client.scan, TableName="none")
    error = refused("NotImplemented", "`CreateTable` of `dynamodb`", client.create_table, TableName="t", KeySchema=key_schema("a"),
                    AttributeDefinitions=definitions(a="S"), BillingMode="PAY_PER_REQUEST")
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 501, error
    refused("NotImplemented", "`ExecuteStatement`", client.execute_statement, Statement="SELECT * FROM t")


def items(name):
    table = resource.Table(name)
    item = {
        "AccountID": 5555,
        "name": "John",
        "balance": Decimal("12345678901234567890.123456789"),
        "tags": {"a", "b"},
        "numbers": {Decimal("1.5"), Decimal(2)},
        "bytes": b"\x00\xff",
        "nested": {"list": [1, {"x": None}, True], "empty": {}},
        "none": "",
    }
    assert "Attributes" not in table.put_item(Item=item)
    got = table.get_item(Key={"AccountID": Decimal("5555.0")}, ConsistentRead=True)["Item"]
    assert got == {**item, "bytes": boto3.dynamodb.types.Binary(item["bytes"])}, got
    assert "Item" not in table.get_item(Key={"AccountID": 1})
    got = table.get_item(
        Key={"AccountID": 5555}, ProjectionExpression="#n, nested.#l[1].x, gone", ExpressionAttributeNames={"#n": "name", "#l": "list"}
    )["Item"]
    assert got == {"name": "John", "nested": {"list": [{"x": None}]}}, got

    old = table.put_item(Item={"AccountID": 5555, "name": "Jo"}, ReturnValues="ALL_OLD")["Attributes"]
    assert old["name"] == "John", old
    refused("ConditionalCheckFailedException", "The conditional request failed", table.put_item, Item={"AccountID": 5555},
            ConditionExpression="attribute_not_exists(AccountID)")
    error = refused("ConditionalCheckFailedException", "", table.put_item, Item={"AccountID": 5555},
                    ConditionExpression=Attr("name").eq("Joe"), ReturnValuesOnConditionCheckFailure="ALL_OLD")
    assert error["Item"]["name"] in ("Jo", {"S": "Jo"}), error
    table.put_item(Item={"AccountID": 1}, ConditionExpression=Attr("AccountID").not_exists() | Attr("name").begins_with("J"))
    assert table.delete_item(Key={"AccountID": 1}, ReturnValues="ALL_OLD")["Attributes"] == {"AccountID": 1}
    assert "Attributes" not in table.delete_item(Key={"AccountID": 1}, ReturnValues="ALL_OLD")
    refused("ConditionalCheckFailedException", "", table.delete_item, Key={"AccountID": 1}, ConditionExpression="attribute_exists(AccountID)")

    invalid("Missing the key AccountID in the item", table.put_item, Item={"name": "x"})
    invalid("Type mismatch for key AccountID expected: N actual: S", table.put_item, Item={"AccountID": "5555"})
    invalid("The provided key element does not match the schema", table.get_item, Key={"AccountID": "5555"})
    invalid("The provided key element does not match the schema", table.get_item, Key={"AccountID": 1, "x": 1})
    invalid("Item size has exceeded the maximum allowed size", table.put_item, Item={"AccountID": 1, "x": "x" * 410_000})
    invalid("Return values set to invalid value", table.put_item, Item={"AccountID": 1}, ReturnValues="ALL_NEW")
    invalid("reserved keyword: name", table.get_item, Key={"AccountID": 1}, ProjectionExpression="name")
    invalid("unused in expressions: keys: {#n}", table.get_item, Key={"AccountID": 1}, ProjectionExpression="a",
            ExpressionAttributeNames={"#n": "name"})
    invalid("ExpressionAttributeNames can only be specified when using expressions", table.get_item, Key={"AccountID": 1},
            ExpressionAttributeNames={"#n": "name"})
    number = {"AccountID": {"N": "1"}, "x": {"N": "1" * 39}}
    invalid("more than 38 significant digits", client.put_item, TableName=name, Item=number)
    invalid("cannot be converted to a numeric value", client.put_item, TableName=name, Item={"AccountID": {"N": "one"}})
    refused("NotImplemented", "`PutItem with Expected`", client.put_item, TableName=name, Item={"AccountID": {"N": "1"}},
            Expected={"a": {"Exists": False}})


def updates(name):
    table = resource.Table(name)
    key = {"AccountID": 7}
    new = table.update_item(
        Key=key,
        UpdateExpression="SET hits = if_not_exists(hits, :zero) + :one, #l = list_append(if_not_exists(#l, :none), :list) ADD seen :set",
        ExpressionAttributeNames={"#l": "log"},
        ExpressionAttributeValues={":zero": 0, ":one": 1, ":none": [], ":list": ["a"], ":set": {"x"}},
        ReturnValues="ALL_NEW",
    )["Attributes"]
    assert new == {"AccountID": 7, "hits": 1, "log": ["a"], "seen": {"x"}}, new
    answer = table.update_item(Key=key, UpdateExpression="ADD hits :n", ExpressionAttributeValues={":n": Decimal("0.1")}, ReturnValues="UPDATED_NEW")
    assert answer["Attributes"] == {"hits": Decimal("1.1")}, answer
    answer = table.update_item(Key=key, UpdateExpression="REMOVE hits DELETE seen :s", ExpressionAttributeValues={":s": {"x"}}, ReturnValues="UPDATED_OLD")
    assert answer["Attributes"] == {"hits": Decimal("1.1"), "seen": {"x"}}, answer
    assert table.get_item(Key=key)["Item"] == {"AccountID": 7, "log": ["a"]}
    refused("ConditionalCheckFailedException", "", table.update_item, Key={"AccountID": 8}, UpdateExpression="SET a = :a",
            ConditionExpression="attribute_exists(AccountID)", ExpressionAttributeValues={":a": 1})
    invalid("This attribute is part of the key", table.update_item, Key=key, UpdateExpression="SET AccountID = :a", ExpressionAttributeValues={":a": 1})
    invalid("invalid for update", table.update_item, Key=key, UpdateExpression="SET gone.a = :a", ExpressionAttributeValues={":a": 1})
    invalid("does not exist in the item", table.update_item, Key=key, UpdateExpression="SET a = gone")
    invalid('Invalid UpdateExpression: Syntax error; token: "=", near: "SET = :a"', table.update_item, Key=key,
            UpdateExpression="SET = :a", ExpressionAttributeValues={":a": 1})
    deep = {"AccountID": 9, "a": {}}
    for _ in range(20):
        deep["a"] = {"a": deep["a"]}
    table.put_item(Item=deep)
    path = ".".join(["a"] * 21) + ".a"
    invalid("Nesting Levels", table.update_item, Key={"AccountID": 9}, UpdateExpression=f"SET {path} = :a", ExpressionAttributeValues={":a": deep["a"]})
    assert table.get_item(Key={"AccountID": 9})["Item"] == deep
    assert "Item" not in table.get_item(Key={"AccountID": 8})
    table.update_item(Key={"AccountID": 8})
    assert table.get_item(Key={"AccountID": 8})["Item"] == {"AccountID": 8}


def batches(accounts, messages):
    table = resource.Table(messages)
    with table.batch_writer() as batch:
        for number in range(60):
            batch.put_item(
                Item={"chat": f"c{number % 2}", "at": number, "author": "ann" if number % 3 else "bob", "words": 60 - number, "text": f"t{number}", "more": "m"}
            )
    keys = [{"chat": "c0", "at": 0}, {"chat": "c1", "at": 1}, {"chat": "c1", "at": 2}]
    answer = resource.batch_get_item(RequestItems={messages: {"Keys": keys, "ProjectionExpression": "words"}, accounts: {"Keys": [{"AccountID": 7}]}})
    assert sorted(item["words"] for item in answer["Responses"][messages]) == [59, 60], answer
    assert answer["Responses"][accounts][0]["AccountID"] == 7 and not answer["UnprocessedKeys"], answer
    invalid("contains duplicates", resource.batch_get_item, RequestItems={messages: {"Keys": keys[:1] * 2}})
    put = [{"PutRequest": {"Item": {"AccountID": number}}} for number in range(26)]
    invalid("less than or equal to 25", resource.batch_write_item, RequestItems={accounts: put})
    invalid("contains duplicates", resource.batch_write_item, RequestItems={accounts: [put[0], {"DeleteRequest": {"Key": {"AccountID": 0}}}]})
    wrong = [{"PutRequest": {"Item": {"AccountID": 900}}}, {"PutRequest": {"Item": {"name": "x"}}}]
    invalid("Missing the key", resource.batch_write_item, RequestItems={accounts: wrong})
    assert "Item" not in resource.Table(accounts).get_item(Key={"AccountID": 900}), "a batch that is refused writes nothing"
    assert resource.batch_write_item(RequestItems={accounts: [{"DeleteRequest": {"Key": {"AccountID": 7}}}]})["UnprocessedItems"] == {}
    assert "Item" not in resource.Table(accounts).get_item(Key={"AccountID": 7})


def pages(call, **arguments):
    items, number = [], 0
    while True:
        page = call(**arguments)
        items += page["Items"]
        number += 1
        if "LastEvaluatedKey" not in page:
            return items, number
        arguments["ExclusiveStartKey"] = page["LastEvaluatedKey"]


def queries(name):
    table = resource.Table(name)
    at = [item["at"] for item in table.query(KeyConditionExpression=Key("chat").eq("c0"))["Items"]]
    assert at == list(range(0, 60, 2)), at
    items, number = pages(table.query, KeyConditionExpression=Key("chat").eq("c0") & Key("at").between(10, 20), ScanIndexForward=False, Limit=4)
    assert [item["at"] for item in items] == [20, 18, 16, 14, 12, 10] and number == 2, (items, number)
    page = table.query(KeyConditionExpression=Key("chat").eq("c1") & Key("at").lt(10), FilterExpression=Attr("author").eq("bob"), Select="COUNT")
    assert (page["Count"], page["ScannedCount"]) == (2, 5) and "Items" not in page, page
    page = table.query(KeyConditionExpression="chat = :c AND #at > :a", ExpressionAttributeNames={"#at": "at"},
                       ExpressionAttributeValues={":c": "c1", ":a": 55}, ProjectionExpression="#at")
    assert page["Items"] == [{"at": 57}, {"at": 59}], page

    items, number = pages(table.query, IndexName="by-author", KeyConditionExpression=Key("author").eq("bob"), Limit=7)
    assert [item["at"] for item in items] == list(range(0, 60, 3)) and number == 3, (items, number)
    assert set(items[0]) == {"author", "at", "chat", "text"}, items[0]
    words = [item["words"] for item in table.query(IndexName="by-words", KeyConditionExpression=Key("chat").eq("c0"))["Items"]]
    assert words == sorted(words), words
    page = table.query(IndexName="by-words", KeyConditionExpression=Key("chat").eq("c0"), Limit=1)
    assert set(page["Items"][0]) == {"chat", "at", "words"} and set(page["LastEvaluatedKey"]) == {"chat", "at", "words"}, page
    page = table.query(IndexName="by-words", KeyConditionExpression=Key("chat").eq("c0"), ProjectionExpression="more", Limit=1)
    assert page["Items"] == [{"more": "m"}], "a local index fetches from the table"

    invalid("Query condition missed key schema element: chat", table.query, KeyConditionExpression=Key("at").eq(1))
    invalid("Query key condition not supported", table.query, KeyConditionExpression=Key("chat").lt("c"))
    invalid("does not match schema type", table.query, KeyConditionExpression=Key("chat").eq(1))
    invalid("does not have the specified index: by-none", table.query, IndexName="by-none", KeyConditionExpression=Key("chat").eq("c"))
    invalid("can only contain non-primary key attributes: Primary key attribute: at", table.query,
            KeyConditionExpression=Key("chat").eq("c0"), FilterExpression=Attr("at").gt(1))
    invalid("Consistent reads are not supported", table.query, IndexName="by-author", KeyConditionExpression=Key("author").eq("a"), ConsistentRead=True)
    invalid("does not project [more]", table.query, IndexName="by-author", KeyConditionExpression=Key("author").eq("a"), ProjectionExpression="more")
    invalid("The provided starting key is invalid", table.query, KeyConditionExpression=Key("chat").eq("c0"), ExclusiveStartKey={"chat": "c0"})
    invalid("outside query boundaries", table.query, KeyConditionExpression=Key("chat").eq("c0"), ExclusiveStartKey={"chat": "c1", "at": 1})
    invalid("KeyConditionExpression parameter must be specified", table.query)


def scans(name):
    table = resource.Table(name)
    items, number = pages(table.scan, Limit=25)
    assert len(items) == 60 and number == 3, (len(items), number)
    assert len({(item["chat"], item["at"]) for item in items}) == 60
    page = table.scan(FilterExpression=Attr("text").contains("t5") & Attr("at").is_in([5, 50]))
    assert sorted(item["at"] for item in page["Items"]) == [5, 50] and page["ScannedCount"] == 60, page
    parts = [pages(table.scan, Segment=segment, TotalSegments=3, Limit=7)[0] for segment in range(3)]
    assert sum(len(part) for part in parts) == 60, [len(part) for part in parts]
    items, _ = pages(table.scan, IndexName="by-author", Limit=11)
    assert len(items) == 60 and "more" not in items[0], items[0]
    invalid("must be less than parameter TotalSegments", table.scan, Segment=3, TotalSegments=3)
    large = "x" * 300_000
    for number in range(5):
        table.put_item(Item={"chat": "large", "at": number, "text": large})
    items, number = pages(table.query, KeyConditionExpression=Key("chat").eq("large"))
    assert len(items) == 5 and number == 2, (len(items), number)


def life(name, names):
    remove(name)
    refused("ResourceNotFoundException", "", client.scan, TableName=names["Accounts"])
    # A table of the same name is another table: nothing of the first one is in it.
    fixed = {"Resources": {"Fixed": {"Type": "AWS::DynamoDB::Table", "Properties": {
        "TableName": f"fixed-{run}", **TEMPLATE["Resources"]["Accounts"]["Properties"]}}}}
    for _ in range(2):
        make(name, fixed)
        table = resource.Table(f"fixed-{run}")
        assert table.scan()["Count"] == 0
        table.put_item(Item={"AccountID": 1})
        assert table.item_count == 1
        remove(name)


def wrong_keys(name):
    template = json.loads(json.dumps(TEMPLATE))
    template["Resources"]["Accounts"]["Properties"]["AttributeDefinitions"] += definitions(name="S")
    stacks.create_stack(StackName=name, TemplateBody=json.dumps(template), OnFailure="DO_NOTHING")
    try:
        stacks.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 0.05, "MaxAttempts": 200})
        raise AssertionError("the table was made")
    except botocore.exceptions.WaiterError:
        pass
    reasons = [event.get("ResourceStatusReason", "") for event in stacks.describe_stack_events(StackName=name)["StackEvents"]]
    assert any("does not exactly match number of attributes defined" in reason for reason in reasons), reasons
    remove(name)


stack = f"tables-{run}"
names = make(stack, TEMPLATE)
tables(names)
items(names["Accounts"])
updates(names["Accounts"])
batches(names["Accounts"], names["Messages"])
queries(names["Messages"])
scans(names["Messages"])
life(stack, names)
wrong_keys(f"wrong-{run}")
print("DynamoDB is as on AWS, as far as it is simulated")
