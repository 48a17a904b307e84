"""What is held back: alone, loudly, without ever showing or storing a value, and how a person lets it go."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from support.secrets import token
from support.workspace import Workspace

LOG = "memory/log.md"


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    files = {f"memory/{name}.md": f"- {name}\n" for name in "abcdef"}
    return Workspace(tmp_path / "ws", {"MEMORY.md": "# M\n", LOG: "- 1\n", **files})


def objects(ws: Workspace) -> bytes:
    """The contents of every object there is, reachable or not."""
    return ws.git("cat-file", "--batch-all-objects", "--batch")


def test_secret_holds_its_file_alone_and_stands_in_no_object_or_file_of_ours(ws: Workspace) -> None:
    secret = token()
    ws.write(LOG, f"- 1\n- the token is {secret}\n")
    ws.write("memory/a.md", "- a\n- b\n")
    report = ws.capture(ok=4)
    assert [file["path"] for file in report["files"]] == ["memory/a.md"]
    assert [held["path"] for held in report["held"]] == [LOG]
    assert report["held"][0]["findings"][0]["line"] == 2
    told = ws.run("commit", ok=4)
    assert f"held back: {LOG} holds what looks like a secret" in told.err
    status, scanned = ws.run("status", ok=4), ws.run("guard", "scan", ok=4)
    for shown in (json.dumps(report), told.out, told.err, status.err, scanned.out):
        assert secret not in shown
    assert secret.encode() not in objects(ws)
    for file in (ws.git_dir / "memgit").rglob("*"):
        assert not file.is_file() or secret.encode() not in file.read_bytes()
        assert not file.is_file() or not file.stat().st_mode & 0o077


def test_status_lists_what_is_held(ws: Workspace) -> None:
    ws.write(LOG, f"- {token()}\n")
    ws.capture(ok=4)
    assert [held["path"] for held in ws.run("--json", "status", ok=4).json["held"]] == [LOG]
    ws.write(LOG, "- 1\n- clean again\n")
    ws.capture()
    assert ws.run("--json", "status").json["held"] == []


def test_held_file_is_reported_by_every_run_until_it_is_allowed(ws: Workspace) -> None:
    ws.write(LOG, f"- {token()}\n")
    (finding,) = ws.capture(ok=4)["held"][0]["findings"]
    assert ws.capture(ok=4)["held"][0]["path"] == LOG
    ws.run("guard", "allow", finding["fingerprint"])
    assert [file["path"] for file in ws.capture()["files"]] == [LOG]
    assert not (ws.path / ".memgit.toml").exists()


def test_nothing_in_the_workspace_lets_a_secret_pass(ws: Workspace) -> None:
    secret = token()
    ws.write(".memgit.toml", f'[guard]\nallow = ["s{"0" * 20}"]\n')
    ws.write(LOG, f"- {secret} # gitleaks:allow memgit:allow pragma: allowlist secret\n")
    ws.run("commit", ok=8)
    ws.write(".memgit.toml", "")
    ws.write(".gitattributes", "*.md -text binary linguist-generated\n")
    ws.capture(ok=4)
    assert secret.encode() not in objects(ws)


def test_secret_that_was_there_before_does_not_hold_what_comes_after(ws: Workspace) -> None:
    ws.write(LOG, f"- {token()}\n")
    ws.git("commit", "-qam", "a person did this")
    ws.write(LOG, f"- {token()}\n- and more\n")
    assert [file["path"] for file in ws.capture()["files"]] == [LOG]


def test_unknown_secret_file_in_the_root_never_enters_a_commit(ws: Workspace) -> None:
    """An allow-list decides what is memory; and names that usually hold secrets are never in it."""
    ws.write("whatever.secret", token())
    ws.write("memory/server.key", "x\n")
    ws.write("memory/.env", "A=1\n")
    assert ws.capture()["commit"] is None


def test_conflict_markers_hold_a_file(ws: Workspace) -> None:
    ws.write(LOG, "<<<<<<< HEAD\n- 1\n=======\n- 2\n>>>>>>> other\n")
    assert [held["why"] for held in ws.capture(ok=4)["held"]] == ["markers"]


def test_a_lesson_about_conflicts_is_captured_once_a_person_has_committed_it(ws: Workspace) -> None:
    lesson = "# Lesson\n\n```\n<<<<<<< ours\none\n=======\ntwo\n>>>>>>> theirs\n```\n"
    ws.write("memory/lesson.md", lesson)
    ws.git("add", "memory/lesson.md")
    ws.git("commit", "-q", "-m", "how a conflict looks")
    ws.write("memory/lesson.md", lesson + "More of it.\n")
    assert ws.capture()["held"] == []


def test_json_that_no_longer_parses_is_held(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws", {"memory/s.json": '{"a": 1}\n', "memory/bad.json": "{\n"})
    ws.write("memory/s.json", '{"a": ')
    ws.write("memory/bad.json", "{ still not\n")
    report = ws.capture(ok=4)
    assert [(held["path"], held["why"]) for held in report["held"]] == [("memory/s.json", "unparsable")]
    assert [file["path"] for file in report["files"]] == ["memory/bad.json"]


def test_growing_records_are_taken_up_to_the_last_whole_one(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws", {"memory/log.jsonl": '{"n": 1}\n'})
    (ws.path / "memory/log.jsonl").write_text('{"n": 1}\n{"n": 2}\n{"n": ')
    report = ws.capture()
    assert report["unfinished"] == ["memory/log.jsonl"]
    assert ws.content("HEAD", "memory/log.jsonl") == b'{"n": 1}\n{"n": 2}\n'
    assert ws.status() == [" M memory/log.jsonl"]
    (ws.path / "memory/log.jsonl").write_text('{"n": 1}\n{"n": 2}\n{"n": 3}\n')
    ws.capture()
    assert ws.content("HEAD", "memory/log.jsonl").endswith(b'{"n": 3}\n')


@pytest.mark.parametrize("how", ["directory missing", "directory emptied", "most deleted", "all truncated"])
def test_mass_deletion_is_held_until_it_is_confirmed_once(ws: Workspace, how: str) -> None:
    memory = ws.path / "memory"
    files = sorted(memory.iterdir())
    for file in files if how != "most deleted" else files[:5]:
        if how == "all truncated":
            ws.write(f"memory/{file.name}", "")
        else:
            file.unlink()
    if how == "directory missing":
        memory.rmdir()
    ws.write("MEMORY.md", "# Still kept\n")
    before = {path for path in ws.files(ws.head()) if path.startswith(b"memory/")}
    report = ws.capture(ok=4)
    assert {held["why"] for held in report["held"]} == {"deleted"}
    assert [file["path"] for file in report["files"]] == ["MEMORY.md"], "the rest goes on"
    assert {path for path in ws.files(ws.head()) if path.startswith(b"memory/")} == before
    *_, held, advice = ws.run("commit", ok=4).err.splitlines()
    assert held.startswith("held back: ")
    assert "gone or empty: memory/" in held
    assert advice == "  If they are meant to be gone: memgit commit --confirm-deletions"
    ws.capture("--confirm-deletions")
    assert ws.capture()["held"] == []
    assert ws.status() == []


def test_few_deletions_and_moves_need_no_confirmation(ws: Workspace) -> None:
    (ws.path / "memory/a.md").unlink()
    for name in "bcdef":
        (ws.path / f"memory/{name}.md").rename(ws.path / f"memory/old-{name}.md")
    assert ws.capture()["held"] == []


def test_large_and_binary_files_are_held_unless_named(ws: Workspace) -> None:
    ws.write("memory/huge.md", b"x" * (2**20 + 1))
    ws.write("memory/pic.png", b"\x89PNG\0\0 pass" + b"word: Blue-Horse7!Staple")
    report = ws.capture(ok=4)
    assert {held["path"]: held["why"] for held in report["held"]} == {
        "memory/huge.md": "too_large",
        "memory/pic.png": "binary",
    }
    (held,) = ws.capture(str(ws.path / "memory/pic.png"), ok=4)["held"]
    assert held["why"] == "secret"  # looked into once somebody wants it
    ws.write("memory/pic.png", b"\x89PNG\0\0")
    assert [file["path"] for file in ws.capture(str(ws.path / "memory/pic.png"))["files"]] == ["memory/pic.png"]
    ws.write(".memgit.toml", '[memory]\ninclude = ["/memory/**", "*.db"]\n')
    ws.write("memory/pic2.png", b"\x89PNG\0\0")
    ws.write("memory/index.db", b"SQLite\0")
    report = ws.capture(ok=4)
    assert [file["path"] for file in report["files"]] == ["memory/index.db"]


def test_commit_that_would_be_too_large_leaves_the_largest_files_out(ws: Workspace) -> None:
    for number in range(4):
        ws.write(f"memory/n{number}.md", b"0123456789abcdef\n" * (10 + number))
    held = ws.capture(ok=4, env={"MEMGIT_CAPTURE_MAX_COMMIT": "400"})["held"]
    assert [item["path"] for item in held] == ["memory/n2.md", "memory/n3.md"]
    assert ws.content("HEAD", "memory/n1.md")


def test_unreadable_file_is_skipped_and_the_rest_committed(ws: Workspace) -> None:
    if os.geteuid() == 0:
        pytest.skip("root reads everything")
    ws.write("memory/priv.md", "x\n").chmod(0)
    ws.write(LOG, "- 2\n")
    report = ws.capture()
    assert [item["path"] for item in report["skipped"]] == ["memory/priv.md"]
    assert [file["path"] for file in report["files"]] == [LOG]


GITLEAKS = """[{"RuleID": "odd", "StartLine": 2, "EndLine": 2, "Secret": "plumtree"}]"""
BETTERLEAKS = """{"schema_version": "1", "findings": [{"rule_id": "odd", "match": {"value": "plumtree"},
"location": {"start_line": 2, "end_line": 2}}], "scan": {"state": "complete"}}"""
# Each answers to its own options alone, as the real ones do.
STUB = """#!/bin/sh
case "$*" in *{option}*) ;; *) echo "unknown flag" >&2; exit 1;; esac
if grep -q plumtree; then echo '{found}'; else echo '{nothing}'; fi
"""


@pytest.mark.parametrize(
    ("program", "option", "found", "nothing"),
    [
        ("gitleaks", "--report-path=-", GITLEAKS, "[]"),
        ("betterleaks", "--output=-", BETTERLEAKS, '{"schema_version": "1", "findings": []}'),
        ("betterleaks", "--report-path=-", GITLEAKS, "[]"),
    ],
    ids=["gitleaks", "betterleaks 2", "betterleaks 1"],
)
def test_second_opinion_is_asked_when_it_is_switched_on(
    ws: Workspace, tmp_path: Path, program: str, option: str, found: str, nothing: str
) -> None:
    stub = tmp_path / "bin" / program
    stub.parent.mkdir()
    stub.write_text(STUB.format(option=option, found=found, nothing=nothing))
    stub.chmod(0o755)
    env = {"PATH": f"{stub.parent}:{os.environ['PATH']}", "MEMGIT_GUARD_EXTERNAL": program}
    ws.write(LOG, "- 1\n- plumtree\n")
    ws.write("memory/a.md", "- harmless\n")
    report = ws.capture(ok=4, env=env)
    assert [file["path"] for file in report["files"]] == ["memory/a.md"]
    (finding,) = report["held"][0]["findings"]
    assert (finding["rule"], finding["line"]) == (f"{program}:odd", 2)
    ws.run("guard", "allow", finding["fingerprint"])
    assert [file["path"] for file in ws.capture(env=env)["files"]] == [LOG]


@pytest.mark.parametrize("program", ["gitleaks", "betterleaks"])
def test_the_real_second_opinion_is_understood_and_no_remark_silences_it(ws: Workspace, program: str) -> None:
    if shutil.which(program) is None:
        pytest.skip(f"{program} is not installed")
    value = "aB3dE6g" + "H9jK2mN5"  # 15 characters beside the provider's name: a rule of theirs, none of ours
    ws.write(LOG, f'- 1\n\n  DROPBOX = "{value}"  # {program}:allow\n')
    ws.write("memory/a.md", "- harmless\n")
    report = ws.capture(ok=4, env={"MEMGIT_GUARD_EXTERNAL": program})
    assert [file["path"] for file in report["files"]] == ["memory/a.md"]
    (finding,) = report["held"][0]["findings"]
    assert (finding["rule"], finding["line"]) == (f"{program}:dropbox-api-token", 3)
    assert value not in json.dumps(report)


def test_second_opinion_that_is_not_there_stops_the_run(ws: Workspace) -> None:
    ws.write(LOG, "- 2\n")
    git = os.path.dirname(shutil.which("git") or "")
    done = ws.run("commit", ok=1, env={"MEMGIT_GUARD_EXTERNAL": "betterleaks", "PATH": git})
    assert "betterleaks is not installed" in done.err


# -- guard scan ------------------------------------------------------------------------------------


def test_scan_finds_what_is_staged_and_not_what_was_there(ws: Workspace) -> None:
    ws.write("app.py", f"KEY = '{token(1)}'\n")
    ws.git("add", "app.py")
    ws.git("commit", "-qm", "old sin")
    ws.write("app.py", f"KEY = '{token(1)}'\nNEW = '{token(2)}'\n")
    assert ws.run("guard", "scan", "--staged").out == ""
    ws.git("add", "app.py")
    assert ws.run("guard", "scan", "--staged", "--format", "lines", ok=4).out == "app.py:2\n"


def test_scan_of_a_range_names_the_commit(ws: Workspace) -> None:
    ws.write("app.py", f"KEY = '{token()}'\n")
    ws.git("add", "app.py")
    ws.git("commit", "-qm", "sin")
    sin = ws.head()
    ws.write("app.py", "KEY = None\n")
    ws.git("commit", "-qam", "hidden again")
    (finding,) = ws.run("--json", "guard", "scan", "--range", "HEAD~2..HEAD", ok=4).json["findings"]
    assert (finding["path"], finding["line"], finding["commit"]) == ("app.py", 1, sin.decode())
    assert ws.run("guard", "scan", "--range", "HEAD~1..HEAD").status == 0
    assert ws.run("guard", "scan", "--range", "nonsense..HEAD", ok=2).err == (
        "memgit: 'nonsense..HEAD' names no commits here.\n  A range is written A..B, as in origin/main..HEAD.\n"
    )
    assert ws.run("guard", "scan", "-q", "--range", "HEAD~2..HEAD", ok=4).err == ""


def test_scan_of_standard_input_and_of_files_works_outside_of_a_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "d" / "x.md").write_text(f"ok\n{token()}\n")
    monkeypatch.chdir(tmp_path)
    program = str(Path(sys.executable).with_name("memgit"))
    done = subprocess.run((program, "guard", "scan", "--format", "lines", "d"), capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (4, "d/x.md:2\n")
    done = subprocess.run((program, "guard", "scan", "--stdin"), input=f"{token()}\n", capture_output=True, text=True)
    assert done.returncode == 4
    assert token() not in done.stdout + done.stderr


def test_sarif_has_rule_place_and_fingerprint(ws: Workspace) -> None:
    ws.write(LOG, f"- 1\n- {token()}\n")
    (run,) = json.loads(ws.run("guard", "scan", "--format", "sarif", ok=4).out)["runs"]
    (result,) = run["results"]
    assert result["ruleId"] in {rule["id"] for rule in run["tool"]["driver"]["rules"]}
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]["startLine"]) == (LOG, 2)


def test_scan_in_a_hook_looks_at_the_index_of_the_hook(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    """`git commit -- path` gives its hooks an index of its own."""
    other = ws.path.parent / "other-index"
    env = {"GIT_INDEX_FILE": str(other)}
    ws.git("read-tree", "HEAD", env=env)
    ws.write("app.py", f"{token()}\n")
    ws.git("add", "app.py", env=env)
    assert ws.run("guard", "scan", "--staged").status == 0
    monkeypatch.setenv("GIT_INDEX_FILE", str(other))
    assert ws.run("guard", "scan", "--staged", ok=4).out.startswith("app.py:1: ")


def test_nonsense_is_no_fingerprint(ws: Workspace) -> None:
    assert "is no fingerprint" in ws.run("guard", "allow", token(), ok=2).err


def test_status_says_that_a_linked_memory_directory_is_not_covered(ws: Workspace) -> None:
    elsewhere = ws.path.parent / "elsewhere"
    (ws.path / "memory").rename(elsewhere)
    (ws.path / "memory").symlink_to(elsewhere)
    for _ in range(2):
        (found,) = ws.memgit("status", "--json").json["uncovered"]
        assert found["path"] == "memory"
        assert f"is a link to {elsewhere}, outside of the work tree" in found["reason"]
