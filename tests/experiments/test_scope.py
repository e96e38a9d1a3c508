"""Scope: what came to a variant other than by the split is left out; whose fault counts."""

import pytest
from msgspec import Struct

from proxy.exchange.outcome import Outcome
from proxy.experiments.metrics import RATES
from proxy.experiments.scope import LeftOut, Of, left_out, within


class Exchanges(Struct, frozen=True, kw_only=True):
    shadow: bool = False
    forced: bool = False
    pinned: bool = False
    variant_assigned: str | None = "base"
    variant_served: str | None = "base"
    outcome: Outcome = Outcome.COMPLETED
    dialect: str = "chat"
    signals: tuple[str, ...] = ()
    format_check: str | None = None


def test_what_the_split_decided_is_compared() -> None:
    assert left_out(Exchanges()) is None
    assert left_out(Exchanges(variant_served=None, outcome=Outcome.UPSTREAM_ERROR)) is None


@pytest.mark.parametrize(
    ("sort", "why"),
    [
        (Exchanges(shadow=True, forced=True), LeftOut.SHADOW),
        (Exchanges(forced=True, pinned=True), LeftOut.FORCED),
        (Exchanges(pinned=True, variant_served="ft"), LeftOut.PINNED),
        (Exchanges(variant_served="ft"), LeftOut.FALLBACK),
    ],
)
def test_what_came_another_way_is_left_out_for_one_reason(sort: Exchanges, why: LeftOut) -> None:
    assert left_out(sort) is why


@pytest.mark.parametrize("outcome", Outcome)
def test_the_callers_doing_is_no_failure_of_a_variant(outcome: Outcome) -> None:
    sort = Exchanges(outcome=outcome)
    callers = outcome in (Outcome.REJECTED, Outcome.CLIENT_GONE)
    assert within(sort, Of.JUDGED) is not callers
    assert RATES[0].happened(sort) is (not callers and outcome is not Outcome.COMPLETED)


def test_each_metric_is_of_what_could_have_it() -> None:
    cut = Exchanges(outcome=Outcome.UPSTREAM_CUT)
    assert [within(cut, of) for of in (Of.COMPLETED, Of.REPLIED)] == [False, True]
    assert not within(Exchanges(dialect="embeddings"), Of.REPLIED)
    checks = (None, "unchecked", "kept", "broken")
    found = [within(Exchanges(format_check=check), Of.FORMED) for check in checks]
    assert found == [False, False, True, True]


def test_signals_are_counted_by_their_names() -> None:
    seen = Exchanges(signals=("short", "refusal"), format_check="broken")
    happened = [rate.name for rate in RATES if rate.happened(seen)]
    assert happened == ["short_rate", "refusal_rate", "format_broken_rate"]
