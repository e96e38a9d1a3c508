import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

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


PINNED = route({"base": 100, "ft": 0}, pins={"alice": "ft"}, fallback=("base",))


def test_a_pin_goes_before_the_split_and_keeps_the_fallback() -> None:
    router = Router(table(PINNED), lambda: 0)

    decision = router.decide(PINNED, unit="alice")

    assert (decision.variant.name, decision.pinned, decision.forced) == ("ft", True, False)
    assert (decision.bucket, decision.unit_kind) == (bucket("support", "alice"), "user")
    assert [variant.name for variant in router.order(decision)] == ["ft", "base"]


@pytest.mark.parametrize("unit", ["bob", "Alice", "", None])
def test_a_pin_is_for_its_unit_alone(unit: str | None) -> None:
    decision = Router(table(PINNED), lambda: 0).decide(PINNED, unit=unit)

    assert (decision.variant.name, decision.pinned) == ("base", False)


def test_a_forced_variant_goes_before_a_pin() -> None:
    decision = Router(table(PINNED), lambda: 0).decide(PINNED, unit="alice", forced="base")

    assert (decision.variant.name, decision.pinned, decision.forced) == ("base", False, True)


WEIGHTS = st.lists(st.floats(0, 100), min_size=2, max_size=5).filter(lambda found: sum(found) > 0)


@given(st.data(), WEIGHTS, st.lists(st.text(min_size=1), min_size=1))
def test_switching_a_variant_off_moves_its_own_units_to_the_first_that_is_on_and_back(
    data: st.DataObject, weights: list[float], units: list[str]
) -> None:
    on = route({f"v{number}": weight for number, weight in enumerate(weights)})
    names = [variant.name for variant in on.variants]
    gone = data.draw(st.sampled_from(names))
    off = structs.replace(on, off=(gone,))
    default = next(name for name in names if name != gone)
    before, after, again = (
        [Router(table(each), lambda: 0).decide(each, unit=unit).variant.name for unit in units]
        for each in (on, off, structs.replace(off, off=()))
    )

    assert after == [default if name == gone else name for name in before]
    assert again == before


@given(WEIGHTS, st.integers(0, BUCKETS - 1), st.data())
def test_what_is_off_serves_nobody_however_many_are(
    weights: list[float], number: int, data: st.DataObject
) -> None:
    names = [f"v{place}" for place in range(len(weights))]
    off = tuple(data.draw(st.sets(st.sampled_from(names), max_size=len(names) - 1)))
    some = route(
        dict(zip(names, weights, strict=True)),
        off=off,
        fallback=tuple(names),
        pins={"alice": names[0]},
    )
    router = Router(table(some), lambda: number)
    by_chance, alice = router.decide(some, unit=None), router.decide(some, unit="alice")

    assert not {variant.name for variant in router.order(by_chance)} & {*off}
    assert len(router.order(by_chance)) == len(names) - len(off)
    assert alice.pinned == (names[0] not in off)
    assert alice.variant.name not in off


def test_forcing_a_variant_that_is_off_is_refused_with_those_that_are_on() -> None:
    some = route({"base": 90, "ft": 10, "new": 0}, off=("ft",))

    with pytest.raises(Refusal) as caught:
        Router(table(some), lambda: 0).decide(some, unit="alice", forced="ft")

    assert (caught.value.status, caught.value.code) == (400, "caller_variant_off")
    assert caught.value.message == (
        "Variant 'ft' of route 'support' is off; these are on: base, new."
    )
