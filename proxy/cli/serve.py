"""`turnout serve`: run the proxy until it is told to end."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from proxy.cli.faults import DATA_VARIABLE, VARIABLE, Fault, config_file, config_option

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
@click.option(
    "--data",
    type=click.Path(file_okay=False),
    envvar=DATA_VARIABLE,
    show_envvar=True,
    metavar="DIR",
    help="Where versions, audit log and token are kept. [default: turnout-data beside the file]",
)
@click.option(
    "--strict",
    is_flag=True,
    help="Do not start on the last good configuration where the file is bad.",
)
@click.pass_context
def serve(
    context: click.Context,
    /,
    *,
    file: str | None,
    config: str | None,
    upstream: str | None,
    strict: bool,
    **given: Any,
) -> None:
    """Run the proxy as the configuration file says; an option given here wins over the file.

    FILE is the same as --config FILE.

    The defaults below hold where neither says anything. The log goes to stdout; this command's own
    words, the URLs first of all, to stderr.

    When the file changes it is read again, and what of it can be is put in force. One with
    problems changes nothing; turnout status lists them.

    \b
    SIGHUP: the file is read again at once.
    SIGTERM: not ready, then no new connections, running exchanges finish, exit 0.
    SIGINT (Ctrl-C): the same, without the grace in between. Once more: at once.
    SIGUSR2: upgrade; the same command, started anew, takes over without a client noticing.

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
    from proxy.controlplane.supervision.holdings.succession import is_successor  # noqa: PLC0415  # as below
    from proxy.controlplane.supervision.supervisor import supervise  # noqa: PLC0415  # as below
    from proxy.errors import StartError  # noqa: PLC0415  # --help needs none of it

    named = context.get_parameter_source("config") is ParameterSource.COMMANDLINE
    if file is not None and named:
        raise click.UsageError("FILE and --config mean the same: give one of them.")
    if upstream is not None and (file is not None or named):
        raise click.UsageError("--upstream is for running without a file: leave out the file.")
    strict = strict or is_successor(os.environ)  # better the one that runs than a degraded one
    settings = start(file or config, upstream, strict=strict, **given)
    commands = Commands(control=[*CHILD, "control"], worker=[*CHILD, "worker"])
    try:
        context.exit(supervise(settings, commands, say))
    except StartError as error:
        raise Fault(str(error), code=3) from error


def start(config: str | None, upstream: str | None, *, strict: bool, **given: Any) -> Settings:
    """Return what to start on: the file, the last good one where it is bad, or one upstream.

    ConfigError: there is nothing to start on. What is `given` wins over the file.
    """
    from proxy.config.settings import Origin  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.publishing.beginning import starting  # noqa: PLC0415  # same

    remedy = f"name the file: turnout serve FILE, or {VARIABLE}; or do without one: --upstream URL"
    file = config_file(config, remedy=remedy) if upstream is None else None
    origin = Origin(file=file, upstream=upstream, given=members(**given))
    settings, problems = starting(origin, os.environ, strict=strict)
    if problems:
        say(f"warning: {file} has problems. STARTING ON THE LAST GOOD CONFIGURATION; mend these:")
        for problem in problems:
            say(f"  {problem}")
    return settings


def members(
    *,
    listen: str | None,
    admin: str | None,
    workers: str | None,
    log_format: str | None,
    drain_seconds: float | None,
    data: str | None,
) -> dict[str, str | int | float]:
    """Return the members of the settings that were given on the command line."""
    said: dict[str, str | int | float] = {}
    if listen is not None:
        said["listen_host"], said["listen_port"] = address(listen, "--listen")
    if admin is not None:
        said["admin_host"], said["admin_port"] = address(admin, "--admin")
    if workers is not None:
        said["workers"] = how_many(workers)
    plain = {"log_format": log_format, "drain_seconds": drain_seconds, "data_dir": data}
    return said | {name: value for name, value in plain.items() if value is not None}


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
