"""The demo shows what turnout says, in its log and in its metrics, and nothing else."""

import io
import json

import pytest
from rich.console import Console

from proxy.demo import view
from proxy.demo.figures import Figures, percentile

METRICS = """\
# TYPE turnout_requests counter
turnout_requests_total{route="support",variant="base",outcome="completed",error_code=""} 7
turnout_requests_total{route="support",variant="base",outcome="upstream_error",error_code="x"} 1
turnout_requests_total{route="support",variant="ft",outcome="completed",error_code=""} 2
turnout_requests_total{route="other",variant="other",outcome="rejected",error_code="y"} 3
# TYPE turnout_alerts counter
turnout_alerts_total{alert="slow",route="support",variant="ft"} 1
# TYPE gen_ai_client_token_usage histogram
gen_ai_client_token_usage_bucket{variant="base",gen_ai_token_type="input",le="+Inf"} 7
gen_ai_client_token_usage_count{variant="base",gen_ai_token_type="input"} 7
gen_ai_client_token_usage_sum{variant="base",gen_ai_token_type="input"} 91
"""
STAGE = view.Stage(
    url="http://127.0.0.1:1",
    admin_url="http://127.0.0.1:2",
    config="turnout.yaml",
    route="support",
    split={"base": 70, "ft": 30},
)


def line(**facts: object) -> bytes:
    return json.dumps(facts).encode() + b"\n"


@pytest.fixture
def figures() -> Figures:
    seen = Figures(["base", "ft"])
    seen.read_metrics(METRICS)
    for latency in (100.0, 200.0, 900.0):
        seen.read_line(
            line(
                event="exchange",
                outcome="completed",
                variant_served="base",
                latency_ms=latency,
                ttft_ms=50.0,
            )
        )
    seen.read_line(
        line(
            event="alert",
            alert="slow",
            value=5301.4,
            threshold=5000.0,
            timestamp="2026-11-22T10:11:12.5Z",
            variant_served="ft",
            prompt_preview="Where is my parcel?",
        )
    )
    return seen


def test_counts_and_tokens_are_those_of_the_metrics(figures: Figures) -> None:
    base = figures.variants["base"]
    assert (base.requests, base.errors, base.tokens["input"]) == (8, 1, 91)
    assert figures.counted.total() == 13
    assert figures.alerts == {"slow": 1}


def test_a_second_scrape_replaces_the_first(figures: Figures) -> None:
    figures.read_metrics(METRICS)
    assert figures.counted.total() == 13


def test_latencies_and_alerts_are_those_of_the_log(figures: Figures) -> None:
    assert list(figures.variants["base"].latencies) == [100.0, 200.0, 900.0]
    assert figures.logged == {"completed": 3}
    assert figures.alerts_logged == 1


def test_a_failed_exchange_is_logged_without_a_say_in_latency(figures: Figures) -> None:
    failed = line(event="exchange", outcome="upstream_error", variant_served="ft", latency_ms=1.5)
    figures.read_line(failed)
    assert not figures.variants["ft"].latencies
    assert figures.logged["upstream_error"] == 1


def test_other_lines_are_kept_for_when_something_goes_wrong(figures: Figures) -> None:
    figures.read_line(b"Traceback (most recent call last):\n")
    figures.read_line(line(event="ready"))
    assert list(figures.other_lines) == [
        "Traceback (most recent call last):",
        '{"event": "ready"}',
    ]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [([], 0.5, None), ([7.0], 0.95, 7.0), ([3.0, 1.0, 2.0], 0.5, 2.0), ([1.0, 2.0], 0.95, 2.0)],
)
def test_a_percentile_is_one_of_the_values(
    values: list[float], share: float, expected: float | None
) -> None:
    assert percentile(values, share) == expected


def test_the_live_view_shows_split_latency_tokens_and_alerts(figures: Figures) -> None:
    console = Console(width=120, file=io.StringIO(), record=True)
    console.print(view.live(figures, STAGE))
    shown = console.export_text()
    for word in ("70 %", "80 %", "200 ms", "91", "slow: 5301 ms (threshold 5000)", "10:11:12"):
        assert word in shown


def test_the_live_view_is_whole_in_a_terminal_of_80_columns(figures: Figures) -> None:
    console = Console(width=80, file=io.StringIO(), record=True)
    console.print(view.live(figures, STAGE))
    table = console.export_text().partition("alerts, as")[0]
    assert "…" not in table
    for heading in ("variant", *view.HEADINGS, "errors"):
        assert heading in table


def test_the_closing_summary_names_variants_alerts_and_errors(figures: Figures) -> None:
    shown = "\n".join(view.summary(figures, STAGE))
    for word in ("13 requests", "base 8 requests", "real 80 %", "alerts: slow 1", "errors: 1"):
        assert word in shown


def test_the_opening_names_the_addresses_and_three_things_to_try() -> None:
    shown = "\n".join(view.opening(STAGE))
    for word in ("http://127.0.0.1:1/v1", "http://127.0.0.1:2/metrics", "curl", "OpenAI(", "3. "):
        assert word in shown
    assert len(view.things_to_try(STAGE)) == 3


def test_progress_in_a_line_says_what_matters(figures: Figures) -> None:
    assert view.progress(figures) == (
        "base 8 requests, p50 200 ms, p95 900 ms, TTFT 50 ms; "
        "ft 2 requests, p50 -, p95 -, TTFT -; alerts: slow 1"
    )
