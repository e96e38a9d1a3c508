"""Reads a request target: which path is asked for, as every reader after us must read it too.

A path that means another path (dot segments, backslashes, an empty first segment) is refused
and never rewritten: what is authorised is what is routed. It knows no routes.
"""

import re
from functools import lru_cache

from proxy.errors import Refusal
from proxy.exchange import ErrorCode

_ABSOLUTE = re.compile(rb"https?://([^/?#]*)(.*)", re.IGNORECASE | re.DOTALL)
# RFC 3986, 3.3 and 3.4; a query may also hold the brackets that many clients leave bare.
_PATH_QUERY = re.compile(
    rb"(/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*)"
    rb"(?:\?((?:[A-Za-z0-9._~!$&'()*+,;=:@/?\[\]-]|%[0-9A-Fa-f]{2})*))?"
)
_TRICKS = re.compile(
    rb"^//|(?:/|%2f|%5c)(?:\.|%2e){1,2}(?:/|%2f|%5c|$)|%00|%5c",
    re.IGNORECASE,
)

Target = tuple[bytes | None, str, bytes]


@lru_cache(maxsize=256)
def read_target(target: bytes, method: str) -> Target:
    """Return the authority (absolute form only), the raw path and the query, or raise Refusal."""
    if target == b"*" and method == "OPTIONS":
        return None, "*", b""
    authority: bytes | None = None
    absolute = _ABSOLUTE.fullmatch(target)
    if absolute is not None:
        authority, target = absolute.groups()
        if not target.startswith(b"/"):
            target = b"/" + target
    parts = _PATH_QUERY.fullmatch(target)
    if parts is None:
        raise _bad("The request target holds what a URL may not.")
    path, query = parts.groups()
    if _TRICKS.search(path) is not None:
        raise _bad("The path has dot segments, backslashes or an empty start.")
    return authority, path.decode("ascii"), query or b""


def _bad(message: str) -> Refusal:
    return Refusal(400, ErrorCode.CALLER_BAD_HTTP, message, close=True)
