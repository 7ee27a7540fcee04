"""Runs one Lambda function: events in over a socket, answers out over the same; standard library only.

What stands in `helper/supervise.py` runs before: it has taken the current folder, which is the code's, off `sys.path`, and it
ends this process and all it has started when the endpoint has closed the socket, whatever the handler is doing.

Descriptor 0 is a socket to the endpoint. A frame is two lengths (big-endian, 32 bits each), a JSON header and a body.
The first frame configures; then each frame is an event. Prints go to descriptors 1 and 2, which are one pipe; after each
answer a line with a token of the endpoint's marks where the output of that call ends.
"""

import decimal
import enum
import importlib
import json
import logging
import math
import os
import queue
import resource
import sys
import threading
import time
import traceback

channel = os.dup(0)
null = os.open(os.devnull, os.O_RDONLY)
os.dup2(null, 0)
os.close(null)


def receive(size):
    parts = []
    while size:
        part = os.read(channel, min(size, 1 << 20))
        if not part:
            # The endpoint is gone, and what looks after this process may be, too.
            os.killpg(0, 9)
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


def receive_frame():
    lengths = receive(8)
    header = receive(int.from_bytes(lengths[:4], "big"))
    body = receive(int.from_bytes(lengths[4:], "big"))
    return json.loads(header), body


def send_frame(header, body=b""):
    header = json.dumps(header).encode()
    rest = memoryview(len(header).to_bytes(4, "big") + len(body).to_bytes(4, "big") + header + body)
    while rest:
        rest = rest[os.write(channel, rest) :]


settings, _ = receive_frame()
code = settings["code"]
layers = settings["layers"]
version = "python%d.%d" % sys.version_info[:2]
folders = [code]
for layer in layers:
    folders.append(os.path.join(layer, "python", "lib", version, "site-packages"))
    folders.append(os.path.join(layer, "python"))
# The function's folders come first, but what AWS's own runtime has imported by now stays what it is there, too: a module `json`
# or `logging` of the code is never imported. Source: `awslambdaric/bootstrap.py` and what it imports (importlib, json, logging,
# os, sys, time, traceback, enum, decimal, math), commit 46e4c6a of 2026-06-26. What is imported here besides makes way.
sys.path[:0] = folders
for name in ("ctypes", "queue", "resource", "select", "signal"):
    own = (os.path.join(folder, name) for folder in folders)
    if any(os.path.exists(path + ".py") or os.path.isdir(path) for path in own):
        sys.modules.pop(name, None)
sys.stdout.reconfigure(line_buffering=True, errors="backslashreplace")

current = {"id": None}


class Identity:
    def __init__(self, given):
        given = given or {}
        self.cognito_identity_id = given.get("cognitoIdentityId")
        self.cognito_identity_pool_id = given.get("cognitoIdentityPoolId")

    def __repr__(self):
        return "CognitoIdentity([cognito_identity_id=%s,cognito_identity_pool_id=%s])" % (
            self.cognito_identity_id,
            self.cognito_identity_pool_id,
        )


class Client:
    FIELDS = ("installation_id", "app_title", "app_version_name", "app_version_code", "app_package_name")

    def __init__(self, given):
        for field in self.FIELDS:
            setattr(self, field, given.get(field))


class ClientContext:
    def __init__(self, given):
        self.custom = given.get("custom")
        self.env = given.get("env")
        self.client = Client(given.get("client") or {})


class Context:
    """What a handler gets beside its event."""

    def __init__(self, header):
        self.aws_request_id = header["id"]
        self.log_group_name = os.environ.get("AWS_LAMBDA_LOG_GROUP_NAME")
        self.log_stream_name = os.environ.get("AWS_LAMBDA_LOG_STREAM_NAME")
        self.function_name = os.environ.get("AWS_LAMBDA_FUNCTION_NAME")
        self.memory_limit_in_mb = os.environ.get("AWS_LAMBDA_FUNCTION_MEMORY_SIZE")
        self.function_version = os.environ.get("AWS_LAMBDA_FUNCTION_VERSION")
        self.invoked_function_arn = header["arn"]
        self.tenant_id = None
        self.identity = Identity(header.get("identity"))
        given = header.get("client_context")
        self.client_context = ClientContext(given) if given is not None else None
        self._deadline = header["deadline"]

    def get_remaining_time_in_millis(self):
        return max(int(self._deadline - time.time() * 1000), 0)

    def log(self, message):
        sys.stdout.write(str(message))


