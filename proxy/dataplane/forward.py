"""Forward: carry out a Call: the assigned variant, its retries, then the fallback order.

Everything here happens before the first byte of a reply goes out; from then on it is `relay`'s,
and nothing is tried again. Only what the variant changes is rewritten.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from itertools import count

from msgspec import Struct

from proxy.dataplane.call import Call, Metered
from proxy.dataplane.keys import credential
from proxy.dataplane.plane import Plane
from proxy.dataplane.relay import relay
from proxy.dialects import Stripper, rewrite
from proxy.errors import (
    ConnectFailure,
    StaleConnection,
    UpstreamCut,
    UpstreamFailure,
    UpstreamTimeout,
)
from proxy.exchange import ErrorCode, Exchange, Outcome
from proxy.http import Headers, Reply
from proxy.routing import Variant
from proxy.upstream import Connection, ResponseHead, Upstream

TRY_AGAIN = frozenset({429, 502, 503, 504})  # the upstream says that later is worth a try
WITH_BODY = frozenset({"POST", "PUT", "PATCH"})  # an empty body is said to be so (RFC 9110, 8.6)


class Sending(Struct, frozen=True, kw_only=True):
    """What goes to one upstream, ready to be written."""

    upstream: Upstream
    head: bytes
    body: bytes | AsyncIterator[bytes]
    chunked: bool
    stripper: Stripper | None
    until: float  # the deadline of the whole, on the loop's clock


class Forward:
    """The carrying out of one call; `run` is called once."""

    __slots__ = ("_began", "_call", "_clock", "_exchange", "_plane", "_replayable", "_reply")

    def __init__(
        self,
        call: Call,
        plane: Plane,
        exchange: Exchange,
        reply: Reply,
        clock: Callable[[], float],
    ) -> None:
        self._call = call
        self._plane = plane
        self._exchange = exchange
        self._reply = reply
        self._clock = clock
        self._began = clock()
        self._replayable = call.metered is not None or not call.request.has_body

    async def run(self) -> None:
        """Relay the reply of the first variant that has one, or raise UpstreamFailure."""
        variant, *others = self._call.variants
        for other in others:
            try:
                if await self._serve(self._prepare(variant), last=False):
                    return
            except UpstreamFailure:
                late = self._clock() >= self._until(other)
                if self._reply.started or not self._replayable or late:
                    raise
            self._exchange.ended(Outcome.COMPLETED)  # whatever the one before had noted
            variant = other
        await self._serve(self._prepare(variant), last=True)

    def _until(self, variant: Variant) -> float:
        """Return when `variant` must be done; retries and those tried before it count too."""
        upstream = self._plane.upstreams[variant.upstream]
        return self._began + upstream.settings.timeouts.total

    def _prepare(self, variant: Variant) -> Sending:
        upstream = self._plane.upstreams[variant.upstream]
        self._exchange.upstream = upstream.name
        self._exchange.variant_served = variant.name or None
        call = self._call
        stripper = None
        body: bytes | AsyncIterator[bytes] = b""
        length: int | None = 0 if call.request.method in WITH_BODY else None
        dialect = "none"
        if call.metered is not None:
            dialect = call.metered.dialect.name
            self._exchange.model_sent = variant.model or call.metered.facts.model
            body, stripper = rewritten(call.metered, variant, upstream)
            length = len(body)
        elif call.request.has_body:
            body = call.request.stream(self._plane.settings.limits.stream_body_bytes)
            length = call.request.content_length
        return Sending(
            upstream=upstream,
            head=self._plane.heads[upstream.name].write(
                call.request, dialect, length, self._exchange.trace
            ),
            body=body,
            chunked=length is None and call.request.has_body,
            stripper=stripper,
            until=self._until(variant),
        )

    async def _serve(self, sending: Sending, *, last: bool) -> bool:
        """Serve from one upstream; False: its reply says to fall back, and there is a where."""
        upstream = sending.upstream
        began = self._clock()
        ended = None
        try:
            connection, head = await self._open(sending)
            try:
                if head.status >= 400 and self._turned_down(upstream, head, last=last):
                    return False
                await self._relay(sending, connection, head)
                ended = connection.last_byte_at
            finally:
                upstream.release(connection)
        finally:
            self._exchange.waited += (ended or self._clock()) - began
        return True

    async def _open(self, sending: Sending) -> tuple[Connection, ResponseHead]:
        """Return a connection on which a reply has begun; retries while that is worth it."""
        upstream = sending.upstream
        for attempt in count(1):
            try:
                connection, head = await self._send(sending)
            except StaleConnection:  # only a reused connection can be stale: this ends
                if not self._replayable:
                    raise
                continue
            except ConnectFailure:
                delay = upstream.retry_delay(attempt, None, self._left(sending))
                if delay is None:
                    raise
            else:
                delay = None
                if head.status in TRY_AGAIN and self._replayable:
                    asked = retry_after(head.headers)
                    delay = upstream.retry_delay(attempt, asked, self._left(sending))
                if delay is None:
                    return connection, head
                upstream.release(connection)
            await asyncio.sleep(delay)
        raise AssertionError("count() does not end")

    async def _send(self, sending: Sending) -> tuple[Connection, ResponseHead]:
        upstream = sending.upstream
        self._exchange.attempts += 1
        # What can be sent only once goes on a connection that can't be stale.
        connection = await upstream.acquire(sending.until, fresh=not self._replayable)
        try:
            head = await connection.send(
                sending.head, sending.body, chunked=sending.chunked, until=sending.until
            )
        except StaleConnection:
            upstream.release(connection)
            raise
        except UpstreamFailure:
            upstream.failed()
            upstream.release(connection)
            raise
        except BaseException:  # cancelled: the client is gone
            upstream.release(connection)
            raise
        if head.status >= 500 or (head.status == 429 and self._ours(upstream)):
            upstream.failed(retry_after(head.headers))
        elif connection is upstream.trial and head.status != 429:
            upstream.succeeded()  # enough of a trial: the rest of a stream may take long
        return connection, head

    def _ours(self, upstream: Upstream) -> bool:
        """Whether a 429 is about all of us: one client's own key must not shut others out."""
        passed_on = upstream.settings.api_key is None and not self._plane.keyring.closed
        return not passed_on or credential(self._call.request) is None

    def _left(self, sending: Sending) -> float:
        return sending.until - self._clock()

    def _turned_down(self, upstream: Upstream, head: ResponseHead, *, last: bool) -> bool:
        """Note whose doing a reply that is no success is; True: another variant is to serve."""
        outcome, code = judge(
            head.status,
            our_key=upstream.settings.api_key is not None,
            our_choice=self._call.decision is not None,
        )
        if outcome is Outcome.UPSTREAM_ERROR and self._replayable and not last:
            return True
        self._exchange.ended(outcome, code)
        return False

    async def _relay(self, sending: Sending, connection: Connection, head: ResponseHead) -> None:
        settings = self._plane.settings
        try:
            await relay(
                self._call.metered,
                head,
                connection,
                self._exchange,
                self._reply,
                stripper=sending.stripper,
                preview_chars=self._plane.seen_chars,
                count_tokens=settings.count_tokens and head.status < 300,
                judge=settings.judge_replies and head.status < 300,
            )
        except UpstreamFailure:
            sending.upstream.failed()
            raise
        if head.status < 429 or 429 < head.status < 500:
            sending.upstream.succeeded()
        if self._exchange.reading.error and head.status < 400:
            self._exchange.ended(Outcome.UPSTREAM_ERROR, ErrorCode.PROVIDER_IN_BAND_ERROR)


