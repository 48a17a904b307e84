"""Trees as values: what changed between two of them, and the same change made to a third.

Nothing here knows paths as strings of a file system: a path is a chain of names, a name is bytes, and
an entry is the bytes that stand for it in git's tree object. Objects are read through a function, so
that this stays free of I/O.
"""

from __future__ import annotations

import binascii
import re
from collections.abc import Callable, Iterable, Iterator, Mapping

from memgit.core.objects import EMPTY_TREE, Oid, ReadMany, hash_object

Entry = bytes  # `<mode> <name>\0<id>`, the id as 20 bytes
Tree = dict[bytes, Entry]  # by name, in git's order
TreePair = tuple[Oid, Oid]  # before and after a change

_ENTRY = re.compile(rb"([0-7]+ ([^\0]+)\0.{20})", re.DOTALL)
_DIRECTORY = b"40000 "
_GITLINK = b"160000 "


def is_directory(entry: Entry) -> bool:
    """True for a sub-tree."""
    return entry.startswith(_DIRECTORY)


def is_gitlink(entry: Entry) -> bool:
    """True for a commit of another repository."""
    return entry.startswith(_GITLINK)


def oid_of(entry: Entry) -> Oid:
    """The id an entry points at."""
    return binascii.hexlify(entry[-20:])


def mode_of(entry: Entry) -> bytes:
    """The mode as git writes it: 100644, 100755, 120000, 160000, 40000."""
    return entry.partition(b" ")[0]


def directory_of(entry: Entry | None) -> Oid:
    """The tree below an entry, the empty one where there is no entry. Raises ValueError for a file."""
    if entry is None:
        return EMPTY_TREE
    if not is_directory(entry):
        raise ValueError("two changes to one path can't be put after one another")
    return oid_of(entry)


class Trees:
    """Reads trees through a cache and remembers the ones made here, which exist nowhere else yet.

    limit: trees in the younger half of the cache. When it is full it becomes the older half, whose trees are let go
    unless they are asked for again.
    """

    def __init__(self, read_many: ReadMany, limit: int = 5_000) -> None:
        self._read_many = read_many
        self._parsed: dict[Oid, Tree] = {EMPTY_TREE: {}}
        self._older: dict[Oid, Tree] = {}
        self._changed: dict[TreePair, set[bytes]] = {}
        self._limit = limit
        self.made: dict[Oid, bytes] = {}

    def __getitem__(self, oid: Oid) -> Tree:
        """The entries of a tree in git's order. The dictionary is shared: copy it before changing it."""
        tree = self._parsed.get(oid)
        if tree is None:
            tree = self._older.get(oid)
            if tree is None:
                raw = self.made.get(oid)
                tree = _parse(next(self._read_many((oid,))) if raw is None else raw)
            self._keep(oid, tree)
        return tree

    def changed(self, pair: TreePair) -> set[bytes]:
        """The names whose entry differs between two directories. Not to be changed: it is remembered."""
        names = self._changed.get(pair)
        if names is None:
            if len(self._changed) >= self._limit:
                self._changed.clear()
            names = self._changed[pair] = changed_names(self[pair[0]], self[pair[1]])
        return names

    def fetch(self, oids: Iterable[Oid]) -> None:
        """Read many trees in one go; ask before a loop that will need them all."""
        here, older, made = self._parsed, self._older, self.made
        missing = [oid for oid in dict.fromkeys(oids) if oid not in here and oid not in older and oid not in made]
        for oid, raw in zip(missing, self._read_many(missing), strict=True):
            self._keep(oid, _parse(raw))

    def fetch_changed(self, pairs: Iterable[TreePair]) -> None:
        """Read the directories that differ, a level at a time."""
        level = list(pairs)
        while level:
            self.fetch(oid for pair in level for oid in pair)
            below = []
            for pair in level:
                before, after = self[pair[0]], self[pair[1]]
                for name in self.changed(pair):
                    sides = [
                        oid_of(side) if side is not None and is_directory(side) else EMPTY_TREE
                        for side in (before.get(name), after.get(name))
                    ]
                    if sides != [EMPTY_TREE, EMPTY_TREE]:
                        below.append((sides[0], sides[1]))
            level = below

    def make(self, tree: Tree, *, in_order: bool = False) -> Oid:
        """The id of a tree with these entries; new ones are kept in `made`, content and all. in_order: in git's."""
        if not tree:
            return EMPTY_TREE
        items = (
            tree.values() if in_order else [one for _, one in sorted((_git_order(one), one) for one in tree.values())]
        )
        raw = b"".join(items)
        oid = hash_object(b"tree", raw)
        if oid not in self._parsed:
            self._keep(oid, tree)
            self.made[oid] = raw
        return oid

    def made_for(self, oids: Iterable[Oid]) -> dict[Oid, bytes]:
        """Of the trees made here those that these trees are or hold."""
        found: dict[Oid, bytes] = {}
        todo = [oid for oid in oids if oid in self.made]
        while todo:
            oid = todo.pop()
            if oid not in found:
                found[oid] = self.made[oid]
                below = [oid_of(item) for item, _ in _ENTRY.findall(found[oid]) if item[0] == _DIRECTORY[0]]
                todo += [inner for inner in below if inner in self.made]
        return found

    def _keep(self, oid: Oid, tree: Tree) -> None:
        if len(self._parsed) >= self._limit:
            self._parsed, self._older = {EMPTY_TREE: {}}, self._parsed
        self._parsed[oid] = tree


