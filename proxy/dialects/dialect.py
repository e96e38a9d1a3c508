"""What every dialect offers the data plane: peek at a request, meter a reply.

Sans-IO: bytes in, facts out. A dialect knows one API's JSON; it knows nothing of sockets,
routes or clocks: the caller says when bytes came.
"""

from collections.abc import Callable
from typing import Protocol

from msgspec import Struct

from proxy.dialects.wire.account import Account
from proxy.dialects.wire.fields import form
from proxy.dialects.wire.members import Members
from proxy.dialects.wire.meters import Read, ReadText, ReadTexts, StreamMeter, WholeMeter
from proxy.dialects.wire.stripper import Untouched
from proxy.exchange.reading import Reading


class RequestFacts(Struct, frozen=True, kw_only=True, gc=False):
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

    def feed(self, data: bytes, at: float) -> None:
        """Take the next bytes of the body, which came at `at`, in seconds on any one clock."""
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


def reports_usage(members: Members) -> Members | None:  # noqa: ARG001  # whatever they are
    """Return None: replies report usage without being asked."""
    return None


def response_format(members: Members) -> bytes:
    """Return the JSON of OpenAI's `response_format`; b"": there is none."""
    return form(members, "response_format")


class Dialect(Struct, frozen=True, kw_only=True):
    """One API: its name, its path ("/v1/..."), and how its requests and replies are read."""

    name: str
    path: str
    # The facts of a request's body, whose own members are as `parse` found them; Refusal(400)
    # names the member that is wrong.
    peek: Callable[[bytes, Members], RequestFacts]
    read_body: Read
    read_event: Read
    read_text: ReadText | None = None  # quick where a body, or events, are nothing but text
    read_texts: ReadTexts | None = None
    # The members that make a stream report usage; None: it does.
    ask_usage: Callable[[Members], Members | None] = reports_usage
    # The JSON by which a request asks for a form of its reply; b"": it does not.
    form: Callable[[Members], bytes] = response_format
    # What undoes `ask_usage` on the reply's bytes.
    stripper: Callable[[], Stripper] = Untouched

    def meter(self, *, stream: bool, keep_text: int, preview_chars: int) -> Meter:
        """Return a meter for one reply that keeps at most `keep_text` characters of it."""
        if not stream:
            return WholeMeter(self.read_body, self.read_text, keep_text, preview_chars)
        account = Account(keep_text=keep_text, preview_chars=preview_chars)
        return StreamMeter(account, self.read_event, self.read_texts)
