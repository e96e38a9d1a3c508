"""`turnout demo`: see it work, with simulated models, in one command."""

import click
from rich.console import Console


@click.command()
@click.option(
    "--seconds",
    type=click.FloatRange(min=1),
    metavar="S",
    help="End by itself after this long and say what was seen; without a terminal: 20.",
)
@click.option(
    "--rate",
    type=click.FloatRange(min=0.1, max=200),
    metavar="N",
    default=6.0,
    show_default=True,
    help="Requests a second, on average.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Port for requests. [default: 8000, or any where that is taken]",
)
@click.option(
    "--admin-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="Port for metrics. [default: 8001, or any where that is taken]",
)
@click.option("--plain", is_flag=True, help="Print lines instead of the live view.")
@click.pass_context
def demo(
    context: click.Context,
    *,
    seconds: float | None,
    rate: float,
    port: int | None,
    admin_port: int | None,
    plain: bool,
) -> None:
    """Run two simulated models, turnout between them, and traffic, with a live view.

    Ctrl-C ends it and leaves nothing behind.

    Exit code: 0 turnout did its job, 1 it did not.

    \b
    Examples:
        turnout demo
        turnout demo --seconds 20 --rate 50
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.demo import Options, run_demo  # noqa: PLC0415  # --help needs none of it

    options = Options(seconds=seconds, rate=rate, port=port, admin_port=admin_port, plain=plain)
    context.exit(run_demo(options, Console()))
