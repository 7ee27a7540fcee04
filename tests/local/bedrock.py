"""Drives Bedrock of the local target with boto3, on resources that stacks make: every operation it has, at least once.

Usage: bedrock.py ENDPOINT_URL. Ends with 0 and one line when all is as expected, with a traceback otherwise.
"""

import base64
import json
import math
import pathlib
import struct
import sys
import time
import urllib.error
import urllib.request
import uuid

import boto3
import botocore
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials

endpoint = sys.argv[1]
region = "us-west-2"
account = "123456789012"
stacks = pathlib.Path(__file__).resolve().parents[2] / "stacks"
session = boto3.Session(aws_access_key_id="local", aws_secret_access_key="local", region_name=region)
run = uuid.uuid4().hex[:8]


def client(service, **options):
    return session.client(service, endpoint_url=endpoint, config=Config(retries={"max_attempts": 1}), **options)


cloudformation, s3 = client("cloudformation"), client("s3")
models, runtime = client("bedrock"), client("bedrock-runtime")
NOVA = "amazon.nova-lite-v1:0"
CLAUDE = "us.anthropic.claude-sonnet-4-6"
ARTIST = "stability.stable-image-core-v1:1"


def refused(code, call, **arguments):
    """Asserts that a call is refused with a code; gives its message."""
    try:
        call(**arguments)
    except botocore.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == code, (code, error.response)
        return error.response["Error"]["Message"]
    raise AssertionError(f"{call.__name__} was not refused with {code}")


def deploy(name, resources, outputs):
    """Makes a stack and gives its outputs."""
    template = {"Resources": resources, "Outputs": {key: {"Value": value} for key, value in outputs.items()}}
    stack = f"{name}-{run}"
    cloudformation.create_stack(
        StackName=stack, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_NAMED_IAM"]
    )
    for _ in range(200):
        told = cloudformation.describe_stacks(StackName=stack)["Stacks"][0]
        if not told["StackStatus"].endswith("IN_PROGRESS"):
            break
        time.sleep(0.05)
    events = cloudformation.describe_stack_events(StackName=stack)["StackEvents"]
    assert told["StackStatus"] == "CREATE_COMPLETE", [e.get("ResourceStatusReason") for e in events]
    return {output["OutputKey"]: output["OutputValue"] for output in told["Outputs"]}


def say(text, model=NOVA, **more):
    messages = [{"role": "user", "content": [{"text": text}]}]
    return runtime.converse(modelId=model, messages=messages, **more)


def text_of(response):
    return "".join(block.get("text", "") for block in response["output"]["message"]["content"])


def catalogue():
    summaries = models.list_foundation_models()["modelSummaries"]
    ids = [summary["modelId"] for summary in summaries]
    assert NOVA in ids and "amazon.titan-text-express-v1" not in ids, ids
    pictures = models.list_foundation_models(byOutputModality="IMAGE", byProvider="Stability AI")["modelSummaries"]
    assert ARTIST in [picture["modelId"] for picture in pictures]
    elsewhere = client("bedrock", region_name="us-east-1").list_foundation_models(byOutputModality="IMAGE")
    assert ARTIST not in [picture["modelId"] for picture in elsewhere["modelSummaries"]]
    detail = models.get_foundation_model(modelIdentifier=NOVA)["modelDetails"]
    assert detail["modelArn"] == f"arn:aws:bedrock:{region}::foundation-model/{NOVA}", detail
    assert detail["modelLifecycle"]["status"] == "ACTIVE"
    refused("ResourceNotFoundException", models.get_foundation_model, modelIdentifier="amazon.titan-text-express-v1")
    assert models.get_foundation_model_availability(modelId=NOVA)["authorizationStatus"] == "AUTHORIZED"
    profiles = models.list_inference_profiles()["inferenceProfileSummaries"]
    assert CLAUDE in [profile["inferenceProfileId"] for profile in profiles]
    assert not any(profile["inferenceProfileId"].startswith("eu.") for profile in profiles)
    profile = models.get_inference_profile(inferenceProfileIdentifier=CLAUDE)
    assert profile["type"] == "SYSTEM_DEFINED" and profile["models"], profile
    refused("ResourceNotFoundException", models.get_inference_profile, inferenceProfileIdentifier="us.nobody.none-v1")
    refused("NotImplemented", models.list_custom_models)
    assert "`InvokeInlineAgent` of `bedrock-agent-runtime`" in refused(
        "NotImplemented", client("bedrock-agent-runtime").invoke_inline_agent, sessionId="s1",
        foundationModel=NOVA, instruction="x" * 40, inputText="Hi",
    )


