"""`turnout variant`: add, drain and remove variants; switch them off and on."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from proxy.cli.running.names import routes, variants
from proxy.cli.running.options import changes

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking

MEMBER = "MEMBER=VALUE"
route_argument = click.argument("route", shell_complete=routes)
name_argument = click.argument("name", metavar="VARIANT", shell_complete=variants)
only_option = click.option(
    "--route",
    metavar="ROUTE",
    shell_complete=routes,
    help="Only on this route. [default: on all that have it]",
)


@click.group()
def variant() -> None:
    """Add, drain and remove variants; switch one off and on again."""


@variant.command(short_help="Add a variant to a route.")
@route_argument
@click.argument("name", metavar="VARIANT")
@click.option("--upstream", required=True, metavar="NAME", help="The upstream that serves it.")
@click.option(
    "--model", metavar="MODEL", help="The model to ask for. [default: what the client sent]"
)
@click.option(
    "--weight",
    type=click.FloatRange(min=0),
    default=0.0,
    show_default=True,
    metavar="W",
    help="Its weight beside the others.",
)
@click.option(
    "--override",
    "overrides",
    multiple=True,
    metavar=MEMBER,
    help="A member of the body set whatever the client sent; VALUE is JSON, or else text.",
)
@click.option(
    "--default",
    "defaults",
    multiple=True,
    metavar=MEMBER,
    help="A member of the body set where the client sent none; VALUE as above.",
)
@changes
def add(
    asking: Asking,
    *,
    route: str,
    overrides: tuple[str, ...],
    defaults: tuple[str, ...],
    **given: Any,
) -> None:
    """Add VARIANT to ROUTE, without weight unless you say one: only who asks for it gets it.

    \b
    Examples:
        turnout variant add support ft-v3 --upstream vllm --model support-lora-v3
        turnout variant add support brief --upstream vllm --override max_tokens=200 --weight 5
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    said = {**given, "overrides": members(overrides), "defaults": members(defaults)}
    asking.publish("POST", "routes", route, "variants", body=said)


@variant.command(short_help="Take a variant's weight from it.")
@route_argument
@name_argument
@changes
def drain(asking: Asking, *, route: str, name: str) -> None:
    """Give the weight of VARIANT to the default of ROUTE; what runs on it ends on it.

    \b
    Examples:
        turnout variant drain support ft-v2
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    asking.publish("POST", "routes", route, "variants", name, "drain", body={})


@variant.command(short_help="Remove a variant that has no weight.")
@route_argument
@name_argument
@changes
def remove(asking: Asking, *, route: str, name: str) -> None:
    """Remove VARIANT, which has no weight any more, from ROUTE.

    \b
    Examples:
        turnout variant remove support ft-v2
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    asking.publish("DELETE", "routes", route, "variants", name)


@variant.command(short_help="Take a variant out of service at once.")
@name_argument
@only_option
@changes
def off(asking: Asking, *, name: str, route: str | None) -> int:
    """Take VARIANT out of service at once: its share goes to the route's default.

    Its weight is kept for `on`. Pins to it wait, it is no fallback and no shadow, and who asks for
    it by name is refused. Routes on which no other variant is on are left as they are, and named.

    \b
    Exit code: 0 it serves nobody, 1 refused, or it is still on for the routes that are named,
    2 usage, 3 turnout can't be reached, 4 the routing changed meanwhile, 5 it is not known whether
    it is in force.

    \b
    Examples:
        turnout variant off ft-v2
        turnout variant off ft-v2 --route support --why "replies are empty"
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    return 1 if asking.publish("POST", "variants", name, "off", body={"route": route}).left else 0


@variant.command(short_help="Put it back, with the weight it had.")
@name_argument
@only_option
@changes
def on(asking: Asking, *, name: str, route: str | None) -> None:
    """Put VARIANT back into service with the weight it had.

    \b
    Examples:
        turnout variant on ft-v2
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    asking.publish("POST", "variants", name, "on", body={"route": route})


def members(given: tuple[str, ...]) -> dict[str, Any]:
    """Return members of a request's body, as words say them; a usage error: they are none."""
    said: dict[str, Any] = {}
    for word in given:
        name, found, value = word.partition("=")
        if not name or not found:
            raise click.BadParameter(f"'{word}' is not of the form {MEMBER}", param_hint=MEMBER)
        said[name] = _value(value)
    return said


def _value(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return text
