"""What starts memgit, as text: golden files, and no path that becomes part of a program."""

from __future__ import annotations

import os
import plistlib
import shlex
import shutil
import subprocess
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from memgit.core.service_files import Job, crontab_lines, launchd_plist, systemd_unit, task_xml

DATA = Path(__file__).parent.parent / "data" / "service"
PLAIN = Job(("/opt/memgit/bin/memgit",), ("/home/x/agent", "/home/x/my agent"), {"PATH": "/usr/bin:/bin"}, 17)
ODD = ("/a b", "/it's", '/quo"te', "/per%cent", "/dollar$HOME", "/back\\slash", "/amp&<>", "/ümlaut", "/-dash")
PATHS = st.text(st.characters(min_codepoint=32, max_codepoint=0x2FF, exclude_characters="\x7f"), min_size=1).map(
    lambda text: "/" + text
)
SCHEMA = "{http://schemas.microsoft.com/windows/2004/02/mit/task}"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("memgit.service", systemd_unit(PLAIN)),
        ("crontab", crontab_lines(PLAIN)[0].decode() + "\n"),
        ("agent.plist", launchd_plist(PLAIN, "/home/x/Library/Logs/memgit.log")),
        ("task.xml", task_xml(PLAIN)),
    ],
)
def test_golden_files(name: str, text: str) -> None:
    assert text == (DATA / name).read_text()


@given(st.lists(PATHS, min_size=1, max_size=3))
def test_a_shell_reads_the_crontab_line_as_it_was_meant(paths: list[str]) -> None:
    (line,) = crontab_lines(Job(("/m",), tuple(paths), {}, 0))
    command = line.decode().split(" ", 5)[5].replace("\\%", "%")  # cron's own quoting comes off first
    assert shlex.split(command) == ["/m", "run", "--once", "--quiet", *paths]


def test_a_crontab_can_not_hold_a_line_break() -> None:
    with pytest.raises(ValueError, match="a line break"):
        crontab_lines(Job(("/m",), ("/a\nb",), {}, 0))


@given(st.lists(PATHS, min_size=1, max_size=3))
def test_plist_and_task_hold_the_words_as_they_are(paths: list[str]) -> None:
    job = Job(("/m",), tuple(paths), {"PATH": "/usr/bin"}, 0)
    agent = plistlib.loads(launchd_plist(job, "/log").encode())
    assert agent["ProgramArguments"] == ["/m", "run", *paths]
    task = ET.fromstring(task_xml(job).partition("\n")[2])
    assert task.findtext(f".//{SCHEMA}Command") == "/m"


@pytest.mark.parametrize(
    ("word", "quoted"),
    [
        ("plain", "plain"),
        ("with space", '"with space"'),
        ('quo"te', '"quo\\"te"'),
        ("slash\\", "slash\\"),
        ("a b\\", '"a b\\\\"'),
    ],
)
def test_windows_words(word: str, quoted: str) -> None:
    text = ET.fromstring(task_xml(Job(("m",), (word,), {}, 0)).partition("\n")[2]).findtext(f".//{SCHEMA}Arguments")
    assert text == f"run --once --quiet {quoted}"


def test_systemd_takes_the_unit(tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    unit = tmp_path / "memgit.service"
    unit.write_text(systemd_unit(Job(("/bin/true",), ODD, {"PATH": "/usr/bin:/b%in", "X": 'a "b" $c'}, 0)))
    env = {**os.environ, "XDG_RUNTIME_DIR": str(tmp_path)}
    done = subprocess.run(
        [analyze, "--user", "verify", str(unit)], capture_output=True, text=True, check=False, env=env
    )
    assert (done.returncode, done.stderr) == (0, "")
