"""Runs a script and writes down which operations it drove.

Usage: drive.py RECORD SCRIPT ENDPOINT_URL. RECORD becomes a JSON object: the operations of each service, as boto3 names both.
Ends as the script does.
"""

import json
import pathlib
import runpy
import sys

import record

out, *sys.argv = sys.argv[1:]
try:
    runpy.run_path(sys.argv[0], run_name="__main__")
finally:
    told = {service: sorted(operations) for service, operations in sorted(record.driven.items())}
    pathlib.Path(out).write_text(json.dumps(told, indent=1))
