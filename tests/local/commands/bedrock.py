"""Drives Bedrock and AgentCore of the local target with the AWS CLI: every operation that has a command.

Usage: bedrock.py ENDPOINT_URL. Ends with 0 when every command did, with a traceback otherwise.
"""

import json
import pathlib
import sys
import time
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from aws import REGION, Aws, folder, write

run = uuid.uuid4().hex[:8]
work = folder()
aws = Aws(sys.argv[1], work.name)
NOVA = "amazon.nova-lite-v1:0"
MODEL = f"arn:aws:bedrock:{REGION}::foundation-model/{NOVA}"
EMBEDDING = f"arn:aws:bedrock:{REGION}::foundation-model/amazon.titan-embed-text-v2:0"
bucket = f"documents-{run}"


def arn(logical_id, attribute="Arn"):
    return {"Fn::GetAtt": [logical_id, attribute]}


def role(service, *statements):
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    allowed = [{"Effect": "Allow", "Action": actions, "Resource": resources} for actions, resources in statements]
    return {
        "Type": "AWS::IAM::Role",
        "Properties": {
            "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": [trust]},
            "Policies": [{"PolicyName": "uses", "PolicyDocument": {"Version": "2012-10-17", "Statement": allowed}}],
        },
    }


RESOURCES = {
    "Guardrail": {
        "Type": "AWS::Bedrock::Guardrail",
        "Properties": {
            "Name": f"g-{run}", "BlockedInputMessaging": "No.", "BlockedOutputsMessaging": "No.",
            "WordPolicyConfig": {"WordsConfig": [{"Text": "project bluebird"}]},
        },
    },
    "BaseRole": role(
        "bedrock.amazonaws.com",
        ("s3:ListBucket", f"arn:aws:s3:::{bucket}"),
        ("s3:GetObject", f"arn:aws:s3:::{bucket}/*"),
        ("bedrock:InvokeModel", EMBEDDING),
        ("s3vectors:*", arn("Index", "IndexArn")),
    ),
    "Vectors": {"Type": "AWS::S3Vectors::VectorBucket", "Properties": {"VectorBucketName": f"v-{run}"}},
    "Index": {
        "Type": "AWS::S3Vectors::Index", "DependsOn": "Vectors",
        "Properties": {
            "IndexName": "index", "VectorBucketName": f"v-{run}", "DataType": "float32", "Dimension": 1024,
            "DistanceMetric": "cosine",
        },
    },
    "Base": {
        "Type": "AWS::Bedrock::KnowledgeBase",
        "Properties": {
            "Name": f"kb-{run}", "RoleArn": arn("BaseRole"),
            "KnowledgeBaseConfiguration": {
                "Type": "VECTOR", "VectorKnowledgeBaseConfiguration": {"EmbeddingModelArn": EMBEDDING},
            },
            "StorageConfiguration": {"Type": "S3_VECTORS", "S3VectorsConfiguration": {"IndexArn": arn("Index", "IndexArn")}},
        },
    },
    "Source": {
        "Type": "AWS::Bedrock::DataSource",
        "Properties": {
            "Name": "documents", "KnowledgeBaseId": {"Ref": "Base"},
            "DataSourceConfiguration": {"Type": "S3", "S3Configuration": {"BucketArn": f"arn:aws:s3:::{bucket}"}},
        },
    },
    "Prompt": {
        "Type": "AWS::Bedrock::Prompt",
        "Properties": {
            "Name": f"prompt-{run}", "DefaultVariant": "only",
            "Variants": [
                {
                    "Name": "only", "TemplateType": "TEXT", "ModelId": NOVA,
                    "TemplateConfiguration": {"Text": {"Text": "Say {{what}}", "InputVariables": [{"Name": "what"}]}},
                }
            ],
        },
    },
    "FlowRole": role("bedrock.amazonaws.com", ("bedrock:InvokeModel", MODEL)),
    "Flow": {
        "Type": "AWS::Bedrock::Flow",
        "Properties": {
            "Name": f"flow-{run}", "ExecutionRoleArn": arn("FlowRole"),
            "Definition": {
                "Nodes": [
                    {
                        "Name": "start", "Type": "Input", "Configuration": {"Input": {}},
                        "Outputs": [{"Name": "document", "Type": "String"}],
                    },
                    {
                        "Name": "end", "Type": "Output", "Configuration": {"Output": {}},
                        "Inputs": [{"Name": "document", "Type": "String", "Expression": "$.data"}],
                    },
                ],
                "Connections": [
                    {
                        "Name": "all", "Type": "Data", "Source": "start", "Target": "end",
                        "Configuration": {"Data": {"SourceOutput": "document", "TargetInput": "document"}},
                    }
                ],
            },
        },
    },
    "FlowVersion": {"Type": "AWS::Bedrock::FlowVersion", "Properties": {"FlowArn": {"Ref": "Flow"}}},
    "FlowAlias": {
        "Type": "AWS::Bedrock::FlowAlias",
        "Properties": {
            "Name": "live", "FlowArn": {"Ref": "Flow"},
            "RoutingConfiguration": [{"FlowVersion": arn("FlowVersion", "Version")}],
        },
    },
    "AgentRole": role("bedrock.amazonaws.com", ("bedrock:InvokeModel", MODEL)),
    "Agent": {
        "Type": "AWS::Bedrock::Agent",
        "Properties": {
            "AgentName": f"agent-{run}", "AgentResourceRoleArn": arn("AgentRole"), "FoundationModel": NOVA,
            "Instruction": "You are the polite assistant of a bank and tell customers how their accounts stand.",
        },
    },
    "Alias": {"Type": "AWS::Bedrock::AgentAlias", "Properties": {"AgentAliasName": "live", "AgentId": {"Ref": "Agent"}}},
    "CoreRole": role(
        "bedrock-agentcore.amazonaws.com",
        (["bedrock:InvokeModel", "bedrock:InvokeModelWithResponseStream"], MODEL),
        (["bedrock:Retrieve", "bedrock:GetKnowledgeBase"], arn("Base", "KnowledgeBaseArn")),
    ),
    "Gateway": {
        "Type": "AWS::BedrockAgentCore::Gateway",
        "Properties": {
            "Name": f"gateway-{run}", "AuthorizerType": "AWS_IAM", "ProtocolType": "MCP", "RoleArn": arn("CoreRole"),
        },
    },
    "Target": {
        "Type": "AWS::BedrockAgentCore::GatewayTarget",
        "Properties": {
            "GatewayIdentifier": {"Ref": "Gateway"}, "Name": "texts",
            "CredentialProviderConfigurations": [{"CredentialProviderType": "GATEWAY_IAM_ROLE"}],
            "TargetConfiguration": {
                "Mcp": {
                    "Connector": {
                        "Source": {"ConnectorId": "bedrock-knowledge-bases"}, "Enabled": ["Retrieve"],
                        "Configurations": [{"Name": "Retrieve", "ParameterValues": {"knowledgeBaseId": {"Ref": "Base"}}}],
                    }
                }
            },
        },
    },
    "Harness": {
        "Type": "AWS::BedrockAgentCore::Harness",
        "Properties": {
            "HarnessName": f"harness_{run}", "ExecutionRoleArn": arn("CoreRole"),
            "Model": {"BedrockModelConfig": {"ModelId": NOVA}}, "SystemPrompt": [{"Text": "You are kind."}],
        },
    },
}
OUTPUTS = {
    "Guardrail": arn("Guardrail", "GuardrailId"), "Base": {"Ref": "Base"}, "Source": arn("Source", "DataSourceId"),
    "Agent": {"Ref": "Agent"}, "Alias": arn("Alias", "AgentAliasId"), "Gateway": {"Ref": "Gateway"},
    "Prompt": {"Ref": "Prompt"}, "Flow": arn("Flow", "Id"), "FlowAlias": arn("FlowAlias", "Id"),
    "Target": arn("Target", "TargetId"), "Harness": arn("Harness", "HarnessId"),
}


