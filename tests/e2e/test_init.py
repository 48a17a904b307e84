"""`memgit init` and `memgit uninstall`: shown, done, proven, and gone without a trace."""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from memgit.core import footprint
from memgit.git.command import Git
from support import clone, confined
from support.clone import git
from support.repo import memgit, memgit_program, run
from support.shared import shared


@pytest.mark.parametrize(
    ("foreign", "how"),
    [
        (False, ()),
        (True, ()),
        (True, ("--driver-only",)),
        (True, ("--hooks", "none")),
        (True, ("--attributes", "tracked")),
        (True, ("--attributes", "none")),
        (False, ("--hooks", "pre-commit")),
    ],
    ids=lambda value: " ".join(value) or "default" if isinstance(value, tuple) else "foreign" if value else "plain",
)
def test_uninstall_leaves_every_byte_as_it_was(tmp_path: Path, foreign: bool, how: tuple[str, ...]) -> None:
    repo = clone.make(tmp_path / 'it\'s a "work" place', foreign=foreign)
    before = clone.picture(repo)
    memgit(repo, "init", "--yes", *how)
    assert clone.picture(repo) != before
    memgit(repo, "uninstall")
    assert clone.picture(repo) == before


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    first = memgit(repo, "init", "--yes", "--json").json
    assert first["proven"] is True
    between = clone.picture(repo)
    second = memgit(repo, "init", "--yes", "--json").json
    assert second["changes"] == []
    assert clone.picture(repo) == between
    memgit(repo, "uninstall")
    assert memgit(repo, "uninstall").out == "memgit init has made nothing here.\n"


@pytest.mark.parametrize("attributes", ["tracked", "none"])
def test_where_attributes_go_is_remembered(tmp_path: Path, attributes: str) -> None:
    repo = clone.make(tmp_path / "work")
    memgit(repo, "init", "--yes", "--attributes", attributes)
    assert memgit(repo, "doctor", "--check", "driver-without-attribute", "--json").json["problems"] == []
    private = repo / ".git/memgit/gitconfig"
    private.write_text(private.read_text().replace("-I -S '", "-I -S '/nowhere"))
    memgit(repo, "doctor", "--fix")  # writes it anew
    assert memgit(repo, "init", "--yes", "--json").json["changes"] == []
    assert not (repo / ".git/info/attributes").exists()
    memgit(repo, "init", "--yes", "--attributes", "local")
    assert "merge=memgit" in (repo / ".git/info/attributes").read_text()
    assert not (repo / ".gitattributes").exists()
    assert memgit(repo, "init", "--yes", "--json").json["changes"] == []


@pytest.mark.parametrize("more", [("--preset", "solo"), ("--hooks", "native")], ids=lambda more: more[0])
def test_the_driver_alone_comes_with_nothing_that_would_be_ignored(tmp_path: Path, more: tuple[str, str]) -> None:
    repo = clone.make(tmp_path / "work")
    before = clone.picture(repo)
    assert f"so {more[0]} would do nothing" in memgit(repo, "init", "--yes", "--driver-only", *more, ok=2).err
    assert clone.picture(repo) == before


