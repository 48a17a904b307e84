"""A write that a restore would lose, joined with what was restored."""

from __future__ import annotations

from memgit.core import lost_write

BASE = b"# Memory\n\n- 08:00 one\n"
RESTORED = BASE + b"- 09:00 unstaged\n"
WRITTEN = BASE + b"- 09:30 written\n"


def test_both_additions_are_there() -> None:
    assert lost_write.joined(BASE, RESTORED, WRITTEN, b"memory/log.md") == RESTORED + b"- 09:30 written\n"


def test_nothing_is_done_where_the_restored_file_has_it_all() -> None:
    assert lost_write.joined(BASE, RESTORED + b"- 09:30 written\n", WRITTEN, b"memory/log.md") is None


def test_a_line_the_agent_took_out_goes() -> None:
    base = b"# Memory\n\n- one\n- two\n- three\n- four\n- five\n"
    written = base.replace(b"- two\n", b"")
    assert lost_write.joined(base, base + b"- six\n", written, b"MEMORY.md") == written + b"- six\n"


def test_the_last_version_that_is_the_agents_counts() -> None:
    first, second = BASE + b"- a\n", BASE + b"- b\n"
    assert lost_write.last_written(BASE, RESTORED, [BASE, first, second, BASE, RESTORED]) == second
    assert lost_write.last_written(BASE, RESTORED, [BASE, RESTORED]) is None


def test_what_is_no_text_is_not_touched() -> None:
    assert lost_write.joined(b"\0a", b"\0b", b"\0c", b"x.bin") is None
