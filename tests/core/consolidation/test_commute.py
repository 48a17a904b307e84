"""Both policies against a slow reference on random histories."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from hypothesis import HealthCheck, assume, event, given, settings
from hypothesis import strategies as st

from memgit.core.consolidation import message, plan
from memgit.core.consolidation.classify import Classifier
from memgit.core.consolidation.gather import Step
from memgit.core.consolidation.plan import Plan
from memgit.core.consolidation.runs import Collapsed, collapse
from memgit.core.setting_rows import AutoRule
from memgit.core.trees import Trees
from memgit.core.windows import Calendar
from support.model import Entry, Expected, Files, ModelCommit, Objects, Reference, apply, changes
from support.repo import Oid, hash_of

HOUR_S = 3600
DAY_S = 24 * HOUR_S
START_S = 19_700 * DAY_S
PATHS = (b"MEMORY.md", b"memory/a", b"memory/b", b"memory/deep/er/c", b"src", b"src/x", b"src/y", b"memory")
ZONES = ((b"+0000", 0), (b"+0530", 19_800), (b"-0800", -28_800))
MODES = (b"100644", b"100755", b"120000", b"160000")


@dataclass(frozen=True)
class Edit:
    """Something done to a path."""

    kind: str  # "write", "delete", "mode", "rename"
    path: bytes
    other: bytes
    value: int


@dataclass(frozen=True)
class Draft:
    """A commit to be made."""

    is_auto: bool
    edits: tuple[Edit, ...]
    day: int
    hour: int
    zone: int
    shape: str  # "on", "fork", "merge", "root"
    back: int
    pinned: bool


edits = st.builds(
    Edit,
    st.sampled_from(("write", "write", "write", "delete", "mode", "rename")),
    st.sampled_from(PATHS),
    st.sampled_from(PATHS),
    st.integers(0, 5),
)
drafts = st.builds(
    Draft,
    st.sampled_from((True, True, False)),
    st.lists(edits, max_size=3).map(tuple),
    st.sampled_from((0, 0, 0, 1, 2)),
    st.integers(0, 23),
    st.integers(0, 2),
    st.sampled_from(("on",) * 12 + ("fork", "merge", "merge", "root")),
    st.integers(1, 6),
    st.sampled_from((False,) * 9 + (True,)),
)
histories = st.lists(drafts, min_size=1, max_size=14)


def edit(files: Files, todo: Iterable[Edit]) -> Files:
    """The files after some edits, each path free of files above and below it."""
    result: dict[bytes, Entry] = dict(files)

    def put(path: bytes, entry: Entry) -> None:
        for other in list(result):
            if other.startswith(path + b"/") or path.startswith(other + b"/"):
                del result[other]
        result[path] = entry

    for one in todo:
        here = result.get(one.path)
        if one.kind == "write":
            put(one.path, (MODES[one.value % 4] if one.value > 3 else b"100644", hash_of(b"blob", b"%d" % one.value)))
        elif here is not None:
            if one.kind == "delete":
                del result[one.path]
            elif one.kind == "mode":
                result[one.path] = (MODES[one.value % 4], here[1])
            else:
                del result[one.path]
                put(one.other, here)
    return result


def is_memory(path: bytes) -> bool:
    """The memory files of these tests."""
    return path == b"MEMORY.md" or path == b"memory" or path.startswith(b"memory/")


def build(objects: Objects, todo: Iterable[Draft], *, mixed: bool = True) -> tuple[list[ModelCommit], frozenset[Oid]]:
    """The commits reachable from the last draft, oldest first, and which of them are pinned.

    mixed: False counts only those as automatic that change nothing but memory.
    """
    made: list[ModelCommit] = []
    pinned = set()
    for number, draft in enumerate(todo):
        tip = made[-1:]
        other = made[max(0, len(made) - 1 - draft.back) :][:1]
        parents = {"on": tip, "fork": other, "root": [], "merge": [*tip, *(c for c in other if c not in tip)]}[
            draft.shape
        ]
        offset_zone, offset_s = ZONES[draft.zone]
        before = parents[0].files if parents else {}
        files = edit(before, draft.edits)
        commit = write(
            objects,
            files,
            tuple(parent.oid for parent in parents),
            draft.is_auto and (mixed or all(is_memory(change.path) for change in changes(before, files))),
            START_S + draft.day * DAY_S + draft.hour * HOUR_S,
            (offset_zone, offset_s),
            b"%s %d" % (b"auto" if draft.is_auto else b"work", number),
        )
        made.append(commit)
        if draft.pinned:
            pinned.add(commit.oid)
    reachable = {made[-1].oid}
    for commit in reversed(made):
        if commit.oid in reachable:
            reachable.update(commit.parents)
    found = [commit for commit in made if commit.oid in reachable]
    return found, frozenset(pinned & reachable) - {made[-1].oid}


def write(
    objects: Objects,
    files: Files,
    parents: tuple[Oid, ...],
    is_auto: bool,
    time_s: int,
    zone: tuple[bytes, int],
    subject: bytes,
) -> ModelCommit:
    """A commit in the model."""
    tree = objects.tree(files)
    who = b"A <a@example.invalid> %d %s" % (time_s, zone[0])
    raw = b"tree %s\n%sauthor %s\ncommitter %s\n\n%s\n" % (
        tree,
        b"".join(b"parent %s\n" % parent for parent in parents),
        who,
        who,
        subject,
    )
    commit = ModelCommit(hash_of(b"commit", raw), parents, files, tree, is_auto, time_s, zone[1], raw)
    objects.commits[commit.oid] = commit
    return commit


def stream(raws: Iterable[tuple[Oid, bytes]]) -> Iterator[bytes]:
    """What `git rev-list --header` prints; raws: newest first."""
    for oid, raw in raws:
        header, _, text = raw.partition(b"\n\n")
        shown = b"\n".join(b"    " + line for line in text.removesuffix(b"\n").split(b"\n"))
        yield oid + b"\n" + header + b"\n\n" + shown + b"\n\0"


class World:
    """memgit's side: the same history through the real collapse and plan."""

    def __init__(self, objects: Objects, pinned: frozenset[Oid], now_s: int | None, *, mixed: bool = True) -> None:
        self.mixed = mixed
        self.objects = objects
        self.pinned = pinned
        self.now_s = now_s
        self.trees = Trees(lambda oids: (objects.trees[oid] for oid in oids))

    def only_memory(self, before: Oid | None, after: Oid) -> bool:
        """Asked for commits that count only if they change nothing but memory."""
        old = self.objects.flatten(before) if before is not None else {}
        return all(is_memory(change.path) for change in changes(old, self.objects.flatten(after)))

    def collapse(self, raws: Iterable[tuple[Oid, bytes]]) -> Collapsed:
        """The nodes of a history given newest first."""
        return collapse(
            stream(raws),
            Classifier([AutoRule("^auto", mixed=self.mixed)]),
            Calendar("day").closed_keys(self.now_s),
            self.pinned,
            self.only_memory,
            lambda oid: self.objects.commits[oid].tree,
        )

    def plan(self, tip: Oid, raws: list[tuple[Oid, bytes]], *, commute: bool, keep_empty: bool) -> Plan:
        """The plan of a history given newest first."""
        nodes = self.collapse(raws).nodes
        nodes[-1].is_tip = tip not in self.pinned
        made = plan.plan(
            tip,
            nodes,
            self.trees,
            lambda oid: self.objects.commits[oid].tree,
            commute=commute,
            keep_empty=keep_empty,
        )
        self.objects.trees.update(self.trees.made_for(step.tree for step in made.steps))
        return made

    def carry_out(self, made: Plan, raws: list[tuple[Oid, bytes]]) -> tuple[Oid, list[tuple[Oid, bytes]]]:
        """New tip and the new history, newest first. What stands in a pinned commit's place is pinned from now on."""
        raw_of = dict(raws)
        new_ids: dict[Oid, Oid] = {}
        written: dict[Oid, bytes] = {}
        steps = plan.rewritten(made)

        def compose(step: Step) -> bytes:
            count = sum(node.raw_count for node in step.nodes)
            cited = step.nodes[0].cited
            return message.compose(message.Sources("2024-01-01", count, cited, step.nodes[-1].last), None)

        for step, raw in plan.commits(made, steps, compose, lambda node: raw_of[node.last], new_ids):
            new_ids[step.stands_for] = hash_of(b"commit", raw)
            written[new_ids[step.stands_for]] = raw
        self.pinned |= {new_ids[oid] for oid in self.pinned if oid in new_ids}
        result = []
        for step in reversed(made.steps):
            oid = new_ids.get(step.stands_for, step.stands_for)
            result.append((oid, written.get(oid) or raw_of[step.stands_for]))
        return plan.new_tip(made, new_ids), result


