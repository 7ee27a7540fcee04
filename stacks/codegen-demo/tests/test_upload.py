"""What the uploading function takes and keeps, and that the template has this code and no other.

Run from any folder with ``python -m unittest discover -s stacks/codegen-demo/tests``; boto3 must be installed.
"""

from __future__ import annotations

import json
import os
import sys
import unittest
from pathlib import Path
from unittest import mock

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "cdk"))
import upload  # noqa: E402


class StubS3:
    def __init__(self) -> None:
        self.put: list[dict] = []

    def put_object(self, **call: object) -> None:
        self.put.append(call)


class Uploads(unittest.TestCase):
    def test_a_text_is_kept_under_its_name(self) -> None:
        s3 = StubS3()
        with mock.patch.object(upload, "client", lambda: s3), mock.patch.dict(os.environ, {"BUCKET": "b"}):
            answer = upload.handler({"name": "notes.txt", "text": "für"}, None)
        self.assertEqual(answer, {"bucket": "b", "key": "uploads/notes.txt", "bytes": 4})
        [put] = s3.put
        self.assertEqual((put["Bucket"], put["Key"], put["Body"]), ("b", "uploads/notes.txt", "für".encode()))

    def test_an_empty_text_is_a_text(self) -> None:
        self.assertEqual(upload.read({"name": "a", "text": ""}), ("a", b""))

    def test_names_that_lead_elsewhere_are_refused(self) -> None:
        for name in ["", ".", "..", "../a", "a/b", "/a", "a\\b", "a\n", "ä", "a b", "x" * 101, None, 7, ["a"]]:
            with self.subTest(name=name), self.assertRaisesRegex(ValueError, r"^\[400\] `name`"):
                upload.read({"name": name, "text": "x"})

    def test_texts_that_are_none_or_too_long_are_refused(self) -> None:
        for text in [None, 7, b"x", ["x"], "\ud800", "x" * 100_001, "ü" * 50_001]:
            with self.subTest(text=str(text)[:10]), self.assertRaisesRegex(ValueError, r"^\[400\] `text`"):
                upload.read({"name": "a", "text": text})

    def test_events_that_are_none_are_refused(self) -> None:
        for event in [None, [], "x", {}]:
            with self.subTest(event=event), self.assertRaisesRegex(ValueError, r"^\[400\] "):
                upload.read(event)


class Template(unittest.TestCase):
    def setUp(self) -> None:
        self.resources = json.loads((HERE.parent / "template.json").read_text(encoding="utf-8"))["Resources"]

    def test_the_template_has_this_code(self) -> None:
        [function] = [resource for resource in self.resources.values() if resource["Type"] == "AWS::Lambda::Function"]
        code = function["Properties"]["Code"]["ZipFile"]
        self.assertEqual(code, (HERE.parent / "cdk" / "upload.py").read_text(encoding="utf-8"))
        self.assertLessEqual(len(code), 4_096)

    def test_the_template_needs_nothing_of_cdk(self) -> None:
        text = json.dumps(self.resources)
        self.assertNotIn("AWS::CDK::Metadata", text)
        self.assertNotIn("BootstrapVersion", text)
        self.assertNotIn("cdk-", text)


if __name__ == "__main__":
    unittest.main()
