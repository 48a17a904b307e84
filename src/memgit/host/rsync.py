"""Backups on another machine, or a directory, through rsync: nothing but rsync has to be there."""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from collections.abc import Iterable

from memgit import process
from memgit.core.backup.rsync_rules import Meaning, Outcome, meaning
from memgit.core.values import dataclass
from memgit.errors import MemgitError, NetworkError
from memgit.host import files
from memgit.host.place import (
    BASE,
    COMPLETE,
    FILES,
    MANIFEST,
    MARKER,
    Advance,
    Generation,
    Sender,
    TargetError,
    is_free,
    is_generation,
)

_PAUSES_S = (0.5, 2.0)  # before the second and the third try
_PARTIAL_DIR = ".memgit-partial"
_HOURS_S = 6 * 3600.0


@dataclass(frozen=True, slots=True)
class Link:
    """How rsync reaches a place, and how fast it may be."""

    root: str  # `user@host:path`, or a directory
    identity: str | None = None
    port: int | None = None
    bwlimit: int | None = None  # bytes a second
    options: tuple[str, ...] = ()
    known_hosts: str | None = None

    @property
    def is_remote(self) -> bool:
        """Whether ssh is needed."""
        return not self.root.startswith("/")

    def argv(self, *args: str) -> tuple[str, ...]:
        """A whole call of rsync."""
        # By default rsync takes a file of the same size and second for unchanged. Comparing nanoseconds would do, but
        # rrsync refuses that option; so contents are compared.
        found = ["rsync", "--checksum", *args]
        if self.is_remote:
            found.append("--rsh=" + " ".join(_quoted(word) for word in self.ssh()))
            found.append("--compress")
        if self.bwlimit is not None:
            found.append(f"--bwlimit={max(1, self.bwlimit // 1024)}")
        return (*found, *self.options)

    def ssh(self) -> tuple[str, ...]:
        """The ssh command: never asks, gives up when nobody answers."""
        found = ["ssh", "-oBatchMode=yes", "-oConnectTimeout=15", "-oServerAliveInterval=15", "-oServerAliveCountMax=4"]
        if self.identity is not None:
            found += ["-i", os.path.expanduser(self.identity), "-oIdentitiesOnly=yes"]
        if self.known_hosts is not None:
            found.append("-oUserKnownHostsFile=" + os.path.expanduser(self.known_hosts))
        if self.port is not None:
            found += ["-p", str(self.port)]
        return tuple(found)


@dataclass(frozen=True, slots=True)
class _Look:
    marker: bytes | None
    generations: tuple[Generation, ...]


def is_installed() -> bool:
    """Whether there is an rsync to start."""
    return shutil.which("rsync") is not None


