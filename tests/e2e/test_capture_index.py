"""The index contract, driven through random states of index and work tree."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from support.repo import Repo
from support.workspace import Workspace

MEMORY = ["MEMORY.md", "memory/a.md", "memory/b.md", "memory/d/c.md"]
OTHER = ["app.py", "src/x.py"]
CONTENTS = ["one\n", "two\n", "three\n", ""]

EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"

state = st.fixed_dictionaries(
    {
        "head": st.sampled_from([None, *CONTENTS]),
        "index": st.sampled_from(["same", "gone", "intent", *CONTENTS]),
        "tree": st.sampled_from([None, *CONTENTS]),
        "flag": st.sampled_from(["", "", "", "--assume-unchanged", "--skip-worktree"]),
    }
)


def entries(ws: Repo) -> dict[str, bytes]:
    """Every entry with its flags, without what git remembers of the file."""
    found = {}
    for line in ws.git("ls-files", "-s", "-v", "-z").split(b"\0")[:-1]:
        head, _, path = line.partition(b"\t")
        found[path.decode()] = head
    real = ws.git("diff-index", "--cached", "--ita-invisible-in-index", "--name-only", "-z", EMPTY_TREE).split(b"\0")
    return {path: entry if path.encode() in real else entry + b" intent" for path, entry in found.items()}


def build(ws: Workspace, states: dict[str, dict[str, str | None]]) -> None:
    for path, chosen in states.items():
        if chosen["head"] is not None:
            ws.write(path, chosen["head"])
    ws.write("keep.txt", "always\n")
    ws.git("add", "-A")
    ws.git("commit", "-qm", "start")
    for path, chosen in states.items():
        index = chosen["index"]
        if index == "gone":
            ws.git("rm", "-q", "--cached", "--ignore-unmatch", path)
        elif index == "intent" and chosen["head"] is None:
            ws.write(path, "x")
            ws.git("add", "-N", path)
        elif index in CONTENTS:
            assert index is not None
            ws.write(path, index)
            ws.git("add", path)
        if chosen["tree"] is None:
            (ws.path / path).unlink(missing_ok=True)
        else:
            ws.write(path, chosen["tree"])
        if chosen["flag"] and path in entries(ws):
            ws.git("update-index", chosen["flag"], path)


@settings(max_examples=15, deadline=None)
@given(st.fixed_dictionaries(dict.fromkeys([*MEMORY, *OTHER], state)))
def test_index_contract(states: dict[str, dict[str, str | None]]) -> None:
    with tempfile.TemporaryDirectory() as place:
        ws = Workspace(Path(place) / "ws")
        build(ws, states)
        head, index_before, status_before = ws.head(), entries(ws), ws.status()
        staged_before = {line[2:]: line[0] for line in ws.staged()}
        work_tree = {path: (ws.path / path).read_bytes() for path in states if (ws.path / path).exists()}

        ws.capture("--confirm-deletions")

        index_after = entries(ws)
        hidden = {path for path, entry in index_before.items() if entry[:1] != b"H"}
        before, after = ws.files(head), ws.files(ws.head())
        for path in states:
            assert ((ws.path / path).read_bytes() if (ws.path / path).exists() else None) == work_tree.get(path)
        for path in (*OTHER, "keep.txt"):
            assert index_after.get(path) == index_before.get(path)
            assert after.get(path.encode()) == before.get(path.encode())
        assert [line for line in ws.status() if line[3:] in OTHER] == [
            line for line in status_before if line[3:] in OTHER
        ]
        for path in MEMORY:
            if path in work_tree:
                assert ws.content("HEAD", path) == work_tree[path]
            else:
                gone = path.encode() not in after
                assert gone or (path in hidden and after[path.encode()] == before[path.encode()])
            was, entry = before.get(path.encode()), index_before.get(path)
            if was is None and path.encode() not in after:
                assert index_after.get(path) == entry
                continue
            is_untouched = entry is None if was is None else entry is not None and was.oid in entry.split()
            if is_untouched or (entry is not None and entry.endswith(b"intent")):
                now = after.get(path.encode())
                assert (now is None) == (path not in index_after)
                assert now is None or now.oid in index_after[path].split()
                assert now is None or entry is None or index_after[path][:1] == entry[:1]
            elif path in index_after:  # the user's own version, or the very one that was captured
                assert index_after[path] == entry
        staged = {line[2:]: line[0] for line in ws.staged()}
        assert {path for path in staged if path in OTHER} == {path for path in staged_before if path in OTHER}
        assert set(staged) <= set(staged_before)

        ws.git("commit", "-qm", "by the user", "--allow-empty")
        changed = set(ws.git("diff", "--name-only", "--no-renames", "HEAD~1", "HEAD").decode().split())
        assert changed == set(staged)
        for path, content in work_tree.items():
            assert (ws.path / path).read_bytes() == content
        ws.capture("--confirm-deletions")
        for path in MEMORY:
            if path in work_tree:
                assert ws.content("HEAD", path) == work_tree[path]
        ws.fsck()
