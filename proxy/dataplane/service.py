"""The service: one worker's answer to every request, and the close of every exchange.

It says where a path goes, and sees that each exchange ends in exactly one Observation, whatever
its ending. What is in force stands in one slot; `adopt` replaces it, and an exchange ends on
the plane it began with.
"""

import asyncio
import math
from collections.abc import Callable
from typing import Protocol
from urllib.parse import unquote

from proxy.channel import Spent
from proxy.config.settings import DataPlane, UpstreamSettings
from proxy.dataplane.admit import admit, may_pass, unknown_model
from proxy.dataplane.call import Call
from proxy.dataplane.copying import Copies
from proxy.dataplane.forward import Forward, ending
from proxy.dataplane.keys import Tally
from proxy.dataplane.plane import Plane
from proxy.dataplane.shadow import Shadows
from proxy.dataplane.writing import answers, tracing
from proxy.dataplane.writing.heads import own_headers
from proxy.dataplane.writing.models import PATH as MODELS
from proxy.dataplane.writing.models import PATIENCE, list_models, show_model
from proxy.dialects import by_path
from proxy.errors import Refusal, UpstreamFailure
from proxy.exchange import ErrorCode, Exchange, Observation, Outcome
from proxy.http import Headers, Reply, Request
from proxy.upstream import Upstream

PROBES = frozenset({"/healthz", "/readyz"})
TEXT = (b"content-type", b"text/plain; charset=utf-8")
CHARS_PER_TOKEN = 4  # OpenAI's rule of thumb for English; only where no usage came


class Counts(Tally, Protocol):
    """What the service counts in memory that outlives its worker."""

    def started(self) -> None:
        """Count an exchange that will be offered."""
        ...


