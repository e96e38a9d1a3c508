"""Relay: a reply's bytes to the client first, the same bytes then to the meter.

Called from the upstream connection's own callback, so a chunk costs no task switch. A stream
that breaks is never dressed up as whole: its reader gets an error event, and no end.
"""

from collections.abc import Callable
from functools import partial

from proxy.dataplane.call import Call
from proxy.dataplane.writing.answers import error_event, failure_answer
from proxy.dataplane.writing.heads import own_headers, reply_headers
from proxy.dialects import Meter, Reading, Stripper
from proxy.errors import UpstreamFailure
from proxy.exchange import ErrorCode, Exchange, ReplyFacts, Texts
from proxy.http import Headers, Reply
from proxy.upstream import Connection, ResponseHead

KEPT_TEXT = 200_000  # characters of a reply kept for counting; beyond, control estimates


class Relay:
    """Carries one reply; `take` is the upstream connection's sink.

    The reply is started with its first byte, not before: until then the upstream may still fail
    and another one may serve.
    """

    __slots__ = ("_clock", "_exchange", "_meter", "_reply", "_start", "_started", "_stripper")

    def __init__(
        self,
        exchange: Exchange,
        reply: Reply,
        *,
        start: Callable[[], None],
        meter: Meter | None,
        stripper: Stripper | None,
        clock: Callable[[], float],
    ) -> None:
        self._exchange = exchange
        self._reply = reply
        self._start = start
        self._started = False
        self._meter = meter
        self._stripper = stripper
        self._clock = clock

    def take(self, data: bytes) -> None:
        """Pass on the next bytes of the body."""
        kept = data if self._stripper is None else self._stripper.feed(data)
        if kept:
            self._write(kept)
        if self._meter is not None and self._meter.feed(data):
            self._exchange.output_arrived(self._clock())

    def finish(self) -> None:
        """Pass on what was held back, and end the reply: the upstream's was whole."""
        if self._stripper is not None and (rest := self._stripper.flush()):
            self._write(rest)
        if not self._started:
            self._start()
        self._reply.finish()

    def read(self) -> Reading | None:
        """Return what the meter read."""
        return None if self._meter is None else self._meter.finish()

    def _write(self, data: bytes) -> None:
        if not self._started:
            self._start()
            self._started = True
        self._reply.write(data)


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
    """Carry the reply to its end, or raise UpstreamFailure, after telling a client with a part."""
    readable = is_readable(head.headers)
    streamed = readable and is_event_stream(head.headers)
    meter = None
    if call.metered is not None and readable:
        keep_text = KEPT_TEXT if count_tokens else preview_chars
        meter = call.metered.dialect.meter(
            stream=streamed, keep_text=keep_text, preview_chars=preview_chars
        )
    if not streamed:
        stripper = None
    start = partial(begin, head, connection, exchange, reply, stripped=stripper is not None)
    carrier = Relay(exchange, reply, start=start, meter=meter, stripper=stripper, clock=clock)
    try:
        await connection.relay(carrier.take)
        carrier.finish()
    except UpstreamFailure as failure:
        if reply.started:
            break_off(reply, exchange, failure, streamed=streamed)
        raise
    finally:
        record(call, exchange, carrier.read(), preview_chars, count_tokens=count_tokens)


def begin(
    head: ResponseHead,
    connection: Connection,
    exchange: Exchange,
    reply: Reply,
    *,
    stripped: bool,
) -> None:
    """Start the client's reply with the upstream's head."""
    own = own_headers(exchange.request_id, exchange.route, exchange.variant_served)
    headers = reply_headers(head.headers, own)
    try:
        reply.start(head.status, head.reason, headers, length=None if stripped else head.length)
    except ValueError as error:  # a header that must not be passed on
        raise UpstreamFailure(ErrorCode.PROVIDER_BAD_REPLY) from error
    reply.on_flow(connection.pause, connection.resume)


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
    exchange.texts = None
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
