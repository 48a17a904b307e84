"""Recall and false alarms on made-up memory, as measured by the shared generator of cases."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from memgit.core.secrets.scan import scan
from support.shared import shared

# A secret in a file's name is found, but the name is not shown as it is, so path:line can't tell the evaluator.
FLOORS = {"core": 99.0, "context": 95.0, "evasion": 70.0}


@pytest.mark.parametrize("seed", [1, 2, 3, 4])
def test_generated_cases_are_told_apart(seed: int, tmp_path: Path) -> None:
    tool = shared("tools", "faults", "secret_cases.py")
    subprocess.run(
        [sys.executable, str(tool), "gen", str(tmp_path / "cases"), "--seed", str(seed)],
        check=True,
        capture_output=True,
    )
    labels = [json.loads(line) for line in (tmp_path / "cases.labels.jsonl").read_text().splitlines()]
    total: Counter[str] = Counter()
    flagged: Counter[str] = Counter()
    for case in labels:
        total[case["group"]] += 1
        data = (tmp_path / "cases" / case["file"]).read_bytes()
        flagged[case["group"]] += bool(scan(data, case["file"].encode()))
    share = {group: 100 * flagged[group] / total[group] for group in total}
    assert {group: share[group] for group, floor in FLOORS.items() if share[group] < floor} == {}
    assert share["benign"] <= 0.5
    assert share["control"] == 0


def test_real_memory_raises_no_alarm() -> None:
    found = []
    with gzip.open(shared("merge", "cases", "memory.jsonl.gz"), "rt", encoding="utf-8") as lines:
        for number, line in enumerate(lines):
            if number % 12 == 0:
                case = json.loads(line)
                found += [
                    (number, one) for side in ("base", "ours", "theirs") for one in scan(case[side].encode(), b"a.md")
                ]
    assert found == []
