"""Rules learned from subjects: all of a script's commits, none of a person's."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from memgit.core import learn
from memgit.core.consolidation.classify import is_digit_blind
from memgit.core.learn import Seen
from support.shared import shared

PEOPLE = [
    "feat: add auto-backup script for the workspace",
    "fix(heartbeat): stop double run after restart",
    "docs: explain auto-sync and how to switch it off",
    "Harden anti-stall and auto-push flow",
    "refactor: split nightly backup job in two",
    "Restore MEMORY.md after bad auto-commit",
    "chore: remove auto-commit cron entry",
    'Revert "auto-sync" schedule change',
    "Automation: explain the nightly job",
    "Add notes of 2026-02-04",
    "Release 1.2.3",
    "Update MEMORY.md",
    "wip",
]


DAYS = ["Mon", "Tue", "Wed", "Sun"]


def rules(subjects: list[str]) -> list[str]:
    return [one.rule.subject for one in learn.learn(Seen(subject, False) for subject in subjects)]


def taken(subjects: list[str]) -> list[str]:
    expressions = rules(subjects)
    return [subject for subject in subjects if any(re.search(one, subject) for one in expressions)]


def test_people_who_talk_of_automation_make_no_rule_however_often() -> None:
    assert rules(PEOPLE * 20) == []


@pytest.mark.parametrize(
    "template",
    [
        "Auto-backup 2026-02-{0:02d} 10:{0:02d}",
        "auto-sync",
        "chore: auto-commit {0} files (dirty {0}m)",
        "📝 Memory auto-commit: 2026-02-{0:02d} 10:{0:02d}:05 UTC",
        "自动备份: 2026-02-{0:02d} 10:{0:02d}",
        "[autonomous] Heartbeat commit 20260204_1000{0:02d}",
        "bd sync: 2026-02-{0:02d} 10:{0:02d}:05",
        "sync: memory/2026-02-{0:02d}.md,memory/heartbeat-state.json",
        "daily memory 2026-02-{0:02d} 10:{0:02d}Z",
        "Nightly backup: 2026-02-{0:02d}",
        "vault backup: 2026-02-{0:02d} 10:{0:02d}:05",
        "Auto-commit: notes on subject {0}",
        "💓 Auto-heartbeat Sat Apr {0:2d} 12:00:05 UTC 2026",
        "Auto-backup {0:2d} Apr 2026",
        "auto sync April {0}, 2026",
        "Full backup - 2026-02-{0:02d}_10-{0:02d}-05",
        "backup {0}/2/2026",
    ],
)
def test_what_a_script_repeats_becomes_a_rule(template: str) -> None:
    subjects = [template.format(index) for index in range(1, 20)]
    assert taken([*subjects, *PEOPLE]) == subjects
    assert all(one.removeprefix("(?i)").startswith("^") and is_digit_blind(one) for one in rules(subjects))
    unseen = [template.format(index) for index in range(20, 29)]
    assert all(any(re.search(one, subject) for one in rules(subjects)) for subject in unseen)


def test_a_date_in_words_may_be_any_day() -> None:
    written = [f"Auto-save {day} Apr {number:2d} 09:05:00 CEST 2026" for number, day in enumerate(DAYS, 1)]
    (rule,) = rules(written)
    assert re.search(rule, "Auto-save Thu Dec 31 23:59:59 CET 2026")
    assert not re.search(rule, "Auto-save keeps all of 31 files")


def test_spellings_of_one_sentence_become_one_rule() -> None:
    subjects = ["Daily backup: 2026-02-01", "daily backup 2026-02-02 10:00", "Daily Backup - 2026-02-03 (12 files)"]
    assert taken([*subjects, *PEOPLE]) == subjects
    assert rules([*subjects, *subjects]) == [r"(?i)^daily backup\W+\d{4}-\d+-\d+"]
    assert rules(subjects[:1] * 9) == [r"^Daily backup: \d{4}-\d+-\d+"]


def test_twice_is_no_habit() -> None:
    assert rules(["auto-sync", "auto-sync"]) == []


@pytest.mark.parametrize(("others", "mixed"), [(4, False), (5, True), (10, True)])
def test_a_rule_is_mixed_when_half_of_its_commits_change_other_files(others: int, mixed: bool) -> None:
    found = learn.learn([Seen("auto-sync", index < others) for index in range(10)])
    assert [(one.rule.mixed, one.matches, one.mixed) for one in found] == [(mixed, 10, others)]


@pytest.mark.parametrize("style", ["backup", "agent", "memory", "dirty", "heartbeat", "push", "zh", "bot", "list"])
def test_generated_workspaces_are_learned_exactly(tmp_path: Path, style: str) -> None:
    generator = shared("tools", "gen_workspace.py")
    truth = tmp_path / "truth.json"
    argv = [sys.executable, str(generator), str(tmp_path / "ws"), "--commits", "250", "--style", style]
    subprocess.run([*argv, "--truth", str(truth)], check=True, capture_output=True)
    assert len(taken(subjects_of(tmp_path / "ws"))) == json.loads(truth.read_text())["auto"]


@pytest.mark.parametrize(("number", "automatic"), [(1, 86), (2, 98), (3, 61), (4, 83), (5, 175)])
def test_real_workspaces_are_learned(tmp_path: Path, number: int, automatic: int) -> None:
    bundle = shared("workspaces", f"ws{number}.bundle")
    subprocess.run(["git", "clone", "-q", "--bare", str(bundle), str(tmp_path / "ws")], check=True)
    assert len(taken(subjects_of(tmp_path / "ws"))) == automatic


def subjects_of(repo: Path) -> list[str]:
    argv = ["git", "-C", str(repo), "log", "--all", "--no-merges", "--format=%s"]
    return subprocess.run(argv, check=True, capture_output=True, text=True).stdout.splitlines()
