"""The four ways to show findings."""

from __future__ import annotations

import json

from memgit.core import findings
from memgit.core.secrets.finding import Finding

FOUND = (
    Finding("memory/<github-token>.md", 0, 0, "github-token", "s0123456789abcdef0123"),
    Finding("memory/a b.md", 3, 9, "private-key", "sfedcba98765432100000"),
    Finding("memory/new\nline.md", 1, 1, "password-beside-label", ""),
)


def test_text_names_place_rule_and_fingerprint() -> None:
    assert findings.as_text(FOUND) == (
        "memory/<github-token>.md (its name): github-token [s0123456789abcdef0123]\n"
        "memory/a b.md:3: private-key [sfedcba98765432100000]\n"
        '"memory/new\\nline.md":1: password-beside-label\n'
    )
    assert findings.as_text(()) == ""


def test_lines_are_path_and_line() -> None:
    assert findings.as_lines(FOUND[1:2]) == "memory/a b.md:3\n"
    assert findings.as_lines(FOUND).count("\n") == 3


def test_json_has_a_schema_number() -> None:
    assert findings.as_json(FOUND[1:2]) == {
        "schema": 1,
        "findings": [
            {
                "path": "memory/a b.md",
                "line": 3,
                "end_line": 9,
                "rule": "private-key",
                "fingerprint": "sfedcba98765432100000",
            }
        ],
    }


def test_sarif_has_what_the_standard_requires() -> None:
    log = json.loads(json.dumps(findings.as_sarif(FOUND, "1.2.3")))
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-2.1.0.json")
    (run,) = log["runs"]
    driver = run["tool"]["driver"]
    assert driver["name"] == "memgit guard"
    assert driver["version"] == "1.2.3"
    ids = [rule["id"] for rule in driver["rules"]]
    assert ids == sorted(set(ids)) == ["github-token", "password-beside-label", "private-key"]
    assert len(run["results"]) == len(FOUND)
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in {"none", "note", "warning", "error"}
        assert result["message"]["text"]
        (location,) = result["locations"]
        place = location["physicalLocation"]
        uri = place["artifactLocation"]["uri"]
        assert not uri.startswith("/")
        assert uri.isascii()
        assert " " not in uri
        assert place.get("region", {"startLine": 1})["startLine"] >= 1
    assert "region" not in run["results"][0]["locations"][0]["physicalLocation"]
    assert run["results"][1]["locations"][0]["physicalLocation"]["region"] == {"startLine": 3, "endLine": 9}
    assert "partialFingerprints" not in run["results"][2]


def test_sarif_of_nothing_is_a_clean_run() -> None:
    log = findings.as_sarif((), "1")
    assert json.loads(json.dumps(log))["runs"][0]["results"] == []