def newest_first(commits: list[ModelCommit]) -> list[tuple[Oid, bytes]]:
    """A history as the real one comes."""
    return [(commit.oid, commit.raw) for commit in reversed(commits)]


def as_expected(world: World, made: Plan) -> list[tuple[Oid, tuple[Oid, ...], Oid, Oid]]:
    """What a plan says, in the reference's terms: place, parents, files, oldest source; by place."""
    return sorted(
        (step.stands_for, step.parents, step.tree, step.nodes[0].first if step.is_squash else step.stands_for)
        for step in made.steps
    )


def of_reference(objects: Objects, expected: list[Expected]) -> list[tuple[Oid, tuple[Oid, ...], Oid, Oid]]:
    """The same from the reference."""
    return sorted((one.place, one.parents, objects.tree(one.files), one.sources[0]) for one in expected)


def nows(last_open: bool) -> int | None:
    """A time in the last day, or one by which every window is closed."""
    return START_S + 2 * DAY_S + 12 * HOUR_S if last_open else None


many = settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@many
@given(histories, st.booleans(), st.booleans(), st.booleans())
def test_plan_is_what_the_reference_says(todo: list[Draft], commute: bool, last_open: bool, mixed: bool) -> None:
    objects = Objects()
    commits, pinned = build(objects, todo, mixed=mixed)
    now_s = nows(last_open)
    reference = Reference(commits, pinned, DAY_S, now_s)
    expected = reference.commute() if commute else reference.keep()
    event(f"squashes: {sum(one.is_squash for one in expected)}")
    world = World(objects, pinned, now_s, mixed=mixed)
    made = world.plan(commits[-1].oid, newest_first(commits), commute=commute, keep_empty=True)
    assert as_expected(world, made) == of_reference(objects, expected)


