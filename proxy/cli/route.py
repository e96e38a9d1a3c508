"""`turnout route`: what a configuration file says of its routes.

It asks the very code that decides in a worker, on the file as it stands; it talks to no running
proxy.
"""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING

import click

from proxy.cli.faults import Fault, config_file, config_option
from proxy.errors import ConfigError

if TYPE_CHECKING:
    from proxy.config.settings import DataPlane
    from proxy.routing import Explanation, Route, Router, Share


@click.group()
def route() -> None:
    """List routes, and explain where a request goes."""


@route.command("list")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def list_routes(*, config: str | None, as_json: bool) -> None:
    """List the routes of a configuration file, with their splits.

    \b
    Examples:
        turnout route list
        turnout route list --config staging.yaml --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.routing.explain import shares  # noqa: PLC0415  # --help needs none of it

    plane, router = ready(config)
    routes = plane.table.routes.values()
    if as_json:
        listed = [
            {"route": each.name, "sticky": each.sticky, "segments": shares(router, each)}
            for each in routes
        ]
        print_json(listed)
        return
    for each in routes:
        click.echo(f"{click.style(each.name, bold=True)}  (sticky: {each.sticky})")
        print_segments(shares(router, each), None)


def known_routes(
    context: click.Context,
    parameter: click.Parameter,  # noqa: ARG001  # click's signature
    incomplete: str,
) -> list[str]:
    """Return the routes to complete ROUTE with; none where the file can't be read."""
    from proxy.config.source import load  # noqa: PLC0415  # --help needs none of it

    try:
        value = load(config_file(context.params.get("config")), os.environ).value
    except (ConfigError, Fault):
        return []
    routes = value.get("routes") if isinstance(value, dict) else None
    names = routes if isinstance(routes, dict) else {}
    return [name for name in names if name.startswith(incomplete)]


@route.command()
@click.argument("name", metavar="ROUTE", shell_complete=known_routes)
@click.option("--user", metavar="USER", help="The user that a request names.")
@click.option("--conversation", metavar="ID", help="The conversation that a request names.")
@click.option(
    "--key",
    metavar="NAME",
    help="The name of the client's key; where no keys are configured, the key's SHA-256 digest.",
)
@click.option("--variant", metavar="NAME", help="The variant forced with x-turnout-variant.")
@config_option
@click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
def explain(
    *,
    name: str,
    user: str | None,
    conversation: str | None,
    key: str | None,
    variant: str | None,
    config: str | None,
    as_json: bool,
) -> None:
    """Say which variant of ROUTE a request goes to, and why.

    Give the one of --user, --conversation and --key that the route sticks to; without it you see
    the odds.

    \b
    Examples:
        turnout route explain support --user alice
        turnout route explain support --variant ft-v2 --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy import routing  # noqa: PLC0415  # --help needs none of it

    plane, router = ready(config)
    found = router.route(name)
    if found is None:
        raise unknown_route(name, list(plane.table.routes))
    given = {"user": user, "conversation": conversation, "key": key}
    told = routing.explain(router, found, unit=unit(found, given, plane), forced=variant)
    if as_json:
        print_json(told)
    else:
        print_explanation(told)


def ready(config: str | None) -> tuple[DataPlane, Router]:
    """Return what the configuration file says, ready to decide."""
    from proxy.config.compile import load_settings  # noqa: PLC0415  # --help needs none of it
    from proxy.routing import Router  # noqa: PLC0415  # same

    plane = load_settings(config_file(config), os.environ).data_plane
    return plane, Router(plane.table, lambda: 0)  # nothing printed depends on these dice


def unit(route: Route, given: dict[str, str | None], plane: DataPlane) -> str | None:
    """Return the unit among `given` that `route` sticks to; Fault where it can't be one."""
    for kind, value in given.items():
        if value is not None and kind != route.sticky:
            raise Fault(f"'{route.name}' sticks to the {route.sticky}, not to the {kind}", code=2)
    key = given["key"]
    names = [each.name for each in plane.keys]
    if key is not None and names and key not in names:
        raise Fault(f"there is no key '{key}'; there are: {', '.join(names)}", code=2)
    if key is not None and not names and re.fullmatch(r"[0-9a-fA-F]{64}", key) is None:
        raise Fault(
            "no keys are configured, so --key takes the SHA-256 digest of what the client sends: "
            'printf %s "$KEY" | sha256sum',
            code=2,
        )
    if key is not None and not names:
        return key.lower()
    return given.get(route.sticky)


def unknown_route(name: str, known: list[str]) -> Fault:
    """Return the fault of a route that is not in the file."""
    there = f"there are: {', '.join(known)}" if known else "the file has none"
    return Fault(f"there is no route '{name}'; {there}", code=2)


def print_json(value: object) -> None:
    """Print a value as JSON for programs."""
    import msgspec  # noqa: PLC0415  # --help needs none of it

    click.echo(msgspec.json.format(msgspec.json.encode(value)).decode())


def print_explanation(told: Explanation) -> None:
    """Print an explanation for people."""
    from proxy.routing.explain import percent  # noqa: PLC0415  # --help needs none of it

    goes = told.variant or "by chance"
    click.echo(f"{click.style(told.route, bold=True)} -> {click.style(goes, bold=True)}")
    click.echo(told.why)
    print_segments(told.segments, told.variant)
    if told.fallback:
        click.echo(f"Should it fail before its first byte: {', '.join(told.fallback)}.")
    if told.off:
        click.echo(f"Off, and so asked by nobody: {', '.join(told.off)}.")
    if told.shadow is not None:
        some = percent(told.shadow.percent / 100)
        click.echo(f"Shadow: '{told.shadow.variant}' gets {some} of the requests as well.")


def print_segments(segments: tuple[Share, ...], chosen: str | None) -> None:
    """Print the stretches of a split, with a mark at the one chosen."""
    from proxy.routing.explain import percent  # noqa: PLC0415  # --help needs none of it

    width = max(len(part.variant) for part in segments)
    wide = max(len(percent(part.share)) for part in segments)
    for part in segments:
        mark = "*" if part.variant == chosen else " "
        stretch = f"{part.start:.6f} to {part.end:.6f}"
        stead = "" if part.instead_of is None else f"  instead of {part.instead_of}, which is off"
        share = f"{percent(part.share):>{wide}}{stead}"
        click.echo(f" {mark} {part.variant:<{width}}  {stretch}  {share}")
