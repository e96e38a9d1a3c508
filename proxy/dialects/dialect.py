"""What every dialect offers the data plane: peek at a request, meter a reply.

Sans-IO: bytes in, facts out. A dialect knows one API's JSON; it knows nothing of sockets,
routes or clocks. The caller stamps times: `Meter.feed` returns whether new output arrived.
"""

from typing import Protocol

from msgspec import Raw, Struct

from proxy.exchange.reading import Reading

Members = dict[str, Raw]


class RequestFacts(Struct, frozen=True, kw_only=True):
    """What routing and the record need to know of a request body."""

    model: str
    stream: bool = False
    user: str | None = None  # the body's safety identifier or user
    wants_usage: bool = True  # False: a stream whose client did not ask for usage
    n: int = 1
    max_tokens: int | None = None
    has_tools: bool = False
    has_format: bool = False
    prompt_chars: int = 0  # about: enough to estimate tokens from
    prompt_tail: str = ""  # the start of the last user message, for the preview


class Meter(Protocol):
    """Reads one reply as it passes; never raises, whatever the bytes."""

    def feed(self, data: bytes) -> bool:
        """Take the next bytes of the body; return True where they carried output."""
        ...

    def finish(self) -> Reading:
        """Return the reading; the body is over, wholly or not."""
        ...


class Stripper(Protocol):
    """Takes one event, the usage chunk we asked for ourselves, out of a stream."""

    def feed(self, data: bytes) -> bytes:
        """Return the bytes to pass on now; an unfinished event is kept back, bounded."""
        ...

    def flush(self) -> bytes:
        """Return what was kept back; the body is over."""
        ...


class Dialect(Protocol):
    """One API: its name, its path ("/v1/..."), and what must be known of it."""

    name: str
    path: str

    def peek(self, body: bytes, members: Members) -> RequestFacts:
        """Return the facts of a request's body, or raise Refusal(400) naming the member.

        `members` are the body's own, as `parse` found them.
        """
        ...

    def ask_usage(self, members: Members) -> Members | None:
        """Return the members that make a stream report usage; None: it does or it can't."""
        ...

    def stripper(self) -> Stripper:
        """Return what undoes `ask_usage` on the reply's bytes."""
        ...

    def meter(self, *, stream: bool, keep_text: int, preview_chars: int) -> Meter:
        """Return a meter for one reply that keeps at most `keep_text` characters of it."""
        ...
