"""memgit export: the memory of a commit without git."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest

from support.repo import run
from support.vault import Vault, tree


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    made = Vault(tmp_path)
    made.fill()
    made.write("memory/run.sh", "#!/bin/sh\n").chmod(0o755)
    made.write("memory/odd name\t\n.md", "odd\n")
    made.commit()
    return made


def archive(vault: Vault, ref: str) -> dict[str, object]:
    """What `git archive` of a commit extracts to."""
    found: dict[str, object] = {}
    data = run("git", "-C", str(vault.path), "archive", "--format=tar", ref)
    with tarfile.open(fileobj=io.BytesIO(data)) as tar:
        for member in tar:
            if member.issym():
                found[member.name] = member.linkname.encode()
            elif member.isfile():
                held = tar.extractfile(member)
                assert held is not None
                mode = 0o100755 if member.mode & 0o100 else 0o100644
                found[member.name] = (oct(mode), int(member.mtime) * 10**9, held.read())
    return found


def is_memory(path: str) -> bool:
    return path == "MEMORY.md" or path.startswith("memory/")


def test_an_export_is_what_git_archive_gives(vault: Vault, tmp_path: Path) -> None:
    vault.write("MEMORY.md", "written since\n")
    expected = archive(vault, "HEAD")
    report = vault.memgit("export", "HEAD", "--json", "--to", str(tmp_path / "out")).json
    assert tree(tmp_path / "out") == {path: held for path, held in expected.items() if is_memory(path)}
    assert len(report["files"]) == len(tree(tmp_path / "out"))
    vault.memgit("export", "--all", "--to", str(tmp_path / "all"))
    assert tree(tmp_path / "all") == expected


def test_attributes_hold_as_in_a_checkout_and_in_git_archive(vault: Vault, tmp_path: Path) -> None:
    run("git", "-C", str(vault.path), "config", "filter.turn.clean", "tr a-z n-za-m")
    run("git", "-C", str(vault.path), "config", "filter.turn.smudge", "tr a-z n-za-m")
    vault.write(
        ".gitattributes",
        "memory/private/** export-ignore\nmemory/subst.md export-subst\nmemory/crlf.md text eol=crlf\n"
        "memory/utf16.md text working-tree-encoding=UTF-16LE-BOM\nmemory/turned.md filter=turn\nmemory/id.md ident\n",
    )
    wide = "\ufeffwide\n".encode("utf-16-le")
    for name, content in {
        "private/a.md": b"for us alone\n",
        "subst.md": b"as of $Format:%H$\n",
        "crlf.md": b"one\r\ntwo\r\n",
        "utf16.md": wide,
        "turned.md": b"plain\n",
        "id.md": b"$Id$\n",
    }.items():
        vault.write(f"memory/{name}", content)
    vault.commit()
    vault.write(".gitattributes", "* -text\nMEMORY.md export-ignore\n")  # the commit's own count, not these
    vault.memgit("export", "--to", str(tmp_path / "out"))
    found = tree(tmp_path / "out")
    assert found == {path: held for path, held in archive(vault, "HEAD").items() if is_memory(path)}
    assert "memory/private/a.md" not in found
    contents = {path: held[2] for path, held in found.items() if isinstance(held, tuple)}
    head = run("git", "-C", str(vault.path), "rev-parse", "HEAD")
    assert contents["memory/subst.md"] == b"as of " + head
    assert contents["memory/crlf.md"] == b"one\r\ntwo\r\n"
    assert contents["memory/utf16.md"] == wide
    assert contents["memory/turned.md"] == b"plain\n"
    assert vault.memgit("export", "--json", "--to", str(tmp_path / "out")).json["files"] == []


def test_an_export_is_previewed_and_idempotent_and_overwrites_nothing_unasked(vault: Vault, tmp_path: Path) -> None:
    out = tmp_path / "out"
    planned = vault.memgit("export", "--json", "--dry-run", "--to", str(out)).json
    assert not out.exists()
    assert vault.memgit("export", "--json", "--to", str(out)).json["files"] == planned["files"]
    assert vault.memgit("export", "--json", "--to", str(out)).json["files"] == []
    (out / "MEMORY.md").write_text("mine\n")
    (out / "own").write_text("own\n")
    assert "MEMORY.md" in vault.memgit("export", "--to", str(out), ok=2).err
    vault.memgit("export", "--overwrite", "--to", str(out))
    assert (out / "MEMORY.md").read_text() == "# Memory\n- a fact\n"
    assert (out / "own").read_text() == "own\n"


def test_an_older_commit_and_a_workspace_below_the_top(vault: Vault, tmp_path: Path) -> None:
    vault.write("agent/.memgit.toml", "")
    vault.write("agent/MEMORY.md", "inner\n")
    vault.commit()
    vault.memgit("-C", str(vault.path / "agent"), "export", "--to", str(tmp_path / "inner"))
    assert list(tree(tmp_path / "inner")) == ["MEMORY.md"]
    vault.memgit("export", "HEAD~1", "--to", str(tmp_path / "older"))
    assert "MEMORY.md" in tree(tmp_path / "older")
    assert "names no commit" in vault.memgit("export", "nothing", "--to", str(tmp_path / "x"), ok=2).err


def test_an_export_names_what_is_in_the_way_and_writes_nothing(vault: Vault, tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out/memory").write_text("a file\n")
    done = vault.memgit("export", "HEAD", "--overwrite", "--to", str(tmp_path / "out"), ok=2)
    assert f"can't be put into {tmp_path}/out, nor 8 more: memory is no directory there." in done.err
    assert "Nothing was written." in done.err
    assert list(tree(tmp_path / "out")) == ["memory"]