def test_a_dry_run_shows_what_would_be_done_and_does_nothing(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    before = clone.picture(repo)
    shown = memgit(repo, "init", "--dry-run", "--json").json
    assert clone.picture(repo) == before
    done = memgit(repo, "init", "--yes", "--json").json
    assert shown["changes"] == done["changes"]
    before = clone.picture(repo)
    would = memgit(repo, "uninstall", "--dry-run", "--json").json["files"]
    assert clone.picture(repo) == before
    assert memgit(repo, "uninstall", "--json").json["files"] == would


def test_what_others_add_meanwhile_survives_an_uninstall(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    memgit(repo, "init", "--yes")
    git(repo, "config", "alias.lg", "log")
    with (repo / ".git/info/attributes").open("a") as file:
        file.write("*.jpg binary\n")
    memgit(repo, "uninstall")
    assert git(repo, "config", "alias.lg").stdout == "log\n"
    assert "memgit" not in (repo / ".git/config").read_text()
    assert (repo / ".git/info/attributes").read_text() == "*.md text\n*.png binary\n*.jpg binary\n"
    assert not (repo / ".git/memgit").exists()


def test_a_hook_that_was_replaced_meanwhile_is_left_and_named(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    memgit(repo, "init", "--yes")
    (repo / ".git/hooks/pre-push").write_text("#!/bin/sh\n# newer\n")
    done = memgit(repo, "uninstall")
    assert "pre-push is not memgit's" in done.err
    assert (repo / ".git/hooks/pre-push").read_text() == "#!/bin/sh\n# newer\n"
    assert (repo / ".git/hooks/pre-push.before-memgit").exists()


def test_a_failure_half_way_takes_back_what_was_done(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    (repo / ".git/config.lock").touch()
    before = clone.picture(repo)
    done = memgit(repo, "init", "--yes", ok=6)
    assert "config.lock" in done.err
    after = clone.picture(repo)
    after.pop(".git/memgit", None)
    after.pop(".git/memgit/lock", None)
    assert after == before


@pytest.mark.parametrize("left_kib", [0, 4, 12, 24, 48, 72])
def test_a_disk_that_runs_full_takes_back_what_was_done(tmp_path: Path, left_kib: int) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    (tmp_path / "after").mkdir()
    script = 'memgit init --yes --json >"$0/out" 2>"$0/err" || echo $? >"$0/status"; cp -a . "$0/after"'
    small = tmp_path / "small"
    argv = (*confined.small_disk(repo, small, left_kib=left_kib), "env", "-C", str(small), "sh", "-ec", script)
    subprocess.run((*argv, str(tmp_path)), check=True, env=clone.env(), timeout=120)
    left = {path: one for path, one in clone.picture(tmp_path / "after").items() if path != ".git/memgit/lock"}
    left.pop(".git/memgit", None)
    assert (tmp_path / "status").read_text() in ("1\n", "6\n")
    assert re.search("No space left on device|Out of diskspace", (tmp_path / "err").read_text())
    assert left == clone.picture(repo)


def test_a_configuration_that_can_not_be_written_takes_back_what_was_done(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    before = clone.picture(repo)
    done = memgit(repo, "init", "--yes", ok=1, within=confined.immovable(repo / ".git" / "config"))
    assert ".git/config" in done.err
    left = clone.picture(repo)
    for path in (".git/memgit", ".git/memgit/lock"):
        left.pop(path, None)
    assert left == before


@pytest.mark.parametrize("command", [("init", "--yes"), ("uninstall",)], ids=lambda command: command[0])
def test_a_run_killed_anywhere_needs_no_repair_by_hand(tmp_path: Path, command: tuple[str, ...]) -> None:
    """Killed at a sample of its state-changing calls: the next init and uninstall do all of it."""
    _killed(tmp_path, command, points=8)


@pytest.mark.slow
@pytest.mark.parametrize("command", [("init", "--yes"), ("uninstall",)], ids=lambda command: command[0])
def test_a_run_killed_at_every_call_needs_no_repair_by_hand(tmp_path: Path, command: tuple[str, ...]) -> None:
    _killed(tmp_path, command, points=10**6)


def _killed(place: Path, command: tuple[str, ...], points: int) -> None:
    probe = clone.make(place / "probe", foreign=True)
    before = clone.picture(probe)
    if command[0] == "uninstall":
        memgit(probe, "init", "--yes")
    fault = _faultpoint(place)
    count = _calls(fault, place, probe, command)
    assert count > 20
    for number in range(1, count + 1, max(1, count // points)):
        repo = place / f"work{number}"
        shutil.copytree(probe, repo, symlinks=True)
        argv = (str(fault), "-n", str(number), "-m", "killtree", "--", memgit_program(), "-C", str(repo), *command)
        subprocess.run(argv, capture_output=True, check=False, timeout=60)
        if command[0] == "init":
            memgit(repo, "init", "--yes")
        memgit(repo, "uninstall")
        assert clone.picture(repo) == before, number
        shutil.rmtree(repo)


def _faultpoint(place: Path) -> Path:
    built = place / "faultpoint"
    source = shared("tools", "faults", "faultpoint.c")
    compiler = shutil.which("cc")
    if compiler is None:
        pytest.skip("no C compiler")
    subprocess.run((compiler, "-O1", "-o", str(built), str(source)), check=True)
    return built


def _calls(fault: Path, place: Path, probe: Path, command: tuple[str, ...]) -> int:
    repo = place / "count"
    shutil.copytree(probe, repo, symlinks=True)
    log = place / "calls"
    argv = (str(fault), "-m", "count", "-l", str(log), "--", memgit_program(), "-C", str(repo), *command)
    subprocess.run(argv, capture_output=True, check=True, timeout=60)
    shutil.rmtree(repo)
    return len(log.read_text().splitlines())


def test_both_halves_of_the_driver_work_in_a_linked_worktree(tmp_path: Path) -> None:
    main = clone.make(tmp_path / "main")
    git(main, "worktree", "add", "-q", "-b", "side", str(tmp_path / "linked tree"))
    before = clone.picture(tmp_path)
    assert memgit(tmp_path / "linked tree", "init", "--yes", "--json").json["proven"] is True
    _conflict_comes_out_clean(main)
    memgit(tmp_path / "linked tree", "uninstall")
    assert "memgit" not in (main / ".git/config").read_text()
    assert set(before) <= set(clone.picture(tmp_path))


def test_a_bare_repository_gets_the_driver(tmp_path: Path) -> None:
    source = clone.make(tmp_path / "source")
    git(source, "clone", "-q", "--bare", "--template=", str(source), str(tmp_path / "bare.git"))
    bare = tmp_path / "bare.git"
    before = clone.picture(bare)
    done = memgit(bare, "init", "--yes", "--json").json
    assert (done["proven"], done["hooks"]) == (True, "none")
    memgit(bare, "uninstall")
    assert clone.picture(bare) == before


@pytest.mark.parametrize("attributes", ["local", "tracked"])
def test_git_merges_memory_through_the_driver(tmp_path: Path, attributes: str) -> None:
    repo = clone.make(tmp_path / "o'work %P")
    memgit(repo, "init", "--yes", "--driver-only", "--attributes", attributes)
    _conflict_comes_out_clean(repo)


def _conflict_comes_out_clean(repo: Path) -> None:
    log = repo / "memory" / "2026-02-04.md"
    git(repo, "checkout", "-q", "-b", "other")
    log.write_text(log.read_text() + "- 09:00 other\n")
    git(repo, "commit", "-q", "-a", "-m", "other")
    git(repo, "checkout", "-q", "-")
    log.write_text(log.read_text() + "- 10:00 mine\n")
    git(repo, "commit", "-q", "-a", "-m", "mine")
    git(repo, "merge", "-q", "other")
    assert log.read_text() == "# 2026-02-04\n\n- 08:00 one\n- 09:00 other\n- 10:00 mine\n"


def test_the_proof_touches_neither_refs_nor_index_nor_objects(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    memgit(repo, "init", "--yes")
    between = clone.picture(repo / ".git")
    assert memgit(repo, "init", "--yes", "--json").json["proven"] is True
    assert clone.picture(repo / ".git") == between


@pytest.mark.skipif(clone.HAS_CONFIG_HOOKS, reason="this git runs hooks from its configuration")
def test_hooks_of_a_foreign_path_are_left_and_what_to_add_is_said(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    (repo / ".husky").mkdir()
    (repo / ".husky" / "pre-commit").write_text("npm test\n")
    git(repo, "config", "core.hooksPath", ".husky")
    done = memgit(repo, "init", "--yes")
    assert "core.hooksPath is .husky, which is husky's; memgit does not change it." in done.err
    assert "memgit-hook guard" in done.err
    assert git(repo, "config", "core.hooksPath").stdout == ".husky\n"
    assert [path.name for path in (repo / ".husky").iterdir()] == ["pre-commit"]


@pytest.mark.skipif(not clone.HAS_CONFIG_HOOKS, reason="git before 2.54 runs no hooks from its configuration")
def test_git_runs_our_hooks_from_its_configuration_beside_those_of_others(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "it's work")
    (repo / ".husky").mkdir()
    (repo / ".husky" / "pre-commit").write_text("#!/bin/sh\ntouch ../husky-ran\n")
    (repo / ".husky" / "pre-commit").chmod(0o755)
    git(repo, "config", "core.hooksPath", ".husky")
    before = clone.picture(repo)
    assert memgit(repo, "init", "--yes", "--json").json["hooks"] == "config"
    assert memgit(repo, "init", "--yes", "--json").json["changes"] == []
    memgit(repo, "init", "--yes", "--driver-only")
    (repo / "MEMORY.md").write_text(clone.secret())
    assert "the guard holds this back" in git(repo, "commit", "-a", "-m", "x", ok=False).stderr
    git(repo, "reset", "-q", "--hard")
    (repo / "app.py").write_text("print(2)\n")
    git(repo, "commit", "-q", "-a", "-m", "code")
    assert (tmp_path / "husky-ran").exists(), "that hook is still run"
    memgit(repo, "uninstall")
    assert {path for path in clone.picture(repo) if "memgit" in path} == {path for path in before if "memgit" in path}


def test_hooks_in_the_configuration_are_what_git_reads(tmp_path: Path) -> None:
    text = footprint.gitconfig("driver", [("pre-commit", "/a 'b' \"c\"/pre-commit")])
    (tmp_path / "config").write_bytes(text)
    out = run("git", "config", "--file", str(tmp_path / "config"), "--get-regexp", "hook").decode()
    assert out.splitlines() == [
        "hook.memgit-pre-commit.event pre-commit",
        "hook.memgit-pre-commit.command '/a '\\''b'\\'' \"c\"/pre-commit'",
    ]


@pytest.mark.skipif(clone.HAS_CONFIG_HOOKS, reason="this git runs hooks from its configuration")
def test_lefthook_is_recognised(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    (repo / "lefthook.yml").write_text("pre-commit:\n  jobs: []\n")
    done = memgit(repo, "init", "--yes", "--json").json
    assert done["hooks"] == "none"
    assert done["notes"][0] == "Hooks are lefthook's (lefthook.yml). Add to its configuration:"


# Of five real workspaces: kinds of memory, memory files, window, and the rules with the commits that match.
WORKSPACES = {
    "ws1": (
        ["file memory", "agent rules"], 50, "day",
        [(r"^agent: auto-sync \d{4}-\d+-\d+", True, 79), (r"^vault backup: \d{4}-\d+-\d+", True, 7)],
    ),
    "ws2": (["file memory", "agent rules"], 47, "day", [(r"^Auto-backup \d{4}-\d+-\d+", True, 98)]),
    "ws3": (["file memory", "agent rules"], 17, "day", [(r"^📝 Memory auto-commit: \d{4}-\d+-\d+", False, 61)]),
    "ws4": (["file memory", "agent rules"], 94, "week", [(r"^Nightly backup: \d{4}-\d+-\d+", False, 83)]),
    "ws5": (["file memory"], 178, "day", [(r"^daily memory \d{4}-\d+-\d+", False, 175)]),
}  # fmt: skip


@pytest.mark.parametrize("name", WORKSPACES)
def test_policy_is_proposed_from_the_history(tmp_path: Path, name: str) -> None:
    repo = tmp_path / "ws"
    bundle = str(shared("workspaces", f"{name}.bundle"))
    subprocess.run(["git", "clone", "-q", "-b", "main", bundle, str(repo)], check=True)
    proposal = memgit(repo, "init", "--yes", "--hooks", "none", "--json").json["proposal"]
    rules = [(one["subject"], one["mixed"], one["matches"]) for one in proposal["auto"]]
    assert (proposal["kinds"], proposal["memory_files"], proposal["window"], rules) == WORKSPACES[name]
    settings = memgit(repo, "config", "--json", "auto", "consolidate.window").json["settings"]
    assert [rule["subject"] for rule in settings["auto"]["value"]] == [subject for subject, _, _ in rules]
    assert settings["consolidate.window"]["value"] == proposal["window"]


def test_a_workspace_below_the_top_is_set_up_from_the_top(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    git(repo, "rm", "-q", "-r", "memory", "MEMORY.md")
    (repo / "home" / "memory").mkdir(parents=True)
    (repo / "home" / "memory" / "2026-02-04.md").write_text("- 08:00 one\n")
    assert memgit(repo, "init", "--yes", "--json").json["proposal"]["workspace"] == "home/"
    assert (repo / "home" / ".memgit.toml").exists()
    assert b"/home/memory/** merge=memgit" in (repo / ".git/info/attributes").read_bytes()
    again = memgit(repo, "init", "--yes", "--json").json
    assert (again["changes"], again["proven"]) == ([], True)


def test_a_workspace_below_the_top_is_guarded_before_its_policy_is_committed(tmp_path: Path) -> None:
    repo = tmp_path / "work"
    (repo / "home" / "memory").mkdir(parents=True)
    (repo / "home" / "memory" / "2026-02-04.md").write_text("- 08:00 one\n")
    memgit(repo, "init", "--yes")
    (repo / "home" / "memory" / "2026-02-04.md").write_text(clone.secret())
    git(repo, "add", "home/memory")
    assert "home/memory/2026-02-04.md:1" in git(repo, "commit", "-m", "x", ok=False).stderr
    assert memgit(repo, "doctor", "-q").out == ""


def test_it_does_not_matter_where_in_the_work_tree_it_is_run(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    before = clone.picture(repo)
    done = memgit(repo / "memory", "init", "--yes", "--json").json
    assert (done["proven"], done["proposal"]["workspace"]) == (True, "")
    assert (repo / ".memgit.toml").exists()
    assert memgit(repo, "init", "--yes", "--json").json["changes"] == []
    memgit(repo / "memory", "doctor")
    memgit(repo / "memory", "uninstall")
    assert clone.picture(repo) == before


def test_what_git_does_not_see_is_said(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    git(repo, "init", "-q", "memory/nested")
    (tmp_path / "elsewhere").mkdir()
    (repo / "memory-bank").symlink_to(tmp_path / "elsewhere")
    proposal = memgit(repo, "init", "--dry-run", "--json").json["proposal"]
    assert proposal["nested"] == ["memory/nested"]
    assert proposal["links"] == [["memory-bank", str(tmp_path / "elsewhere")]]


def test_without_a_repository_one_is_offered(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir()
    (tmp_path / "new" / "MEMORY.md").write_text("# Memory\n")
    assert "memgit init would make one" in memgit(tmp_path / "new", "init", "--dry-run").out
    assert not (tmp_path / "new" / ".git").exists()
    memgit(tmp_path / "new", "init", ok=2)
    assert not (tmp_path / "new" / ".git").exists()
    assert memgit(tmp_path / "new", "init", "--yes", "--json").json["proven"] is True
    assert (tmp_path / "new" / ".git").exists()


def test_a_person_is_asked_and_may_say_no(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    before = clone.picture(repo)
    controller, terminal = pty.openpty()
    os.write(controller, b"n\n")
    done = subprocess.run(
        (memgit_program(), "-C", str(repo), "init"), stdin=terminal, capture_output=True, text=True, check=False
    )
    os.close(terminal)
    os.close(controller)
    assert "Do this? [y/N]" in done.stderr
    assert "Nothing was changed." in done.stderr
    assert (done.returncode, clone.picture(repo)) == (0, before)


def test_purge_also_deletes_refs_and_private_files(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    before = clone.picture(repo)
    memgit(repo, "init", "--yes")
    tip = git(repo, "rev-parse", "HEAD").stdout.strip()
    git(repo, "update-ref", "refs/memgit/ops", tip)
    (repo / ".git/memgit/config.toml").write_text("")
    told = memgit(repo, "uninstall").out
    assert "1 ref below refs/memgit kept" in told
    assert told.startswith(".memgit.toml: taken back\n.gitignore: taken back\n.git/memgit/gitconfig: taken back\n")
    assert git(repo, "rev-parse", "refs/memgit/ops").stdout.strip() == tip
    assert (repo / ".git/memgit/config.toml").exists()
    memgit(repo, "uninstall", "--purge", "--yes")
    assert clone.picture(repo) == before


def test_the_registered_line_is_what_git_reads(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work")
    memgit(repo, "init", "--yes", "--driver-only")
    line = Git(str(repo)).text("config", "merge.memgit.driver")
    assert line.endswith("git merge-file --marker-size=%L -L ours -L base -L theirs %A %O %B || exit 1; }")


def test_the_whole_plan_is_shown(tmp_path: Path) -> None:
    repo = clone.make(tmp_path / "work", foreign=True)
    for number in range(3):
        git(repo, "commit", "-q", "--allow-empty", "--no-verify", "-m", f"Auto-backup 2026-02-04 10:0{number}")
    assert memgit(repo, "init", "--dry-run").out == PLAN
    assert memgit(repo, "init", "--yes").out == PLAN + DONE


PLAN = """\
Workspace: the top of the repository (file memory), 2 memory files.
Automatic commits, learned from 4 commits:
  commits  with other files  counted with them  subject
        3                 0  no                 ^Auto-backup \\d{4}-\\d+-\\d+
They would become one commit per day.
To be done:
  .memgit.toml                   new      the policy, which travels with the repository
  .gitignore                     changed  secrets and editor droppings ignored
  .git/memgit/gitconfig          new      the merge driver
  .git/config                    changed  one include of memgit's own file
  .git/info/attributes           changed  memory files merged by memgit
  .git/memgit/scope              new      where memory lies, for the hooks
  .git/memgit/due                new      when a due consolidation was last mentioned
  .git/hooks/pre-commit          changed  pre-commit hook, which runs yours first
  .git/hooks/pre-merge-commit    new      pre-merge-commit hook
  .git/hooks/pre-push            changed  pre-push hook, which runs yours first
  .git/hooks/prepare-commit-msg  new      prepare-commit-msg hook
  .git/hooks/post-commit         changed  post-commit hook, which runs yours first
  .git/hooks/post-merge          changed  post-merge hook, which runs yours first
  .git/hooks/post-rewrite        changed  post-rewrite hook, which runs yours first
  .git/hooks/post-checkout       new      post-checkout hook
.memgit.toml would say:
  | # How memgit keeps this workspace's memory. Commit this file: clones on all machines follow it.
  | # `memgit config --example` shows every setting there is.
  |
  | [memory]
  | # Found: file memory.
  | include = [
  |     "/MEMORY.md",
  |     "/AGENTS.md",
  |     "/SOUL.md",
  |     "/USER.md",
  |     "/IDENTITY.md",
  |     "/TOOLS.md",
  |     "/HEARTBEAT.md",
  |     "/memory/**",
  | ]
  |
  | [consolidate]
  | window = "day"
  |
  | # 3 commits, such as "Auto-backup 2026-02-04 10:02"
  | [[auto]]
  | subject = '^Auto-backup \\d{4}-\\d+-\\d+'
"""
DONE = """\
Proof: two additions to MEMORY.md were merged into one file.
To be committed by you, for other clones to follow: .memgit.toml and .gitignore
Undo: memgit uninstall
"""


def test_the_one_workspace_below_is_found_from_above(tmp_path: Path) -> None:
    top = clone.make(tmp_path / "work" / "agent").parent
    (top / "agent" / ".git").rename(top / ".git")
    (top / "docs").mkdir()
    git(top, "add", "-A")
    git(top, "commit", "-q", "-m", "moved")
    for number in range(1, 5):
        (top / "agent" / "MEMORY.md").write_text("# Memory\n" + "- more\n" * number)
        git(top, "commit", "-q", "-am", f"auto-backup 2026-02-0{number} 10:00")
    memgit(top, "init", "--yes")
    assert (top / "agent" / ".memgit.toml").exists()
    for place in (top, top / "docs", top / "agent"):
        assert memgit(place, "consolidate", "--now", "--dry-run", "--json").json["squashed"] == 4
    (top / "agent" / "MEMORY.md").write_text("# Memory\n- from above\n")
    memgit(top, "commit")
    assert git(top, "show", "--format=", "--name-only").stdout == "agent/MEMORY.md\n"
