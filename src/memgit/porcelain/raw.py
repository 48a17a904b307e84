"""What a machine keeps of itself on a remote: the raw tip of its branch, and what is captured aside meanwhile.

Private refs with the machine's name in them, so replacing one, with a lease, takes nothing from anybody. They are what
a second disk has of history that is not published yet.
"""

from __future__ import annotations

from collections.abc import Mapping

from memgit.core import retry
from memgit.core.objects import ZERO, Oid, RefName
from memgit.core.retry import Failure
from memgit.core.settings import Config
from memgit.git import history, refs
from memgit.git.remote import Answer, Update
from memgit.porcelain import outgoing, place
from memgit.porcelain.remotes import Remote

RAW = "refs/memgit/raw/"


class Kept:
    """The private refs of one machine for one branch. tip: where the raw ref is; refused: why it could not be moved."""

    def __init__(self, remote: Remote, machine: str, config: Config) -> None:
        self._remote = remote
        self._config = config
        self._machine = machine
        self._raw = f"{RAW}{machine}/{remote.branch.removeprefix('refs/heads/')}"
        known = remote.outbox.branch(remote.target.remote, remote.target.branch)
        self._before = known.raw if known.raw_ref == self._raw else None
        self._wanted: dict[RefName, Oid] = {}
        self.tip = known.raw
        self.refused = ""

    def updates(self, tip: Oid | None) -> list[Update]:
        """What to push so that the remote has it all. tip: of the branch; None if its raw ref can stay."""
        updates = []
        if tip is not None and tip != self.tip:
            updates.append(Update(self._raw, tip, self._before or ZERO))
        there = self._remote.outbox.aside(self._remote.target.remote)
        here = self._captured()
        updates += [Update(ref, oid, there.get(ref, ZERO)) for ref, oid in here.items() if there.get(ref) != oid]
        updates += [Update(ref, ZERO, oid) for ref, oid in there.items() if ref not in here and self._is_ours(ref)]
        self._wanted = {update.ref: update.new for update in updates}
        return updates

    def _is_ours(self, ref: RefName) -> bool:
        return ref in {self._name(local) for local in place.refs_for(self._remote.repo, self._remote.branch)}

    def _name(self, local: RefName) -> RefName:
        return f"{place.CAPTURES}{self._machine}/{local.removeprefix(place.CAPTURES)}"

    def _captured(self) -> dict[RefName, Oid]:
        """What is captured aside, without what the guard stops."""
        remote = self._remote
        found = {}
        for local, oid in place.waiting(remote.repo, remote.branch):
            hidden = [remote.tracking] if remote.tracking is not None else []
            parents = {commit: len(above) for commit, above in history.graph(remote.repo.git, oid, hidden)}
            if not outgoing.scan(remote.repo, self._config, parents):
                found[self._name(local)] = oid
        return found

    def answered(self, answers: Mapping[RefName, Answer]) -> None:
        """Note what the remote took."""
        remote = self._remote
        for ref, new in self._wanted.items():
            answer = answers.get(ref)
            if answer is None:
                continue
            if ref == self._raw:
                self._raw_answered(new, answer)
            elif answer.failure is None:
                remote.keep(remote.outbox.with_aside(remote.target.remote, ref, new))
            elif answer.failure is Failure.REJECTED:  # moved without our knowing: look, and replace it the next time
                there = remote.line.read(remote.target.remote, ref)
                remote.keep(remote.outbox.with_aside(remote.target.remote, ref, there or ZERO))

    def _raw_answered(self, tip: Oid, answer: Answer) -> None:
        remote = self._remote
        if answer.failure is None:
            self.tip = tip
            remote.note(raw=tip, raw_ref=self._raw)
            return
        if answer.failure is not Failure.REJECTED:
            self.tip, self.refused = None, retry.reason(answer.said)
            return
        # Moved without our knowing: by a run that was killed before it could note it, or by a machine of the same name.
        self.tip = there = remote.line.read(remote.target.remote, self._raw)
        if there is not None and not refs.resolve(remote.repo.git, there.decode()):
            self.refused = "another machine of this name uses it; set MEMGIT_MACHINE to tell them apart"
            return
        again = remote.line.push(remote.target.remote, [Update(self._raw, tip, there or ZERO)])[0]
        if again.failure is None:
            self.tip = tip
            remote.note(raw=tip, raw_ref=self._raw)
        else:
            self.refused = retry.reason(again.said)
