"""Holds the tables of schemas/ that say what resource types grant, open or protect against cfn-lint's provider schemas
and botocore's API models: every type, property, value and operation they name exists there. Prints what does not."""

import json
import pathlib
import re
import sys

import botocore.session
import cfnlint
import cfnlint.version

FACTS = pathlib.Path(sys.argv[1])
OPERATION = re.compile(r"API model of ([a-z0-9-]+) (\w+)(?: and (\w+))? \(botocore [\d.]+\)")
wrong = []


def schemas():
    """Resource type -> provider schema, of all that cfn-lint has for one large region."""
    source = pathlib.Path(cfnlint.__file__).parent / "data" / "schemas"
    hashes = json.loads((source / "providers" / "us-east-1.json").read_text())
    return {name: json.loads((source / "resources" / f"{it}.json").read_text()) for name, it in hashes.items()}


def find(schema, name, node, seen):
    """Every definition of a property of a name below a node of a schema, at any depth."""
    if isinstance(node, dict):
        reference = node.get("$ref", "")
        if reference.startswith("#/definitions/") and reference not in seen:
            seen.add(reference)
            yield from find(schema, name, schema["definitions"][reference.removeprefix("#/definitions/")], seen)
        properties = node.get("properties")
        if isinstance(properties, dict) and isinstance(properties.get(name), dict):
            yield resolved(schema, properties[name])
        for key, value in node.items():
            if key != "definitions":
                yield from find(schema, name, value, seen)
    elif isinstance(node, list):
        for value in node:
            yield from find(schema, name, value, seen)


def resolved(schema, node):
    while node.get("$ref", "").startswith("#/definitions/"):
        node = schema["definitions"][node["$ref"].removeprefix("#/definitions/")]
    return node


def takes(node, value):
    """Whether a property may have a value, as far as its schema says."""
    if value is None:
        return True
    if "enum" in node:
        return value.lower() in [str(one).lower() for one in node["enum"]]
    kinds = node.get("type", "string")
    kinds = kinds if isinstance(kinds, list) else [kinds]
    return value in ("true", "false") if kinds == ["boolean"] else bool({"string", "array"} & set(kinds))


def property_exists(row, type_, name, value=None):
    names = [type_] if type_ else list(ALL)
    found = [node for one in names if one in ALL for node in find(ALL[one], name, ALL[one], set())]
    if not found:
        wrong.append(f"{row}: no property `{name}` of {type_ or 'any type'}")
    elif not any(takes(node, value) for node in found):
        wrong.append(f"{row}: `{name}` of {type_ or 'any type'} is never `{value}`")


def type_exists(row, type_):
    if type_ not in ALL:
        wrong.append(f"{row}: no type `{type_}`")


def source(row, text):
    for service, *operations in OPERATION.findall(text):
        try:
            model = SESSION.get_service_model(service)
        except botocore.exceptions.UnknownServiceError:
            wrong.append(f"{row}: botocore has no service `{service}`")
            continue
        for operation in filter(None, operations):
            if operation not in model.operation_names:
                wrong.append(f"{row}: `{service}` has no operation `{operation}`")


ALL = schemas()
SESSION = botocore.session.get_session()

grants = json.loads((FACTS / "grants.json").read_text())
for row in grants["types"]:
    name = f"grants.json {row['type']}"
    type_exists(name, row["type"])
    source(name, row["source"])
    for one in row.get("properties", []):
        property_exists(name, row["type"], one)
    for one in row.get("open", []):
        if one["at"] != "unauthenticated":  # A key of a map, which schemas do not name.
            property_exists(name, row["type"], one["at"], one.get("is"))
for row in grants["harmless"]:
    type_exists(f"grants.json {row['type']}", row["type"])

protections = json.loads((FACTS / "protections.json").read_text())
for row in protections["replaced"] + protections["windows"]:
    name = f"protections.json {row['type']}"
    property_exists(name, row["type"], row["property"])
    source(name, row["source"])
for row in protections["protections"]:
    name = f"protections.json {row.get('type', 'any')} {row['at']}"
    property_exists(name, row.get("type"), row["at"].rsplit(".", 1)[-1], row["on"])
    source(name, row["source"])

exposures = json.loads((FACTS / "exposures.json").read_text())
for row in exposures["settings"]:
    if row.get("in-text"):
        continue
    property_exists(f"exposures.json {row['property']}", row.get("type"), row["property"], row["value"])
for row in exposures["by-nature"] + exposures["filters"]:
    name = f"exposures.json {row['type']}"
    type_exists(name, row["type"])
    source(name, row["source"])

print(f"{len(ALL)} types of cfn-lint {cfnlint.version.__version__}, botocore {botocore.__version__}")
print("\n".join(wrong))
sys.exit(bool(wrong))