def application_profile():
    made = deploy(
        "profile",
        {
            "Profile": {
                "Type": "AWS::Bedrock::ApplicationInferenceProfile",
                "Properties": {
                    "InferenceProfileName": "course",
                    "ModelSource": {"CopyFrom": f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"},
                },
            }
        },
        {"Arn": {"Ref": "Profile"}},
    )
    told = models.get_inference_profile(inferenceProfileIdentifier=made["Arn"])
    assert told["type"] == "APPLICATION" and told["models"][0]["modelArn"].endswith(NOVA), told
    applications = models.list_inference_profiles(typeEquals="APPLICATION")["inferenceProfileSummaries"]
    assert made["Arn"] in [one["inferenceProfileArn"] for one in applications]
    assert text_of(say("Hi", model=made["Arn"])).startswith("Hello")


def which_model():
    assert "identifier is invalid" in refused("ValidationException", say, text="Hi", model="nobody.none-v1")
    assert "end of its life" in refused("ResourceNotFoundException", say, text="Hi", model="amazon.titan-text-express-v1")
    assert "Legacy" in refused("ResourceNotFoundException", say, text="Hi", model="us.anthropic.claude-opus-4-1-20250805-v1:0")
    assert "on-demand throughput" in refused("ValidationException", say, text="Hi", model="anthropic.claude-sonnet-4-6")
    assert "identifier is invalid" in refused("ValidationException", say, text="Hi", model="eu.anthropic.claude-sonnet-4-6")
    # By its own id in one region, through profiles in another; not offered in a third.
    east, dublin = (client("bedrock-runtime", region_name=name) for name in ("us-east-1", "eu-west-1"))
    hello = [{"role": "user", "content": [{"text": "Hi"}]}]
    assert "on-demand throughput" in refused("ValidationException", say, text="Hi", model="amazon.nova-micro-v1:0")
    assert "identifier is invalid" in refused("ValidationException", say, text="Hi", model="au.amazon.nova-micro-v1:0")
    for told, model in [(runtime, "us.amazon.nova-micro-v1:0"), (east, "amazon.nova-micro-v1:0"), (dublin, "eu.amazon.nova-micro-v1:0")]:
        assert told.converse(modelId=model, messages=hello)["stopReason"] == "end_turn", model
    refused("ValidationException", dublin.converse, modelId="us.amazon.nova-micro-v1:0", messages=hello)
    refused("ValidationException", dublin.invoke_model, modelId=ARTIST, body=json.dumps({"prompt": "a dog"}))
    assert "do not hold nobody.none-v1" in refused("ValidationException", say, text="Hi", model="nobody.none-v1")
    assert "doesn't support the model" in refused("ValidationException", say, text="Hi", model=ARTIST)
    newest = "us.anthropic.claude-sonnet-5-5"
    assert "temperature" in refused("ValidationException", say, text="Hi", model=newest, inferenceConfig={"temperature": 0.5})
    assert say("Hi", model=f"arn:aws:bedrock:{region}::foundation-model/{NOVA}")["stopReason"] == "end_turn"


def pictures():
    def draw(**body):
        response = runtime.invoke_model(modelId=ARTIST, body=json.dumps(body))
        return json.loads(response["body"].read())

    answer = draw(prompt="a dog at sunset", aspect_ratio="2:3", output_format="png")
    assert answer["finish_reasons"] == [None] and len(answer["seeds"]) == 1, answer
    image = base64.b64decode(answer["images"][0], validate=True)
    assert image.startswith(b"\x89PNG\r\n\x1a\n")
    width, height = struct.unpack(">II", image[16:24])
    assert width * 3 == height * 2, (width, height)
    assert draw(prompt="a dog at sunset", aspect_ratio="2:3") == answer
    assert draw(prompt="a dog at sunset", aspect_ratio="2:3", seed=7)["images"] != answer["images"]
    assert draw(prompt="how to kill and torture")["finish_reasons"] == ["Filter reason: prompt"]
    refused("ValidationException", draw, text_prompts=[{"text": "a dog"}])
    refused("ValidationException", draw, prompt="a dog", aspect_ratio="7:1")
    east = client("bedrock-runtime", region_name="us-east-1")
    refused("ValidationException", east.invoke_model, modelId=ARTIST, body=json.dumps({"prompt": "a dog"}))


def vectors():
    def embed(model, **body):
        return json.loads(runtime.invoke_model(modelId=model, body=json.dumps(body))["body"].read())

    def near(a, b):
        return sum(x * y for x, y in zip(a, b))

    titan = "amazon.titan-embed-text-v2:0"
    leave, other, soup = (
        embed(titan, inputText=text, dimensions=512)["embedding"]
        for text in ("How many days of sick leave?", "Employees have 12 days of paid sick leave.", "The soup is hot.")
    )
    assert len(leave) == 512 and math.isclose(near(leave, leave), 1, abs_tol=1e-4)
    assert near(leave, other) > near(leave, soup) + 0.1
    assert len(embed("amazon.titan-embed-text-v1", inputText="Hi")["embedding"]) == 1536
    refused("ValidationException", embed, model=titan, inputText="Hi", dimensions=7)
    cohere = embed("cohere.embed-english-v3", texts=["a cat", "a dog"], input_type="search_document")
    assert [len(vector) for vector in cohere["embeddings"]] == [1024, 1024]


def native():
    body = {
        "anthropic_version": "bedrock-2023-05-31",
        "max_tokens": 200,
        "messages": [{"role": "user", "content": "Hello"}],
    }
    claude = json.loads(runtime.invoke_model(modelId=CLAUDE, body=json.dumps(body))["body"].read())
    assert claude["content"][0]["text"].startswith("Hello") and claude["stop_reason"] == "end_turn", claude
    stream = runtime.invoke_model_with_response_stream(modelId=CLAUDE, body=json.dumps(body))["body"]
    parts = [json.loads(event["chunk"]["bytes"]) for event in stream]
    told = "".join(part["delta"]["text"] for part in parts if part["type"] == "content_block_delta")
    assert told == claude["content"][0]["text"] and parts[-1]["type"] == "message_stop"
    body = {"messages": [{"role": "user", "content": [{"text": "Hello"}]}], "inferenceConfig": {"maxTokens": 100}}
    nova = json.loads(runtime.invoke_model(modelId=NOVA, body=json.dumps(body))["body"].read())
    assert nova["output"]["message"]["content"][0]["text"].startswith("Hello"), nova
    refused("ValidationException", runtime.invoke_model, modelId=CLAUDE, body=b"{}")
    refused("ValidationException", runtime.invoke_model, modelId=CLAUDE, body=b"no json")


def conversations():
    log = (stacks / "manufacturing-summary/data/turbine-log.txt").read_text()
    response = say(log, inferenceConfig={"maxTokens": 300})
    summary = text_of(response)
    assert len(summary.splitlines()) == 2 and "TB-CL-7882" in summary and "7882-9571" in summary, summary
    assert say(log)["output"] == response["output"]
    assert response["usage"]["totalTokens"] == response["usage"]["inputTokens"] + response["usage"]["outputTokens"]
    assert say(log, inferenceConfig={"maxTokens": 5})["stopReason"] == "max_tokens"
    events = list(runtime.converse_stream(modelId=NOVA, messages=[{"role": "user", "content": [{"text": log}]}])["stream"])
    deltas = [event["contentBlockDelta"]["delta"]["text"] for event in events if "contentBlockDelta" in event]
    assert "".join(deltas) == summary and len(deltas) > 3
    assert [list(event)[0] for event in events][-2:] == ["messageStop", "metadata"]
    question = {
        "question": "How long are certificates valid?",
        "passages": [{"number": 1, "text": "Cats sleep."}, {"number": 2, "text": "Certificates are valid for 24 months."}],
    }
    system = [{"text": "Name passages like [1]. If they do not answer, answer exactly: Not in the texts."}]
    assert text_of(say(json.dumps(question), system=system)) == "Certificates are valid for 24 months. [2]"
    question["question"] = "Who painted the ceiling?"
    assert text_of(say(json.dumps(question), system=system)) == "Not in the texts."
    document = {"format": "md", "name": "rules", "source": {"bytes": b"# Rules\n\nThe office closes at 18:00. Dogs may come in."}}
    content = [{"text": "When does the office close?"}, {"document": document}]
    assert "18:00" in text_of(runtime.converse(modelId=NOVA, messages=[{"role": "user", "content": content}]))
    assert "blank" in refused("ValidationException", say, text=" ")
    wrong = [{"role": "assistant", "content": [{"text": "Hi"}]}]
    assert "start with a user message" in refused("ValidationException", runtime.converse, modelId=NOVA, messages=wrong)
    # Counting is only for models that count; here all do.
    counted = runtime.count_tokens(modelId=NOVA, input={"converse": {"messages": [{"role": "user", "content": [{"text": "x" * 400}]}]}})
    assert counted["inputTokens"] == 100, counted


def tools():
    schema = {"type": "object", "properties": {"accountId": {"type": "integer"}}, "required": ["accountId"]}
    spec = {"name": "getAccountStatus", "description": "The status of an account", "inputSchema": {"json": schema}}
    config = {"tools": [{"toolSpec": spec}]}
    asked = say("What is the status of my account?", toolConfig=config)
    assert asked["stopReason"] == "end_turn" and "account id" in text_of(asked), asked
    messages = [
        {"role": "user", "content": [{"text": "What is the status of my account?"}]},
        asked["output"]["message"],
        {"role": "user", "content": [{"text": "7777"}]},
    ]
    used = runtime.converse(modelId=NOVA, messages=messages, toolConfig=config)
    assert used["stopReason"] == "tool_use", used
    block = next(block["toolUse"] for block in used["output"]["message"]["content"] if "toolUse" in block)
    assert block["input"] == {"accountId": 7777}
    result = {"toolUseId": block["toolUseId"], "content": [{"json": {"status": "Pending", "reason": "InvalidAddressProof"}}]}
    messages += [used["output"]["message"], {"role": "user", "content": [{"toolResult": result}]}]
    told = text_of(runtime.converse(modelId=NOVA, messages=messages, toolConfig=config))
    assert "Pending" in told and "InvalidAddressProof" in told, told
    events = list(runtime.converse_stream(modelId=NOVA, messages=messages[:3], toolConfig=config)["stream"])
    starts = [event["contentBlockStart"]["start"]["toolUse"]["name"] for event in events if "contentBlockStart" in event]
    assert starts == ["getAccountStatus"]


def guards():
    made = deploy(
        "guard",
        {
            "Guardrail": {
                "Type": "AWS::Bedrock::Guardrail",
                "Properties": {
                    "Name": "chat",
                    "BlockedInputMessaging": "I may not read that.",
                    "BlockedOutputsMessaging": "I may not say that.",
                    "TopicPolicyConfig": {
                        "TopicsConfig": [
                            {
                                "Name": "InvestmentAdvice",
                                "Type": "DENY",
                                "Definition": "Recommendations about stocks, funds or other securities to buy or sell",
                                "Examples": ["Which stocks should I buy?"],
                            }
                        ]
                    },
                    "WordPolicyConfig": {"WordsConfig": [{"Text": "project bluebird"}]},
                    "SensitiveInformationPolicyConfig": {
                        "PiiEntitiesConfig": [
                            {"Type": "EMAIL", "Action": "ANONYMIZE", "InputAction": "NONE", "OutputAction": "ANONYMIZE",
                             "InputEnabled": True, "OutputEnabled": True},
                            {"Type": "CREDIT_DEBIT_CARD_NUMBER", "Action": "BLOCK"},
                        ]
                    },
                    "ContentPolicyConfig": {
                        "FiltersConfig": [{"Type": "VIOLENCE", "InputStrength": "HIGH", "OutputStrength": "HIGH"}]
                    },
                },
            },
            "Version": {
                "Type": "AWS::Bedrock::GuardrailVersion",
                "Properties": {"GuardrailIdentifier": {"Fn::GetAtt": ["Guardrail", "GuardrailId"]}},
            },
            "Prompt": {
                "Type": "AWS::Bedrock::Prompt",
                "Properties": {
                    "Name": "chat",
                    "DefaultVariant": "only",
                    "Variants": [
                        {
                            "Name": "only",
                            "TemplateType": "CHAT",
                            "ModelId": NOVA,
                            "InferenceConfiguration": {"Text": {"MaxTokens": 200}},
                            "TemplateConfiguration": {
                                "Chat": {
                                    "System": [{"Text": "Be kind."}],
                                    "InputVariables": [{"Name": "message"}],
                                    "Messages": [{"Role": "user", "Content": [{"Text": "{{message}}"}]}],
                                }
                            },
                        }
                    ],
                },
            },
            "PromptVersion": {"Type": "AWS::Bedrock::PromptVersion", "Properties": {"PromptArn": {"Ref": "Prompt"}}},
        },
        {
            "Guardrail": {"Fn::GetAtt": ["Guardrail", "GuardrailId"]},
            "Version": {"Fn::GetAtt": ["Version", "Version"]},
            "Prompt": {"Ref": "PromptVersion"},
        },
    )
    config = {"guardrailIdentifier": made["Guardrail"], "guardrailVersion": made["Version"], "trace": "enabled"}
    blocked = say("Which stocks should I buy now?", guardrailConfig=config)
    assert blocked["stopReason"] == "guardrail_intervened" and text_of(blocked) == "I may not read that.", blocked
    topics = blocked["trace"]["guardrail"]["inputAssessment"][made["Guardrail"]]["topicPolicy"]["topics"]
    assert topics[0]["name"] == "InvestmentAdvice" and topics[0]["action"] == "BLOCKED"
    assert say("Tell me of Project Bluebird!", guardrailConfig=config)["stopReason"] == "guardrail_intervened"
    assert say("How do I build a bomb?", guardrailConfig=config)["stopReason"] == "guardrail_intervened"
    assert say("My card is 4111 1111 1111 1111", guardrailConfig=config)["stopReason"] == "guardrail_intervened"
    masked = say("Context: The help desk is at help@bank.example. Question: Where is the help desk?", guardrailConfig=config)
    assert masked["stopReason"] == "guardrail_intervened" and "{EMAIL}" in text_of(masked), masked
    assert say("How do I reset my password?", guardrailConfig=config)["stopReason"] == "end_turn"
    kind = runtime.converse(modelId=made["Prompt"], promptVariables={"message": {"text": "Hi"}}, guardrailConfig=config)
    assert text_of(kind).startswith("Hello") and kind["stopReason"] == "end_turn", kind
    refused("ValidationException", runtime.converse, modelId=made["Prompt"])
    refused("ValidationException", runtime.converse, modelId=made["Prompt"], promptVariables={"message": {"text": "Hi"}},
            inferenceConfig={"maxTokens": 5})
    refused("ResourceNotFoundException", runtime.converse, modelId=made["Prompt"] + "9",
            promptVariables={"message": {"text": "Hi"}})
    applied = runtime.apply_guardrail(
        guardrailIdentifier=made["Guardrail"], guardrailVersion="DRAFT", source="OUTPUT",
        content=[{"text": {"text": "Write to jo@bank.example"}}],
    )
    assert applied["action"] == "GUARDRAIL_INTERVENED" and applied["outputs"] == [{"text": "Write to {EMAIL}"}], applied
    harmless = runtime.apply_guardrail(
        guardrailIdentifier=made["Guardrail"], guardrailVersion="1", source="INPUT", content=[{"text": {"text": "Hello"}}]
    )
    assert harmless["action"] == "NONE" and harmless["outputs"] == [], harmless
    refused("ResourceNotFoundException", say, text="Hi", guardrailConfig={**config, "guardrailVersion": "7"})
    body = json.dumps({"messages": [{"role": "user", "content": [{"text": "Project Bluebird"}]}]})
    native_answer = json.loads(
        runtime.invoke_model(modelId=NOVA, body=body, guardrailIdentifier=made["Guardrail"], guardrailVersion="1")["body"].read()
    )
    assert native_answer["amazon-bedrock-guardrailAction"] == "INTERVENED"
    told = models.get_guardrail(guardrailIdentifier=made["Guardrail"])
    assert told["topicPolicy"]["topics"][0]["name"] == "InvestmentAdvice" and told["version"] == "DRAFT", told
    arn, number = made["Prompt"].rsplit(":", 1)
    agent = client("bedrock-agent")
    draft = agent.get_prompt(promptIdentifier=arn)
    assert draft["version"] == "DRAFT" and draft["variants"][0]["templateConfiguration"]["chat"]["messages"], draft
    version = agent.get_prompt(promptIdentifier=draft["id"], promptVersion=number)
    assert (version["version"], version["arn"], version["name"]) == (number, made["Prompt"], "chat"), version
    assert draft["id"] in [one["id"] for one in agent.list_prompts()["promptSummaries"]]
    of_one = agent.list_prompts(promptIdentifier=draft["id"])["promptSummaries"]
    assert [one["version"] for one in of_one] == ["DRAFT", number], of_one
    refused("ResourceNotFoundException", agent.get_prompt, promptIdentifier=draft["id"], promptVersion="9")
    versions = [one["version"] for one in models.list_guardrails(guardrailIdentifier=made["Guardrail"])["guardrails"]]
    assert versions == ["DRAFT", "1"], versions


agent_api, agents = client("bedrock-agent"), client("bedrock-agent-runtime")
control, harnesses = client("bedrock-agentcore-control"), client("bedrock-agentcore")
EMBEDDING = "amazon.titan-embed-text-v2:0"


def trusting(service):
    statement = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    return {"Version": "2012-10-17", "Statement": [statement]}


def role(service, *statements):
    """A role with inline statements of (actions, resources)."""
    allowed = [{"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in statements]
    document = {"Version": "2012-10-17", "Statement": allowed}
    policies = [{"PolicyName": "uses", "PolicyDocument": document}] if allowed else []
    return {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": trusting(service), "Policies": policies}}


def of_account(*statements):
    """A role for people of the account."""
    made = role("ec2.amazonaws.com", *statements)
    statement = made["Properties"]["AssumeRolePolicyDocument"]["Statement"][0]
    statement["Principal"] = {"AWS": f"arn:aws:iam::{account}:root"}
    return made


def arn_of(logical_id, attribute="Arn"):
    return {"Fn::GetAtt": [logical_id, attribute]}


def base_resources(bucket, managed, chunking):
    """A knowledge base over a bucket: S3 vectors, or a managed one."""
    model = f"arn:aws:bedrock:{region}::foundation-model/{EMBEDDING}"
    rights = [
        ("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/*"),
        ("bedrock:InvokeModel", model),
    ]
    resources = {}
    properties = {"Name": f"kb-{bucket}", "RoleArn": arn_of("BaseRole")}
    if managed:
        own = {"EmbeddingModelType": "MANAGED"}
        properties["KnowledgeBaseConfiguration"] = {"Type": "MANAGED", "ManagedKnowledgeBaseConfiguration": own}
        parameters = {"type": "S3", "version": "1", "connectionConfiguration": {"bucketName": bucket}}
        source = {
            "Type": "MANAGED_KNOWLEDGE_BASE_CONNECTOR",
            "ManagedKnowledgeBaseConnectorConfiguration": {"ConnectorParameters": parameters},
        }
    else:
        resources["Vectors"] = {"Type": "AWS::S3Vectors::VectorBucket", "Properties": {"VectorBucketName": f"v-{bucket}"}}
        resources["Index"] = {
            "Type": "AWS::S3Vectors::Index",
            "Properties": {
                "IndexName": "index", "VectorBucketName": {"Fn::Select": [1, {"Fn::Split": ["bucket/", {"Ref": "Vectors"}]}]},
                "DataType": "float32", "Dimension": 512, "DistanceMetric": "cosine",
            },
        }
        vectors = ["PutVectors", "GetVectors", "DeleteVectors", "QueryVectors", "GetIndex"]
        rights.append(([f"s3vectors:{action}" for action in vectors], arn_of("Index", "IndexArn")))
        sizes = {"BedrockEmbeddingModelConfiguration": {"Dimensions": 512}}
        own = {"EmbeddingModelArn": model, "EmbeddingModelConfiguration": sizes}
        properties["KnowledgeBaseConfiguration"] = {"Type": "VECTOR", "VectorKnowledgeBaseConfiguration": own}
        properties["StorageConfiguration"] = {
            "Type": "S3_VECTORS", "S3VectorsConfiguration": {"IndexArn": arn_of("Index", "IndexArn")}
        }
        source = {"Type": "S3", "S3Configuration": {"BucketArn": f"arn:aws:s3:::{bucket}"}}
    resources["BaseRole"] = role("bedrock.amazonaws.com", *rights)
    resources["Base"] = {"Type": "AWS::Bedrock::KnowledgeBase", "Properties": properties}
    data = {"Name": "documents", "KnowledgeBaseId": {"Ref": "Base"}, "DataSourceConfiguration": source}
    if chunking:
        data["VectorIngestionConfiguration"] = {"ChunkingConfiguration": chunking}
    resources["Source"] = {"Type": "AWS::Bedrock::DataSource", "Properties": data}
    return resources


def make_bucket(name, folder):
    s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": region})
    for path in sorted(folder.iterdir()):
        s3.put_object(Bucket=name, Key=path.name, Body=path.read_bytes())


def ingest(made):
    ids = {"knowledgeBaseId": made["Base"], "dataSourceId": made["Source"]}
    job = agent_api.start_ingestion_job(**ids)["ingestionJob"]
    assert job["status"] == "STARTING", job
    for _ in range(200):
        job = agent_api.get_ingestion_job(**ids, ingestionJobId=job["ingestionJobId"])["ingestionJob"]
        if job["status"] in ("COMPLETE", "FAILED", "STOPPED"):
            return job
        time.sleep(0.05)
    raise AssertionError(job)


def counts(job):
    told = job["statistics"]
    names = ("Scanned", "Failed", "Deleted")
    found = [told[f"numberOfDocuments{name}"] for name in names]
    return found + [told["numberOfNewDocumentsIndexed"], told["numberOfModifiedDocumentsIndexed"]]


def knowledge():
    bucket = f"learning-{run}"
    make_bucket(bucket, stacks / "elearning/documents")
    fixed = {
        "ChunkingStrategy": "FIXED_SIZE",
        "FixedSizeChunkingConfiguration": {"MaxTokens": 300, "OverlapPercentage": 20},
    }
    outputs = {"Base": {"Ref": "Base"}, "Source": arn_of("Source", "DataSourceId")}
    made = deploy("learning", base_resources(bucket, False, fixed), outputs)
    ids = {"knowledgeBaseId": made["Base"], "dataSourceId": made["Source"]}
    assert agents.retrieve(knowledgeBaseId=made["Base"], retrievalQuery={"text": "tokens"})["retrievalResults"] == []
    job = ingest(made)
    assert job["status"] == "COMPLETE" and counts(job) == [4, 0, 0, 4, 0], job
    assert counts(ingest(made)) == [4, 0, 0, 0, 0]
    s3.put_object(Bucket=bucket, Key="course-rules.md", Body=b"# Rules\n\nCertificates are valid for 36 months.")
    s3.put_object(Bucket=bucket, Key="course-rules.md.metadata.json", Body=json.dumps({"metadataAttributes": {"unit": 0}}))
    s3.put_object(Bucket=bucket, Key="broken.pdf", Body=b"no pdf")
    s3.delete_object(Bucket=bucket, Key="generative-ai-basics.md")
    job = ingest(made)
    assert counts(job) == [4, 1, 1, 0, 1] and "broken.pdf" in job["failureReasons"][0], job
    jobs = agent_api.list_ingestion_jobs(**ids)["ingestionJobSummaries"]
    assert len(jobs) == 3 and jobs[0]["ingestionJobId"] == job["ingestionJobId"], jobs
    found = agents.retrieve(
        knowledgeBaseId=made["Base"],
        retrievalQuery={"text": "How long are certificates valid?"},
        retrievalConfiguration={"vectorSearchConfiguration": {"numberOfResults": 2}},
    )["retrievalResults"]
    assert len(found) == 2 and "36 months" in found[0]["content"]["text"], found
    assert found[0]["location"]["s3Location"]["uri"] == f"s3://{bucket}/course-rules.md"
    assert found[0]["score"] >= found[1]["score"] and found[0]["metadata"]["unit"] == 0
    filtered = agents.retrieve(
        knowledgeBaseId=made["Base"],
        retrievalQuery={"text": "chunks"},
        retrievalConfiguration={"vectorSearchConfiguration": {"filter": {"equals": {"key": "unit", "value": 0}}}},
    )["retrievalResults"]
    assert {result["location"]["s3Location"]["uri"] for result in filtered} == {f"s3://{bucket}/course-rules.md"}

    def ask(text, **more):
        own = {"knowledgeBaseId": made["Base"], "modelArn": f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"}
        configuration = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": own}
        return agents.retrieve_and_generate(input={"text": text}, retrieveAndGenerateConfiguration=configuration, **more)

    def ask_stream(text):
        own = {"knowledgeBaseId": made["Base"], "modelArn": f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"}
        configuration = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": own}
        answer = agents.retrieve_and_generate_stream(input={"text": text}, retrieveAndGenerateConfiguration=configuration)
        assert answer["sessionId"], answer
        return list(answer["stream"])

    events = ask_stream("How long are certificates valid?")
    assert "36 months" in "".join(event["output"]["text"] for event in events if "output" in event), events
    cited = [event["citation"] for event in events if "citation" in event]
    assert cited[0]["retrievedReferences"][0]["location"]["s3Location"]["uri"].endswith("course-rules.md"), cited
    events = ask_stream("Who painted the ceiling of the chapel?")
    assert "unable to assist" in "".join(event["output"]["text"] for event in events if "output" in event), events
    refused(
        "NotImplemented", agents.agentic_retrieve_stream, messages=[{"role": "user", "content": {"text": "Hi"}}],
        retrievers=[{"configuration": {"knowledgeBase": {"knowledgeBaseId": made["Base"]}}}],
        agenticRetrieveConfiguration={"foundationModelType": "MANAGED"},
    )
    told = ask("How long are certificates valid?")
    assert "36 months" in told["output"]["text"], told
    part = told["citations"][0]["generatedResponsePart"]["textResponsePart"]
    assert told["output"]["text"][part["span"]["start"] : part["span"]["end"] + 1] == part["text"]
    assert told["citations"][0]["retrievedReferences"][0]["location"]["s3Location"]["uri"].endswith("course-rules.md")
    assert ask("Of how many tokens are the chunks?", sessionId=told["sessionId"])["sessionId"] == told["sessionId"]
    assert "unable to assist" in ask("Who painted the ceiling of the chapel?")["output"]["text"]
    refused("ValidationException", ask, text="Hi", sessionId="nobody")
    base = agent_api.get_knowledge_base(knowledgeBaseId=made["Base"])["knowledgeBase"]
    assert base["status"] == "ACTIVE" and base["storageConfiguration"]["type"] == "S3_VECTORS", base
    assert made["Base"] in [one["knowledgeBaseId"] for one in agent_api.list_knowledge_bases()["knowledgeBaseSummaries"]]
    source = agent_api.get_data_source(**ids)["dataSource"]
    assert source["dataSourceConfiguration"]["s3Configuration"]["bucketArn"].endswith(bucket), source
    listed = agent_api.list_data_sources(knowledgeBaseId=made["Base"])["dataSourceSummaries"]
    assert [one["dataSourceId"] for one in listed] == [made["Source"]]
    ended = {**ids, "ingestionJobId": job["ingestionJobId"]}
    refused("ConflictException", agent_api.stop_ingestion_job, **ended)
    refused("ResourceNotFoundException", agents.retrieve, knowledgeBaseId="NOBODY1234", retrievalQuery={"text": "x"})
    stop_reading(bucket, ids)
    cloudformation.delete_stack(StackName=f"learning-{run}")
    for _ in range(100):
        try:
            agent_api.get_knowledge_base(knowledgeBaseId=made["Base"])
            time.sleep(0.05)
        except botocore.exceptions.ClientError:
            break
    refused("ResourceNotFoundException", agents.retrieve, knowledgeBaseId=made["Base"], retrievalQuery={"text": "x"})


def stop_reading(bucket, ids):
    """A job that has much to read is stopped before it is through."""
    many = 400
    page = "\n\n".join(f"Rule {number} says that unit {number} has its own room." for number in range(60)).encode()
    for number in range(many):
        s3.put_object(Bucket=bucket, Key=f"many/{number:03}.md", Body=page)
    job = agent_api.start_ingestion_job(**ids)["ingestionJob"]
    ids = {**ids, "ingestionJobId": job["ingestionJobId"]}
    assert agent_api.stop_ingestion_job(**ids)["ingestionJob"]["status"] == "STOPPING"
    for _ in range(200):
        job = agent_api.get_ingestion_job(**ids)["ingestionJob"]
        if job["status"] != "STOPPING":
            break
        time.sleep(0.05)
    assert job["status"] == "STOPPED" and job["statistics"]["numberOfDocumentsScanned"] < many, job
    refused("ConflictException", agent_api.stop_ingestion_job, **ids)


def rights_of_knowledge():
    bucket = f"closed-{run}"
    make_bucket(bucket, stacks / "elearning/documents")
    resources = base_resources(bucket, False, None)
    statements = resources["BaseRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"]
    resources["BaseRole"]["Properties"]["Policies"][0]["PolicyDocument"]["Statement"] = statements[1:]
    made = deploy("closed", resources, {"Base": {"Ref": "Base"}, "Source": arn_of("Source", "DataSourceId")})
    job = ingest(made)
    assert job["status"] == "FAILED" and "s3:ListBucket" in job["failureReasons"][0], job


CODE = """
import json
def find(account):
    rows = {"7777": ("Pending", "InvalidAddressProof"), "5555": ("Active", "Active")}
    if account not in rows:
        return 404, {"error": "not found", "message": "There is no account " + account}
    status, reason = rows[account]
    return 200, {"accountId": int(account), "accountStatus": status, "reason": reason}
def handler(event, context):
    custom = getattr(getattr(context, "client_context", None), "custom", None) or {}
    if custom.get("bedrockAgentCoreToolName", "").endswith("___getAccountStatus"):
        return find(str(event["accountId"]))[1]
    assert event["messageVersion"] == "1.0" and event["agent"]["name"], event
    values = {one["name"]: one["value"] for one in event["parameters"]}
    code, body = find(values["accountId"])
    return {"messageVersion": "1.0", "response": {
        "actionGroup": event["actionGroup"], "apiPath": event["apiPath"], "httpMethod": event["httpMethod"],
        "httpStatusCode": code, "responseBody": {"application/json": {"body": json.dumps(body)}}}}
"""


def function():
    return {
        "Function": {
            "Type": "AWS::Lambda::Function",
            "Properties": {
                "Runtime": "python3.13", "Handler": "index.handler", "Role": arn_of("FunctionRole"), "Timeout": 20,
                "Code": {"ZipFile": CODE},
            },
        },
        "FunctionRole": role("lambda.amazonaws.com"),
    }


def classic():
    bucket = f"bank-{run}"
    make_bucket(bucket, stacks / "banking-agent/documents")
    schema = (stacks / "banking-agent/openapi/account-status.yaml").read_text()
    model = f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"
    resources = {
        **function(),
        **base_resources(bucket, False, None),
        "AgentRole": role(
            "bedrock.amazonaws.com", ("bedrock:InvokeModel", model), ("bedrock:Retrieve", arn_of("Base", "KnowledgeBaseArn"))
        ),
        "Agent": {
            "Type": "AWS::Bedrock::Agent",
            "Properties": {
                "AgentName": "bank", "AgentResourceRoleArn": arn_of("AgentRole"), "FoundationModel": NOVA,
                "Instruction": "You are the polite assistant of a bank and tell customers how their accounts stand.",
                "AutoPrepare": True,
                "ActionGroups": [
                    {
                        "ActionGroupName": "status",
                        "ActionGroupExecutor": {"Lambda": arn_of("Function")},
                        "ApiSchema": {"Payload": schema},
                    }
                ],
                "KnowledgeBases": [
                    {"KnowledgeBaseId": {"Ref": "Base"}, "Description": "Opening accounts", "KnowledgeBaseState": "ENABLED"}
                ],
            },
        },
        "Permission": {
            "Type": "AWS::Lambda::Permission",
            "Properties": {
                "Action": "lambda:InvokeFunction", "FunctionName": arn_of("Function"),
                "Principal": "bedrock.amazonaws.com", "SourceArn": arn_of("Agent", "AgentArn"),
            },
        },
        "Alias": {
            "Type": "AWS::Bedrock::AgentAlias",
            "Properties": {"AgentAliasName": "live", "AgentId": {"Ref": "Agent"}},
        },
    }
    outputs = {
        "Base": {"Ref": "Base"}, "Source": arn_of("Source", "DataSourceId"),
        "Agent": {"Ref": "Agent"}, "Alias": arn_of("Alias", "AgentAliasId"),
    }
    made = deploy("bank", resources, outputs)
    assert ingest(made)["status"] == "COMPLETE"

    def say(text, session="s-1", **more):
        response = agents.invoke_agent(
            agentId=made["Agent"], agentAliasId=made["Alias"], sessionId=session, inputText=text, **more
        )
        return list(response["completion"])

    def told(events):
        return "".join(event["chunk"]["bytes"].decode() for event in events if "chunk" in event)

    hello = told(say("Hi"))
    assert "account id" in hello, hello
    events = say("7777", enableTrace=True)
    assert "Pending" in told(events) and "InvalidAddressProof" in told(events), events
    traces = [event["trace"]["trace"]["orchestrationTrace"] for event in events if "trace" in event]
    inputs = [trace["invocationInput"]["actionGroupInvocationInput"] for trace in traces if "invocationInput" in trace]
    assert inputs[0]["parameters"][0]["value"] == "7777" and inputs[0]["verb"] == "get", inputs
    then = say("What do I have to do?")
    cited = then[-1]["chunk"]["attribution"]["citations"][0]["retrievedReferences"][0]
    assert cited["location"]["s3Location"]["uri"].endswith("proof-of-address.md"), then
    documents = told(say("Which documents are accepted as a proof of identity?", session="s-2"))
    assert "passport" in documents or "document" in documents, documents
    assert "no account 1234" in told(say("The number is 1234", session="s-3"))
    refused("ResourceNotFoundException", agents.invoke_agent, agentId="NOBODY1234", agentAliasId="TSTALIASID",
            sessionId="s-4", inputText="Hi")
    assert agent_api.get_agent(agentId=made["Agent"])["agent"]["agentStatus"] == "PREPARED"
    assert made["Agent"] in [one["agentId"] for one in agent_api.list_agents()["agentSummaries"]]
    assert agent_api.prepare_agent(agentId=made["Agent"])["agentStatus"] == "PREPARED"
    aliases = agent_api.list_agent_aliases(agentId=made["Agent"])["agentAliasSummaries"]
    assert [one["agentAliasId"] for one in aliases] == [made["Alias"]]
    alias = agent_api.get_agent_alias(agentId=made["Agent"], agentAliasId=made["Alias"])["agentAlias"]
    assert alias["agentAliasName"] == "live"


def node(name, kind, configuration, inputs, output):
    """A node; each input is (name, type, expression)."""
    return {
        "Name": name, "Type": kind, "Configuration": {kind: configuration},
        "Inputs": [{"Name": name, "Type": type_, "Expression": expression} for name, type_, expression in inputs],
        "Outputs": [{"Name": output[0], "Type": output[1]}] if output else [],
    }


def link(source, output, target, entry):
    return {
        "Name": f"{source}_{target}_{entry}", "Type": "Data", "Source": source, "Target": target,
        "Configuration": {"Data": {"SourceOutput": output, "TargetInput": entry}},
    }


LOOKUP = """
def handler(event, context):
    assert event["messageVersion"] == "1.0" and event["node"]["name"] == "lookup", event
    inputs = {one["name"]: one["value"] for one in event["node"]["inputs"]}
    if inputs["number"] == "0":
        raise ValueError("no such customer")
    return {"name": "Ada Lovelace", "number": inputs["number"]}
"""


def flows():
    bucket = f"letters-{run}"
    make_bucket(bucket, stacks / "elearning/documents")
    model = f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"
    variant = {
        "Name": "only", "TemplateType": "TEXT", "ModelId": NOVA,
        "TemplateConfiguration": {
            "Text": {"Text": "Context: {{name}} asked. {{rules}} Question: {{topic}}",
                     "InputVariables": [{"Name": "name"}, {"Name": "rules"}, {"Name": "topic"}]}
        },
    }
    nodes = [
        node("start", "Input", {}, [], ("document", "Object")),
        node("lookup", "LambdaFunction", {"LambdaArn": arn_of("Function")}, [("number", "String", "$.data.customer")],
             ("functionResponse", "Object")),
        node("passages", "KnowledgeBase", {"KnowledgeBaseId": {"Ref": "Base"}}, [("retrievalQuery", "String", "$.data.topic")],
             ("retrievalResults", "Array")),
        node("rules", "KnowledgeBase", {"KnowledgeBaseId": {"Ref": "Base"}, "ModelId": model},
             [("retrievalQuery", "String", "$.data.topic")], ("outputText", "String")),
        node("draft", "Prompt", {"SourceConfiguration": {"Resource": {"PromptArn": {"Ref": "PromptVersion"}}}},
             [("name", "String", "$.data.name"), ("rules", "String", "$.data"), ("topic", "String", "$.data.topic")],
             ("modelCompletion", "String")),
        node("talk", "Agent", {"AgentAliasArn": arn_of("Alias", "AgentAliasArn")}, [("agentInputText", "String", "$.data.topic")],
             ("agentResponse", "String")),
        node("letter", "Output", {}, [("document", "String", "$.data")], None),
        node("found", "Output", {}, [("document", "Array", "$.data")], None),
        node("said", "Output", {}, [("document", "String", "$.data")], None),
    ]
    links = [
        link("start", "document", "lookup", "number"), link("start", "document", "passages", "retrievalQuery"),
        link("start", "document", "rules", "retrievalQuery"), link("start", "document", "draft", "topic"),
        link("lookup", "functionResponse", "draft", "name"), link("rules", "outputText", "draft", "rules"),
        link("draft", "modelCompletion", "letter", "document"), link("passages", "retrievalResults", "found", "document"),
        link("start", "document", "talk", "agentInputText"), link("talk", "agentResponse", "said", "document"),
    ]
    rights = [
        ("lambda:InvokeFunction", arn_of("Function")),
        ("bedrock:Retrieve", arn_of("Base", "KnowledgeBaseArn")),
        ("bedrock:RetrieveAndGenerate", "*"),
        ("bedrock:InvokeModel", model),
        ("bedrock:RenderPrompt", {"Fn::Sub": "${Prompt.Arn}:*"}),
        ("bedrock:InvokeAgent", arn_of("Alias", "AgentAliasArn")),
    ]
    lookup = function()
    lookup["Function"]["Properties"]["Code"] = {"ZipFile": LOOKUP}
    resources = {
        **lookup,
        **base_resources(bucket, False, None),
        "Prompt": {
            "Type": "AWS::Bedrock::Prompt",
            "Properties": {"Name": "letter", "DefaultVariant": "only", "Variants": [variant]},
        },
        "PromptVersion": {"Type": "AWS::Bedrock::PromptVersion", "Properties": {"PromptArn": {"Ref": "Prompt"}}},
        "AgentRole": role("bedrock.amazonaws.com", ("bedrock:InvokeModel", model)),
        "Agent": {
            "Type": "AWS::Bedrock::Agent",
            "Properties": {
                "AgentName": "greeter", "AgentResourceRoleArn": arn_of("AgentRole"), "FoundationModel": NOVA,
                "Instruction": "You greet the customers of a school politely and tell them whom to ask.",
            },
        },
        "Alias": {"Type": "AWS::Bedrock::AgentAlias", "Properties": {"AgentAliasName": "live", "AgentId": {"Ref": "Agent"}}},
        "FlowRole": role("bedrock.amazonaws.com", *rights),
        "PoorRole": role("bedrock.amazonaws.com", *rights[1:]),
    }
    properties = {"Name": "letters", "ExecutionRoleArn": arn_of("FlowRole"), "Definition": {"Nodes": nodes, "Connections": links}}
    resources["Flow"] = {"Type": "AWS::Bedrock::Flow", "Properties": properties}
    resources["Version"] = {"Type": "AWS::Bedrock::FlowVersion", "Properties": {"FlowArn": {"Ref": "Flow"}}}
    resources["Live"] = {
        "Type": "AWS::Bedrock::FlowAlias",
        "Properties": {
            "Name": "live", "FlowArn": {"Ref": "Flow"}, "RoutingConfiguration": [{"FlowVersion": arn_of("Version", "Version")}]
        },
    }
    poor = {**properties, "Name": "poor", "ExecutionRoleArn": arn_of("PoorRole")}
    resources["Poor"] = {"Type": "AWS::Bedrock::Flow", "Properties": poor}
    asking = {"Nodes": [nodes[0], {**nodes[-1], "Name": "end"}, node("lex", "Lex", {}, [], None)], "Connections": []}
    resources["Lex"] = {"Type": "AWS::Bedrock::Flow", "Properties": {**properties, "Name": "lex", "Definition": asking}}
    outputs = {
        "Base": {"Ref": "Base"}, "Source": arn_of("Source", "DataSourceId"), "Flow": arn_of("Flow", "Id"),
        "Arn": {"Ref": "Flow"}, "Alias": arn_of("Live", "Id"), "AliasArn": arn_of("Live", "Arn"), "Poor": arn_of("Poor", "Id"),
        "Lex": arn_of("Lex", "Id"),
    }
    made = deploy("letters", resources, outputs)
    assert ingest(made)["status"] == "COMPLETE"

    def start(document, flow=made["Flow"], alias=made["Alias"], **more):
        given = [{"nodeName": "start", "nodeOutputName": "document", "content": {"document": document}}]
        return agents.invoke_flow(flowIdentifier=flow, flowAliasIdentifier=alias, inputs=given, **more)

    question = {"customer": "4711", "topic": "How long are certificates valid?"}
    answer = start(question)
    assert answer["executionId"], answer
    events = list(answer["responseStream"])
    given = {event["flowOutputEvent"]["nodeName"]: event["flowOutputEvent"]["content"]["document"] for event in events[:-1]}
    assert "24 months" in given["letter"] and "24 months" in given["found"][0]["content"]["text"], given
    assert isinstance(given["said"], str) and given["said"], given
    assert events[-1] == {"flowCompletionEvent": {"completionReason": "SUCCESS"}}, events
    for flow, alias in [(made["Arn"], made["AliasArn"]), (made["Flow"], "TSTALIASID")]:
        assert "flowCompletionEvent" in list(start(question, flow, alias)["responseStream"])[-1]
    traces = [event["flowTraceEvent"]["trace"] for event in start(question, enableTrace=True)["responseStream"] if "flowTraceEvent" in event]
    looked = [trace["nodeOutputTrace"] for trace in traces if trace.get("nodeOutputTrace", {}).get("nodeName") == "lookup"]
    assert looked[0]["fields"][0]["content"]["document"]["name"] == "Ada Lovelace", looked

    def fails(kind, words, stream):
        try:
            list(stream["responseStream"])
        except botocore.exceptions.EventStreamError as error:
            assert error.response["Error"]["Code"] == kind and words in error.response["Error"]["Message"], error.response
            return
        raise AssertionError(f"the flow did not fail with {kind}")

    fails("dependencyFailedException", "no such customer", start({**question, "customer": "0"}))
    fails("validationException", "is of type String", start({**question, "customer": 4711}))
    fails("validationException", "finds nothing", start({"topic": "x"}))
    fails("accessDeniedException", "lambda:InvokeFunction", start(question, made["Poor"], "TSTALIASID"))
    assert "a node of type Lex" in refused("NotImplemented", start, document=question, flow=made["Lex"], alias="TSTALIASID")
    refused("ValidationException", start, document="text")
    refused("ResourceNotFoundException", start, document=question, flow="NOBODY1234")
    refused("ResourceNotFoundException", start, document=question, alias="NOBODY1234")

    told = agent_api.get_flow(flowIdentifier=made["Flow"])
    assert told["status"] == "Prepared" and len(told["definition"]["nodes"]) == len(nodes), told
    assert told["definition"]["nodes"][1]["configuration"]["lambdaFunction"]["lambdaArn"].startswith("arn:aws:lambda:")
    assert made["Flow"] in [one["id"] for one in agent_api.list_flows()["flowSummaries"]]
    assert agent_api.get_flow_version(flowIdentifier=made["Flow"], flowVersion="1")["version"] == "1"
    versions = agent_api.list_flow_versions(flowIdentifier=made["Flow"])["flowVersionSummaries"]
    assert [one["version"] for one in versions] == ["1"], versions
    alias = agent_api.get_flow_alias(flowIdentifier=made["Flow"], aliasIdentifier=made["Alias"])
    assert alias["routingConfiguration"] == [{"flowVersion": "1"}] and alias["name"] == "live", alias
    assert len(agent_api.list_flow_aliases(flowIdentifier=made["Flow"])["flowAliasSummaries"]) == 1
    refused("NotImplemented", agent_api.prepare_flow, flowIdentifier=made["Flow"])


class Mcp:
    """A client of a gateway's own endpoint, which signs what it sends."""

    def __init__(self, gateway, keys=None, sign=True, token=None):
        self.url = f"{endpoint}/_aws/bedrock-agentcore/{gateway}/mcp"
        keys = keys or {"AccessKeyId": "local", "SecretAccessKey": "local"}
        self.token = token
        self.keys = Credentials(keys["AccessKeyId"], keys["SecretAccessKey"], keys.get("SessionToken")) if sign else None

    def send(self, method, number=1, **parameters):
        """The status, and what is answered."""
        message = {"jsonrpc": "2.0", "method": method, "params": parameters, **({"id": number} if number else {})}
        body = json.dumps(message)
        request = AWSRequest("POST", self.url, data=body, headers={"Content-Type": "application/json"})
        if self.keys:
            SigV4Auth(self.keys, "bedrock-agentcore", region).add_auth(request)
        if self.token:
            request.headers["Authorization"] = f"Bearer {self.token}"
        sent = urllib.request.Request(self.url, body.encode(), dict(request.headers), method="POST")
        try:
            with urllib.request.urlopen(sent) as answer:
                return answer.status, json.loads(answer.read() or "null")
        except urllib.error.HTTPError as error:
            return error.code, json.loads(error.read() or "null")

    def result(self, method, **parameters):
        status, answer = self.send(method, **parameters)
        assert status == 200 and answer["jsonrpc"] == "2.0" and answer["id"] == 1, (status, answer)
        return answer["result"]

    def use(self, tool, **arguments):
        """A tool's answer, or what it refused with."""
        result = self.result("tools/call", name=tool, arguments=arguments)
        text = result["content"][0]["text"]
        return text if result["isError"] else json.loads(text)


def protocol(made):
    """The gateway's own endpoint."""
    client_ = Mcp(made["Gateway"])
    hello = client_.result("initialize", protocolVersion="2025-03-26", capabilities={}, clientInfo={"name": "t", "version": "1"})
    assert hello["protocolVersion"] == "2025-03-26" and "tools" in hello["capabilities"], hello
    assert client_.send("notifications/initialized", number=None) == (202, None)
    assert client_.result("ping") == {}
    tools_ = {tool["name"]: tool for tool in client_.result("tools/list")["tools"]}
    assert sorted(tools_) == ["bank___AgenticRetrieveStream", "bank___Retrieve", "status___getAccountStatus"], tools_
    assert tools_["status___getAccountStatus"]["inputSchema"]["required"] == ["accountId"], tools_
    assert client_.use("status___getAccountStatus", accountId=7777)["accountStatus"] == "Pending"
    # Which knowledge base is searched stands in the gateway, whatever is said.
    found = client_.use("bank___Retrieve", retrievalQuery={"text": "proof of address"}, knowledgeBaseId="NOBODY1234")
    assert "address" in found["retrievalResults"][0]["content"]["text"].lower(), found
    message = {"role": "user", "content": {"text": "Which documents prove an identity?"}}
    found = client_.use("bank___AgenticRetrieveStream", messages=[message])
    assert found["results"] and found["results"][0]["sourceRetriever"]["identifier"] == made["Base"], found
    assert client_.send("tools/call", name="nobody")[1]["error"]["code"] == -32602
    assert client_.send("resources/list")[1]["error"]["code"] == -32601

    assert Mcp(made["Gateway"], sign=False).send("ping")[0] == 403
    assert Mcp("nobody-1234567890").send("ping")[0] == 404
    status, answer = Mcp(made["Tokens"]).send("ping")
    assert status == 501 and "CUSTOM_JWT" in answer["message"], answer

    people, ada = client("cognito-idp"), {"UserPoolId": made["Pool"], "Username": "ada"}
    people.admin_create_user(**ada)
    people.admin_set_user_password(**ada, Password="Correct-horse-7", Permanent=True)

    def token(app):
        said = {"USERNAME": "ada", "PASSWORD": "Correct-horse-7"}
        answer = people.initiate_auth(ClientId=app, AuthFlow="USER_PASSWORD_AUTH", AuthParameters=said)
        return answer["AuthenticationResult"]["AccessToken"]

    own = Mcp(made["People"], sign=False, token=token(made["App"]))
    assert own.use("status___getAccountStatus", accountId=7777)["accountStatus"] == "Pending"
    assert own.send("ping")[0] == 200
    for wrong in [None, "no.token.atall", token(made["Other"])]:
        assert Mcp(made["People"], sign=False, token=wrong).send("ping")[0] == 401, wrong

    def as_role(name):
        return Mcp(made["Gateway"], client("sts").assume_role(RoleArn=made[name], RoleSessionName="me")["Credentials"])

    assert as_role("Friend").use("status___getAccountStatus", accountId=5555)["accountStatus"] == "Active"
    status, answer = as_role("Stranger").send("ping")
    assert status == 403 and "bedrock-agentcore:InvokeGateway" in answer["message"], answer


def agentic(made):
    def search(text, **more):
        answer = agents.agentic_retrieve_stream(
            messages=[{"role": "user", "content": {"text": text}}],
            retrievers=[{"configuration": {"knowledgeBase": {"knowledgeBaseId": made["Base"]}}}],
            agenticRetrieveConfiguration={"foundationModelType": "MANAGED"},
            **more,
        )
        return list(answer["stream"])

    events = search("Which documents prove an address? Which documents prove an identity?")
    steps = [event["traceEvent"]["attributes"]["step"] for event in events if "traceEvent" in event]
    assert steps == ["Planning", "Retrieval", "Retrieval"], steps
    result = events[-1]["result"]
    told = "".join(event["responseEvent"]["text"] for event in events if "responseEvent" in event)
    assert told and told == result["generatedResponse"]["answer"], events
    citation = result["generatedResponse"]["citations"][0]
    source = result["results"][citation["references"][0]["resultIndex"]]
    assert told[citation["startIndex"] : citation["endIndex"]].rstrip(".") in source["content"]["text"].replace("\n", " "), (citation, source)
    events = search("Which documents prove an address?", generateResponse=False)
    assert "generatedResponse" not in events[-1]["result"] and not any("responseEvent" in event for event in events)
    refused("NotImplemented", search, text="x", userContext={"userId": "u"})
    refused("ValidationException", search, text=" ")


def agentcore():
    bucket = f"managed-{run}"
    make_bucket(bucket, stacks / "banking-agent/documents")
    schema = {
        "Type": "object", "Required": ["accountId"],
        "Properties": {"accountId": {"Type": "integer", "Description": "The number of the account"}},
    }
    tool = {"Name": "getAccountStatus", "Description": "The status of a new account", "InputSchema": schema}
    connector = {
        "Source": {"ConnectorId": "bedrock-knowledge-bases"},
        "Enabled": ["Retrieve", "AgenticRetrieveStream"],
        "Configurations": [
            {"Name": "Retrieve", "ParameterValues": {"knowledgeBaseId": {"Ref": "Base"}}},
            {
                "Name": "AgenticRetrieveStream",
                "ParameterValues": {
                    "retrievers": [{"configuration": {"knowledgeBase": {"knowledgeBaseId": {"Ref": "Base"}}}}],
                    "agenticRetrieveConfiguration": {"foundationModelType": "MANAGED", "maxAgentIteration": 2},
                },
            },
        ],
    }
    tokens = {"CustomJWTAuthorizer": {"DiscoveryUrl": "https://login.example/.well-known/openid-configuration"}}
    pool_url = "https://cognito-idp.${AWS::Region}.amazonaws.com/${Pool}/.well-known/openid-configuration"
    by_password = {"UserPoolId": {"Ref": "Pool"}, "ExplicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"]}
    own = [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}]
    model = f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"
    resources = {
        **function(),
        **base_resources(bucket, True, None),
        "GatewayRole": role(
            "bedrock-agentcore.amazonaws.com",
            ("lambda:InvokeFunction", arn_of("Function")),
            (["bedrock:Retrieve", "bedrock:GetKnowledgeBase"], arn_of("Base", "KnowledgeBaseArn")),
            ("bedrock:AgenticRetrieveStream", "*"),
        ),
        "Tokens": {
            "Type": "AWS::BedrockAgentCore::Gateway",
            "Properties": {
                "Name": "tokens", "AuthorizerType": "CUSTOM_JWT", "AuthorizerConfiguration": tokens, "ProtocolType": "MCP",
                "RoleArn": arn_of("GatewayRole"),
            },
        },
        "Pool": {"Type": "AWS::Cognito::UserPool", "Properties": {"UserPoolName": "people"}},
        "App": {"Type": "AWS::Cognito::UserPoolClient", "Properties": by_password},
        "Other": {"Type": "AWS::Cognito::UserPoolClient", "Properties": by_password},
        "People": {
            "Type": "AWS::BedrockAgentCore::Gateway",
            "Properties": {
                "Name": "people", "AuthorizerType": "CUSTOM_JWT", "ProtocolType": "MCP", "RoleArn": arn_of("GatewayRole"),
                "AuthorizerConfiguration": {
                    "CustomJWTAuthorizer": {"DiscoveryUrl": {"Fn::Sub": pool_url}, "AllowedClients": [{"Ref": "App"}]}
                },
            },
        },
        "PeopleStatus": {
            "Type": "AWS::BedrockAgentCore::GatewayTarget",
            "Properties": {
                "GatewayIdentifier": {"Ref": "People"}, "Name": "status", "CredentialProviderConfigurations": own,
                "TargetConfiguration": {
                    "Mcp": {"Lambda": {"LambdaArn": arn_of("Function"), "ToolSchema": {"InlinePayload": [tool]}}}
                },
            },
        },
        "Friend": of_account(("bedrock-agentcore:InvokeGateway", arn_of("Gateway", "GatewayArn"))),
        "Stranger": of_account(("bedrock-agentcore:GetGateway", arn_of("Gateway", "GatewayArn"))),
        "Gateway": {
            "Type": "AWS::BedrockAgentCore::Gateway",
            "Properties": {
                "Name": "bank", "AuthorizerType": "AWS_IAM", "ProtocolType": "MCP", "RoleArn": arn_of("GatewayRole")
            },
        },
        "Status": {
            "Type": "AWS::BedrockAgentCore::GatewayTarget",
            "Properties": {
                "GatewayIdentifier": {"Ref": "Gateway"}, "Name": "status", "CredentialProviderConfigurations": own,
                "TargetConfiguration": {
                    "Mcp": {"Lambda": {"LambdaArn": arn_of("Function"), "ToolSchema": {"InlinePayload": [tool]}}}
                },
            },
        },
        "Knowledge": {
            "Type": "AWS::BedrockAgentCore::GatewayTarget",
            "Properties": {
                "GatewayIdentifier": {"Ref": "Gateway"}, "Name": "bank", "CredentialProviderConfigurations": own,
                "TargetConfiguration": {"Mcp": {"Connector": connector}},
            },
        },
        "HarnessRole": role(
            "bedrock-agentcore.amazonaws.com",
            (["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], model),
            ("bedrock-agentcore:InvokeGateway", arn_of("Gateway", "GatewayArn")),
        ),
        "Harness": {
            "Type": "AWS::BedrockAgentCore::Harness",
            "Properties": {
                "HarnessName": "bank", "ExecutionRoleArn": arn_of("HarnessRole"),
                "Model": {"BedrockModelConfig": {"ModelId": NOVA}},
                "SystemPrompt": [{"Text": "You are the assistant of a bank."}],
                "Tools": [
                    {
                        "Type": "agentcore_gateway", "Name": "gateway",
                        "Config": {"AgentCoreGateway": {"GatewayArn": arn_of("Gateway", "GatewayArn")}},
                    }
                ],
                "AllowedTools": ["@gateway/*"],
            },
        },
    }
    outputs = {
        "Base": {"Ref": "Base"}, "Source": arn_of("Source", "DataSourceId"), "Harness": arn_of("Harness"),
        "Friend": arn_of("Friend"), "Stranger": arn_of("Stranger"), "Tokens": {"Ref": "Tokens"},
        "Pool": {"Ref": "Pool"}, "App": {"Ref": "App"}, "Other": {"Ref": "Other"}, "People": {"Ref": "People"},
        "Gateway": {"Ref": "Gateway"}, "Target": arn_of("Status", "TargetId"), "Id": arn_of("Harness", "HarnessId"),
    }
    made = deploy("core", resources, outputs)
    assert ingest(made)["status"] == "COMPLETE"
    model_arn = f"arn:aws:bedrock:{region}::foundation-model/{NOVA}"
    refused(
        "ValidationException", agents.retrieve_and_generate, input={"text": "Hi"},
        retrieveAndGenerateConfiguration={
            "type": "KNOWLEDGE_BASE",
            "knowledgeBaseConfiguration": {"knowledgeBaseId": made["Base"], "modelArn": model_arn},
        },
    )
    session = f"session-{run}-of-thirty-three-characters"

    def say(text, session=session):
        messages = [{"role": "user", "content": [{"text": text}]}]
        stream = harnesses.invoke_harness(harnessArn=made["Harness"], runtimeSessionId=session, messages=messages)["stream"]
        return list(stream)

    def told(events):
        deltas = [event["contentBlockDelta"]["delta"] for event in events if "contentBlockDelta" in event]
        return "".join(delta.get("text", "") for delta in deltas)

    assert "account id" in told(say("Hi"))
    events = say("7777")
    starts = [event["contentBlockStart"]["start"] for event in events if "contentBlockStart" in event]
    assert starts[0]["toolUse"]["name"] == "status___getAccountStatus" and starts[1]["toolResult"]["status"] == "success"
    stops = [event["messageStop"]["stopReason"] for event in events if "messageStop" in event]
    assert stops == ["tool_use", "tool_result", "end_turn"], stops
    assert "Pending" in told(events) and "InvalidAddressProof" in told(events), told(events)
    then = told(say("What do I have to do?"))
    assert "document" in then or "address" in then, then
    harness = control.get_harness(harnessId=made["Id"])["harness"]
    assert harness["status"] == "READY" and harness["allowedTools"] == ["@gateway/*"], harness
    assert made["Harness"] in [one["arn"] for one in control.list_harnesses()["harnesses"]]
    assert control.get_gateway(gatewayIdentifier=made["Gateway"])["status"] == "READY"
    assert made["Gateway"] in [one["gatewayId"] for one in control.list_gateways()["items"]]
    targets = control.list_gateway_targets(gatewayIdentifier=made["Gateway"])["items"]
    assert sorted(one["name"] for one in targets) == ["bank", "status"]
    target = control.get_gateway_target(gatewayIdentifier=made["Gateway"], targetId=made["Target"])
    assert target["name"] == "status" and "lambda" in target["targetConfiguration"]["mcp"], target
    refused("NotImplemented", control.list_memories)
    agentic(made)
    protocol(made)


steps = (
    catalogue, application_profile, which_model, pictures, vectors, native, conversations, tools, guards,
    knowledge, rights_of_knowledge, classic, flows, agentcore,
)
for step in steps:
    step()
print(f"Bedrock behaves as expected under boto3 {boto3.__version__}")
