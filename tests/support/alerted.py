"""Exchanges that let an alert over a window fire, on an administration's own rules.

fail(admin.watching)            # error_rate on support / ft-v2 is pending
admin.watching.look()
"""

from proxy.alerting.windows import Rule, WindowAlert
from proxy.controlplane.watching.watching import Watching
from proxy.exchange import Outcome
from tests.support.observed import observed
from tests.support.routes import route, table


def fail(watching: Watching, *, for_seconds: float = 0.0) -> None:
    """Let all requests of `support / ft-v2` fail; the rule is to be broken for so long."""
    rule = Rule(
        name=WindowAlert.ERROR_RATE, threshold=5.0, for_seconds=for_seconds, min_requests=5
    )
    watching.adopt(table(route({"base": 1, "ft-v2": 1})), (rule,), {})
    for number in range(10):
        seen = observed(
            request_id=f"req-{number}",
            variant_assigned="ft-v2",
            variant_served="ft-v2",
            outcome=Outcome.UPSTREAM_ERROR,
            status=502,
        )
        watching.take([seen])
    watching.look()