class Service:
    """All exchanges of one worker.

    `offer` takes each Observation and must not block; `clock` is monotonic seconds, the loop's;
    `wall` is seconds since the epoch; `random_bits` returns that many random bits.
    """

    def __init__(
        self,
        *,
        offer: Callable[[Observation], None],
        counts: Counts,
        clock: Callable[[], float],
        wall: Callable[[], float],
        random_bits: Callable[[int], int],
        upstream: Callable[[UpstreamSettings], Upstream],
    ) -> None:
        self._offer = offer
        self._counts = counts
        self._clock = clock
        self._wall = wall
        self._random_bits = random_bits
        self._make_upstream = upstream
        self._plane: Plane | None = None
        self._spent = Spent()
        self._copies = Copies()
        self.shadows = Shadows(
            begin=self._begin, offer=offer, clock=clock, random_bits=random_bits
        )
        self.draining = False
        self.cutting = False  # what is cancelled from now on is cut by us, not left by clients

    @property
    def plane(self) -> Plane:
        """What is in force; a RuntimeError before the first `adopt`."""
        if self._plane is None:
            raise RuntimeError("no settings were adopted yet")
        return self._plane

    def adopt(self, settings: DataPlane) -> None:
        """Put `settings` in force for every exchange that begins from now on."""
        before = self._plane
        if before is not None and before.settings == settings:
            return

        def upstream(wanted: UpstreamSettings) -> Upstream:
            kept = None if before is None else before.upstreams.get(wanted.name)
            unchanged = kept is not None and kept.settings == wanted
            return kept if kept is not None and unchanged else self._make_upstream(wanted)

        self._plane = Plane(
            settings, tally=self._counts, upstream=upstream, random_bits=self._random_bits
        )

    def heed(self, spent: Spent) -> None:
        """Refuse from now on what these budgets do not pay for, and nothing else."""
        self._spent = spent

    async def close(self) -> None:
        """Cut what shadows are under way, then close every upstream connection."""
        await self.shadows.close()
        if self._plane is not None:
            await self._plane.close()

    async def handle(self, request: Request, reply: Reply) -> None:
        """Answer one request; ends with one Observation, probes excepted."""
        if request.path in PROBES:
            self._probe(request.path, reply)
            return
        plane = self.plane
        exchange = self._begin(plane, request.method)
        share = plane.settings.trace_share
        if share is not None:
            exchange.trace = tracing.begin(request.head, share, self._random_bits)
        try:
            await self._serve(plane, request, reply, exchange)
        except Refusal as refusal:
            exchange.ended(Outcome.REJECTED, ErrorCode(refusal.code))
            self._answer(reply, exchange, refusal)
        except UpstreamFailure as failure:
            exchange.ended(ending(failure), ErrorCode(failure.code))
            if not reply.started:
                self._answer(reply, exchange, answers.failure_answer(failure))
        except asyncio.CancelledError:
            if self.cutting:
                exchange.ended(Outcome.PROXY_ERROR, ErrorCode.POLICY_SHUTTING_DOWN)
            else:
                exchange.ended(Outcome.CLIENT_GONE)
            raise
        except Exception as error:  # noqa: BLE001  # the edge of all exchanges: one bug ends one
            exchange.ended(Outcome.PROXY_ERROR, ErrorCode.INTERNAL_UNKNOWN)
            self._failed(reply, exchange, error)
        finally:
            self._close(reply, exchange)

    def refuse(self, refusal: Refusal, reply: Reply, method: str, target: bytes) -> None:
        """Answer what never became a request; it is on the record all the same.

        A probe that finds no room hears that this lives: whoever restarts what does not would
        cut all that fills it.
        """
        if refusal.code == ErrorCode.POLICY_OVERLOADED and target == b"/healthz":
            reply.send(200, [TEXT], b"ok\n", close=True)
            return
        exchange = self._begin(self.plane, method)
        exchange.ended(Outcome.REJECTED, ErrorCode(refusal.code))
        self._answer(reply, exchange, refusal, close=True)
        self._close(reply, exchange)

    def _begin(self, plane: Plane, method: str) -> Exchange:
        self._counts.started()
        now = self._wall()
        # Ids go by time, so that an index of them grows at its end. By position, as whatever is
        # made for each request: keywords cost a dict more.
        return Exchange(
            f"req_{int(now * 1000):012x}{self._random_bits(80):020x}",
            now,
            self._clock(),
            plane.settings.table.version,
            method,
        )

    async def _serve(
        self, plane: Plane, request: Request, reply: Reply, exchange: Exchange
    ) -> None:
        path = request.path
        if not path.startswith("/v1/"):
            raise not_found(path)
        if request.method == "GET" and await self._models(plane, request, reply, exchange):
            return
        call = await admit(request, plane, exchange, self._clock, self._spent)
        if plane.settings.bodies:
            self._copy(plane, call, exchange)
        try:
            await Forward(call, plane, exchange, reply, self._clock).run()
        finally:
            if call.key is not None and reply.status is not None and reply.status < 400:
                plane.keyring.spend(call.key, tokens(call, exchange), self._clock())
            if call.decision is not None and call.decision.route.shadow is not None:
                # Soon, not now: the exchange ends first, and nothing of its client's waits.
                asyncio.get_running_loop().call_soon(self._shadow, call, exchange)

    def _copy(self, plane: Plane, call: Call, exchange: Exchange) -> None:
        """Begin the copy of what passes, where the route keeps it."""
        settings = plane.settings.bodies.get(exchange.route or "")
        if settings is not None and call.metered is not None:
            body = call.metered.body
            exchange.copy = self._copies.begin(settings, exchange.request_id, body)

    def _shadow(self, call: Call, exchange: Exchange) -> None:
        self.shadows.follow(self.plane, call, exchange, draining=self.draining)

    async def _models(
        self, plane: Plane, request: Request, reply: Reply, exchange: Exchange
    ) -> bool:
        """Answer what is asked of our own models; False: it is not for us to answer."""
        path = request.path
        if not plane.settings.table.routes:
            return False
        if path != MODELS and not path.startswith(MODELS + "/"):
            return False
        exchange.endpoint = MODELS
        key = plane.keyring.identify(request)
        if key is not None:
            exchange.key_name = key.name
        if path == MODELS:
            before = self._clock()
            try:
                body = await list_models(plane, key, request, before + PATIENCE)
            finally:
                exchange.waited += self._clock() - before
        else:
            name = unquote(path.removeprefix(MODELS + "/"))  # clients encode a slash in it
            shown = show_model(plane, key, name)
            if shown is None:
                if plane.settings.table.default_upstream is not None and may_pass(key):
                    return False
                raise unknown_model(name)
            body = shown
        reply.send(200, [answers.JSON, *own_headers(exchange.request_id, None, None)], body)
        return True

    def _probe(self, path: str, reply: Reply) -> None:
        ready = path == "/healthz" or not self.draining
        reply.send(200 if ready else 503, [TEXT], b"ok\n" if ready else b"draining\n")

    def _answer(
        self, reply: Reply, exchange: Exchange, refusal: Refusal, *, close: bool = False
    ) -> None:
        headers: Headers = [
            answers.JSON,
            *own_headers(exchange.request_id, exchange.route, exchange.variant_served),
        ]
        if refusal.retry_after is not None:
            headers.append((b"retry-after", b"%d" % math.ceil(refusal.retry_after)))
        if refusal.code == ErrorCode.POLICY_BUDGET_SPENT:  # hours: no client need try again
            headers.append((b"x-should-retry", b"false"))  # OpenAI's and Anthropic's heed this
        body = answers.error_body(refusal, exchange.request_id, exchange.dialect)
        reply.send(refusal.status, headers, body, close=close or refusal.close)

    def _failed(self, reply: Reply, exchange: Exchange, error: Exception) -> None:
        asyncio.get_running_loop().call_exception_handler(
            {"message": f"exchange {exchange.request_id} failed", "exception": error}
        )
        if reply.started:
            reply.abort()
        else:
            self._answer(reply, exchange, answers.INTERNAL)

    def _close(self, reply: Reply, exchange: Exchange) -> None:
        self._offer(
            exchange.close(self._clock(), status=reply.status, reply_bytes=reply.body_bytes)
        )


def tokens(call: Call, exchange: Exchange) -> int:
    """Return what an exchange cost its key: as the upstream counted, else by its length."""
    if call.metered is None:
        return 0
    usage = exchange.reading.usage
    if usage is not None:
        return (usage.prompt_tokens or 0) + (usage.response_tokens or 0)
    chars = call.metered.facts.prompt_chars + (exchange.reading.reply_chars or 0)
    return chars // CHARS_PER_TOKEN


def not_found(path: str) -> Refusal:
    """Return the refusal of a path outside the API, with the usual mistakes named."""
    hint = ""
    if path == "/metrics":
        hint = " Metrics are on the administration listener."
    elif by_path("/v1" + path) is not None or path.startswith("/models"):
        hint = f" Did you mean /v1{path[:200]}?"
    return Refusal(
        404,
        ErrorCode.CALLER_NOT_FOUND,
        f"The API stands under /v1: the client's base_url ends in /v1.{hint}",
    )