def _parse(raw: bytes) -> Tree:
    return {name: entry for entry, name in _ENTRY.findall(raw)}


def entry(mode: bytes, name: bytes, oid: Oid) -> Entry:
    """An entry made of its parts."""
    return b"%s %s\0%s" % (mode, name, binascii.unhexlify(oid))


def _git_order(entry: Entry) -> bytes:
    """git sorts a directory as if its name ended in a slash."""
    mode, _, rest = entry.partition(b" ")
    name = rest[:-21]
    return name + b"/" if mode == b"40000" else name


def changed_names(old: Tree, new: Tree) -> set[bytes]:
    """Names whose entry differs between two directories."""
    return {name for name, _ in old.items() ^ new.items()}


def changes(
    trees: Trees, old: Oid, new: Oid, whole: Callable[[bytes], bool] | None = None, prefix: bytes = b""
) -> Iterator[tuple[bytes, Entry | None, Entry | None]]:
    """Every path that differs: `(path, old entry, new entry)`, in byte order of the names.

    Directories are followed down to files, links and gitlinks; a directory that became a file gives
    its files' removal and the file. whole: asked for a changed directory's path; where it says yes,
    the directory itself is given and not entered.
    """
    before, after = trees[old], trees[new]
    for name in sorted(changed_names(before, after)):
        path = prefix + name
        was, now = before.get(name), after.get(name)
        was_directory = was is not None and is_directory(was)
        is_now = now is not None and is_directory(now)
        if (was_directory or is_now) and not (whole is not None and whole(path)):
            below_old = directory_of(was) if was_directory else EMPTY_TREE
            below_new = directory_of(now) if is_now else EMPTY_TREE
            yield from changes(trees, below_old, below_new, whole, path + b"/")
            if was is not None and not was_directory:
                yield path, was, None
            if now is not None and not is_now:
                yield path, None, now
        else:
            yield path, was, now


def file_at(trees: Trees, tree: Oid, path: bytes) -> Entry | None:
    """The entry at a path, None if nothing or a directory is there."""
    *directories, name = path.split(b"/")
    for directory in directories:
        found = trees[tree].get(directory)
        if found is None or not is_directory(found):
            return None
        tree = oid_of(found)
    found = trees[tree].get(name)
    return None if found is None or is_directory(found) else found


def edited(trees: Trees, tree: Oid, edits: Mapping[bytes, tuple[bytes, Oid] | None]) -> Oid:
    """`tree` with each path set to (mode, id), or taken out where None; directories come and go as needed.

    Raises ValueError if a path runs through a file or a gitlink, or a file would replace a directory.
    """
    here: dict[bytes, tuple[bytes, Oid] | None] = {}
    below: dict[bytes, dict[bytes, tuple[bytes, Oid] | None]] = {}
    for path, side in edits.items():
        name, slash, rest = path.partition(b"/")
        if slash:
            below.setdefault(name, {})[rest] = side
        else:
            here[name] = side
    result = {name: item for name, item in trees[tree].items() if name not in here or is_directory(item)}
    for name, inner in below.items():
        was = result.get(name)
        if was is not None and not is_directory(was):
            if any(side is not None for side in inner.values()):
                raise ValueError("a path runs through a file")
            continue
        made = edited(trees, directory_of(was), inner)
        if made == EMPTY_TREE:
            result.pop(name, None)
        else:
            result[name] = entry(b"40000", name, made)
    for name, side in here.items():
        if side is not None:
            if name in result:
                raise ValueError("a file would replace a directory")
            result[name] = entry(side[0], name, side[1])
    return trees.make(result)


def graft(trees: Trees, old: Oid, new: Oid, onto: Oid) -> Oid:
    """`onto` with the change from `old` to `new` made to it.

    For changes that touch none of the paths in which `onto` differs from `old`: entry by entry one
    side is unchanged, or both are directories and the question moves one level down.
    """
    if onto == old:
        return new
    if old == new:
        return onto
    before, after = trees[old], trees[new]
    result = dict(trees[onto])
    in_order = True
    for name in trees.changed((old, new)):
        was, now, here = before.get(name), after.get(name), result.get(name)
        if here != was:
            made = graft(trees, directory_of(was), directory_of(now), directory_of(here))
            now = entry(b"40000", name, made) if made != EMPTY_TREE else None
        if now is None:
            result.pop(name, None)
        else:
            in_order &= here is not None and is_directory(here) == is_directory(now)
            result[name] = now
    return trees.make(result, in_order=in_order)


def meeting(trees: Trees, one: TreePair, other: TreePair) -> list[tuple[TreePair, TreePair]] | None:
    """Where two changes meet in one directory: the sub-directories in which both go on; None if they touch a file.

    A change touches the files that differ between its two trees, links and gitlinks among them; a file and a
    directory of one name touch each other. If nothing is found anywhere below, the changes can be put after one
    another in any order.
    """
    names = trees.changed(one)
    was, now = trees[other[0]], trees[other[1]]
    before, after = trees[one[0]], trees[one[1]]
    found = []
    for name in names:
        other_was, other_now = was.get(name), now.get(name)
        if other_was == other_now:
            continue
        below = []
        for item in (before.get(name), after.get(name), other_was, other_now):
            if item is None:
                below.append(EMPTY_TREE)
            elif item[0] == _DIRECTORY[0]:
                below.append(binascii.hexlify(item[-20:]))
            else:
                return None
        found.append(((below[0], below[1]), (below[2], below[3])))
    return found
