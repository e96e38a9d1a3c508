"""Fit: how the values of a file must fit together, names above all.

    values      the values as they stand, and what is asked of names anywhere
    routing     routes, variants, splits, pins, shadows
    callers     clients' keys and the administration's tokens
    telling     who is told of alerts
    watching    rules over windows
    formats     the schemas of replies
    machine     listeners, files, upstreams' addresses: what must fit this machine

Values are plain and may still be of any wrong kind (that is told elsewhere), so everything here
looks before it takes. No value that came from a reference is repeated.
"""

from proxy.config.fit.callers import fit_callers
from proxy.config.fit.formats import fit_formats, follow_schemas
from proxy.config.fit.machine import fit_machine
from proxy.config.fit.routing import fit_routing
from proxy.config.fit.telling import fit_telling
from proxy.config.fit.watching import fit_watching

__all__ = [
    "fit_callers",
    "fit_formats",
    "fit_machine",
    "fit_routing",
    "fit_telling",
    "fit_watching",
    "follow_schemas",
]
