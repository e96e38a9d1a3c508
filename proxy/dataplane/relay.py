"""Relay: a reply's bytes to the client first, the same bytes then to the meter.

Called from the upstream connection's own callback, so a chunk costs no task switch. A stream
that breaks is never dressed up as whole: its reader gets an error event, and no end.
"""

from proxy.dataplane.call import Metered
from proxy.dataplane.writing.answers import error_event, failure_answer
from proxy.dataplane.writing.heads import Passed, own_lines, passed
from proxy.dialects import Meter, Stripper
from proxy.errors import UpstreamCut, UpstreamFailure
from proxy.exchange import ErrorCode, Exchange, Outcome, Reading, Texts
from proxy.http import Fields, Reply
from proxy.upstream import Connection, ResponseHead

KEPT_TEXT = 200_000  # characters of a reply kept for counting; beyond, control estimates
JUDGED_TEXT = 65_536  # characters of a reply that go to control where nothing is counted
FORM_BYTES = 65_536  # of the form that a request asks for; a larger one is not checked
UNREAD_FORM = b"{}"


class Relay:
    """Carries one reply; `take` is the upstream connection's sink.

    The reply is started with its first byte, not before: until then the upstream may still fail
    and another one may serve.
    """

    __slots__ = (
        "_connection",
        "_exchange",
        "_head",
        "_meter",
        "_passed",
        "_reply",
        "_stripper",
    )

    def __init__(  # noqa: PLR0917  # keywords would cost each reply a dict
        self,
        head: ResponseHead,
        passed_on: Passed,
        connection: Connection,
        exchange: Exchange,
        reply: Reply,
        meter: Meter | None,
        stripper: Stripper | None,
    ) -> None:
        self._head = head
        self._passed = passed_on
        self._connection = connection
        self._exchange = exchange
        self._reply = reply
        self._meter = meter
        self._stripper = stripper

    def take(self, data: bytes) -> None:
        """Pass on the next bytes of the body."""
        kept = data if self._stripper is None else self._stripper.feed(data)
        if self._connection.whole:
            self._finish(kept)
        elif kept:
            if not self._reply.started:
                self._start()
            self._reply.write(kept)
        if self._meter is not None:
            self._meter.feed(data, self._connection.last_byte_at or 0.0)

    def finish(self) -> None:
        """End the reply: the upstream's was whole, though perhaps none of its bytes said so."""
        if not self._reply.finished:
            self._finish(b"")

    def _finish(self, data: bytes) -> None:
        """Pass on the last bytes, those held back too, and the end with them: one write."""
        if self._stripper is not None:
            data += self._stripper.flush()
        if not self._reply.started:
            self._start()
        self._reply.finish(data)

    def _start(self) -> None:
        """Start the client's reply with the upstream's head."""
        exchange, head, theirs = self._exchange, self._head, self._passed.fields
        ours = own_lines(exchange.request_id, exchange.route, exchange.variant_served)
        fields = Fields(theirs.lines + ours, theirs.dated)
        length = self._connection.length if self._stripper is None else None
        self._reply.start(head.status, head.reason, fields, length=length)
        self._reply.on_flow(self._connection)


async def relay(
    metered: Metered | None,
    head: ResponseHead,
    connection: Connection,
    exchange: Exchange,
    reply: Reply,
    *,
    stripper: Stripper | None,
    preview_chars: int,
    count_tokens: bool,
    judge: bool,
) -> None:
    """Carry the reply to its end, or raise UpstreamFailure, after telling a client with a part."""
    passed_on = passed(head)
    streamed = passed_on.streamed
    meter = None
    if metered is not None and passed_on.readable:
        keep_text = KEPT_TEXT if count_tokens else JUDGED_TEXT if judge else preview_chars
        meter = metered.dialect.meter(
            stream=streamed, keep_text=keep_text, preview_chars=preview_chars
        )
    if not streamed:
        stripper = None
    carrier = Relay(head, passed_on, connection, exchange, reply, meter, stripper)
    heard = meter if streamed and head.status == 200 else None  # of a stream that says its end
    reading = None
    take = (
        carrier.take
        if exchange.copy is None
        else exchange.copy.beside(carrier.take, readable=passed_on.readable, events=streamed)
    )
    try:
        await connection.relay(take)
        if heard is not None and connection.length is None and open_ended(head):
            reading = heard.finish()
            if not said_its_end(reading):
                raise UpstreamCut(ErrorCode.PROVIDER_CUT, "the peer closed")
        carrier.finish()
    except UpstreamFailure as failure:
        if reply.started:
            break_off(reply, exchange, failure, streamed=streamed)
        raise
    finally:
        exchange.texts = None
        if meter is not None and metered is not None:
            exchange.reading = reading = reading or meter.finish()
            exchange.response_preview = reading.preview if preview_chars > 0 else None
            count_tokens = count_tokens and reading.usage is None
            exchange.texts = for_control(metered, reading, count_tokens=count_tokens, judge=judge)
    # Its framing was whole, so its bytes stay as they came; but its words were not.
    if heard is not None and not said_its_end(exchange.reading):
        exchange.ended(Outcome.UPSTREAM_CUT, ErrorCode.PROVIDER_CUT)


def for_control(
    metered: Metered, reading: Reading, *, count_tokens: bool, judge: bool
) -> Texts | None:
    """Return the words that control needs: to count tokens, to judge the reply."""
    form = b""
    if judge and metered.facts.has_format:
        form = metered.dialect.form(metered.members)
        form = form if len(form) <= FORM_BYTES else UNREAD_FORM
    if count_tokens:
        return Texts(metered.body, reading.text or "", reading.choices, form)
    if judge and (reading.text or form):
        return Texts(b"", (reading.text or "")[:JUDGED_TEXT], reading.choices, form)
    return None


def break_off(
    reply: Reply, exchange: Exchange, failure: UpstreamFailure, *, streamed: bool
) -> None:
    """End a reply that can't be whole, so that its reader can tell."""
    if streamed:
        # The blank line ends an event that was cut in its middle.
        event = error_event(failure_answer(failure), exchange.request_id, exchange.dialect)
        reply.write(b"\n\n" + event)
    reply.abort()


def open_ended(head: ResponseHead) -> bool:
    """Return whether only the connection's end ends a body that has no length.

    Then a cut looks just like an end.
    """
    return all(name.lower() != b"transfer-encoding" for name, _ in head.headers)


def said_its_end(reading: Reading) -> bool:
    """Return whether a stream ended in its own words."""
    return reading.finished or reading.finish_reason is not None or reading.error
