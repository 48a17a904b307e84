from __future__ import annotations

import json


def marker_line(content: bytes) -> int | None:
    lines = content.split(b"\n")
    opened = None
    for at, line in enumerate(lines, 1):
        if line.startswith(b"<<<<<<< "):
            opened = at
        elif opened and line.startswith(b">>>>>>> "):
            return opened
    return None


def is_binary(content: bytes) -> bool:
    return b"\0" in content[:8000]


def complete_prefix(path: bytes, content: bytes) -> bytes:
    if path.endswith((b".jsonl", b".ndjson", b".log")):
        return content[: content.rfind(b"\n") + 1]
    return content


def still_parses(path: bytes, old: bytes | None, new: bytes) -> bool:
    def ok(data: bytes) -> bool:
        try:
            if path.endswith(b".jsonl"):
                for line in data.split(b"\n"):
                    if line.strip():
                        json.loads(line)
            else:
                json.loads(data)
        except (ValueError, RecursionError):
            return False
        return True

    if not path.endswith((b".json", b".jsonl")) or old is None:
        return True
    return not ok(old) or ok(new)
