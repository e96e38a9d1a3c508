"""Names to complete with: routes and variants, of the running turnout or else of the file.

Completion must be quick and never complain: where neither can be had soon, there is nothing.
"""

import os
from typing import Any

import click

from proxy.cli.faults import Fault, config_file
from proxy.errors import ConfigError

SECONDS = 0.5


def routes(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001  # click's signature
    incomplete: str,
) -> list[str]:
    """Return the routes that begin so."""
    return [name for name in known(context) if name.startswith(incomplete)]


def variants(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001  # click's signature
    incomplete: str,
) -> list[str]:
    """Return the variants that begin so: of the route that stands before, or of all."""
    there, route = known(context), context.params.get("route")
    chosen = [there.get(route, [])] if route else list(there.values())
    names = dict.fromkeys(name for each in chosen for name in each)
    return [name for name in names if name.startswith(incomplete)]


def weighted(context: click.Context, parameter: click.Parameter, incomplete: str) -> list[str]:
    """Return the variants that begin so, ready for a weight."""
    return [f"{name}=" for name in variants(context, parameter, incomplete)]


def known(context: click.Context) -> dict[str, list[str]]:
    """Return the variants by route; none where they can't be had."""
    try:
        return _running(context) or _file(context)
    except (ConfigError, Fault):
        return {}


def _running(context: click.Context) -> dict[str, list[str]]:
    import msgspec  # noqa: PLC0415  # --help needs none of it

    from proxy.cli.running.client import Client  # noqa: PLC0415  # same
    from proxy.cli.running.options import place  # noqa: PLC0415  # same
    from proxy.cli.running.refused import Denied  # noqa: PLC0415  # same

    client = Client(place(context), seconds=SECONDS)
    try:
        return _variants(msgspec.json.decode(client.get(("routing",)).body).get("contents"))
    except Denied:
        return {}
    finally:
        client.close()


def _file(context: click.Context) -> dict[str, list[str]]:
    from proxy.config.source import load  # noqa: PLC0415  # --help needs none of it

    return _variants(load(config_file(context.params.get("config")), os.environ).value)


def _variants(said: Any) -> dict[str, list[str]]:
    found = said.get("routes") if isinstance(said, dict) else None
    routes = found if isinstance(found, dict) else {}
    return {name: list(_of(route)) for name, route in routes.items()}


def _of(route: Any) -> dict[str, Any]:
    found = route.get("variants") if isinstance(route, dict) else None
    return found if isinstance(found, dict) else {}