def catalogue(made):
    assert NOVA in aws("bedrock list-foundation-models --query modelSummaries[].modelId")
    assert aws(f"bedrock get-foundation-model --model-identifier {NOVA}")["modelDetails"]["modelArn"] == MODEL
    told = aws(f"bedrock get-foundation-model-availability --model-id {NOVA}")
    assert told["authorizationStatus"] == "AUTHORIZED", told
    profile = aws("bedrock list-inference-profiles")["inferenceProfileSummaries"][0]["inferenceProfileId"]
    assert aws(f"bedrock get-inference-profile --inference-profile-identifier {profile}")["models"]
    assert f"g-{run}" in aws("bedrock list-guardrails --query guardrails[].name")
    assert aws(f"bedrock get-guardrail --guardrail-identifier {made['Guardrail']}")["name"] == f"g-{run}"
    aws.refused("NotImplemented", "bedrock list-custom-models")


def models(made):
    messages = [{"role": "user", "content": [{"text": "Hi"}]}]
    ask = f"bedrock-runtime converse --model-id {NOVA} --messages {{messages}}"
    assert aws(ask, messages=messages)["output"]["message"]["content"][0]["text"].startswith("Hello")
    counted = aws(f"bedrock-runtime count-tokens --model-id {NOVA} --input {{input}}", input={"converse": {"messages": messages}})
    assert counted["inputTokens"] > 0
    body = {"messages": messages}
    aws(f"bedrock-runtime invoke-model --model-id {NOVA} --body {{body}} answer.json", body=body)
    assert json.loads(pathlib.Path("answer.json").read_text())["stopReason"] == "end_turn"
    apply = f"bedrock-runtime apply-guardrail --guardrail-identifier {made['Guardrail']} --guardrail-version DRAFT"
    said = [{"text": {"text": "Tell me of project bluebird"}}]
    assert aws(f"{apply} --source INPUT --content {{said}}", said=said)["action"] == "GUARDRAIL_INTERVENED"


