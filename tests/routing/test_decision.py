import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Refusal
from proxy.routing import BUCKETS, Router, bucket
from tests.support.routes import route, table

HALVES = route({"base": 50, "ft": 50}, fallback=("ft", "base"))
ROUTER = Router(table(HALVES), lambda: BUCKETS // 2)


def test_a_model_that_is_no_route_resolves_to_nothing() -> None:
    assert ROUTER.route("support") is HALVES
    assert ROUTER.route("gpt-4o") is None


@given(st.text(min_size=1))
def test_a_unit_gets_the_same_variant_every_time_on_every_worker(user: str) -> None:
    elsewhere = Router(table(HALVES), lambda: 0)

    first, second = ROUTER.decide(HALVES, unit=user), elsewhere.decide(HALVES, unit=user)

    assert first == second
    assert first.unit_kind == "user"
    assert first.bucket == bucket("support", user)


def test_a_salt_of_its_own_stands_in_for_the_routes_name() -> None:
    salted = route({"base": 50, "ft": 50}, salt="2026-11")

    decision = Router(table(salted), lambda: 0).decide(salted, unit="alice")

    assert decision.bucket == bucket("2026-11", "alice")


@pytest.mark.parametrize("missing", [None, ""])
def test_a_request_without_a_unit_goes_where_the_dice_fall(missing: str | None) -> None:
    numbers = iter((0, BUCKETS - 1))
    router = Router(table(HALVES), lambda: next(numbers))

    low, high = (router.decide(HALVES, unit=missing) for _ in range(2))

    assert (low.variant.name, low.bucket, low.unit_kind) == ("ft", 0, "request")
    assert (high.variant.name, high.bucket) == ("base", BUCKETS - 1)


def test_a_forced_variant_is_taken_whatever_the_split_says() -> None:
    off = route({"base": 100, "ft": 0})

    decision = Router(table(off), lambda: 0).decide(off, unit="alice", forced="ft")

    assert decision.variant.name == "ft"
    assert decision.forced
    assert decision.bucket == bucket("support", "alice")


def test_a_forced_variant_without_a_unit_has_no_number() -> None:
    decision = ROUTER.decide(HALVES, unit=None, forced="base")

    assert decision.bucket is None
    assert decision.unit_kind == "request"


@pytest.mark.parametrize("name", ["nope", "", "x" * 5000])
def test_forcing_an_unknown_variant_is_refused_with_the_names_there_are(name: str) -> None:
    with pytest.raises(Refusal) as caught:
        ROUTER.decide(HALVES, unit="alice", forced=name)

    assert caught.value.status == 400
    assert caught.value.code == "caller_unknown_variant"
    assert "it has: base, ft." in caught.value.message
    assert len(caught.value.message) < 300


def test_the_assigned_variant_serves_first_and_the_fallback_order_follows() -> None:
    chain = route({"a": 1, "b": 0, "c": 0}, fallback=("c", "a", "b"))
    router = Router(table(chain), lambda: 0)

    order = router.order(router.decide(chain, unit="alice"))

    assert [variant.name for variant in order] == ["a", "c", "b"]


def test_nothing_stands_in_for_a_forced_variant() -> None:
    decision = ROUTER.decide(HALVES, unit="alice", forced="base")

    assert [variant.name for variant in ROUTER.order(decision)] == ["base"]
