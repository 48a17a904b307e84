"""What memgit does when git, or pre-commit, runs it as a hook."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping

from memgit.core.memory import Patterns
from memgit.core.objects import ZERO
from memgit.core.settings import Config
from memgit.core.values import dataclass
from memgit.errors import MemgitError
from memgit.git import attributes, gitconfig
from memgit.git.objects import ObjectReader
from memgit.git.repository import Repository, discover
from memgit.host import config_files, files, programs
from memgit.porcelain import place, stashed, window

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memgit.core.secrets.finding import Finding

_ZERO = ZERO.decode()
_ONCE_EVERY_S = 86400
MARKERS = "conflict-markers"
_MOST_COMMITS = 2000  # of a push that are looked at one by one; a longer one is looked at as a whole


@dataclass(frozen=True, slots=True)
class Workspace:
    """A workspace of the repository, with its settings."""

    place: str  # below the top, "" or ending in a slash
    config: Config

    @property
    def memory(self) -> Patterns:
        """Its memory files, asked with repository paths."""
        return self.config.memory.patterns().under(os.fsencode(self.place))


def workspaces(repo: Repository, environ: Mapping[str, str]) -> tuple[Workspace, ...]:
    """Every workspace: where a `.memgit.toml` lies, tracked, or made by init, or at the top; else the top."""
    names = [""]
    if repo.work_tree is not None and not os.path.lexists(os.path.join(repo.work_tree, config_files.TRACKED_NAME)):
        spec = f":(top,glob)**/{config_files.TRACKED_NAME}"
        out = repo.git.run("ls-files", "-z", "--full-name", "--", spec, env={"GIT_LITERAL_PATHSPECS": "0"}).stdout
        found = os.fsdecode(out).split("\0")[:-1]
        names = [name.removesuffix(config_files.TRACKED_NAME) for name in found]
        if not names:
            from memgit.porcelain import changes  # rarely needed

            names = changes.workspaces_made(repo) or [""]
    return tuple(
        Workspace(name, config_files.load(config_files.places(repo.common_dir, repo.work_tree, name, environ), environ))
        for name in names
    )


def register(repo: Repository, spaces: tuple[Workspace, ...]) -> str | None:
    """Register the driver for this clone, with post hooks where there are none, unless that is done; what was done."""
    private = files.read(os.path.join(repo.private_dir, "gitconfig"))
    if private is not None:
        line = gitconfig.last(gitconfig.read(repo.git), "merge.memgit.driver")
        if line is not None and os.access(line.partition("' ")[0].lstrip("'"), os.X_OK):
            return None
    from memgit.porcelain import install  # once per clone

    install.recover(repo)
    # Attributes that travel with the repository, or that somebody wrote, are not written again.
    paths = [space.place + "MEMORY.md" for space in spaces]
    has_attributes = "memgit" in attributes.check(repo.git, "merge", paths).values()
    request = install.Request(hooks="post", attributes="keep" if has_attributes else None)
    planned = install.plan(repo, spaces[0].config, spaces[0].place, request, programs.installed())
    if not planned.changes:
        return None
    done = install.apply(repo, planned)
    proven = f" ({done.evidence})" if done.proven else ""
    return f"memgit: the merge driver is registered for this clone{proven}; memgit uninstall takes it back."


def watch(repo: Repository, environ: Mapping[str, str], parent: int, then: Callable[[], object] | None = None) -> bool:
    """Keep what is written to memory while the tree is stashed; whether it is. then: to be done when it is back."""
    patch = window.patch(environ, parent)
    if patch is not None:
        memory = tuple(space.memory for space in workspaces(repo, environ))
        window.keep(repo, memory, environ, patch, then)
    return patch is not None


def staged(repo: Repository, spaces: tuple[Workspace, ...], index_file: str | None) -> tuple[Finding, ...]:
    """Secrets and conflict markers in lines that the commit about to be made would add to memory."""
    env = {"GIT_INDEX_FILE": os.path.abspath(index_file)} if index_file else None
    head = repo.git.run("rev-parse", "--verify", "--quiet", "HEAD^{commit}", ok=(0, 1)).stdout.strip().decode()
    base = head or repo.git.text("hash-object", "-t", "tree", os.devnull)
    out = repo.git.run("diff-index", "--cached", "-r", "-z", "--no-renames", "--diff-filter=AMT", base, "--", env=env)
    return _found(repo, spaces, out.stdout, markers=True)


def pushed(repo: Repository, spaces: tuple[Workspace, ...], lines: Iterable[str]) -> tuple[Finding, ...]:
    """Secrets that a push would publish in memory. lines: as git gives them to pre-push; every ref is looked at."""
    findings: dict[Finding, None] = {}
    for line in lines:
        words = line.split()
        if len(words) != 4 or words[1] == _ZERO:
            continue
        new, known = words[1], words[3]
        if repo.git.run("cat-file", "-e", f"{new}^{{commit}}", ok=None).status:
            continue  # a tag of something else
        hidden = ["--not", "--remotes"]
        if known != _ZERO and not repo.git.run("cat-file", "-e", known, ok=None).status:
            hidden.append(known)
        commits = repo.git.text("rev-list", f"--max-count={_MOST_COMMITS}", new, *hidden).split()
        for chunk in (commits[at : at + 500] for at in range(0, len(commits), 500)):
            given = "".join(f"{commit}\n" for commit in chunk).encode()
            out = repo.git.run(
                "diff-tree", "--stdin", "--root", "-r", "-z", "-c", "--no-renames", "--no-commit-id", stdin=given
            )
            findings |= dict.fromkeys(_found(repo, spaces, out.stdout))
    return tuple(sorted(findings))


def _found(
    repo: Repository, spaces: tuple[Workspace, ...], raw: bytes, *, markers: bool = False
) -> tuple[Finding, ...]:
    """Secrets on added lines of memory files. markers: also conflict markers that were not there before."""
    memories = [(space, space.memory) for space in spaces]
    changed = [
        (space, old, new, path)
        for old, new, path in raw_changes(raw)
        for space, memory in memories
        if memory.matches(path)
    ]
    if not changed:
        return ()
    from memgit.core.content import conflict_markers
    from memgit.core.secrets.finding import Finding
    from memgit.porcelain.judge import Judge

    judges = {space.place: Judge(repo, space.config) for space in spaces}
    findings: list[Finding] = []
    with ObjectReader(repo.git) as reader:
        for space, old, new, path in changed:
            before = reader.read(old) if old.strip(b"0") else b""
            after = reader.read(new)
            findings += judges[space.place].of_added(before, after, path)
            line = conflict_markers(after) if markers and conflict_markers(before) is None else None
            if line is not None:
                findings.append(Finding(path.decode("utf-8", "backslashreplace"), line, line, MARKERS, ""))
    return tuple(findings)


def raw_changes(raw: bytes) -> Iterable[tuple[bytes, bytes, bytes]]:
    """(old id, new id, path) of each regular file or link in raw diff output with -z, also of merges (-c)."""
    words = raw.split(b"\0")
    at = 0
    while at + 1 < len(words):
        head = words[at].lstrip(b"\n")
        if not head.startswith(b":"):
            at += 1
            continue
        parents = len(head) - len(head.lstrip(b":"))
        fields = head.lstrip(b":").split(b" ")
        mode, old, new = fields[parents], fields[parents + 1], fields[2 * parents + 1]
        if mode[:2] in (b"10", b"12") and new.strip(b"0"):
            yield old, new, words[at + 1]
        at += 2


def message(repo: Repository, path: str, environ: Mapping[str, str]) -> None:
    """Add the trailers that an agent asked for by MEMGIT_AGENT and MEMGIT_SESSION; nothing if it did not."""
    wanted = [
        f"--trailer={name}={' '.join(value.split())}"
        for name, variable in (("Memgit-Agent", "MEMGIT_AGENT"), ("Memgit-Session", "MEMGIT_SESSION"))
        if (value := environ.get(variable, "")).strip()
    ]
    if wanted:
        repo.git.run("interpret-trailers", "--in-place", "--if-exists=addIfDifferent", *wanted, os.path.abspath(path))


def after(
    repo: Repository,
    spaces: tuple[Workspace, ...],
    environ: Mapping[str, str],
    now_s: int,
    over: frozenset[int],
) -> tuple[str, ...]:
    """After a commit, merge, rewrite or checkout: what waited for it; sentences about what was done.

    over: the processes above us, if what they do to the branch is done.
    """
    said = [
        f"memgit: {path} was written to while the tree was stashed; the write is back."
        for path in window.settle(repo, environ)
    ]
    for one in stashed.noted(repo):
        said += [f"memgit: {one.evidence}", f"  {one.fix}"]
    branch = repo.current_branch()
    if repo.work_tree is not None and branch is not None and place.waiting(repo, branch):
        from memgit.core.version import VERSION
        from memgit.host import machine
        from memgit.porcelain import commit

        for space in spaces:
            request = commit.Request(machine=machine.name(environ), over=over)
            done = commit.run(repo, space.config, os.fsencode(space.place), VERSION, request, now_s)
            said += [f"memgit: folded back what had waited on {ref}." for ref in done.folded]
    return tuple(said)


def due(repo: Repository, spaces: tuple[Workspace, ...], now_s: int) -> Iterator[str]:
    """A sentence about automatic commits of closed windows, at most once a day."""
    path = os.path.join(repo.private_dir, "due")
    try:
        if now_s - os.stat(path).st_mtime < _ONCE_EVERY_S:
            return
    except FileNotFoundError:
        return
    os.utime(path)
    from memgit.core.consolidation.policy import Policy, Request
    from memgit.porcelain import consolidate

    for space in spaces:
        request = Request(dry_run=True)
        found = consolidate.run(repo, Policy.of(space.config), os.fsencode(space.place), request, now_s)
        if found.squashed:
            yield f"memgit: {found.squashed} automatic commits could become {len(found.created)}: memgit consolidate."


def open_repository(environ: Mapping[str, str]) -> Repository:
    """The repository whose hook this is; git's own word for where it lies counts."""
    return discover(None, environ.get("GIT_DIR") or None)


def refused(findings: tuple[Finding, ...], what: str) -> MemgitError:
    """The error that stops a commit or push; it names places and rules, never a value."""
    lines = [f"{one.path}:{one.line}: {one.rule} {one.fingerprint}".rstrip() for one in findings]
    if any(one.rule == MARKERS for one in findings):
        lines.append("Settle the conflict first.")
    if any(one.rule != MARKERS for one in findings):
        lines.append("If a value is no secret: memgit guard allow FINGERPRINT.")
    return MemgitError(f"the guard holds this back; nothing was {what}.", "\n".join(lines))
