"""`turnout logs`: requests on record, by what they are; and one with its whole story."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import click

from proxy.cli.running.names import routes, variants
from proxy.cli.running.options import looks
from proxy.cli.running.times import Duration, Moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.cli.running.asking import Asking

OUTCOMES = (  # as proxy.exchange.outcome has them; --help loads nothing
    *("completed", "rejected", "upstream_error", "upstream_timeout", "upstream_cut"),
    *("client_gone", "proxy_error"),
)
ALERTS = ("slow", "short", "budget", "any")  # as proxy.alerting has them
FOLLOW_SECONDS = 1.0  # between two looks
MOST = 500  # of a page


@click.group(invoke_without_command=True)
@click.option("--route", shell_complete=routes, metavar="ROUTE", help="Only of this route.")
@click.option(
    "--variant", shell_complete=variants, metavar="VARIANT", help="Only served by this variant."
)
@click.option("--outcome", type=click.Choice(OUTCOMES), help="Only those that ended so.")
@click.option("--alert", type=click.Choice(ALERTS), help="Only those that broke this rule.")
@click.option("--key", metavar="KEY", help="Only of this client key, by its name.")
@click.option(
    "--slower-than", type=Duration(), metavar="TIME", help="Only those that took longer, like 5s."
)
@click.option(
    "--since", type=Moment(), metavar="TIME", help="Only since then, like 15m, 24h, 2026-11-22."
)
@click.option("--until", type=Moment(), metavar="TIME", help="Only before then.")
@click.option(
    "--limit",
    type=click.IntRange(1, MOST),
    default=20,
    show_default=True,
    metavar="N",
    help="How many at most, the newest ones.",
)
@click.option("--before", type=click.IntRange(min=1), metavar="N", help="Only before number N.")
@click.option("--follow", "-f", is_flag=True, help="Go on with those that come, until Ctrl-C.")
@looks
def logs(asking: Asking, *, limit: int, before: int | None, follow: bool, **wanted: Any) -> None:
    """List requests on record, the newest last; `logs show` tells one's whole story.

    \b
    Examples:
        turnout logs
        turnout logs --route support --variant ft-v2 --outcome upstream_error --since 24h
        turnout logs --slower-than 5s --follow
        turnout logs --alert any --json
        turnout logs show req_0123456789abcdef0123456789abcdef
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing.exchanges import lines  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    query = asked(**wanted)
    body = asking.look("exchanges", limit=limit, before=before, **query)
    if follow:
        keep(asking, body, query)
    else:
        asking.show(body, models.ExchangeRecords, lines, folded=False)


@logs.command(short_help="Show one request with its whole story.")
@click.argument("request_id", metavar="REQUEST_ID")
@click.option(
    "--bodies", is_flag=True, help="What was asked and answered instead, where it is kept."
)
@looks
def show(asking: Asking, *, request_id: str, bodies: bool) -> None:
    """Show one request: who decided what and why, how it went, its shadows.

    REQUEST_ID is what its client was told in the header x-turnout-request-id. To read bodies takes
    a token with the role admin.

    \b
    Examples:
        turnout logs show req_0123456789abcdef0123456789abcdef
        turnout logs show req_0123456789abcdef0123456789abcdef --bodies
        turnout logs show req_0123456789abcdef0123456789abcdef --json
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing.story import both, story  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    if bodies:
        asking.show(asking.look("exchanges", request_id, "body"), models.Bodies, both)
    else:
        asking.show(asking.look("exchanges", request_id), models.Story, story)


@logs.command(short_help="Take out what was said in a request.")
@click.argument("request_id", metavar="REQUEST_ID")
@click.option("--why", default="", help="Why; it stands in the audit log.")
@looks
def forget(asking: Asking, *, request_id: str) -> None:
    """Take out what was said in a request and its shadows: bodies and previews.

    What else is known of it stays on record: its route, times, tokens, outcome. Lines that the log
    has written already are elsewhere.

    \b
    Examples:
        turnout logs forget req_0123456789abcdef0123456789abcdef --why "asked by its user"
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.drawing.story import forgotten  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    body = asking.take_out("exchanges", request_id, "body")
    asking.show(body, models.Forgotten, forgotten)


def asked(**wanted: Any) -> dict[str, Any]:
    """Return what is wanted as administration takes it."""
    slower = wanted.pop("slower_than")
    since, until = wanted.pop("since"), wanted.pop("until")
    return {
        **wanted,
        "slower_than_ms": None if slower is None else slower * 1000,
        "since": since and since.isoformat(),
        "until": until and until.isoformat(),
    }


def keep(
    asking: Asking,
    body: bytes,
    query: dict[str, Any],
    wait: Callable[[float], None] = time.sleep,
) -> None:
    """Print a page, then what comes, until Ctrl-C; with JSON, a line each."""
    from proxy.cli.running.asking import read  # noqa: PLC0415  # --help needs none of it
    from proxy.controlplane.admin import models  # noqa: PLC0415  # same

    page = read(body, models.ExchangeRecords)
    last = put(asking, sorted(page.exchanges, key=lambda each: each.number), 0, heads=True)
    try:
        while True:
            wait(FOLLOW_SECONDS)
            body = asking.look("exchanges", limit=MOST, after=last, **query)
            last = put(asking, read(body, models.ExchangeRecords).exchanges, last)
    except KeyboardInterrupt:
        return


def put(asking: Asking, exchanges: list[Any], last: int, *, heads: bool = False) -> int:
    """Print exchanges; return the last one's number, or else `last`."""
    from proxy.cli.drawing.console import put as put_drawn  # noqa: PLC0415  # same
    from proxy.cli.drawing.exchanges import table  # noqa: PLC0415  # same

    if asking.as_json:
        for each in exchanges:
            click.echo(each.model_dump_json())
    elif exchanges or heads:
        put_drawn([table(exchanges, heads=heads)], folded=False)
    return exchanges[-1].number if exchanges else last
