"""The append-aware three-way merge: bytes in, bytes out.

Order of attempts: identical, one side only, plain three-way, structure, then the policy. Works on the
unordered pair of sides from the second step on, so that two machines that merge each other agree.
"""

from __future__ import annotations

from memgit.core.merge.kinds import kind_of
from memgit.core.merge.policy import Decision, Markers, MergePolicy, MergeResult
from memgit.core.merge.regions import Region, hunks, regions
from memgit.core.merge.text import Text, is_mixed, merge_properties, read, share

TYPE_CHECKING = False
if TYPE_CHECKING:
    from memgit.core.merge.settle import Piece

__all__ = ["Decision", "Markers", "MergePolicy", "MergeResult", "merge"]


def merge(
    base: bytes,
    ours: bytes,
    theirs: bytes,
    path: str | bytes = b"",
    policy: MergePolicy | None = None,
    markers: Markers | None = None,
) -> MergeResult:
    """Merge two versions of a file that started from `base`.

    path: relative to the repository, used only to guess the kind where the policy says `auto`.

    Promises: merge(b, x, x) = x, merge(b, b, x) = x, merge(b, x, y) and merge(b, y, x) have the same bytes
    or both conflict; no line that one side added is lost, none that one side deleted comes back, none that
    both added alike stands twice; where the plain three-way merge is clean the result is that merge, unless
    a record of JSON lines would stand in it twice.
    Bytes that hold NUL are not text: the answer is our side and not clean. The rules are many and the texts
    are anybody's: a fault in a rule costs the rules and not the merge, which is then the plain one (`fault`).
    """
    policy = policy or MergePolicy()
    markers = markers or Markers()
    if ours == theirs or theirs == base:
        return MergeResult(ours, True)
    if ours == base:
        return MergeResult(theirs, True)
    if b"\0" in base or b"\0" in ours or b"\0" in theirs:
        return MergeResult(ours, False, (Decision(1, 0, False, "not text"),))
    swapped = ours > theirs
    one, two = (theirs, ours) if swapped else (ours, theirs)
    name = path.encode("utf-8", "surrogateescape") if isinstance(path, str) else path
    merging = _Merge(base, one, two, swapped, name, policy, markers)
    try:
        return merging.run()
    except Exception as fault:
        return merging.as_lines(type(fault).__name__)


class _Merge:
    """One merge of text; `one` and `two` are the sides in byte order."""

    def __init__(
        self, base: bytes, one: bytes, two: bytes, swapped: bool, path: bytes, policy: MergePolicy, markers: Markers
    ) -> None:
        keep_cr = is_mixed(base) or is_mixed(one) or is_mixed(two)
        texts = [read(data, keep_cr) for data in (base, one, two)]
        self.frame: Text = merge_properties(*texts)
        self.base, self.one, self.two = share(*(text.lines for text in texts))
        self.swapped = swapped
        self.policy = policy
        self.markers = markers
        self.kind = policy.kind if policy.kind != "auto" else kind_of(path, self.base or self.one)

    def run(self) -> MergeResult:
        """The merge by all rules."""
        found, meeting = self._changes()
        if not meeting and not self._repeats_a_record(found):
            return self._plain(found)
        from memgit.core.merge import structure  # most merges end above, and each import costs start-up time

        pieces = structure.pieces(self.base, self.one, self.two, found, meeting, self.kind, self._ours_first())
        return self._assembled(pieces)

    def as_lines(self, fault: str) -> MergeResult:
        """The plain three-way merge, with conflicts where the sides meet."""
        from memgit.core.merge import structure

        pieces = structure.plainly(self.base, self.one, self.two, *self._changes(), f"{fault} in the rules")
        result = self._assembled(pieces)
        return MergeResult(result.content, result.clean, result.decisions, fault)

    def _changes(self) -> tuple[list[Region], list[Region]]:
        """What the sides changed, and those of it where they meet."""
        found = regions(hunks(self.base, self.one), hunks(self.base, self.two))
        return found, [region for region in found if self._meet(region)]

    def _ours_first(self) -> bool | None:
        return (not self.swapped) if self.policy.ours_first else None

    def _meet(self, region: Region) -> bool:
        """True if both sides changed the region, and not in the same way."""
        if not region.one or not region.two:
            return False
        return self.one[region.a1 : region.a2] != self.two[region.b1 : region.b2]

    def _repeats_a_record(self, found: list[Region]) -> bool:
        """True if both sides put in a record of one id, at different places: lines apart, and yet one thing twice."""
        if self.kind != "jsonl":
            return False
        ones = [line for region in found for _, _, s1, s2 in region.one for line in self.one[s1:s2]]
        twos = [line for region in found for _, _, s1, s2 in region.two for line in self.two[s1:s2]]
        if not ones or not twos:
            return False
        from memgit.core.merge.records import share_an_id

        return share_an_id(ones, twos)

    def _plain(self, found: list[Region]) -> MergeResult:
        """The clean three-way merge, as git makes it."""
        out: list[bytes] = []
        at = 0
        for region in found:
            out += self.base[at : region.o1]
            out += self.one[region.a1 : region.a2] if region.one else self.two[region.b1 : region.b2]
            at = region.o2
        out += self.base[at:]
        return MergeResult(self.frame.with_lines(out).encode(), not self._unresolved())

    def _unresolved(self) -> bool:
        """True if a side brings an unresolved conflict of its own; its text is merged but never called resolved."""
        if not any(line.startswith(b"<<<<<<<") for text in (self.one, self.two) for line in text):
            return False
        from memgit.core.merge.markers import brings_conflict

        return brings_conflict(self.base, self.one) or brings_conflict(self.base, self.two)

    def _assembled(self, pieces: list[Piece]) -> MergeResult:
        from memgit.core.merge.resolve import resolve

        out: list[bytes] = []
        decisions: list[Decision] = []
        clean = not self._unresolved()
        for piece in pieces:
            reason = piece.reason
            if piece.conflict:
                lines, how = resolve(piece, self.swapped, self.policy, self.markers)
                reason = f"{reason}; {how}" if how else reason
                clean = clean and bool(how)
                decisions.append(Decision(piece.first + 1, piece.last, bool(how), reason))
            else:
                lines = piece.lines
                if reason:
                    decisions.append(Decision(piece.first + 1, piece.last, True, reason))
            out += lines
        return MergeResult(self.frame.with_lines(out).encode(), clean, tuple(decisions))
