"""Every CloudFormation operation of the local target through boto3, and the story of one stack from create to delete.

Usage: python cloudformation.py ENDPOINT_URL
"""

import json
import sys
import time
import uuid

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

REGION = "us-west-2"
NO_CHANGES = "The submitted information didn't contain changes. Submit different information to create a change set."


def client(service, url):
    return boto3.client(
        service,
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="local",
        aws_secret_access_key="local",
        config=Config(retries={"max_attempts": 1}, s3={"addressing_style": "path"}),
    )


def template(resources, **sections):
    return json.dumps({"AWSTemplateFormatVersion": "2010-09-09", "Resources": resources, **sections})


def log(**properties):
    return {"Type": "AWS::Logs::LogGroup", "Properties": properties}


def bucket(name, **properties):
    return {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": name, **properties}}


def failing():
    return {"Type": "AWS::Logs::LogGroup", "Metadata": {"Bedplate": {"Fail": "no more room"}}}


def refused(code, words, call, **arguments):
    try:
        call(**arguments)
    except ClientError as error:
        told = error.response["Error"]
        assert told["Code"] == code, told
        assert words in told["Message"], told
        return
    raise AssertionError(f"{code} was expected")


class Test:
    def __init__(self, url):
        self.cfn = client("cloudformation", url)
        self.s3 = client("s3", url)
        self.used = set()
        self.cfn.meta.events.register("before-call.cloudformation", self.note)
        self.id = uuid.uuid4().hex[:8]

    def note(self, model, **_):
        self.used.add(model.name)

    def settled(self, name):
        deadline = time.monotonic() + 20
        while True:
            stack = self.cfn.describe_stacks(StackName=name)["Stacks"][0]
            status = stack["StackStatus"]
            if not status.endswith("_IN_PROGRESS") or status == "REVIEW_IN_PROGRESS":
                return stack
            assert time.monotonic() < deadline, f"{name} is still {status}"
            time.sleep(0.01)

    def expect(self, name, status):
        stack = self.settled(name)
        assert stack["StackStatus"] == status, (stack["StackStatus"], stack.get("StackStatusReason"))
        return stack

    def events(self, name):
        pages = self.cfn.get_paginator("describe_stack_events").paginate(StackName=name)
        return [event for page in pages for event in page["StackEvents"]][::-1]

    def buckets(self):
        return {found["Name"] for found in self.s3.list_buckets()["Buckets"]}

    def story(self):
        """Create, update with replacement, failing update, blocked delete, emptying, delete."""
        cfn, name, first, second = self.cfn, f"story-{self.id}", f"first-{self.id}", f"second-{self.id}"
        cfn.create_stack(StackName=name, TemplateBody=template({"Posters": bucket(first)}), Tags=[{"Key": "a", "Value": "b"}])
        cfn.get_waiter("stack_create_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        assert first in self.buckets()
        tags = {tag["Key"]: tag["Value"] for tag in self.s3.get_bucket_tagging(Bucket=first)["TagSet"]}
        assert tags["a"] == "b" and tags["aws:cloudformation:stack-name"] == name, tags

        cfn.update_stack(StackName=name, TemplateBody=template({"Posters": bucket(second)}))
        cfn.get_waiter("stack_update_complete").wait(StackName=name, WaiterConfig={"Delay": 1})
        assert second in self.buckets() and first not in self.buckets()
        reasons = [event.get("ResourceStatusReason", "") for event in self.events(name)]
        assert any(reason.startswith("Requested update requires the creation of a new physical") for reason in reasons)

        broken = {"Posters": bucket(first), "Broken": {**failing(), "DependsOn": "Posters"}}
        cfn.update_stack(StackName=name, TemplateBody=template(broken))
        self.expect(name, "UPDATE_ROLLBACK_COMPLETE")
        assert second in self.buckets() and first not in self.buckets()

        self.s3.put_object(Bucket=second, Key="poster.png", Body=b"png")
        stack_id = self.settled(name)["StackId"]
        cfn.delete_stack(StackName=name)
        self.expect(stack_id, "DELETE_FAILED")
        assert second in self.buckets()
        self.s3.delete_object(Bucket=second, Key="poster.png")
        cfn.delete_stack(StackName=name)
        cfn.get_waiter("stack_delete_complete").wait(StackName=stack_id, WaiterConfig={"Delay": 1})
        assert second not in self.buckets()
        assert any(one["StackId"] == stack_id for one in cfn.list_stacks(StackStatusFilter=["DELETE_COMPLETE"])["StackSummaries"])

    def change_sets(self):
        cfn, name = self.cfn, f"sets-{self.id}"
        body = template(
            {"Log": log(LogGroupName=f"/sets/{self.id}", RetentionInDays={"Ref": "Days"})},
            Parameters={"Days": {"Type": "Number", "Default": "1"}},
        )
        cfn.create_change_set(StackName=name, ChangeSetName="make", ChangeSetType="CREATE", TemplateBody=body)
        cfn.get_waiter("change_set_create_complete").wait(StackName=name, ChangeSetName="make")
        made = cfn.describe_change_set(StackName=name, ChangeSetName="make", IncludePropertyValues=True)
        assert made["Changes"][0]["ResourceChange"]["Action"] == "Add"
        assert cfn.list_change_sets(StackName=name)["Summaries"][0]["ExecutionStatus"] == "AVAILABLE"
        cfn.execute_change_set(StackName=name, ChangeSetName="make")
        self.expect(name, "CREATE_COMPLETE")

        seven = [{"ParameterKey": "Days", "ParameterValue": "7"}]
        cfn.create_change_set(StackName=name, ChangeSetName="more", UsePreviousTemplate=True, Parameters=seven)
        change = cfn.describe_change_set(StackName=name, ChangeSetName="more", IncludePropertyValues=True)["Changes"][0]
        detail = change["ResourceChange"]["Details"][0]
        assert change["ResourceChange"]["Replacement"] == "False"
        assert (detail["Target"]["BeforeValue"], detail["Target"]["AfterValue"]) == ("1", "7"), detail
        assert (detail["ChangeSource"], detail["CausingEntity"]) == ("ParameterReference", "Days")
        cfn.delete_change_set(StackName=name, ChangeSetName="more")
        refused("ChangeSetNotFound", "more", cfn.describe_change_set, StackName=name, ChangeSetName="more")

        cfn.create_change_set(StackName=name, ChangeSetName="none", TemplateBody=body)
        none = cfn.describe_change_set(StackName=name, ChangeSetName="none")
        assert (none["Status"], none["StatusReason"]) == ("FAILED", NO_CHANGES)
        refused("InvalidChangeSetStatus", "FAILED", cfn.execute_change_set, StackName=name, ChangeSetName="none")

        bad = template({"Log": log(Nope=1)})
        answer = cfn.create_change_set(StackName=name, ChangeSetName="bad", TemplateBody=bad)
        events = cfn.describe_events(ChangeSetName=answer["Id"], Filters={"FailedEvents": True})["OperationEvents"]
        assert events[0]["EventType"] == "VALIDATION_ERROR", events
        cfn.delete_stack(StackName=name)

    def describing(self):
        cfn, name = self.cfn, f"told-{self.id}"
        body = template(
            {"Log": log(LogGroupName=f"/told/{self.id}")},
            Description="told",
            Outputs={"Log": {"Value": {"Ref": "Log"}, "Export": {"Name": f"log-{self.id}"}}},
        )
        cfn.create_stack(StackName=name, TemplateBody=body, ClientRequestToken="one")
        stack = self.expect(name, "CREATE_COMPLETE")
        assert stack["Outputs"] == [
            {"OutputKey": "Log", "OutputValue": f"/told/{self.id}", "ExportName": f"log-{self.id}"}
        ], stack["Outputs"]
        statuses = [(event["LogicalResourceId"], event["ResourceStatus"]) for event in self.events(name)]
        assert statuses == [
            (name, "CREATE_IN_PROGRESS"),
            ("Log", "CREATE_IN_PROGRESS"),
            ("Log", "CREATE_IN_PROGRESS"),
            ("Log", "CREATE_COMPLETE"),
            (name, "CREATE_COMPLETE"),
        ], statuses
        assert cfn.describe_stack_resource(StackName=name, LogicalResourceId="Log")["StackResourceDetail"]["PhysicalResourceId"]
        assert len(cfn.describe_stack_resources(PhysicalResourceId=f"/told/{self.id}")["StackResources"]) == 1
        assert len(cfn.list_stack_resources(StackName=name)["StackResourceSummaries"]) == 1
        assert cfn.get_template(StackName=name)["TemplateBody"]["Description"] == "told"
        summary = cfn.get_template_summary(StackName=name)
        assert summary["ResourceTypes"] == ["AWS::Logs::LogGroup"]
        assert cfn.validate_template(TemplateBody=body)["Description"] == "told"
        assert any(one["Name"] == f"log-{self.id}" for one in cfn.list_exports()["Exports"])

        importing = template({"Log": log(LogGroupName={"Fn::ImportValue": f"log-{self.id}"})})
        importing = importing.replace('{"Fn::ImportValue"', '{"Fn::Sub": ["${A}-too", {"A": {"Fn::ImportValue"').replace(
            f'"log-{self.id}"}}', f'"log-{self.id}"}}}}]}}'
        )
        cfn.create_stack(StackName=f"{name}-user", TemplateBody=importing)
        self.expect(f"{name}-user", "CREATE_COMPLETE")
        assert cfn.list_imports(ExportName=f"log-{self.id}")["Imports"] == [f"{name}-user"]
        cfn.delete_stack(StackName=name)
        kept = self.settled(name)
        assert kept["StackStatus"] == "CREATE_COMPLETE" and "in use by" in kept["StackStatusReason"], kept

        cfn.update_termination_protection(StackName=name, EnableTerminationProtection=True)
        refused("ValidationError", "TerminationProtection", cfn.delete_stack, StackName=name)
        cfn.update_termination_protection(StackName=name, EnableTerminationProtection=False)
        policy = json.dumps({"Statement": [{"Effect": "Allow", "Action": "Update:*", "Principal": "*", "Resource": "*"}]})
        cfn.set_stack_policy(StackName=name, StackPolicyBody=policy)
        assert cfn.get_stack_policy(StackName=name)["StackPolicyBody"] == policy
        refused("ValidationError", "No updates are to be performed.", cfn.update_stack, StackName=name, UsePreviousTemplate=True)
        for stack in (f"{name}-user", name):
            stack_id = self.settled(stack)["StackId"]
            cfn.delete_stack(StackName=stack)
            self.expect(stack_id, "DELETE_COMPLETE")

    def cancelling(self):
        """An update is cancelled between two of its resources, each of which waits for the one before."""
        cfn, name = self.cfn, f"stop-{self.id}"

        def many(days):
            logs = {f"Log{at}": {**log(RetentionInDays=days), "DependsOn": f"Log{at - 1}"} for at in range(1, 150)}
            return template({"Log0": log(RetentionInDays=days), **logs})

        cfn.create_stack(StackName=name, TemplateBody=many(1))
        self.expect(name, "CREATE_COMPLETE")
        cfn.update_stack(StackName=name, TemplateBody=many(7))
        cfn.cancel_update_stack(StackName=name)
        self.expect(name, "UPDATE_ROLLBACK_COMPLETE")
        assert any(event.get("ResourceStatusReason") == "User Cancelled" for event in self.events(name))

    def recovering(self):
        cfn, name = self.cfn, f"back-{self.id}"
        stubborn = lambda days: {  # noqa: E731
            "Type": "AWS::Logs::LogGroup",
            "Metadata": {"Bedplate": {"Fail": {"Rollback": "stuck"}}},
            "Properties": {"RetentionInDays": days},
        }
        cfn.create_stack(StackName=name, TemplateBody=template({"Stubborn": stubborn(1)}))
        self.expect(name, "CREATE_COMPLETE")
        refused("ValidationError", "CancelUpdateStack cannot be called", cfn.cancel_update_stack, StackName=name)
        after = template({"Stubborn": stubborn(7), "Broken": {**failing(), "DependsOn": "Stubborn"}})
        cfn.update_stack(StackName=name, TemplateBody=after)
        self.expect(name, "UPDATE_ROLLBACK_FAILED")
        cfn.continue_update_rollback(StackName=name, ResourcesToSkip=["Stubborn"])
        self.expect(name, "UPDATE_ROLLBACK_COMPLETE")
        cfn.create_stack(StackName=f"{name}-2", TemplateBody=template({"Broken": failing()}), OnFailure="DO_NOTHING")
        self.expect(f"{name}-2", "CREATE_FAILED")
        cfn.rollback_stack(StackName=f"{name}-2")
        self.expect(f"{name}-2", "ROLLBACK_COMPLETE")

    def refusals(self):
        cfn = self.cfn
        role = {"Type": "AWS::IAM::Role", "Properties": {"RoleName": "r", "AssumeRolePolicyDocument": {}}}
        refused(
            "InsufficientCapabilitiesException",
            "Requires capabilities : [CAPABILITY_NAMED_IAM]",
            cfn.create_stack,
            StackName="refused",
            TemplateBody=template({"Role": role}),
        )
        unknown = template({"X": {"Type": "AWS::Nope::Thing"}})
        refused("ValidationError", "Unrecognized resource types: [AWS::Nope::Thing]", cfn.create_stack, StackName="refused", TemplateBody=unknown)
        missing = template({"Log": log(LogGroupName={"Ref": "Missing"})})
        refused("ValidationError", "Unresolved resource dependencies [Missing]", cfn.validate_template, TemplateBody=missing)
        refused("ValidationError", "Stack with id nobody does not exist", cfn.describe_stacks, StackName="nobody")
        refused("NotImplemented", "DetectStackDrift", cfn.detect_stack_drift, StackName="nobody")
        assert {limit["Name"] for limit in cfn.describe_account_limits()["AccountLimits"]}


def main():
    test = Test(sys.argv[1])
    for step in (test.story, test.change_sets, test.describing, test.cancelling, test.recovering, test.refusals):
        began = time.monotonic()
        step()
        print(f"ok  {step.__name__:12} {time.monotonic() - began:6.2f} s")
    print(f"{len(test.used)} operations used: {', '.join(sorted(test.used))}")


if __name__ == "__main__":
    main()
