"""`turnout silence`: of which alerts nobody is told, until when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from proxy.cli.running.names import routes, variants
from proxy.cli.running.options import looks
from proxy.cli.running.times import Duration

if TYPE_CHECKING:
    from proxy.cli.running.asking import Asking

ALERTS = (  # as proxy.alerting has them; --help loads nothing
    *("slow", "short", "budget", "error_rate", "latency_p95", "ttft_p95", "short_rate"),
    *("format_failures", "refusals", "tokens_per_minute", "cost_per_hour", "no_traffic"),
    "worse_than_baseline",
)


@click.group()
def silence() -> None:
    """Let nobody be told of some alerts for a while; they are logged and counted as ever."""


@silence.command(short_help="Begin a silence, for as long as you say.")
@click.option("--alert", type=click.Choice(ALERTS), help="Only alerts of this name.")
@click.option("--route", shell_complete=routes, metavar="ROUTE", help="Only of this route.")
@click.option(
    "--variant", shell_complete=variants, metavar="VARIANT", help="Only of this variant."
)
@click.option("--all", "everything", is_flag=True, help="All alerts there are.")
@click.option(
    "--for",
    "seconds",
    type=Duration(),
    required=True,
    metavar="TIME",
    help="For how long, like 30m, 2h or 7d; 31d at most.",
)
@click.option("--why", "reason", required=True, help="Why; others see it, and so will you.")
@looks
def add(asking: Asking, *, reason: str, **said: str | float | bool | None) -> None:
    """Silence the alerts that have all that is said: who is told of alerts is told none of these.

    What still fires when the silence ends is told then.

    \b
    Examples:
        turnout silence add --route support --variant ft-v2 --for 2h --why "a load test"
        turnout silence add --alert slow --for 30m --why "the upstream is being moved"
        turnout silence add --all --for 10m --why "a drill"
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.watching.drawn import silenced  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin.watching import models  # noqa: PLC0415  # same

    if bool(said["everything"]) == any(said[name] for name in ("alert", "route", "variant")):
        raise click.UsageError("Say which: --alert, --route or --variant; or --all, alone.")
    body = asking.order("silences", body={**said, "why": reason})
    asking.show(body, models.SilenceState, silenced)


@silence.command("list")
@looks
def list_(asking: Asking) -> None:
    """List the silences that last, those that end first at the top.

    \b
    Examples:
        turnout silence list
        turnout silence list --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.watching.drawn import silences  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin.watching import models  # noqa: PLC0415  # same

    asking.show(asking.look("silences"), models.Silences, silences)


@silence.command()
@click.argument("number", metavar="N", type=click.IntRange(min=1))
@click.option("--why", default="", help="Why; it stands in the audit log.")
@looks
def end(asking: Asking, *, number: int) -> None:
    """End silence N before its time; what still fires is told then.

    \b
    Examples:
        turnout silence end 3
        turnout silence end 3 --why "the test is over"
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.watching.drawn import ended  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin.watching import models  # noqa: PLC0415  # same

    asking.show(asking.take_out("silences", str(number)), models.SilenceState, ended)