def rewritten(
    metered: Metered, variant: Variant, upstream: Upstream
) -> tuple[bytes, Stripper | None]:
    """Return the body for `variant`, and what takes out of the reply what only we asked for."""
    facts, members, dialect = metered.facts, metered.members, metered.dialect
    if facts.stream and not facts.wants_usage and upstream.settings.ask_usage:
        asking = dialect.ask_usage(members)
        if asking is not None:
            return rewrite(None, asking, variant), dialect.stripper()
    return rewrite(metered.body, members, variant), None


def judge(status: int, *, our_key: bool, our_choice: bool) -> tuple[Outcome, ErrorCode | None]:
    """Return whose doing an upstream's status is.

    401 and 403 are not the caller's where the key is ours, nor is 404 where upstream and model
    are our route's choice: a fine-tune that is not loaded answers so.
    """
    if status < 400:
        return Outcome.COMPLETED, None
    if status == 429:
        return Outcome.UPSTREAM_ERROR, ErrorCode.PROVIDER_RATE_LIMITED
    ours = (our_key and status in (401, 403)) or (our_choice and status == 404)
    if status >= 500 or status == 408 or ours:
        return Outcome.UPSTREAM_ERROR, ErrorCode.PROVIDER_STATUS
    return Outcome.REJECTED, ErrorCode.CALLER_REJECTED_UPSTREAM


def ending(failure: UpstreamFailure) -> Outcome:
    """Return how an exchange ended whose reply could not be had whole."""
    if isinstance(failure, UpstreamTimeout):
        return Outcome.UPSTREAM_TIMEOUT
    if isinstance(failure, UpstreamCut):
        return Outcome.UPSTREAM_CUT
    return Outcome.UPSTREAM_ERROR


def retry_after(headers: Headers) -> float | None:
    """Return the seconds of a Retry-After; None where there is none, or it is a date."""
    for name, value in headers:
        if name.lower() == b"retry-after":
            return float(value) if value.isdigit() and len(value) < 10 else None
    return None
