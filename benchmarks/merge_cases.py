"""Score the merge driver, and what else there is, on the shared real cases.

    python benchmarks/merge_cases.py [--driver] [name ...]

Runs the shared scorer over every case file. memgit is measured in process, with --driver as `memgit-merge`
through git's protocol too. Beside it stand git's own merge, git's union merge, and git-merge-changelog,
merge3 and a CRDT text merge (pycrdt) where they are installed.
"""

from __future__ import annotations

import argparse
import difflib
import importlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from memgit.core.merge.api import merge

ROOT = Path(__file__).resolve().parents[1]
CORPORA = ("memory", "changelog", "synth", "docs", "lists")
COLUMNS = ("clean", "exact", "set", "lost", "res", "dup", "split", "bad", "lostc", "comm", "idem", "uni", "p95")


def memgit(base: bytes, ours: bytes, theirs: bytes, path: str) -> tuple[bytes, bool]:
    """The function the scorer calls in process."""
    result = merge(base, ours, theirs, path)
    return result.content, not result.clean


def merge3(base: bytes, ours: bytes, theirs: bytes, path: str) -> tuple[bytes, bool]:
    """Bazaar's merge3, from the package of that name."""
    texts = [text.splitlines(True) for text in (base, ours, theirs)]
    merger = importlib.import_module("merge3").Merge3(*texts)
    lines = b"".join(merger.merge_lines(name_a=b"ours", name_b=b"theirs"))
    return lines, any(group[0] == "conflict" for group in merger.merge_groups())


def crdt(base: bytes, ours: bytes, theirs: bytes, path: str) -> tuple[bytes, bool]:
    """A CRDT text: both sides type their changes into a copy of the base, then exchange updates."""
    pycrdt = importlib.import_module("pycrdt")
    origin = pycrdt.Doc()
    origin["text"] = pycrdt.Text(base.decode("utf-8", "replace"))
    docs = []
    for side in (ours, theirs):
        doc = pycrdt.Doc()
        text = doc.get("text", type=pycrdt.Text)
        doc.apply_update(origin.get_update())
        old, new = str(text).splitlines(True), side.decode("utf-8", "replace").splitlines(True)
        starts = [0]
        for line in old:
            starts.append(starts[-1] + len(line.encode()))
        for what, i1, i2, j1, j2 in reversed(difflib.SequenceMatcher(None, old, new, autojunk=False).get_opcodes()):
            if what != "equal":
                del text[starts[i1] : starts[i2]]
                text.insert(starts[i1], "".join(new[j1:j2]))
        docs.append(doc)
    docs[0].apply_update(docs[1].get_update())
    return str(docs[0].get("text", type=pycrdt.Text)).encode(), False


def contenders(with_driver: bool) -> dict[str, list[str]]:
    """Name to the scorer's arguments, of those that can run here."""
    here = ["--sys-path", str(ROOT / "benchmarks"), "--sys-path", str(ROOT / "src")]
    found = {
        "memgit": ["--python", "merge_cases:memgit", *here],
        "git merge-file": ["--driver", "git merge-file -q %A %O %B"],
        "git union": ["--driver", "git merge-file -p -q --union %A %O %B", "--stdout"],
    }
    if with_driver:
        found["memgit-merge"] = ["--driver", f"{Path(sys.executable).parent}/memgit-merge %O %A %B %L %P %S %X %Y"]
    if shutil.which("git-merge-changelog"):
        found["git-merge-changelog"] = ["--driver", "git-merge-changelog %O %A %B"]
    if importlib.util.find_spec("merge3"):
        found["merge3"] = ["--python", "merge_cases:merge3", *here]
    if importlib.util.find_spec("pycrdt"):
        found["CRDT text"] = ["--python", "merge_cases:crdt", *here]
    return found


def score(shared: Path, corpus: str, arguments: list[str]) -> dict[str, dict[str, float]]:
    """The scorer's groups for one contender on one case file."""
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder) / "score.json"
        scorer = [sys.executable, str(shared / "merge" / "score.py"), *arguments, "--jobs", "1", "--json", str(answer)]
        cases = str(shared / "merge" / "cases" / f"{corpus}.jsonl.gz")
        subprocess.run([*scorer, cases], check=True, stdout=subprocess.DEVNULL)
        groups: dict[str, dict[str, float]] = json.loads(answer.read_text())["groups"]
    return groups


def cell(column: str, value: float) -> str:
    """A figure as the table shows it: shares in percent, counts whole, times in milliseconds."""
    if column in ("clean", "exact", "set", "comm", "idem", "uni"):
        return f"{100 * value:.1f}"
    return f"{value:.1f}" if column == "p95" else f"{value:.0f}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", help="only these contenders")
    parser.add_argument("--driver", action="store_true", help="measure memgit through git's driver protocol too")
    options = parser.parse_args()
    shared = Path(os.environ.get("MEMGIT_SHARED", ROOT.parent / "shared"))
    if not shared.exists():
        sys.exit("The shared cases are not beside the repository; set MEMGIT_SHARED.")
    print(f"| cases | merge | {' | '.join(COLUMNS)} |\n|---|---|{'---|' * len(COLUMNS)}")
    for corpus in CORPORA:
        for name, arguments in contenders(options.driver).items():
            if options.names and name not in options.names:
                continue
            groups = score(shared, corpus, arguments)
            for kind in ("conflict", "clean"):
                group = groups.get(f"{corpus}/{kind}")
                if group and (kind == "conflict" or name.startswith("memgit")):
                    cells = " | ".join(cell(column, group.get(column, 0)) for column in COLUMNS)
                    print(f"| {corpus}, {kind} ({group['n']}) | {name} | {cells} |", flush=True)


if __name__ == "__main__":
    main()
