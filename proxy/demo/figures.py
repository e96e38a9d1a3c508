"""What turnout says of itself, read off its log lines and its metrics.

Counts and tokens come from the metrics, latencies and the latest alerts from the log. It knows
their names, and nothing of how they are shown.
"""

from collections import Counter, deque
from collections.abc import Sequence
from typing import Any

import msgspec
from prometheus_client.parser import text_string_to_metric_families

REMEMBERED = 500  # exchanges a variant, for percentiles
ALERTS_SHOWN = 5
LINES_KEPT = 20


class VariantFigures:
    """One variant's figures; durations are milliseconds."""

    def __init__(self) -> None:
        self.latencies: deque[float] = deque(maxlen=REMEMBERED)
        self.ttfts: deque[float] = deque(maxlen=REMEMBERED)
        self.outcomes: Counter[str] = Counter()
        self.tokens: Counter[str] = Counter()  # input, output

    @property
    def requests(self) -> int:
        """All exchanges that ended, whatever their end."""
        return self.outcomes.total()

    @property
    def errors(self) -> int:
        """Exchanges that failed, and not because their client left."""
        fine = self.outcomes["completed"] + self.outcomes["client_gone"]
        return self.requests - fine


class Figures:
    """All that turnout said so far."""

    def __init__(self, variants: Sequence[str]) -> None:
        self.variants = {name: VariantFigures() for name in variants}
        self.logged: Counter[str] = Counter()  # exchanges in the log, by outcome
        self.counted: Counter[str] = Counter()  # exchanges in the metrics, by outcome
        self.alerts: Counter[str] = Counter()  # in the metrics, by rule
        self.latest_alerts: deque[dict[str, Any]] = deque(maxlen=ALERTS_SHOWN)
        self.alerts_logged = 0
        self.other_lines: deque[str] = deque(maxlen=LINES_KEPT)

    def read_line(self, line: bytes) -> None:
        """Take one line of turnout's output."""
        try:
            said = msgspec.json.decode(line)
        except msgspec.DecodeError:
            said = None
        match said:
            case {"event": "exchange", "outcome": str(outcome), "latency_ms": float(latency)}:
                self.logged[outcome] += 1
                variant = self.variants.get(said.get("variant_served") or "")
                if variant is not None and outcome == "completed":
                    variant.latencies.append(latency)
                    if said.get("ttft_ms") is not None:
                        variant.ttfts.append(said["ttft_ms"])
            case {"event": "alert", "alert": str()}:
                self.alerts_logged += 1
                self.latest_alerts.append(said)
            case _:
                self.other_lines.append(line.decode(errors="replace").rstrip())

    def read_metrics(self, text: str) -> None:
        """Take one scrape."""
        self.counted.clear()
        self.alerts.clear()
        for variant in self.variants.values():
            variant.outcomes.clear()
            variant.tokens.clear()
        for family in text_string_to_metric_families(text):
            for sample in family.samples:
                self._count(sample.name, sample.labels, sample.value)

    def _count(self, name: str, labels: dict[str, str], value: float) -> None:
        variant = self.variants.get(labels.get("variant", ""))
        if name == "turnout_requests_total":
            self.counted[labels["outcome"]] += int(value)
            if variant is not None:
                variant.outcomes[labels["outcome"]] += int(value)
        elif name == "turnout_alerts_total":
            self.alerts[labels["alert"]] += int(value)
        elif name == "gen_ai_client_token_usage_sum" and variant is not None:
            variant.tokens[labels["gen_ai_token_type"]] += int(value)


def percentile(values: Sequence[float], share: float) -> float | None:
    """Return the value that `share` of `values` do not exceed (nearest rank), or None."""
    if not values:
        return None
    rank = max(0, min(len(values) - 1, round(share * len(values) + 0.5) - 1))
    return sorted(values)[rank]
