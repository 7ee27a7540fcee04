"""The AWS CLI in this process: what `aws` runs, without a start of Python for every command."""

import contextlib
import io
import json
import os
import pathlib
import shlex
import time

import awscli.clidriver

REGION = "us-west-2"
ACCOUNT = "123456789012"


class Refused(Exception):
    """The command ended with another code than 0; the text is what it said."""


class Aws:
    """The CLI against an endpoint. Called with a command as one would type it."""

    def __init__(self, endpoint, folder):
        os.environ.update(
            AWS_ENDPOINT_URL=endpoint, AWS_ACCESS_KEY_ID="local", AWS_SECRET_ACCESS_KEY="local", AWS_REGION=REGION,
            AWS_DEFAULT_REGION=REGION, AWS_CONFIG_FILE=os.devnull, AWS_SHARED_CREDENTIALS_FILE=os.devnull,
            AWS_MAX_ATTEMPTS="1", AWS_PAGER="",
        )
        os.chdir(folder)
        # Reading the services' models takes longest; they are read once.
        self.models = awscli.clidriver.create_clidriver().session.get_component("data_loader")

    def driver(self):
        """A new CLI: one that has written an output to a file would write all others there, too."""
        driver = awscli.clidriver.create_clidriver()
        driver.session.register_component("data_loader", self.models)
        return driver

    def __call__(self, command, **values):
        """The command's output, read as JSON where it is JSON. `{name}` in it stands for one argument, a text or JSON."""
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in values.items()}
        words = [texts[word[1:-1]] if word[:1] + word[-1:] == "{}" else word for word in shlex.split(command)]
        out, said = io.StringIO(), io.StringIO()
        # Some commands write bytes.
        out.buffer = io.BytesIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(said):
            try:
                code = self.driver().main(words)
            except SystemExit as end:
                code = end.code
        if code != 0:
            raise Refused(f"aws {command}: {code}: {said.getvalue()}{out.getvalue()}")
        text = out.getvalue() or out.buffer.getvalue().decode()
        try:
            return json.loads(text)
        except ValueError:
            return text.strip()

    def refused(self, code, command, **values):
        """Asserts that a command is refused with a code."""
        try:
            self(command, **values)
        except Refused as refusal:
            assert code in str(refusal), refusal
            return
        raise AssertionError(f"aws {command} was not refused with {code}")

    def deploy(self, stack, template):
        """Makes a stack and gives its outputs."""
        self(f"cloudformation create-stack --stack-name {stack} --capabilities CAPABILITY_NAMED_IAM --template-body {{body}}", body=template)
        told = self.settled(stack)
        events = f"cloudformation describe-stack-events --stack-name {stack} --query StackEvents[].ResourceStatusReason"
        assert told["StackStatus"] == "CREATE_COMPLETE", self(events)
        return {one["OutputKey"]: one["OutputValue"] for one in told.get("Outputs", [])}

    def settled(self, stack):
        """The stack, once nothing of it is in progress."""
        deadline = time.monotonic() + 30
        while True:
            told = self(f"cloudformation describe-stacks --stack-name {stack}")["Stacks"][0]
            if not told["StackStatus"].endswith("_IN_PROGRESS") or told["StackStatus"] == "REVIEW_IN_PROGRESS":
                return told
            assert time.monotonic() < deadline, told
            time.sleep(0.02)

    def operations_without_command(self, told):
        """Of operations by service, those that the CLI has no command for."""
        services = self.driver()._get_command_table()
        missing = {}
        for service, operations in told.items():
            name = {"s3": "s3api"}.get(service, service)
            known = set()
            if name in services:
                table = services[name]._get_command_table()
                for command in table.values():
                    model = getattr(command, "_operation_model", None)
                    if model is not None:
                        known.add(model.name)
            absent = sorted(set(operations) - known)
            if absent:
                missing[service] = absent
        return missing


def folder():
    """Where what commands write may lie about."""
    import tempfile

    return tempfile.TemporaryDirectory(prefix="bedplate-aws-")


def write(name, content):
    """Writes a file beside the command."""
    pathlib.Path(name).write_bytes(content if isinstance(content, bytes) else content.encode())