@many
@given(histories, st.booleans(), st.booleans(), st.booleans(), st.booleans())
def test_result_keeps_what_people_did_and_needs_no_second_run(
    todo: list[Draft], commute: bool, keep_empty: bool, last_open: bool, mixed: bool
) -> None:
    objects = Objects()
    commits, pinned = build(objects, todo, mixed=mixed)
    world = World(objects, pinned, nows(last_open), mixed=mixed)
    raws = newest_first(commits)
    made = world.plan(commits[-1].oid, raws, commute=commute, keep_empty=keep_empty)
    tip, new_raws = world.carry_out(made, raws)

    autos = {person_of(commit.raw) for commit in commits if commit.is_auto}
    new = {oid: read(objects, oid, raw, autos) for oid, raw in new_raws}
    old = {commit.oid: commit for commit in commits}
    if new_raws:
        assert new_raws[0][0] == tip or made.dropped
    # The tip has the same files to the byte; so has every commit a stretch ends with, a merge for one.
    assert (new[tip].tree if tip in new else old[tip].tree) == commits[-1].tree
    merges = sorted(c.tree for c in commits if len(c.parents) > 1)
    assert sorted(c.tree for c in new.values() if len(c.parents) > 1) == merges
    # Each person's commit introduces its own change and no other, with author, dates and message as they were.
    assert introduced(commits, old) == introduced(list(reversed(new.values())), {**old, **new})
    # What something else points at is still there, as it was if nothing below it changed.
    assert all(old[oid].tree in {c.tree for c in new.values()} for oid in pinned)

    again = world.plan(tip, new_raws, commute=commute, keep_empty=keep_empty) if new_raws else None
    assert again is None or again.is_empty


@many
@given(histories)
def test_auto_commits_keep_their_order_under_commute(todo: list[Draft]) -> None:
    objects = Objects()
    commits, pinned = build(objects, [Draft(d.is_auto, d.edits, d.day, d.hour, d.zone, "on", 1, False) for d in todo])
    assume(any(commit.is_auto for commit in commits))
    world = World(objects, pinned, None)
    made = world.plan(commits[-1].oid, newest_first(commits), commute=True, keep_empty=True)
    autos = [node.last for step in made.steps for node in step.nodes if node.automatic]
    place = {commit.oid: at for at, commit in enumerate(commits)}
    assert [place[oid] for oid in autos] == sorted(place[oid] for oid in autos)


def person_of(raw: bytes) -> bytes:
    """A commit from the author on, which no rewriting changes."""
    return raw[raw.index(b"\nauthor ") :]


def read(objects: Objects, oid: Oid, raw: bytes, autos: set[bytes]) -> ModelCommit:
    """A commit that memgit wrote, in the model."""
    head = raw.partition(b"\n\n")[0].split(b"\n")
    parents = tuple(line[7:] for line in head if line.startswith(b"parent "))
    tree = head[0][5:]
    is_auto = person_of(raw) in autos or b"\n\nmemory: " in raw
    return ModelCommit(oid, parents, objects.flatten(tree), tree, is_auto, 0, 0, raw)


def introduced(commits: list[ModelCommit], by_id: dict[Oid, ModelCommit]) -> list[tuple[bytes, tuple[object, ...]]]:
    """Per commit made by a person that is no merge: its text from the author on, and its own changes."""
    found = []
    for commit in commits:
        if commit.is_auto or len(commit.parents) > 1:
            continue
        before = by_id[commit.parents[0]].files if commit.parents else {}
        own = changes(before, commit.files)
        assert apply(before, own) == commit.files
        found.append((person_of(commit.raw), tuple(own)))
    return sorted(found, key=lambda item: item[0])
