"""Settings that a test made, as the file that asks for them.

A turnout reads its file for itself, so one that a test starts on settings needs a file that says
the same.
"""

import json
from typing import Any

import msgspec

from proxy.config.settings import Alerts, DataPlane, Settings, UpstreamSettings
from proxy.routing.table import Route, Variant

NOWHERE = {"nowhere": {"base_url": "http://127.0.0.1:9/v1"}}  # a file must name an upstream


def declared(settings: Settings) -> str:
    """Return a file that compiles to `settings`, whose alerts are the usual ones."""
    assert settings.alerts == Alerts()
    plane = settings.data_plane
    said: dict[str, Any] = {
        **routing(plane),
        "upstreams": {name: upstream(each) for name, each in plane.upstreams.items()} or NOWHERE,
        "keys": {key.name: plain(key, "name", "slot") for key in plane.keys},
        "limits": plain(plane.limits),
        "deadlines": plain(plane.deadlines),
        "previews": plain(plane.previews),
        "count_tokens": plane.count_tokens,
        "listen": f"{settings.listen_host}:{settings.listen_port}",
        "admin": {
            "listen": f"{settings.admin_host}:{settings.admin_port}",
            "names": list(settings.admin_names),
            "tokens": {token.name: plain(token, "name") for token in settings.admin_tokens},
        },
        "log": {"format": settings.log_format, "exchanges": settings.log_exchanges},
        "workers": settings.workers or "auto",
        "drain_seconds": settings.drain_seconds,
        "drain_grace_seconds": settings.drain_grace_seconds,
        "data_dir": settings.data_dir,
    }
    if settings.tls is not None:
        said["tls"] = plain(settings.tls)
    return json.dumps(said, indent=1).replace("$", "$$")


def routing(plane: DataPlane) -> dict[str, Any]:
    table = plane.table
    default = table.default_upstream
    if default is None and not table.routes:
        default = next(iter(plane.upstreams), "nowhere")  # a file must serve something
    said = {
        "routes": {name: route(each) for name, each in table.routes.items()},
        "default_upstream": default,
        "pass_unknown_models": table.pass_unknown_models,
    }
    return {name: value for name, value in said.items() if value is not None}


def route(route: Route) -> dict[str, Any]:
    said = {
        **plain(route, "name", "variants", "weights", "off", "shadow", "salt"),
        "variants": {
            each.name: variant(each, off=each.name in route.off) for each in route.variants
        },
        "split": {
            each.name: weight for each, weight in zip(route.variants, route.weights, strict=True)
        },
    }
    if route.salt:
        said["salt"] = route.salt
    if route.shadow is not None:
        said["shadow"] = {
            **plain(route.shadow, "timeout"),
            "timeout_seconds": route.shadow.timeout,
        }
    return said


def variant(variant: Variant, *, off: bool) -> dict[str, Any]:
    return {**plain(variant, "name"), "off": off}


def upstream(upstream: UpstreamSettings) -> dict[str, Any]:
    host = f"[{upstream.host}]" if ":" in upstream.host else upstream.host
    url = f"{upstream.scheme}://{host}:{upstream.port}{upstream.prefix or '/'}"
    return {**plain(upstream, "name", "scheme", "host", "port", "prefix"), "base_url": url}


def plain(value: msgspec.Struct, *without: str) -> dict[str, Any]:
    """Return a struct's members that say something, but for some."""
    said: dict[str, Any] = json.loads(msgspec.json.encode(value))
    return {name: each for name, each in said.items() if each is not None and name not in without}
