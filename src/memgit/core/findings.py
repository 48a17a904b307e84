"""Findings as text, as `path:line`, as JSON and as SARIF. None of them has a value to show, so none can leak one."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from memgit.core.secrets.finding import Finding

SCHEMA = 1
_SARIF_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
_FINGERPRINT_NAME = "memgitFingerprint/v1"


def as_text(findings: Sequence[Finding]) -> str:
    """One line each for people: place, rule and the fingerprint to allow it by; empty for none."""
    return "".join(f"{_place(one)}: {one.rule}{_named(one)}\n" for one in findings)


def as_lines(findings: Sequence[Finding]) -> str:
    """`path:line` per finding, for editors and scripts; line 0 is the file's name."""
    return "".join(f"{_inert(one.path)}:{one.line}\n" for one in findings)


def as_json(findings: Sequence[Finding]) -> dict[str, object]:
    """For `--json`: places, rules and fingerprints."""
    return {
        "schema": SCHEMA,
        "findings": [
            {
                "path": one.path,
                "line": one.line,
                "end_line": one.end_line,
                "rule": one.rule,
                "fingerprint": one.fingerprint,
            }
            for one in findings
        ],
    }


def as_sarif(findings: Sequence[Finding], version: str) -> dict[str, object]:
    """A SARIF 2.1.0 log of one run, as code scanning services read it; `version` is memgit's.

    Source: OASIS SARIF 2.1.0, sections 3.13 (log), 3.14 (run), 3.27 (result), 3.30 (region: lines count from 1, so a
    finding in a name has none).
    """
    rules = sorted({one.rule for one in findings})
    return {
        "$schema": _SARIF_SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {
                        "name": "memgit guard",
                        "version": version,
                        "rules": [
                            {
                                "id": rule,
                                "shortDescription": {"text": _sentence(rule)},
                                "defaultConfiguration": {"level": "error"},
                            }
                            for rule in rules
                        ],
                    }
                },
                "columnKind": "utf16CodeUnits",
                "results": [_result(one, rules.index(one.rule)) for one in findings],
            }
        ],
    }


def _result(one: Finding, rule_index: int) -> dict[str, object]:
    place: dict[str, object] = {"artifactLocation": {"uri": quote(one.path)}}
    if not one.is_in_name:
        place["region"] = {"startLine": one.line, "endLine": max(one.line, one.end_line)}
    result: dict[str, object] = {
        "ruleId": one.rule,
        "ruleIndex": rule_index,
        "level": "error",
        "message": {"text": f"{_sentence(one.rule)} It is held back until it is removed or allowed."},
        "locations": [{"physicalLocation": place}],
    }
    if one.fingerprint:
        result["partialFingerprints"] = {_FINGERPRINT_NAME: one.fingerprint}
    return result


def _place(one: Finding) -> str:
    return f"{_inert(one.path)} (its name)" if one.is_in_name else f"{_inert(one.path)}:{one.line}"


def _named(one: Finding) -> str:
    return f" [{one.fingerprint}]" if one.fingerprint else ""


def _sentence(rule: str) -> str:
    return f"This looks like a secret ({rule})."


def _inert(path: str) -> str:
    """A path that can't start a new line or steer a terminal."""
    return path if path.isprintable() else json.dumps(path)
