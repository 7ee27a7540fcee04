"""Tells for which of the local target's operations the AWS CLI has no command, as a JSON object.

Usage: without_command.py OPERATIONS, where OPERATIONS is what `GET /_bedplate/operations` answers.
"""

import json
import sys

import aws

print(json.dumps(aws.Aws("http://127.0.0.1:1", ".").operations_without_command(json.loads(sys.argv[1]))))