def knowledge(made):
    of = f"--knowledge-base-id {made['Base']}"
    source = f"{of} --data-source-id {made['Source']}"
    assert aws(f"bedrock-agent get-knowledge-base {of}")["knowledgeBase"]["status"] == "ACTIVE"
    assert made["Base"] in aws("bedrock-agent list-knowledge-bases --query knowledgeBaseSummaries[].knowledgeBaseId")
    assert aws(f"bedrock-agent get-data-source {source}")["dataSource"]["name"] == "documents"
    assert len(aws(f"bedrock-agent list-data-sources {of}")["dataSourceSummaries"]) == 1

    def ended(job):
        while job["status"] not in ("COMPLETE", "STOPPED", "FAILED"):
            time.sleep(0.05)
            job = aws(f"bedrock-agent get-ingestion-job {source} --ingestion-job-id {job['ingestionJobId']}")["ingestionJob"]
        return job["status"]

    start = f"bedrock-agent start-ingestion-job {source}"
    assert ended(aws(start)["ingestionJob"]) == "COMPLETE"
    # So much that the job is not through with it before the next command.
    pathlib.Path("many").mkdir()
    page = "\n\n".join(f"Rule {number} says that unit {number} has its own room." for number in range(60))
    for number in range(500):
        write(f"many/{number:03}.md", page)
    aws(f"s3 cp many s3://{bucket}/many --recursive --quiet")
    job = aws(start)["ingestionJob"]
    stopping = aws(f"bedrock-agent stop-ingestion-job {source} --ingestion-job-id {job['ingestionJobId']}")["ingestionJob"]
    assert stopping["status"] == "STOPPING" and ended(stopping) == "STOPPED"
    assert len(aws(f"bedrock-agent list-ingestion-jobs {source}")["ingestionJobSummaries"]) == 2

    query = {"text": "How long are certificates valid?"}
    found = aws(f"bedrock-agent-runtime retrieve {of} --retrieval-query {{query}}", query=query)["retrievalResults"]
    assert "24 months" in found[0]["content"]["text"], found
    own = {"knowledgeBaseId": made["Base"], "modelArn": MODEL}
    config = {"type": "KNOWLEDGE_BASE", "knowledgeBaseConfiguration": own}
    ask = "bedrock-agent-runtime retrieve-and-generate --input {query} --retrieve-and-generate-configuration {config}"
    assert "24 months" in aws(ask, query=query, config=config)["output"]["text"]


