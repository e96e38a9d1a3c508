"""`turnout ready`: whether turnout takes traffic, as an exit code, for whoever checks its health.

It asks the traffic listener as a load balancer does, so it needs no token and knows nothing of
administration.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from proxy.cli.faults import Fault, config_option
from proxy.cli.running.refused import REFUSED, UNREACHED
from proxy.cli.running.times import Duration

if TYPE_CHECKING:
    import ssl

    from proxy.cli.running.where import Found

PATH = "/readyz"
READY, NOT_NOW = 200, 503  # as the listener says it


@click.command()
@click.option(
    "--url",
    metavar="URL",
    help="Where turnout takes traffic. [default: as its configuration file says, or "
    "http://127.0.0.1:8000]",
)
@click.option(
    "--timeout",
    type=Duration(),
    default="3s",
    show_default=True,
    metavar="DURATION",
    help="How long the answer may take.",
)
@config_option
def ready(*, url: str | None, timeout: float, config: str | None) -> None:
    """Say whether turnout takes traffic. It takes no token.

    \b
    Exit code: 0 it does, 1 not now (it starts, or drains), 2 usage, 3 it can't be reached.

    \b
    Examples:
        turnout ready
        turnout ready --url http://127.0.0.1:8000 --timeout 1s
    """  # noqa: D301  # \b is click's mark for lines that are not to be rewrapped
    from proxy.cli.running.where import Found, checked, traffic  # noqa: PLC0415  # --help needs none of it

    place = checked(Found(value=url, source="--url")) if url else traffic(config, os.environ)
    status = asked(place, timeout)
    where = f"{place.value} ({place.source})"
    if status == NOT_NOW:
        raise Fault(f"turnout takes no traffic now at {where}: it starts, or drains", code=REFUSED)
    if status != READY:
        raise Fault(
            f"what answers at {where} is not turnout (status {status}); say where it is: --url",
            code=UNREACHED,
        )
    click.echo(f"turnout takes traffic at {place.value}")


def asked(place: Found, seconds: float) -> int:
    """Return the status that the listener answers with; Fault: there is no answer."""
    import http.client  # noqa: PLC0415  # --help needs none of it

    parts = urlsplit(place.value)
    host, port = parts.hostname or "", parts.port
    connection = http.client.HTTPConnection(host, port, timeout=seconds)
    if parts.scheme == "https":
        connection = http.client.HTTPSConnection(host, port, timeout=seconds, context=_any_name())
    try:
        connection.request("GET", PATH)
        return connection.getresponse().status
    except (OSError, http.client.HTTPException) as error:
        where = f"{place.value} ({place.source})"
        raise Fault(
            f"no answer from {where} within {seconds:g} s; is turnout running?", code=UNREACHED
        ) from error
    finally:
        connection.close()


def _any_name() -> ssl.SSLContext:
    """Return a TLS context that believes any certificate.

    What is asked is this host, by an address that its certificate need not name; nothing is told.
    """
    import ssl  # noqa: PLC0415  # only where the listener speaks TLS

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
