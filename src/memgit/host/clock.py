"""The time zone of this machine, with its rules and not only today's offset."""

from __future__ import annotations

import os
import zoneinfo
from collections.abc import Mapping
from datetime import UTC, tzinfo

from memgit.core import windows

_LINK = "/etc/localtime"


def local_zone(environ: Mapping[str, str]) -> tzinfo:
    """The zone that TZ names, else the one of /etc/localtime, else UTC. Source: tzset(3)."""
    name = environ.get("TZ", "").removeprefix(":")
    if name:
        try:
            return zoneinfo.ZoneInfo(name)
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            return UTC
    try:
        with open(_LINK, "rb") as file:
            return zoneinfo.ZoneInfo.from_file(file, key=os.path.realpath(_LINK).partition("zoneinfo/")[2] or None)
    except (OSError, ValueError):
        return UTC


def zone_of(setting: str, environ: Mapping[str, str]) -> tzinfo:
    """The zone that `schedule.timezone` means."""
    return local_zone(environ) if setting == "local" else windows.load_zone(setting)
