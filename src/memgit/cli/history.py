"""memgit undo, log and prune."""

from __future__ import annotations

from memgit.cli import render, restore
from memgit.cli.context import branch_ref, now_s, open_repository, text
from memgit.cli.params import Values
from memgit.core.layers import flag
from memgit.core.operations import FILES, LOG_REF, taken_back
from memgit.git import refs
from memgit.git.objects import ObjectReader
from memgit.porcelain import oplog
from memgit.porcelain import prune as prune_log
from memgit.porcelain import undo as take_back


def undo(values: Values) -> int:
    """Take an operation back."""
    context = open_repository(values)
    named = text(values, "operation")
    branch = branch_ref(text(values, "branch"))
    dry_run = bool(values["dry_run"])
    operation = take_back.find(context.repo, branch, named)
    if operation.digest == FILES:
        return restore.undo(values, context, operation)
    undone = take_back.run(context.repo, branch, operation.oid.decode(), now_s(), dry_run=dry_run)
    if values["json"]:
        render.emit_json(undone)
    elif not values["quiet"]:
        verb = "Would take back" if dry_run else "Took back"
        render.say(f"{verb} {render.short(undone.operation)}: {undone.summary}")
        name = undone.branch.removeprefix("refs/heads/")
        render.say(f"{name}: {render.short(undone.old_tip)} -> {render.short(undone.new_tip)}")
        if undone.carried_over:
            render.say(f"  {render.plural(undone.carried_over, 'commit')} made since stand on top of it now")
        for ref in undone.left_alone:
            render.say(f"  left {ref} alone, which has moved since")
        if undone.entry:
            render.say(f"Do it again with: memgit undo {render.short(undone.entry)}")
    return 0


def log(values: Values) -> int:
    """List operations, or with --raw the states of a file."""
    if values["raw"] is not None:
        return restore.log_raw(values)
    context = open_repository(values)
    branch = branch_ref(text(values, "branch"))
    with ObjectReader(context.repo.git) as reader:
        newest = refs.resolve(context.repo.git, LOG_REF)
        complete = tuple(oplog.walk(reader, newest))
        found = [op for op in complete if branch in (None, op.branch.ref)]
        windows = {op.oid: oplog.created(reader, op) for op in found}
    if values["json"]:
        operations = [
            {
                "operation": op.oid,
                "kind": op.kind,
                "time": op.time_s,
                "summary": op.summary,
                "refs": list(op.changes),
                "undoes": op.undoes,
                "created": list(windows[op.oid]),
            }
            for op in found
        ]
        render.emit_json({"operations": operations})
        return 0
    if not found:
        render.say("memgit has not changed anything here yet.")
    undone = taken_back(complete)
    for op in found:
        render.say(render.operation(op, is_undone=op.oid in undone))
        if values["windows"]:
            for made in windows[op.oid]:
                sources = f"{render.short(made.first)}..{render.short(made.last)}"
                render.say(f"    {made.window}  {render.short(made.commit)}  {made.sources:>6}  {sources}")
    return 0


def prune(values: Values) -> int:
    """Forget old operations."""
    keep = text(values, "keep")
    context = open_repository(values, (flag("--keep", "ops.keep", keep),) if keep else ())
    pruned = prune_log.run(context.repo, context.config.ops.keep, now_s(), dry_run=bool(values["dry_run"]))
    if values["json"]:
        render.emit_json(
            {
                "forgotten": [operation.oid for operation in pruned.forgotten],
                "kept": pruned.kept,
                "dry_run": pruned.dry_run,
            }
        )
    elif not values["quiet"]:
        for operation in pruned.forgotten:
            render.say(f"{render.short(operation.oid)}  {operation.summary}")
        verb = "would be forgotten" if pruned.dry_run else "forgotten"
        render.say(f"{render.plural(len(pruned.forgotten), 'operation')} {verb}, {pruned.kept} kept.")
    return 0
