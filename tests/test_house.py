"""The house itself: format, lint, types, floors, and that the documents list what there is."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from memgit.cli.commands import COMMANDS
from memgit.core.version import VERSION
from memgit.porcelain.doctor.run import ABOUT, MENDING

ROOT = Path(__file__).parent.parent
BIN = Path(sys.executable).parent


@pytest.mark.parametrize(
    "argv",
    [
        ("ruff", "format", "--check", "--quiet", "."),
        ("ruff", "check", "--quiet", "."),
        ("mypy", "--no-error-summary"),
        ("lint-imports", "--no-cache"),
    ],
    ids=lambda argv: " ".join(argv[:2]),
)
def test_check_passes(argv: tuple[str, ...]) -> None:
    done = subprocess.run((str(BIN / argv[0]), *argv[1:]), cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def modules() -> list[str]:
    source = ROOT / "src" / "memgit"
    return sorted(str(path.relative_to(source)) for path in source.rglob("*.py") if path.name != "__init__.py")


def test_architecture_lists_every_module_and_no_other() -> None:
    listed = re.findall(r"^\| `([\w/]+\.py)` \|", (ROOT / "ARCHITECTURE.md").read_text(), re.MULTILINE)
    assert sorted(listed) == modules()


def test_architecture_names_tests_that_exist() -> None:
    named = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", (ROOT / "ARCHITECTURE.md").read_text())
    assert named
    for path, function in named:
        assert (ROOT / path).exists(), path
        assert not function or f"def {function}(" in (ROOT / path).read_text(), f"{path}::{function}"


def test_core_touches_no_outside_world() -> None:
    forbidden = re.compile(r"^\s*(?:import|from) (os|sys|time|subprocess|pathlib|io|socket|shutil|tempfile)\b", re.M)
    for path in (ROOT / "src" / "memgit" / "core").rglob("*.py"):
        assert not forbidden.search(path.read_text()), path


def test_only_process_imports_subprocess() -> None:
    users = [name for name in modules() if re.search(r"import subprocess|from subprocess", source_of(name))]
    assert users == ["process.py"]


def source_of(module: str) -> str:
    return (ROOT / "src" / "memgit" / module).read_text()


def test_package_init_files_are_empty() -> None:
    assert not [path for path in (ROOT / "src").rglob("__init__.py") if path.read_text().strip()]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: command.name)
def test_every_command_has_help_an_example_and_a_readme_row(command) -> None:  # type: ignore[no-untyped-def]
    done = subprocess.run(
        (str(BIN / "memgit"), *command.name.split(), "--help"), capture_output=True, text=True, check=True
    )
    assert "Example" in done.stdout
    assert f"| `memgit {command.name}" in (ROOT / "README.md").read_text()


def test_readme_lists_every_check_of_doctor() -> None:
    text = (ROOT / "README.md").read_text().partition("## What doctor looks for")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| `([\w-]+)` \| (.+?) \| (\w*) ?\|$", text, re.MULTILINE)
    assert rows == [(name, about, "yes" if name in MENDING else "") for name, about in ABOUT.items()]


def test_light_calls_import_neither_pygit2_nor_typer() -> None:
    for argv in (["--version"], ["consolidate", "--dry-run"]):
        code = (
            "import sys; from memgit.cli.app import run; run(sys.argv[1:]);"
            "print(sorted({'pygit2', 'typer', 'rich'} & set(sys.modules)), file=sys.stderr)"
        )
        done = subprocess.run((sys.executable, "-c", code, *argv), cwd=ROOT, capture_output=True, text=True, check=True)
        assert done.stderr.splitlines()[-1] == "[]"


def test_help_does_not_import_pygit2() -> None:
    code = (
        "import sys, atexit; atexit.register(lambda: print('pygit2' in sys.modules, file=sys.stderr));"
        "from memgit.cli.app import run; run(['--help'])"
    )
    done = subprocess.run((sys.executable, "-c", code), capture_output=True, text=True, check=False)
    assert done.stderr.splitlines()[-1] == "False"


def test_version_is_the_distributions() -> None:
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"] == VERSION


def test_the_package_names_no_other_distribution() -> None:
    text = "".join(path.read_text() for path in ROOT.glob("*.md"))
    command = "memgit"  # on the package index this is another project's
    assert not re.search(rf"pip install {command}\b", text)
