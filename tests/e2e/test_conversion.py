"""What lands in the object database is what `git add` would have put there: filters, encodings, line ends."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from support.secrets import token
from support.workspace import Workspace

UPPER = "tr a-z A-Z"

CASES: dict[str, tuple[str, dict[str, str], dict[str, bytes]]] = {
    "autocrlf": ("", {"core.autocrlf": "true"}, {"memory/a.md": b"one\r\ntwo\r\n", "memory/b.md": b"one\ntwo\n"}),
    "autocrlf input, mixed": ("", {"core.autocrlf": "input"}, {"memory/a.md": b"one\r\ntwo\n"}),
    "eol": ("*.md text eol=crlf\n", {}, {"memory/a.md": b"one\r\ntwo\r\n"}),
    "text auto": ("* text=auto\n", {}, {"memory/a.md": b"one\r\n", "memory/c.md": b"\xef\xbb\xbfone\r\n"}),
    "no text": ("* -text\n", {"core.autocrlf": "true"}, {"memory/a.md": b"one\r\n"}),
    "encoding": ("*.u16 working-tree-encoding=UTF-16\n", {}, {"memory/a.u16": "grüße\n".encode("utf-16")}),
    "ident": ("*.md ident\n", {}, {"memory/a.md": b"$Id: 123 $\n", "memory/b.md": b"none\n"}),
    "filter": ("*.md filter=loud\n", {"filter.loud.clean": UPPER}, {"memory/a.md": b"quiet\n"}),
    "link": ("* filter=loud text\n", {"filter.loud.clean": UPPER}, {}),
}


@pytest.mark.parametrize("name", CASES)
def test_stored_as_git_add_would(tmp_path: Path, name: str) -> None:
    attributes, config, files = CASES[name]
    ws = Workspace(tmp_path / "ws", {".gitattributes": attributes, "keep.txt": "start\n"})
    for key, value in config.items():
        ws.git("config", key, value)
    for path, content in files.items():
        ws.write(path, content)
    (ws.path / "memory").mkdir(exist_ok=True)
    if name == "link":
        (ws.path / "memory/a.md").symlink_to("lower case")
    twin = tmp_path / "twin"
    shutil.copytree(ws.path, twin, symlinks=True)
    subprocess.run(("git", "-C", str(twin), "add", "memory"), check=True, capture_output=True)
    wanted = subprocess.run(("git", "-C", str(twin), "write-tree"), check=True, capture_output=True).stdout.strip()

    ws.capture()
    assert ws.git("rev-parse", "HEAD^{tree}").strip() == wanted
    assert ws.status() == []
    assert ws.capture()["commit"] is None


def test_what_git_refuses_to_convert_is_held(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws", {".gitattributes": "*.md filter=broken\n"})
    ws.git("config", "filter.broken.clean", "false")
    ws.git("config", "filter.broken.required", "true")
    ws.write("memory/a.md", "x\n")
    assert [held["why"] for held in ws.capture(ok=4)["held"]] == ["encoded"]


def test_guard_sees_both_what_lies_there_and_what_would_be_stored(tmp_path: Path) -> None:
    secret = token()
    ws = Workspace(tmp_path / "ws", {".gitattributes": "*.md filter=swap\n"})
    ws.git("config", "filter.swap.clean", f"sed 's/PLACE/{secret}/'")
    ws.write("memory/a.md", "PLACE\n")
    ws.capture(ok=4)
    assert secret.encode() not in ws.git("cat-file", "--batch-all-objects", "--batch")
    ws.git("config", "filter.swap.clean", "sed 's/gh._.*/harmless/'")
    ws.write("memory/a.md", f"{secret}\n")
    ws.capture(ok=4)


def test_restored_file_has_the_line_ends_of_the_work_tree(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws", {".gitattributes": "*.md text eol=crlf\n"})
    ws.write("memory/a.md", b"one\r\n")
    ws.capture()
    ws.write("memory/a.md", b"two\r\n")
    ws.capture()
    ws.run("restore", "memory/a.md", "--at", "HEAD~1")
    assert (ws.path / "memory/a.md").read_bytes() == b"one\r\n"
    assert ws.status() == []


@pytest.mark.skipif(shutil.which("ssh-keygen") is None, reason="needs ssh-keygen")
def test_captures_are_signed_where_git_is_told_to_sign(tmp_path: Path) -> None:
    ws = Workspace(tmp_path / "ws", {"memory/a.md": "x\n"})
    key = tmp_path / "key"
    subprocess.run(("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)), check=True)
    allowed = tmp_path / "allowed"
    allowed.write_text(f"person@example.invalid {key.with_suffix('.pub').read_text()}")
    for name, value in (
        ("commit.gpgSign", "true"),
        ("gpg.format", "ssh"),
        ("user.signingKey", str(key)),
        ("gpg.ssh.allowedSignersFile", str(allowed)),
    ):
        ws.git("config", name, value)
    ws.write("memory/a.md", "y\n")
    ws.capture()
    ws.git("verify-commit", "HEAD")
