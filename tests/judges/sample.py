"""Sample values for what CloudFormation fills in, so that judges who know no intrinsic function can read a policy.

Every name becomes a plausible one, and every ARN has the form of its resource type's: a judge then sees whether an
action goes with the resource it is granted on.
"""

import re

from policy_sentry.querying.arns import get_arn_types_for_service

ACCOUNT = "123456789012"
NOTHING = object()

# What follows `arn:aws:` for the types whose ARN cannot be told from their name.
ARNS = {
    "AWS::ApiGateway::RestApi": "apigateway:{region}::/restapis/{id}",
    "AWS::Bedrock::AgentAlias": "bedrock:{region}:{account}:agent-alias/ABCDEFGHIJ/{id}",
    "AWS::Bedrock::PromptVersion": "bedrock:{region}:{account}:prompt/ABCDEFGHIJ:1",
    "AWS::Bedrock::FlowAlias": "bedrock:{region}:{account}:flow/ABCDEFGHIJ/alias/{id}",
    "AWS::BedrockAgentCore::Harness": "bedrock-agentcore:{region}:{account}:harness/{id}",
    "AWS::Cognito::UserPool": "cognito-idp:{region}:{account}:userpool/{region}_ABCDEFGHI",
    "AWS::DynamoDB::Table": "dynamodb:{region}:{account}:table/{id}",
    "AWS::IAM::ManagedPolicy": "iam::{account}:policy/{id}",
    "AWS::IAM::Role": "iam::{account}:role/{id}",
    "AWS::KMS::Key": "kms:{region}:{account}:key/12345678-1234-1234-1234-123456789012",
    "AWS::Lambda::Alias": "lambda:{region}:{account}:function:{id}:live",
    "AWS::Lambda::Function": "lambda:{region}:{account}:function:{id}",
    "AWS::Lambda::LayerVersion": "lambda:{region}:{account}:layer:{id}:1",
    "AWS::Logs::LogGroup": "logs:{region}:{account}:log-group:{id}:*",
    "AWS::NeptuneGraph::Graph": "neptune-graph:{region}:{account}:graph/g-{id}",
    "AWS::OpenSearchServerless::Collection": "aoss:{region}:{account}:collection/{id}",
    "AWS::OpenSearchService::Domain": "es:{region}:{account}:domain/{id}",
    "AWS::RDS::DBCluster": "rds:{region}:{account}:cluster:{id}",
    "AWS::S3::Bucket": "s3:::{id}",
    "AWS::S3Vectors::Index": "s3vectors:{region}:{account}:bucket/vectors/index/{id}",
    "AWS::S3Vectors::VectorBucket": "s3vectors:{region}:{account}:bucket/{id}",
    "AWS::SNS::Topic": "sns:{region}:{account}:{id}",
    "AWS::SQS::Queue": "sqs:{region}:{account}:{id}",
    "AWS::SecretsManager::Secret": "secretsmanager:{region}:{account}:secret:{id}-AbCdEf",
}

# Types whose `Ref` is their ARN.
REF_IS_ARN = {
    "AWS::IAM::ManagedPolicy",
    "AWS::Lambda::Alias",
    "AWS::Lambda::LayerVersion",
    "AWS::SNS::Topic",
    "AWS::SecretsManager::Secret",
}


class Sample:
    """A template's resources and parameters, by sample values."""

    def __init__(self, template, region):
        self.template = template
        self.region = region

    def resolve(self, value):
        """The value with every intrinsic function replaced."""
        if isinstance(value, list):
            items = [self.resolve(item) for item in value]
            return [item for item in items if item is not NOTHING]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            (name, argument), = value.items()
            if name == "Ref" or name.startswith("Fn::"):
                return self.call(name, argument)
        items = {key: self.resolve(item) for key, item in value.items()}
        return {key: item for key, item in items.items() if item is not NOTHING}

    def call(self, name, argument):
        if name == "Ref":
            return self.reference(argument)
        if name == "Fn::GetAtt":
            return self.attribute(*(argument.split(".", 1) if isinstance(argument, str) else argument))
        if name == "Fn::Sub":
            text, names = argument if isinstance(argument, list) else (argument, {})
            return self.substitute(text, names)
        if name == "Fn::Join":
            separator, items = argument
            return separator.join(str(item) for item in self.resolve(items))
        if name == "Fn::If":
            chosen = self.resolve(argument[1])
            return self.resolve(argument[2]) if chosen is NOTHING else chosen
        if name == "Fn::Select":
            index, items = argument
            return self.resolve(items)[int(index)]
        if name == "Fn::Split":
            separator, text = argument
            return self.resolve(text).split(separator)
        raise SystemExit(f"no sample value for {name} {argument}")

    def substitute(self, text, names):
        def fill(match):
            name = match.group(1)
            if name.startswith("!"):
                return "${" + name[1:] + "}"
            if name in names:
                return str(self.resolve(names[name]))
            if "." in name:
                return self.attribute(*name.split(".", 1))
            return str(self.reference(name))

        return re.sub(r"\$\{([^}]+)\}", fill, text)

    def reference(self, name):
        pseudo = {
            "AWS::AccountId": ACCOUNT,
            "AWS::NoValue": NOTHING,
            "AWS::Partition": "aws",
            "AWS::Region": self.region,
            "AWS::StackId": f"arn:aws:cloudformation:{self.region}:{ACCOUNT}:stack/sample/12345678",
            "AWS::StackName": "sample",
            "AWS::URLSuffix": "amazonaws.com",
        }
        if name in pseudo:
            return pseudo[name]
        parameter = self.template.get("Parameters", {}).get(name)
        if parameter is not None:
            # An output of another use case says by its name that it is an ARN; of what, is not told.
            own = f"arn:aws:s3:::{plain(name)}" if name.startswith("Needs") and name.endswith("Arn") else plain(name)
            value = parameter.get("Default", (parameter.get("AllowedValues") or [own])[0])
            return value.split(",") if "List" in parameter["Type"] else value
        type_ = self.template["Resources"][name]["Type"]
        return self.arn(name, type_) if type_ in REF_IS_ARN else plain(name)

    def attribute(self, name, attribute):
        attribute = self.resolve(attribute)
        type_ = self.template["Resources"][name]["Type"]
        return self.arn(name, type_) if attribute.endswith("Arn") else plain(f"{name}-{attribute}")

    def arn(self, name, type_):
        form = ARNS.get(type_) or known_form(type_)
        if form is None:
            raise SystemExit(f"no sample ARN for {type_}: add its form to tests/judges/sample.py")
        return "arn:aws:" + form.format(region=self.region, account=ACCOUNT, id=plain(name))


def known_form(type_):
    """The form of a type's ARN as the service's own list of resource types gives it."""
    _, service, kind = type_.split("::")
    prefix = {"BedrockAgentCore": "bedrock-agentcore"}.get(service, service.lower())
    kebab = re.sub(r"(?<=[a-z])(?=[A-Z])", "-", kind).lower()
    known = {name.lower(): raw for name, raw in (get_arn_types_for_service(prefix) or {}).items()}
    raw = known.get(kebab) or known.get(kind.lower())
    if raw is None:
        return None
    form = raw.removeprefix("arn:${Partition}:").replace("${Region}", "{region}").replace("${Account}", "{account}")
    return re.sub(r"\$\{[^}]+\}", "{id}", form)


def plain(name):
    """A name that any service takes."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")
