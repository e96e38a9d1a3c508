"""Relay: a reply's bytes to the client first, the same bytes then to the meter.

Called from the upstream connection's own callback, so a chunk costs no task switch. A stream
that breaks is never dressed up as whole: its reader gets an error event, and no end.
"""

from collections.abc import Callable

from proxy.dataplane.answers import error_event, failure_answer
from proxy.dataplane.call import Call
from proxy.dataplane.heads import own_headers, reply_headers
from proxy.dialects import Meter, Reading, Stripper
from proxy.errors import UpstreamFailure
from proxy.exchange import Exchange, ReplyFacts, Texts
from proxy.http import Headers, Reply
from proxy.upstream import Connection, ResponseHead

KEPT_TEXT = 200_000  # characters of a reply kept for counting; beyond, control estimates


class Relay:
    """Carries one reply; `take` is the upstream connection's sink."""

    __slots__ = ("_clock", "_exchange", "_meter", "_reply", "_stripper")

    def __init__(
        self,
        exchange: Exchange,
        reply: Reply,
        meter: Meter | None,
        stripper: Stripper | None,
        clock: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._reply = reply
        self._meter = meter
        self._stripper = stripper
        self._clock = clock

    def take(self, data: bytes) -> None:
        """Pass on the next bytes of the body."""
        kept = data if self._stripper is None else self._stripper.feed(data)
        if kept:
            self._reply.write(kept)
        if self._meter is not None and self._meter.feed(data):
            self._exchange.output_arrived(self._clock())

    def flush(self) -> None:
        """Pass on what was held back; the body is over."""
        if self._stripper is not None and (rest := self._stripper.flush()):
            self._reply.write(rest)

    def read(self) -> Reading | None:
        """Return what the meter read."""
        return None if self._meter is None else self._meter.finish()


async def relay(
    call: Call,
    head: ResponseHead,
    connection: Connection,
    exchange: Exchange,
    reply: Reply,
    *,
    stripper: Stripper | None,
    preview_chars: int,
    count_tokens: bool,
    clock: Callable[[], float],
) -> None:
    """Carry the reply to its end, or raise UpstreamFailure after telling the client."""
    streamed = is_event_stream(head.headers)
    readable = is_readable(head.headers)
    meter = None
    if call.metered is not None and readable:
        keep_text = KEPT_TEXT if count_tokens else preview_chars
        meter = call.metered.dialect.meter(
            stream=streamed, keep_text=keep_text, preview_chars=preview_chars
        )
    if not streamed or not readable:
        stripper = None
    own = own_headers(exchange.request_id, exchange.route, exchange.variant_served or None)
    length = head.length if stripper is None else None
    reply.start(head.status, head.reason, reply_headers(head.headers, own), length=length)
    reply.on_flow(connection.pause, connection.resume)
    carrier = Relay(exchange, reply, meter, stripper, clock)
    try:
        await connection.relay(carrier.take)
        carrier.flush()
        reply.finish()
    except UpstreamFailure as failure:
        if reply.started:
            break_off(reply, exchange, failure, streamed=streamed and readable)
        raise
    finally:
        record(call, exchange, carrier.read(), preview_chars, count_tokens=count_tokens)


def break_off(
    reply: Reply, exchange: Exchange, failure: UpstreamFailure, *, streamed: bool
) -> None:
    """End a reply that can't be whole, so that its reader can tell."""
    if streamed:
        # The blank line ends an event that was cut in its middle.
        event = error_event(failure_answer(failure), exchange.request_id, exchange.dialect)
        reply.write(b"\n\n" + event)
    reply.abort()


def record(
    call: Call,
    exchange: Exchange,
    reading: Reading | None,
    preview_chars: int,
    *,
    count_tokens: bool,
) -> None:
    """Write what was read off the reply on the exchange."""
    if reading is None or call.metered is None:
        return
    exchange.reply = ReplyFacts(
        usage=reading.usage,
        model=reading.model,
        reply_chars=reading.reply_chars,
        preview=reading.preview if preview_chars > 0 else None,
        finish_reason=reading.finish_reason,
        refused=reading.refused,
        tool_calls=reading.tool_calls,
        in_band_error=reading.error,
        malformed_events=reading.malformed_events,
    )
    if reading.usage is None and count_tokens:
        exchange.texts = Texts(prompt=call.metered.body, reply=reading.text or "")


def is_event_stream(headers: Headers) -> bool:
    """Return whether a reply is a stream of server-sent events."""
    return any(
        name.lower() == b"content-type" and value.lower().startswith(b"text/event-stream")
        for name, value in headers
    )


def is_readable(headers: Headers) -> bool:
    """Return whether a reply's body is as it was written: not compressed."""
    return all(
        value.lower() == b"identity"
        for name, value in headers
        if name.lower() == b"content-encoding"
    )
