"""The options of every command that asks a running turnout, in one place.

    @click.command()
    @click.argument("route")
    @looks                       # or @changes: with --why and --if-version too
    def show(asking: Asking, *, route: str) -> int | None: ...

The function gets an `Asking`; what it returns is the exit code.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from proxy.cli.faults import config_option

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking
    from proxy.cli.running.where import Found, Where

Function = Callable[..., Any]

URL = "TURNOUT_ADMIN_URL"
TOKEN = "TURNOUT_ADMIN_TOKEN"  # noqa: S105  # a variable's name

WHERE = (
    click.option("--json", "as_json", is_flag=True, help="Print the result as JSON."),
    click.option(
        "--admin-url",
        metavar="URL",
        envvar=URL,
        show_envvar=True,
        help="Where turnout's administration is. [default: as its configuration file says, or "
        "http://127.0.0.1:8001]",
    ),
    click.option(
        "--token",
        metavar="TOKEN",
        envvar=TOKEN,
        show_envvar=True,
        help="What opens it; rather in the environment, for others on this host can see options. "
        "[default: the one in turnout's data directory]",
    ),
    config_option,
)
WHAT = (
    click.option("--why", default="", help="Why; it stands in the version and in the audit log."),
    click.option(
        "--if-version",
        "base",
        type=click.IntRange(min=1),
        metavar="N",
        help="Only if version N is in force still. [default: the one in force now]",
    ),
)


PAGE = (
    click.option(
        "--limit",
        type=click.IntRange(1, 500),
        default=20,
        show_default=True,
        metavar="N",
        help="How many at most, the newest first.",
    ),
    click.option(
        "--before", type=click.IntRange(min=1), metavar="N", help="Only those before number N."
    ),
)


def pages(function: Function) -> Function:
    """Let a command look at a list page by page: adds how many, and before which."""
    return _with((*PAGE, *WHERE), _asking(function))


def looks(function: Function) -> Function:
    """Let a command ask a running turnout: adds the options that say which."""
    return _with(WHERE, _asking(function))


def changes(function: Function) -> Function:
    """Let a command change a running turnout: adds why, and against which version."""
    return _with((*WHAT, *WHERE), _asking(function))


def _with(options: tuple[Function, ...], function: Function) -> Function:
    for option in reversed(options):
        function = option(function)
    return function


def _asking(function: Function) -> Function:
    @wraps(function)
    @click.pass_context
    def command(context: click.Context, /, **given: Any) -> None:
        if context.invoked_subcommand is not None:  # a group's: it asks for itself
            return
        with connected(context, given) as asking:
            code = function(asking, **given)
        context.exit(code or 0)

    return command


@contextmanager
def connected(context: click.Context, given: dict[str, Any]) -> Iterator[Asking]:
    """Take the common options out of `given` and run the block with what they ask for.

    With --json, what could not be done is told as JSON as well.
    """
    import msgspec  # noqa: PLC0415  # --help needs none of it

    from proxy.cli.drawing.console import put_json  # noqa: PLC0415  # same
    from proxy.cli.running.asking import Asking  # noqa: PLC0415  # same
    from proxy.cli.running.client import Client  # noqa: PLC0415  # same
    from proxy.cli.running.refused import Denied  # noqa: PLC0415  # same

    as_json = given.pop("as_json")
    for name in ("admin_url", "token", "config"):
        del given[name]
    client = Client(place(context))
    try:
        yield Asking(
            client, as_json=as_json, why=given.pop("why", ""), base=given.pop("base", None)
        )
    except Denied as denied:
        if not as_json:
            raise
        put_json(msgspec.json.encode(denied.as_json()))
        context.exit(denied.exit_code)
    finally:
        client.close()


def place(context: click.Context) -> Where:
    """Return which turnout a command's options mean; Fault or ConfigError: none."""
    from proxy.cli.running.where import declared, where  # noqa: PLC0415  # --help needs none of it

    url, token = _found(context, "admin_url", URL), _found(context, "token", TOKEN)
    return where(url, token, declared(context.params.get("config"), os.environ))


def _found(context: click.Context, name: str, variable: str) -> Found | None:
    from proxy.cli.running.where import Found  # noqa: PLC0415  # --help needs none of it

    value = context.params.get(name)
    if not value:
        return None
    source = context.get_parameter_source(name)
    option = f"--{name.replace('_', '-')}"
    return Found(value=value, source=option if source is ParameterSource.COMMANDLINE else variable)
