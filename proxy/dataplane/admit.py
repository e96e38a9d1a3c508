"""Admit: from a request to a Call, or a Refusal that says what to do.

Who is calling, may they, what do they ask for, which variant is it. Nothing is sent anywhere
here; the only await is the client's own body.
"""

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime

from proxy.channel import Spent
from proxy.config.settings import ClientKey, Limits
from proxy.dataplane.call import Call, Metered
from proxy.dataplane.keys import credential
from proxy.dataplane.plane import Plane
from proxy.dialects import Dialect, RequestFacts, by_path, parse
from proxy.errors import Refusal
from proxy.exchange import ErrorCode, Exchange
from proxy.http import Request
from proxy.routing import Decision, Route, Variant

FORCE = b"x-turnout-variant"


async def admit(
    request: Request, plane: Plane, exchange: Exchange, clock: Callable[[], float], spent: Spent
) -> Call:
    """Return the call that `request` makes, or raise Refusal; `exchange` notes what is learnt.

    `spent` says what no budget pays for any more.
    """
    dialect = by_path(request.path) if request.method == "POST" else None
    if dialect is not None:
        exchange.dialect = dialect.name
        exchange.endpoint = dialect.path
    key = plane.keyring.identify(request)
    if key is not None:
        exchange.key_name = key.name
        check_budget(spent.keys.get(key.name), exchange, f"of this key ('{key.name}')")
        plane.keyring.admit(key, clock())
    if dialect is None:
        return pass_through(request, plane, key)
    limits = plane.settings.limits
    check_encoding(request)
    if not request.complete:  # only the body's coming is waiting: the rest is our own doing
        before = clock()
        try:
            await request.whole(limits.body_bytes)
        finally:
            exchange.waited += clock() - before
    metered = understand(request.body(limits.body_bytes), dialect, limits)
    exchange.model_asked = metered.facts.model
    exchange.stream = metered.facts.stream
    exchange.max_tokens = metered.facts.max_tokens
    if plane.seen_chars:
        exchange.prompt_preview = metered.facts.prompt_tail[: plane.seen_chars]
    call = choose(request, plane, exchange, key, metered)
    if exchange.route is not None:
        check_budget(spent.routes.get(exchange.route), exchange, f"of '{exchange.route}'")
    return call


def check_budget(until: float | None, exchange: Exchange, whose: str) -> None:
    """Raise Refusal(429) where a budget is spent `until` then, in seconds since the epoch."""
    now = exchange.started_at
    if until is None or until <= now:
        return
    ends = f"{datetime.fromtimestamp(until, UTC):%Y-%m-%d %H:%M} UTC"
    raise Refusal(
        429,
        ErrorCode.POLICY_BUDGET_SPENT,
        f"The budget {whose} is spent; requests are taken again from {ends} on.",
        retry_after=until - now,
    )


def check_encoding(request: Request) -> None:
    """Raise Refusal(415) where the body could not be read."""
    encoding = request.header(b"content-encoding")
    if encoding is not None and encoding.lower() != b"identity":
        raise Refusal(
            415,
            ErrorCode.CALLER_UNSUPPORTED,
            "Compressed request bodies are not taken: send it without Content-Encoding.",
        )


def understand(body: bytes, dialect: Dialect, limits: Limits) -> Metered:
    """Return a whole body with what must be known of it, or raise Refusal(400)."""
    members = parse(body)
    facts = dialect.peek(body, members)
    check_limits(facts, limits)
    return Metered(dialect=dialect, body=body, members=members, facts=facts)


def check_limits(facts: RequestFacts, limits: Limits) -> None:
    """Raise Refusal(400) where a request asks for more than the configuration allows."""
    if facts.n > limits.max_n:
        raise above("n", limits.max_n)
    if facts.max_tokens is not None and facts.max_tokens > limits.max_tokens:
        raise above("max_tokens", limits.max_tokens)