def agents(made):
    of = f"--agent-id {made['Agent']}"
    assert aws(f"bedrock-agent prepare-agent {of}")["agentStatus"] == "PREPARED"
    assert aws(f"bedrock-agent get-agent {of}")["agent"]["agentName"] == f"agent-{run}"
    assert made["Agent"] in aws("bedrock-agent list-agents --query agentSummaries[].agentId")
    assert len(aws(f"bedrock-agent list-agent-aliases {of}")["agentAliasSummaries"]) == 1
    alias = aws(f"bedrock-agent get-agent-alias {of} --agent-alias-id {made['Alias']}")["agentAlias"]
    assert alias["agentAliasName"] == "live"


def prompts_and_flows(made):
    assert aws(f"bedrock-agent get-prompt --prompt-identifier {made['Prompt']}")["name"] == f"prompt-{run}"
    assert f"prompt-{run}" in aws("bedrock-agent list-prompts --query promptSummaries[].name")
    of = f"--flow-identifier {made['Flow']}"
    assert len(aws(f"bedrock-agent get-flow {of}")["definition"]["nodes"]) == 2
    assert made["Flow"] in aws("bedrock-agent list-flows --query flowSummaries[].id")
    assert aws(f"bedrock-agent get-flow-version {of} --flow-version 1")["version"] == "1"
    assert len(aws(f"bedrock-agent list-flow-versions {of}")["flowVersionSummaries"]) == 1
    assert aws(f"bedrock-agent get-flow-alias {of} --alias-identifier {made['FlowAlias']}")["name"] == "live"
    assert len(aws(f"bedrock-agent list-flow-aliases {of}")["flowAliasSummaries"]) == 1


def agentcore(made):
    control, of = "bedrock-agentcore-control", f"--gateway-identifier {made['Gateway']}"
    assert aws(f"{control} get-gateway {of}")["status"] == "READY"
    assert made["Gateway"] in aws(f"{control} list-gateways --query items[].gatewayId")
    assert aws(f"{control} get-gateway-target {of} --target-id {made['Target']}")["name"] == "texts"
    assert len(aws(f"{control} list-gateway-targets {of}")["items"]) == 1
    assert aws(f"{control} get-harness --harness-id {made['Harness']}")["harness"]["status"] == "READY"
    assert made["Harness"] in aws(f"{control} list-harnesses --query harnesses[].harnessId")
    aws.refused("NotImplemented", f"{control} list-memories")


aws(f"s3api create-bucket --bucket {bucket} --create-bucket-configuration LocationConstraint={REGION}")
write("rules.md", "# Rules\n\nCertificates are valid for 24 months.\n")
aws(f"s3api put-object --bucket {bucket} --key rules.md --body rules.md")
made = aws.deploy(f"bedrock-{run}", {"Resources": RESOURCES, "Outputs": {name: {"Value": value} for name, value in OUTPUTS.items()}})
for step in (catalogue, models, knowledge, agents, prompts_and_flows, agentcore):
    step(made)
print("Bedrock is as the AWS CLI expects it")
