"""memgit doctor: what is wrong, and the way out."""

from __future__ import annotations

import os

from memgit.cli import render
from memgit.cli.context import find_top, now_s, text, texts
from memgit.cli.params import Values
from memgit.core.problems import Problem, Severity, worst
from memgit.porcelain.doctor import run as doctor


def run(values: Values) -> int:
    """Look, show, mend if asked to. 0 unless an error is left."""
    report = doctor.run(
        lambda: find_top(text(values, "directory")),
        os.environ,
        now_s(),
        only=texts(values, "check"),
        fix=bool(values["fix"]),
    )
    if values["json"]:
        render.emit_json(report)
    else:
        for problem in report.problems:
            _show(problem)
        if not values["quiet"]:
            left = [problem for problem in report.problems if not problem.mended]
            render.say(f"{render.plural(report.checks, 'thing')} looked at, {render.plural(len(left), 'problem')}.")
            if any(problem.mends for problem in left):
                render.say("memgit doctor --fix mends those marked with *.")
    return 1 if worst(report.problems) is Severity.ERROR else 0


def _show(problem: Problem) -> None:
    mark = "mended" if problem.mended else problem.severity.name.lower() + ("*" if problem.mends else "")
    render.say(f"{mark:9}{problem.id}: {problem.evidence}")
    if not problem.mended:
        render.say(f"{'':9}{problem.fix}")
