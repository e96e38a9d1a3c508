"""`turnout serve`: run the proxy until it is told to end."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from proxy.cli.faults import VARIABLE, Fault, config_file, config_option

if TYPE_CHECKING:
    from proxy.config.settings import Settings

CHILD = [sys.executable, "-P", "-m", "proxy.app"]  # -P: nothing is imported from this folder


@click.command()
@click.argument("file", required=False, type=click.Path())
@config_option
@click.option("--upstream", metavar="URL", help="Forward everything there as it is; no file.")
@click.option(
    "--listen",
    metavar="HOST:PORT",
    help="Where clients connect. [default: 0.0.0.0:8000, every network of this host]",
)
@click.option(
    "--admin",
    metavar="HOST:PORT",
    help="Where metrics and status are to be had. [default: 127.0.0.1:8001]",
)
@click.option(
    "--workers",
    metavar="N|auto",
    help="Worker processes; auto: one for each CPU there is. [default: 1]",
)
@click.option(
    "--log-format",
    type=click.Choice(["json", "console"]),
    help="How the log looks. [default: json]",
)
@click.option(
    "--drain-seconds",
    type=click.FloatRange(min=0),
    metavar="S",
    help="How long running exchanges may take to finish at the end. [default: 120]",
)
@click.pass_context
def serve(
    context: click.Context,
    /,
    *,
    file: str | None,
    config: str | None,
    upstream: str | None,
    **given: Any,
) -> None:
    """Run the proxy as the configuration file says; an option given here wins over the file.

    FILE is the same as --config FILE.

    The defaults below hold where neither says anything. The log goes to stdout; this command's own
    words, the URLs first of all, to stderr.

    \b
    SIGTERM: not ready, then no new connections, running exchanges finish, exit 0.
    SIGINT (Ctrl-C): the same, without the grace in between. Once more: at once.

    \b
    Exit code: 0 it ended in good order, 1 the configuration has problems, 2 it can't be read,
    3 it can't start (an address in use, say), 130 it was told twice to end.

    \b
    Examples:
        turnout serve
        turnout serve --upstream https://api.openai.com/v1
        turnout serve staging.yaml --workers auto
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.controlplane.supervision.children import Commands  # noqa: PLC0415  # as below
    from proxy.controlplane.supervision.supervisor import supervise  # noqa: PLC0415  # as below
    from proxy.errors import StartError  # noqa: PLC0415  # --help needs none of it

    named = context.get_parameter_source("config") is ParameterSource.COMMANDLINE
    if file is not None and named:
        raise click.UsageError("FILE and --config mean the same: give one of them.")
    if upstream is not None and (file is not None or named):
        raise click.UsageError("--upstream is for running without a file: leave out the file.")
    settings = changed(read(file or config, upstream), **given)
    commands = Commands(control=[*CHILD, "control"], worker=[*CHILD, "worker"])
    try:
        context.exit(supervise(settings, commands, say))
    except StartError as error:
        raise Fault(str(error), code=3) from error


def read(config: str | None, upstream: str | None) -> Settings:
    """Return the settings of the file, or those of a single upstream; ConfigError."""
    from proxy.config.compile import load_settings, settings_for_upstream  # noqa: PLC0415

    if upstream is not None:
        return settings_for_upstream(upstream)
    remedy = f"name the file: turnout serve FILE, or {VARIABLE}; or do without one: --upstream URL"
    return load_settings(config_file(config, remedy=remedy), os.environ)


def changed(
    settings: Settings,
    *,
    listen: str | None,
    admin: str | None,
    workers: str | None,
    log_format: str | None,
    drain_seconds: float | None,
) -> Settings:
    """Return the settings with what was given on the command line instead."""
    from msgspec.structs import replace  # noqa: PLC0415  # --help needs none of it

    if listen is not None:
        host, port = address(listen, "--listen")
        settings = replace(settings, listen_host=host, listen_port=port)
    if admin is not None:
        host, port = address(admin, "--admin")
        settings = replace(settings, admin_host=host, admin_port=port)
    if workers is not None:
        count = how_many(workers)
        plane = replace(settings.data_plane, workers=count)
        settings = replace(settings, workers=count, data_plane=plane)
    if log_format is not None:
        settings = replace(settings, log_format=log_format)
    if drain_seconds is not None:
        settings = replace(settings, drain_seconds=drain_seconds)
    return settings


def address(value: str, option: str) -> tuple[str, int]:
    """Return host and port, or raise a usage error that names the option."""
    from pydantic_core import PydanticCustomError  # noqa: PLC0415  # --help needs none of it

    from proxy.config.fields import address as split  # noqa: PLC0415

    try:
        return split(value)
    except PydanticCustomError as error:
        raise click.BadParameter(
            f"it {error.message()}; write HOST:PORT, like 127.0.0.1:8000", param_hint=option
        ) from error


def how_many(workers: str) -> int:
    """Return a number of workers, or raise a usage error."""
    from proxy.config.settings import AUTO  # noqa: PLC0415  # --help needs none of it

    if workers == "auto":
        return AUTO
    if not workers.isascii() or not workers.isdigit() or not 1 <= int(workers) <= 256:
        raise click.BadParameter("write auto, or a number from 1 to 256", param_hint="--workers")
    return int(workers)


def say(line: str) -> None:
    """Print a line on stderr; nobody there to read it is no reason to end."""
    with contextlib.suppress(OSError):
        print(f"turnout: {line}", file=sys.stderr, flush=True)  # noqa: T201  # for a person
