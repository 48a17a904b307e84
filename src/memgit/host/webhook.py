"""One POST of JSON, with an end."""

from __future__ import annotations


def post(url: str, body: bytes, timeout_s: float) -> str:
    """Send it; what went wrong, empty if nothing. Redirects are not followed, so that nobody else gets it."""
    import http.client  # both only where somebody wants it
    import urllib.parse

    parts = urllib.parse.urlsplit(url)
    kind = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}.get(parts.scheme)
    if kind is None or not parts.hostname:
        return "the webhook is no http or https address"
    try:
        connection = kind(parts.hostname, parts.port, timeout=timeout_s)
        try:
            target = urllib.parse.urlunsplit(("", "", parts.path or "/", parts.query, ""))
            connection.request("POST", target, body, {"Content-Type": "application/json", "User-Agent": "memgit"})
            status = connection.getresponse().status
        finally:
            connection.close()
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"the webhook failed: {type(error).__name__}"
    return "" if 200 <= status < 300 else f"the webhook answered {status}"
