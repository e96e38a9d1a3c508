"""Repeat: one shadow: a request sent to one variant more, its reply read and thrown away.

It is read as a client's would be, by the same relay, so that pairs are judged alike. It is tried
once, and nobody pays for how it goes: no retry, no fallback, no word on the upstream's health, no
count against a client's key. A client's own credentials never go along.
"""

import asyncio
from collections.abc import Callable

from proxy.dataplane.call import Metered
from proxy.dataplane.forward import ending, judge, rewritten
from proxy.dataplane.plane import Plane
from proxy.dataplane.relay import relay
from proxy.errors import StaleConnection, UpstreamFailure
from proxy.exchange import ErrorCode, Exchange, Observation, Outcome
from proxy.http import Reply, Request
from proxy.routing import Variant
from proxy.upstream import Connection, ResponseHead


class Nowhere:
    """A wire that leads nowhere: what is written on it is gone."""

    write_paused = False

    def may_keep(self) -> bool:
        """Say that nothing follows."""
        return False

    def date(self) -> bytes:
        """Return what nobody reads."""
        return b""

    def write(self, data: bytes) -> None:
        """Throw it away."""

    def cut(self, *, reset: bool) -> None:
        """Do nothing: nobody is there to see it."""


NOWHERE = Nowhere()


class Repeat:
    """One shadow: `run` it once, then `close` it, whatever its ending.

    `exchange` is its own record, `followed` that of the client's exchange.
    """

    __slots__ = (
        "_body",
        "_clock",
        "_exchange",
        "_head",
        "_metered",
        "_plane",
        "_reply",
        "_upstream",
    )

    def __init__(
        self,
        request: Request,
        metered: Metered,
        *,
        plane: Plane,
        variant: Variant,
        exchange: Exchange,
        followed: Exchange,
        clock: Callable[[], float],
    ) -> None:
        self._metered = metered
        self._plane = plane
        self._clock = clock
        self._exchange = exchange
        self._upstream = plane.upstreams[variant.upstream]
        self._reply = Reply(NOWHERE, request.head)
        self._body, _ = rewritten(metered, variant, self._upstream)
        self._head = plane.shadow_heads[variant.upstream].write(
            request, metered.dialect.name, len(self._body), exchange.trace
        )
        exchange.upstream = variant.upstream
        exchange.variant_assigned = exchange.variant_served = variant.name
        exchange.model_sent = variant.model or metered.facts.model
        describe(exchange, followed)

    async def run(self, seconds: float) -> None:
        """Carry it out within `seconds`; how it went is on its record."""
        exchange = self._exchange
        try:
            async with asyncio.timeout(seconds):
                await self._carry()
        except TimeoutError:
            exchange.ended(Outcome.UPSTREAM_TIMEOUT, ErrorCode.PROVIDER_TOTAL_TIMEOUT)
        except UpstreamFailure as failure:
            exchange.ended(ending(failure), ErrorCode(failure.code))
        except asyncio.CancelledError:
            exchange.ended(Outcome.PROXY_ERROR, ErrorCode.POLICY_SHUTTING_DOWN)
            raise
        except Exception as error:  # noqa: BLE001  # the edge of all shadows: one bug ends one
            exchange.ended(Outcome.PROXY_ERROR, ErrorCode.INTERNAL_UNKNOWN)
            asyncio.get_running_loop().call_exception_handler(
                {"message": f"shadow {exchange.request_id} failed", "exception": error}
            )

    def close(self) -> Observation:
        """Return the finished record."""
        reply = self._reply
        return self._exchange.close(
            self._clock(), status=reply.status, reply_bytes=reply.body_bytes
        )

    async def _carry(self) -> None:
        began = self._clock()
        ended = None
        try:
            connection, head = await self._send()
            try:
                await self._relay(connection, head)
                ended = connection.last_byte_at
            finally:
                self._upstream.release(connection)
        finally:
            self._exchange.waited += (ended or self._clock()) - began

    async def _send(self) -> tuple[Connection, ResponseHead]:
        """Return a connection on which a reply has begun."""
        self._exchange.attempts = 1
        until = self._clock() + self._upstream.settings.timeouts.total
        while True:
            connection = await self._upstream.borrow()
            try:
                return connection, await connection.send(self._head, self._body, until=until)
            except StaleConnection:  # only a reused connection can be stale: this ends
                self._upstream.release(connection)
            except BaseException:  # a cancellation too: what was borrowed goes back
                self._upstream.release(connection)
                raise

    async def _relay(self, connection: Connection, head: ResponseHead) -> None:
        settings = self._plane.settings
        exchange = self._exchange
        exchange.ended(*judge(head.status, our_key=True, our_choice=True))
        await relay(
            self._metered,
            head,
            connection,
            exchange,
            self._reply,
            stripper=None,
            preview_chars=self._plane.seen_chars,
            count_tokens=settings.count_tokens and head.status < 300,
            judge=settings.judge_replies and head.status < 300,
        )
        if exchange.reading.error and head.status < 400:
            exchange.ended(Outcome.UPSTREAM_ERROR, ErrorCode.PROVIDER_IN_BAND_ERROR)


def describe(exchange: Exchange, followed: Exchange) -> None:
    """Write on a shadow's record what it has of the exchange that it follows.

    The client's key is left out: it does not pay for this.
    """
    exchange.shadow_of = followed.request_id
    exchange.endpoint = followed.endpoint
    exchange.dialect = followed.dialect
    exchange.stream = followed.stream
    exchange.max_tokens = followed.max_tokens
    exchange.route = followed.route
    exchange.bucket = followed.bucket
    exchange.unit_kind = followed.unit_kind
    exchange.model_asked = followed.model_asked
    exchange.prompt_preview = followed.prompt_preview
    if followed.copy is not None:  # of a pair both are kept, or neither
        exchange.copy = followed.copy.again()
