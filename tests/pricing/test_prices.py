"""What tokens cost: cached ones apart, and nothing that is unknown is taken for zero."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from proxy.exchange.observation import Observation, Usage
from proxy.exchange.outcome import Outcome
from proxy.pricing import FREE, Above, Pricer, Prices, cost, owed
from tests.support.observed import observed

MINI = Prices(input=0.15, cached_input=0.075, output=0.6)
COUNTS = st.integers(0, 2_000_000)
DOLLARS = st.floats(0, 1000)


def test_a_million_tokens_of_each_cost_what_the_prices_say() -> None:
    assert cost(Usage(1_000_000, 1_000_000), MINI) == pytest.approx(0.75)
    assert cost(Usage(1_000_000, 0, 400_000), MINI) == pytest.approx(0.6 * 0.15 + 0.4 * 0.075)


def test_cached_tokens_cost_as_much_as_others_where_they_have_no_price() -> None:
    prices = Prices(input=2.0, output=8.0)
    assert cost(Usage(1000, 10, 900), prices) == cost(Usage(1000, 10), prices)


def test_reasoning_is_within_the_reply_and_costs_nothing_more() -> None:
    assert cost(Usage(10, 100, None, 90), MINI) == cost(Usage(10, 100), MINI)


@pytest.mark.parametrize("usage", [Usage(), Usage(10, None), Usage(None, 10)])
def test_a_count_that_is_unknown_makes_the_cost_unknown(usage: Usage) -> None:
    assert cost(usage, MINI) is None


def test_output_without_a_price_is_unknown_and_no_output_is_free_of_that() -> None:
    embedding = Prices(input=0.02)
    assert cost(Usage(1_000_000, 0), embedding) == pytest.approx(0.02)
    assert cost(Usage(1_000_000, 1), embedding) is None


def test_a_long_prompt_has_the_prices_above_its_length_for_all_its_tokens() -> None:
    dear = Prices(input=6.0, cached_input=0.6, output=22.5)
    prices = Prices(input=3.0, output=15.0, above=(Above(tokens=200_000, prices=dear),))
    assert cost(Usage(200_000, 0), prices) == pytest.approx(0.6)
    assert cost(Usage(200_001, 0), prices) == pytest.approx(200_001 * 6.0 / 1e6)


@given(COUNTS, COUNTS, COUNTS, DOLLARS, DOLLARS)
def test_a_cost_is_never_negative_and_never_above_that_of_all_at_full_price(
    prompt: int, reply: int, cached: int, dear: float, out: float
) -> None:
    prices = Prices(input=dear, cached_input=dear / 10, output=out)
    spent = cost(Usage(prompt, reply, cached), prices)
    whole = cost(Usage(prompt, reply), prices)
    assert spent is not None
    assert whole is not None
    assert 0.0 <= spent <= whole * (1 + 1e-9)


@given(COUNTS, COUNTS, DOLLARS, DOLLARS)
def test_more_tokens_never_cost_less(prompt: int, reply: int, dear: float, out: float) -> None:
    prices = Prices(input=dear, output=out)
    less, more = cost(Usage(prompt, reply), prices), cost(Usage(prompt + 1, reply + 1), prices)
    assert less is not None
    assert more is not None
    assert less <= more * (1 + 1e-12)


def asked(**more: object) -> Observation:
    facts = {
        "route": "support",
        "variant_served": "base",
        "attempts": 1,
        "usage": Usage(1000, 100),
    }
    return observed(**(facts | more))


def unlisted(_: Observation) -> Prices | None:
    return None


def test_a_variants_own_prices_go_before_the_lists() -> None:
    pricer = Pricer({"support": {"base": MINI}}, lambda _: Prices(input=99.0, output=99.0))
    assert pricer.price(asked()).cost_usd == cost(Usage(1000, 100), MINI)
    other = pricer.price(asked(variant_served="ft"))
    assert other.cost_usd == pytest.approx(1100 * 99 / 1e6)


def test_what_nobody_has_a_price_for_stays_unknown() -> None:
    pricer = Pricer({}, unlisted)
    assert pricer.price(asked()).cost_usd is None
    assert pricer.price(asked(route=None, variant_served=None)).cost_usd is None


def test_an_estimated_count_gives_a_cost_and_no_count_gives_none() -> None:
    pricer = Pricer({"support": {"base": MINI}}, unlisted)
    assert pricer.price(asked(tokens_source="estimate")).cost_usd is not None
    assert pricer.price(asked(usage=Usage())).cost_usd is None


def test_an_embedding_costs_its_input() -> None:
    pricer = Pricer({"support": {"base": Prices(input=0.02)}}, unlisted)
    priced = pricer.price(asked(dialect="embeddings", usage=Usage(1_000_000)))
    assert priced.cost_usd == pytest.approx(0.02)


def test_what_is_free_costs_nothing_whatever_is_known_of_it() -> None:
    pricer = Pricer({"support": {"base": FREE}}, unlisted)
    assert pricer.price(asked(usage=Usage())).cost_usd == 0.0
    assert pricer.price(asked(outcome=Outcome.UPSTREAM_ERROR)).cost_usd is None


@pytest.mark.parametrize("facts", [{"attempts": 0}, {"dialect": "none"}])
def test_what_no_model_was_asked_for_has_no_cost_and_is_not_owed(facts: dict[str, object]) -> None:
    pricer = Pricer({"support": {"base": FREE}}, lambda _: MINI)
    priced = pricer.price(asked(**facts))
    assert priced.cost_usd is None
    assert not owed(priced)


@pytest.mark.parametrize(
    ("prices", "free"),
    [
        (Prices(input=0.0, output=0.0), True),
        (Prices(input=0.0), False),
        (Prices(input=0.0, cached_input=0.1, output=0.0), False),
        (Prices(input=0.0, output=0.0, above=(Above(tokens=9, prices=MINI),)), False),
    ],
)
def test_free_is_what_costs_nothing_in_any_case(*, prices: Prices, free: bool) -> None:
    assert prices.free is free


def test_an_error_is_owed_only_where_it_came_with_a_cost() -> None:
    failed = asked(outcome=Outcome.UPSTREAM_ERROR)
    assert not owed(failed)
    assert owed(replace(failed, cost_usd=0.1))
    assert owed(asked(outcome=Outcome.CLIENT_GONE))
