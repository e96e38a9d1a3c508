"""The reference page of the metrics, written from the metrics themselves.

`python -m proxy.sinks.metrics.reference > docs/metrics.md` renews the page; a test compares them.
"""

import sys
from typing import NoReturn

from proxy.sinks.metrics.cells import Counter, Histogram, Reading
from proxy.sinks.metrics.counted import alert_readings, budget_readings
from proxy.sinks.metrics.exchanges import Metrics
from proxy.sinks.metrics.fleet import (
    fleet_readings,
    notifier_readings,
    own_readings,
    span_readings,
)
from proxy.sinks.metrics.hosts import host_readings
from proxy.sinks.metrics.names import Names
from proxy.sinks.metrics.processes import Processes
from proxy.sinks.metrics.stored import store_readings

HEAD = """\
# Metrics

Scrape `/metrics` on the administration listener. This page is written from the code
(`python -m proxy.sinks.metrics.reference`); a test keeps it true.

`gen_ai_*` metrics carry the names, labels, units and buckets of OpenTelemetry's semantic
conventions for generative AI in Prometheus form, plus `route` and `variant`. They count
exchanges that reached an upstream through one of the five model APIs. `turnout_*` metrics are
turnout's own.

Every label value is a name from the configuration, a word from a list in the code, or
`other`: no client and no upstream can add a series. `variant` is the one that served, or
where none did, the one that was assigned; in `turnout_assignments_total` and
`turnout_fallbacks_total` it is always the latter.
An exchange whose client left has the outcome `client_gone`; it is in no duration histogram and
is never an error of its variant.

Shadows, which no client sees, are in `turnout_shadow_*` and in no metric of clients' exchanges;
what they do to an upstream is in `turnout_upstream_*`.
"""


def page() -> str:
    """Return the page's text."""
    return HEAD + "".join(map(section, every_metric().families))


def section(family: Counter | Histogram | Reading) -> str:
    """Return one metric's part of the page."""
    labels = ", ".join(f"`{label}`" for label in family.labels) or "none"
    lines = [f"\n## `{family.name}`\n", family.text, "", f"- {family.kind}; labels: {labels}"]
    if isinstance(family, Histogram):
        lines.append("- buckets: " + ", ".join(f"{bound:,.15g}" for bound in family.bounds))
    return "\n".join(lines) + "\n"


def every_metric() -> Metrics:
    """Return all metrics there are, with nothing behind the readings."""
    readings = [
        *fleet_readings(no_fleet),
        *host_readings(dict),
        *own_readings(
            version="",
            python="",
            log_dropped=int,
            uncounted=int,
            waiting=int,
            reloads=dict,
            degraded=bool,
        ),
        *notifier_readings(dict, dict),
        *span_readings(dict),
        *Processes(tuple).readings(),
        *store_readings(None, int),
        *budget_readings(tuple),
        *alert_readings(tuple),
    ]
    return Metrics(Names(), readings)


def no_fleet() -> NoReturn:
    """Stand in for the fleet where only names matter; asking it is a mistake."""
    raise LookupError("this registry describes metrics and has no values")


if __name__ == "__main__":
    sys.stdout.write(page())