class RsyncPlace(Sender):
    """A place that every call reaches anew."""

    def __init__(self, link: Link) -> None:
        self.where = link.root
        self._link = link
        self._seen: _Look | None = None
        if not is_installed():
            raise TargetError(
                f"rsync is not installed, and {link.root} can't be reached without it.",
                "Install it on both machines: apt install rsync, dnf install rsync or brew install rsync.",
            )

    def read(self, name: str) -> bytes | None:
        if name == MARKER:
            return self._look().marker
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            if not self._run("-t", "--", self._at(name), place + "/", may_be_missing=True):
                return None
            return files.read(os.path.join(place, os.path.basename(name)))

    def claim(self, marker: bytes) -> None:
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            listed = self._list()
            if listed is not None and not is_free(listed):
                raise TargetError(
                    f"{self.where} is not empty and holds no backups of memgit.", "Name an empty or a new directory."
                )
            with open(os.path.join(place, MARKER), "wb") as file:
                file.write(marker)
            only = (f"--include=/{MARKER}", f"--include=/.{MARKER}.*", "--exclude=*")
            self._run("-rt", "--delete", *only, "--", place + "/", self._at(""))
        self._seen = None

    def generations(self) -> tuple[Generation, ...]:
        return self._look().generations

    def _look(self) -> _Look:
        """The marker and the completion of every generation, with one call."""
        if self._seen is None:
            with tempfile.TemporaryDirectory(prefix="memgit-") as place:
                only = (f"--include=/{MARKER}", "--include=/*/", f"--include=/*/{COMPLETE}", "--exclude=*")
                self._run("-r", *only, "--", self._at(""), place + "/", may_be_missing=True)
                names = sorted(filter(is_generation, os.listdir(place)))
                self._seen = _Look(
                    files.read(os.path.join(place, MARKER)),
                    tuple(Generation(name, files.read(os.path.join(place, name, COMPLETE))) for name in names),
                )
        return self._seen

    def remove(self, generations: Iterable[str]) -> None:
        names = tuple(generations)
        if not names:
            return
        self._uncomplete(names)
        with tempfile.TemporaryDirectory(prefix="memgit-") as nothing:
            only = (*(f"--include=/{name}/***" for name in names), "--exclude=*")
            self._run("-r", "--delete", "--force", *only, "--", nothing + "/", self._at(""))
        self._seen = None

    def fetch(self, generation: str, paths: Iterable[bytes] | None, into: str, advance: Advance) -> None:
        os.makedirs(into, exist_ok=True)
        source = self._at(f"{generation}/{FILES}/")
        common = ("-rlptH", "--chmod=u+rwX", f"--partial-dir={_PARTIAL_DIR}")
        if paths is None:
            self._run(*common, "--", source, into + "/", advance=advance)
        else:
            listed = b"".join(path + b"\0" for path in paths)
            self._run(
                *common, "--from0", "--files-from=-", "--", source, into + "/", stdin=listed, may_be_missing=True,
                advance=advance,
            )  # fmt: skip
        shutil.rmtree(os.path.join(into, _PARTIAL_DIR), ignore_errors=True)

    def send(self, stage: str, generation: str, previous: str | None, advance: Advance) -> None:
        if any(item.name == generation for item in self._look().generations):
            self._uncomplete((generation,))
        link = (f"--link-dest={self._seen_from(generation, previous)}",) if previous is not None else ()
        only = (f"--include=/{FILES}/***", f"--include=/{MANIFEST}", f"--include=/{BASE}", "--exclude=*")
        self._run(
            "-a", "--delete", "--force", f"--partial-dir={_PARTIAL_DIR}", *link, *only, "--",
            stage + "/", self._at(generation + "/"), advance=advance,
        )  # fmt: skip
        self._run("-t", "--", os.path.join(stage, COMPLETE), self._at(f"{generation}/"))
        self._seen = None

    def _seen_from(self, generation: str, other: str) -> str:
        """Another generation's directory as --link-dest names it: rrsync takes no path that climbs up."""
        root = self._link.root.partition(":")[2] if self._link.is_remote else self._link.root
        return f"{root.rstrip('/')}/{other}" if root.startswith("/") else f"../{other}"

    def _uncomplete(self, generations: tuple[str, ...]) -> None:
        """Take the completion markers of generations away, and nothing else."""
        with tempfile.TemporaryDirectory(prefix="memgit-") as place:
            for name in generations:
                os.mkdir(os.path.join(place, name))
            only = (*(f"--include=/{name}/{end}" for name in generations for end in ("", COMPLETE)), "--exclude=*")
            self._run("-r", "--delete", *only, "--", place + "/", self._at(""))

    def _list(self) -> tuple[str, ...] | None:
        """Names at the place, or None if it does not exist."""
        done = self._try(("-d", "--list-only", "--", self._at("")), None)
        if done.status in (3, 23) or b"No such file" in done.stderr:
            return None
        self._judge(done)
        return tuple(line.split(None, 4)[4].decode("utf-8", "replace") for line in done.stdout.splitlines() if line)

    def _at(self, path: str) -> str:
        root = self._link.root
        return root + path if root.endswith((":", "/")) else f"{root}/{path}"

    def _run(
        self, *args: str, stdin: bytes | None = None, may_be_missing: bool = False, advance: Advance | None = None
    ) -> bool:
        """Run rsync, again where the connection broke. False if what was asked for is not there."""
        told = ("--out-format=%n", "--outbuf=L") if advance is not None else ()
        done = self._try((*told, *args), stdin, advance)
        if may_be_missing and done.status in (3, 23) and b"No such file or directory" in done.stderr:
            return bool(stdin)
        self._judge(done)
        return True

    def _try(self, args: tuple[str, ...], stdin: bytes | None, advance: Advance | None = None) -> process.Result:
        at = args.index("--")
        argv = (*self._link.argv(*args[:at]), *args[at:])
        for pause_s in (*_PAUSES_S, None):
            if advance is None:
                done = process.run(argv, env=_environment(), stdin=stdin, ok=None, timeout_s=_HOURS_S)
            else:
                with process.Child(argv, env=_environment(), stdin=stdin) as child:
                    done = child.finish_heard(advance, _HOURS_S)
            if meaning(done.status, done.stderr).outcome is not Outcome.RETRY or pause_s is None:
                break
            time.sleep(pause_s)
        return done

    def _judge(self, done: process.Result) -> None:
        means = meaning(done.status, done.stderr)
        if means.outcome in (Outcome.DONE, Outcome.WARN):
            return
        raise self._error(means, done)

    def _error(self, means: Meaning, done: process.Result) -> MemgitError:
        said = [line for line in done.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        text = f"{self.where}: {means.text} (rsync status {done.status})."
        hint = "\n".join(said[:3]) or None
        if means.outcome is Outcome.RETRY:
            return NetworkError(text, hint)
        return TargetError(text, hint)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RSYNC_")}
    return {**kept, "LC_ALL": "C", "LANGUAGE": "C", "SSH_ASKPASS_REQUIRE": "never"}


def _quoted(word: str) -> str:
    """A word of --rsh, which rsync splits at spaces outside of quotes."""
    return "'" + word.replace("'", "''") + "'" if any(char in word for char in " '\"") else word
