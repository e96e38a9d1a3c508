"""Tracing: which span an exchange is, of which trace, and how the upstream is told.

The form is W3C's Trace Context (https://www.w3.org/TR/trace-context/). It exports nothing.
"""

import re
from collections.abc import Callable

from proxy.exchange import Trace
from proxy.http import Head

TRACEPARENT = b"traceparent"
TRACESTATE = b"tracestate"
HEADERS = frozenset({TRACEPARENT, TRACESTATE})  # of a client's, what we write anew
SAMPLED = 0x01  # in the flags

_FORM = re.compile(
    rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})"
)


def begin(head: Head, share: float, random_bits: Callable[[int], int]) -> Trace:
    """Return the span of a request: of its client's trace, or else of a new one.

    What a client said of sampling holds; of new traces a `share`, from 0 to 1, is sampled.
    """
    span_id = f"{random_bits(64) or 1:016x}"  # zeros are no id
    found = parent(head)
    if found is not None:
        return Trace(found[0], span_id, found[1], sampled=bool(found[2] & SAMPLED))
    sampled = random_bits(53) < share * 2**53
    return Trace(f"{random_bits(128) or 1:032x}", span_id, None, sampled)


def below(trace: Trace, random_bits: Callable[[int], int]) -> Trace:
    """Return a span whose parent is that of `trace`."""
    return Trace(trace.trace_id, f"{random_bits(64) or 1:016x}", trace.span_id, trace.sampled)


def parent(head: Head) -> tuple[str, str, int] | None:
    """Return the ids of the client's trace and span, and its flags; None: it named none, well."""
    said = _values(head, TRACEPARENT)
    if len(said) != 1:
        return None
    found = _FORM.match(said[0])
    if found is None:
        return None
    more = said[0][found.end() :]  # version 00 has none, later ones may
    if more and (said[0][:2] == b"00" or more[:1] != b"-"):
        return None
    return found[1].decode(), found[2].decode(), int(found[3], 16)


def lines(trace: Trace, head: Head) -> bytes:
    """Return the header lines that tell an upstream of `trace`, the client's state with them."""
    flags = b"01" if trace.sampled else b"00"
    ids = trace.trace_id.encode(), trace.span_id.encode()
    written = b"traceparent: 00-%b-%b-%b\r\n" % (*ids, flags)
    state = [] if trace.parent_id is None else _values(head, TRACESTATE)
    return written + b"tracestate: %b\r\n" % b",".join(state) if state else written


def _values(head: Head, name: bytes) -> list[bytes]:
    return [value for spelt, value in head.headers if spelt.lower() == name]