class Handler(logging.Handler):
    """The handler that Lambda sets on the root logger."""

    def emit(self, record):
        sys.stderr.write(self.format(record) + "\n")


class Filter(logging.Filter):
    def filter(self, record):
        record.aws_request_id = current["id"]
        return True


handler = Handler()
formatter = logging.Formatter(
    "[%(levelname)s]\t%(asctime)s.%(msecs)03dZ\t%(aws_request_id)s\t%(message)s", "%Y-%m-%dT%H:%M:%S"
)
formatter.converter = time.gmtime
handler.setFormatter(formatter)
handler.addFilter(Filter())
logging.getLogger().addHandler(handler)


def shown(text):
    """A text with the folders of this machine as the ones Lambda has."""
    text = text.replace(code, "/var/task")
    for layer in layers:
        text = text.replace(layer, "/opt")
    return text


def failure(kind, message, stack=(), request_id=None):
    error = {"errorMessage": shown(str(message)), "errorType": kind}
    if request_id is not None:
        error["requestId"] = request_id
    error["stackTrace"] = [shown(line) for line in stack]
    return error


def load(name):
    """The handler's function, or why there is none."""
    module, dot, attribute = name.rpartition(".")
    if not dot:
        return None, failure("Runtime.MalformedHandlerName", "Bad handler '%s': not enough values to unpack (expected 2, got 1)" % name)
    module = module.replace("/", ".")
    if module.split(".")[0] in sys.builtin_module_names:
        return None, failure("Runtime.BuiltInModuleConflict", "Cannot use built-in module %s as a handler module" % module)
    try:
        loaded = importlib.import_module(module)
    except ImportError as error:
        return None, failure("Runtime.ImportModuleError", "Unable to import module '%s': %s" % (module, error))
    except SyntaxError as error:
        stack = ['  File "%s" Line %s\n    %s' % (error.filename, error.lineno, (error.text or "").strip())]
        return None, failure("Runtime.UserCodeSyntaxError", "Syntax error in module '%s': %s" % (module, error), stack)
    except Exception as error:
        stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
        stack = [line for line in stack if "importlib" not in line]
        return None, failure(type(error).__name__, error, stack)
    try:
        return getattr(loaded, attribute), None
    except AttributeError:
        return None, failure("Runtime.HandlerNotFound", "Handler '%s' missing on module '%s'" % (attribute, module))


def call(function, header, body):
    """The answer's body, and whether it is an error's."""
    request_id = header["id"]
    try:
        event = json.loads(body)
    except ValueError as error:
        return failure("Runtime.UnmarshalError", "Unable to unmarshal input: %s" % error, (), request_id)
    try:
        answer = function(event, Context(header))
    except Exception as error:
        stack = traceback.format_list(traceback.extract_tb(error.__traceback__)[1:])
        return failure(type(error).__name__, error, stack, request_id)
    try:
        return json.dumps(answer, ensure_ascii=False).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError) as error:
        return failure("Runtime.MarshalError", "Unable to marshal response: %s" % error, (), request_id)


def end_of_output():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            pass
    try:
        os.write(1, settings["token"].encode() + b"\n")
    except OSError:
        pass


def peak():
    used = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return used // (1 << 20) if sys.platform == "darwin" else used // (1 << 10)


def answer_with(result):
    end_of_output()
    if isinstance(result, bytes):
        send_frame({"ok": True, "memory": peak()}, result)
    else:
        send_frame({"ok": False, "memory": peak(), "error": result}, json.dumps(result).encode())


function, refused = load(settings["handler"])
if refused is not None:
    answer_with(refused)
    os._exit(1)
answer_with(b"")

events = queue.SimpleQueue()


def listen():
    # In a thread, so that the end of the endpoint ends a handler that is busy, too.
    while True:
        events.put(receive_frame())


threading.Thread(target=listen, daemon=True).start()
while True:
    header, body = events.get()
    current["id"] = header["id"]
    os.environ["_X_AMZN_TRACE_ID"] = header["trace"]
    answer_with(call(function, header, body))
