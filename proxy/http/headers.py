"""Header hygiene, the same for both directions and for both sides of the proxy.

Knows which headers belong to one connection only, and how fields are written safely. It knows
nothing of framing: whoever writes a head adds the framing of its own body.
"""

from functools import lru_cache

Headers = list[tuple[bytes, bytes]]

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
        # Not hop by hop by the letter, but framing: it is written anew with each head.
        b"content-length",
    }
)
_USUAL = frozenset({b"close", b"keep-alive", b"upgrade"})  # Connection options that name no field


def end_to_end(headers: Headers, *, extra_drop: frozenset[bytes] = frozenset()) -> Headers:
    """Return the headers that may pass on: none hop-by-hop, none that Connection names.

    `extra_drop` are further names in lower case. Framing headers never pass (RFC 9110, 7.6.1).
    """
    drop = _union(extra_drop)
    kept: Headers = []
    named: bytes | None = None
    for field in headers:
        name = field[0].lower()
        if name not in drop:
            kept.append(field)
        elif name == b"connection":
            named = field[1] if named is None else named + b"," + field[1]
    if named is None or named.lower() in _USUAL:
        return kept
    options = connection_options(named) - _USUAL
    return [field for field in kept if field[0].lower() not in options] if options else kept


@lru_cache(maxsize=256)
def _union(extra: frozenset[bytes]) -> frozenset[bytes]:
    return HOP_BY_HOP | extra


def connection_options(value: bytes) -> frozenset[bytes]:
    """Return the members of a Connection header in lower case."""
    return frozenset(option.strip(b" \t") for option in value.lower().split(b","))


def render_head(start_line: bytes, headers: Headers) -> bytes:
    """Return a start line and fields, each with its CRLF, without the blank line that ends them.

    Raises ValueError where one holds CR, LF or NUL: nobody writes a header through another one.
    """
    lines = [start_line]
    lines += [name + b": " + value for name, value in headers]
    lines.append(b"")
    head = b"\r\n".join(lines)
    ends = len(lines) - 1
    if head.count(b"\n") != ends or head.count(b"\r") != ends or b"\0" in head:
        raise ValueError("a header with CR, LF or NUL")
    return head
