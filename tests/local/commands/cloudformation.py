"""Drives CloudFormation of the local target with the AWS CLI: every operation that has a command.

Usage: cloudformation.py ENDPOINT_URL. Ends with 0 when every command did, with a traceback otherwise.
"""

import pathlib
import sys
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).parents[1] / "support"))
from aws import Aws, folder, write

run = uuid.uuid4().hex[:8]
work = folder()
aws = Aws(sys.argv[1], work.name)


def cfn(command, **values):
    return aws(f"cloudformation {command}", **values)


def log(days=1, **more):
    return {"Type": "AWS::Logs::LogGroup", "Properties": {"RetentionInDays": days}, **more}


def template(**resources):
    return {"Resources": resources}


def expect(stack, status):
    told = aws.settled(stack)
    assert told["StackStatus"] == status, told
    return told


def reading():
    name = f"told-{run}"
    body = {
        **template(Log=log()), "Description": "told",
        "Outputs": {"Log": {"Value": {"Ref": "Log"}, "Export": {"Name": f"log-{run}"}}},
    }
    group = aws.deploy(name, body)["Log"]
    assert name in cfn("list-stacks --query StackSummaries[].StackName")
    assert cfn(f"describe-stack-events --stack-name {name}")["StackEvents"]
    assert cfn(f"describe-events --stack-name {name}")["OperationEvents"]
    one = cfn(f"describe-stack-resource --stack-name {name} --logical-resource-id Log")["StackResourceDetail"]
    assert one["PhysicalResourceId"] == group
    assert len(cfn(f"describe-stack-resources --stack-name {name}")["StackResources"]) == 1
    assert len(cfn(f"list-stack-resources --stack-name {name}")["StackResourceSummaries"]) == 1
    assert cfn(f"get-template --stack-name {name}")["TemplateBody"]["Description"] == "told"
    assert cfn("get-template-summary --template-body {body}", body=body)["ResourceTypes"] == ["AWS::Logs::LogGroup"]
    assert cfn("validate-template --template-body {body}", body=body)["Description"] == "told"
    assert f"log-{run}" in cfn("list-exports --query Exports[].Name")
    user = template(Log={**log(), "Metadata": {"Of": {"Fn::ImportValue": f"log-{run}"}}})
    user["Outputs"] = {"Of": {"Value": {"Fn::ImportValue": f"log-{run}"}}}
    aws.deploy(f"{name}-user", user)
    assert cfn(f"list-imports --export-name log-{run}")["Imports"] == [f"{name}-user"]
    assert cfn("describe-account-limits")["AccountLimits"]
    cfn(f"delete-stack --stack-name {name}-user")
    policy = {"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]}
    cfn(f"set-stack-policy --stack-name {name} --stack-policy-body {{policy}}", policy=policy)
    assert "Update:*" in cfn(f"get-stack-policy --stack-name {name}")["StackPolicyBody"]
    cfn(f"update-termination-protection --stack-name {name} --enable-termination-protection")
    aws.refused("TerminationProtection", f"cloudformation delete-stack --stack-name {name}")


def change_sets():
    name = f"sets-{run}"
    make = f"create-change-set --stack-name {name} --change-set-name"
    cfn(f"{make} make --change-set-type CREATE --template-body {{body}}", body=template(Log=log()))
    cfn(f"wait change-set-create-complete --stack-name {name} --change-set-name make")
    change = cfn(f"describe-change-set --stack-name {name} --change-set-name make")["Changes"][0]["ResourceChange"]
    assert change["Action"] == "Add", change
    assert len(cfn(f"list-change-sets --stack-name {name}")["Summaries"]) == 1
    cfn(f"execute-change-set --stack-name {name} --change-set-name make")
    expect(name, "CREATE_COMPLETE")
    cfn(f"{make} more --template-body {{body}}", body=template(Log=log(7)))
    cfn(f"delete-change-set --stack-name {name} --change-set-name more")


def updates():
    name = f"updates-{run}"

    def many(days):
        return template(Log0=log(days), **{f"Log{at}": log(days, DependsOn=f"Log{at - 1}") for at in range(1, 150)})

    aws.deploy(name, many(1))
    # What the next command is sent about is still under way by then: each log group waits for the one before.
    cfn(f"update-stack --stack-name {name} --template-body {{body}}", body=many(7))
    cfn(f"cancel-update-stack --stack-name {name}")
    expect(name, "UPDATE_ROLLBACK_COMPLETE")

    stubborn = {"Metadata": {"Bedplate": {"Fail": {"Rollback": "stuck"}}}}
    broken = {**log(DependsOn="Stubborn"), "Metadata": {"Bedplate": {"Fail": "no more room"}}}
    back = f"back-{run}"
    aws.deploy(back, template(Stubborn=log(1, **stubborn)))
    body = template(Stubborn=log(7, **stubborn), Broken=broken)
    cfn(f"update-stack --stack-name {back} --template-body {{body}}", body=body)
    expect(back, "UPDATE_ROLLBACK_FAILED")
    cfn(f"continue-update-rollback --stack-name {back} --resources-to-skip Stubborn")
    expect(back, "UPDATE_ROLLBACK_COMPLETE")
    body = template(Stubborn=log(), Broken=broken)
    cfn(f"create-stack --stack-name {back}-2 --on-failure DO_NOTHING --template-body {{body}}", body=body)
    expect(f"{back}-2", "CREATE_FAILED")
    cfn(f"rollback-stack --stack-name {back}-2")
    expect(f"{back}-2", "ROLLBACK_COMPLETE")


def as_people_do():
    name = f"deploy-{run}"
    write("template.yaml", "Resources:\n  Log: { Type: AWS::Logs::LogGroup }\n")
    cfn(f"deploy --stack-name {name} --template-file template.yaml")
    stack_id = expect(name, "CREATE_COMPLETE")["StackId"]
    cfn(f"delete-stack --stack-name {name}")
    cfn(f"wait stack-delete-complete --stack-name {stack_id}")
    aws.refused("NotImplemented", "cloudformation detect-stack-drift --stack-name nobody")


reading()
change_sets()
updates()
as_people_do()
print("CloudFormation is as the AWS CLI expects it")
