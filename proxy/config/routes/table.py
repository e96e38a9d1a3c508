"""The table: what a file says of routes becomes the routing table, under its version's number.

By now everything is checked; nothing here can fail on what a person wrote. The digest is that of
the contents, so it holds no secret and changes when routing does.
"""

import json
from collections.abc import Mapping

import msgspec

from proxy.config import schema
from proxy.config.routes.contents import contents
from proxy.rollout.contents import digest
from proxy.routing.table import Route, RoutingTable, Shadow, Variant

CONVERSATION_HEADER = "x-turnout-conversation"


def routing_table(file: schema.File, version: int = 1) -> RoutingTable:
    """Return the routes of `file` under `version`, with the digest of its contents."""
    return RoutingTable(
        version=version,
        digest=digest(contents(file)),
        routes={name: _route(name, each) for name, each in file.routes.items()},
        default_upstream=file.default_upstream,
        pass_unknown_models=file.pass_unknown_models,
    )


def _route(name: str, route: schema.Route) -> Route:
    split = route.split or {next(iter(route.variants)): 1.0}
    header = route.sticky_header
    if header is None and route.sticky == "conversation":
        header = CONVERSATION_HEADER
    return Route(
        name=name,
        variants=tuple(
            Variant(
                name=variant,
                upstream=each.upstream,
                model=each.model,
                overrides=_members(each.overrides),
                defaults=_members(each.defaults),
            )
            for variant, each in route.variants.items()
        ),
        weights=tuple(split.get(variant, 0.0) for variant in route.variants),
        sticky=route.sticky,
        sticky_header=header,
        salt=route.salt or "",
        fallback=tuple(route.fallback),
        pins=dict(route.pins),
        off=tuple(name for name, each in route.variants.items() if each.off),
        shadow=None if route.shadow is None else _shadow(route.shadow),
    )


def _shadow(shadow: schema.Shadow) -> Shadow:
    return Shadow(
        variant=shadow.variant,
        percent=shadow.percent,
        timeout=shadow.timeout_seconds,
        concurrency=shadow.concurrency,
    )


def _members(members: Mapping[str, object]) -> dict[str, msgspec.Raw]:
    # Sorted, so that the same contents always have the same digest.
    return {name: msgspec.Raw(_json(members[name])) for name in sorted(members)}


def _json(value: object) -> bytes:
    written = json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return written.encode()