def above(param: str, most: int) -> Refusal:
    """Return the refusal of a parameter that asks for more than `most`."""
    return Refusal(
        400,
        ErrorCode.POLICY_PARAMETER_LIMIT,
        f"'{param}' may be at most {most} here.",
        param=param,
    )


def choose(
    request: Request,
    plane: Plane,
    exchange: Exchange,
    key: ClientKey | None,
    metered: Metered,
) -> Call:
    """Return the call with the variants that may serve it, the assigned one first."""
    route = plane.router.route(metered.facts.model)
    if route is None:
        return pass_model(request, plane, key, metered)
    if key is not None and key.routes is not None and route.name not in key.routes:
        raise Refusal(
            403,
            ErrorCode.POLICY_ROUTE_FORBIDDEN,
            f"This key may not use '{route.name}'.",
            param="model",
        )
    decision = plane.router.decide(
        route, unit=unit(route, request, metered.facts, key), forced=forced(request)
    )
    note(exchange, decision)
    return Call(
        request=request,
        key=key,
        variants=plane.router.order(decision),
        decision=decision,
        metered=metered,
    )


def note(exchange: Exchange, decision: Decision) -> None:
    """Write the decision on the record."""
    exchange.route = decision.route.name
    exchange.variant_assigned = decision.variant.name
    exchange.forced = decision.forced
    exchange.pinned = decision.pinned
    exchange.bucket = decision.bucket
    exchange.unit_kind = decision.unit_kind
    exchange.unit_missing = decision.unit_kind != decision.route.sticky and not decision.forced


def unit(route: Route, request: Request, facts: RequestFacts, key: ClientKey | None) -> str | None:
    """Return what an assignment sticks to, by the route's rule; None: there is nothing to."""
    if route.sticky_header is not None:
        value = request.header(route.sticky_header.encode("ascii"))
        if value:  # UTF-8 like pins and bodies; whatever else it is stays a unit of its own
            return value.decode("utf-8", "surrogateescape")
    if route.sticky == "user":
        return facts.user
    if route.sticky == "key":
        return key.name if key is not None else anonymous(request)
    return None


def anonymous(request: Request) -> str | None:
    """Return a digest for a key that is the upstream's business: it is never kept itself."""
    presented = credential(request)
    return None if presented is None else hashlib.sha256(presented).hexdigest()


def forced(request: Request) -> str | None:
    """Return the variant that the client asks for by name."""
    value = request.header(FORCE)
    return None if value is None else value.decode("latin-1")


def pass_model(request: Request, plane: Plane, key: ClientKey | None, metered: Metered) -> Call:
    """Return a call to the default upstream for a model that is no route, where that is on."""
    table = plane.settings.table
    if not table.pass_unknown_models or not may_pass(key):
        raise unknown_model(metered.facts.model)
    call = pass_through(request, plane, key)
    return Call(request=request, key=key, variants=call.variants, metered=metered)


def pass_through(request: Request, plane: Plane, key: ClientKey | None) -> Call:
    """Return a call that goes to the default upstream as it is."""
    upstream = plane.settings.table.default_upstream
    if upstream is None or not may_pass(key):
        raise Refusal(
            404,
            ErrorCode.CALLER_NOT_FOUND,
            f"Nothing answers {request.method} {request.path[:200]} here: turnout serves the model"
            " APIs, and other paths only where a default upstream is configured.",
        )
    return Call(request=request, key=key, variants=(Variant(name="", upstream=upstream),))


def may_pass(key: ClientKey | None) -> bool:
    """Return whether a caller may go past the routes: not with a key that is bound to some."""
    return key is None or key.routes is None


def unknown_model(model: str) -> Refusal:
    """Return the refusal of a model name that is no route."""
    return Refusal(
        404,
        ErrorCode.CALLER_UNKNOWN_MODEL,
        f"There is no model '{model[:200]}' here; GET /v1/models lists those there are.",
        param="model",
    )
