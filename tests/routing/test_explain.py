import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.errors import Refusal
from proxy.routing import BUCKETS, Router, bucket, explain
from proxy.routing.explain import key_unit, percent
from proxy.routing.table import Shadow
from tests.support.routes import route, table

ROUTE = route({"base": 90, "ft": 10}, fallback=("base",))
ROUTER = Router(table(ROUTE), lambda: 0)


@given(st.text(min_size=1))
def test_an_explanation_names_the_variant_that_serves_and_the_stretch_it_fell_in(
    user: str,
) -> None:
    told = explain(ROUTER, ROUTE, unit=user)

    assert told.variant == ROUTER.decide(ROUTE, unit=user).variant.name
    assert told.position is not None
    part = next(part for part in told.segments if part.start <= told.position < part.end)
    assert part.variant == told.variant
    assert user in told.why


def test_segments_are_shares_from_nothing_to_one() -> None:
    segments = explain(ROUTER, ROUTE, unit="alice").segments

    assert [(part.variant, part.share) for part in segments] == [
        ("ft", 0.1),
        ("base", 0.9),
    ]
    assert (segments[0].start, segments[-1].end) == (0.0, 1.0)


@pytest.mark.parametrize("missing", [None, ""])
def test_without_a_unit_it_says_the_odds_and_names_no_variant(missing: str | None) -> None:
    told = explain(ROUTER, ROUTE, unit=missing)

    assert (told.variant, told.position, told.unit) == (None, None, None)
    assert told.why == "'support' splits requests without a user by chance: ft 10%, base 90%."


@pytest.mark.parametrize(
    ("share", "told"), [(1.0, "100%"), (0.1, "10%"), (1 / 3, "33.3333%"), (0.0001, "0.01%")]
)
def test_a_share_is_told_in_percent_without_idle_zeros(share: float, told: str) -> None:
    assert percent(share) == told


def test_a_route_split_by_request_is_by_chance_always() -> None:
    by_request = route({"base": 1, "ft": 1}, sticky="request")

    told = explain(Router(table(by_request), lambda: 0), by_request, unit=None)

    assert told.why == "'support' splits requests by chance: ft 50%, base 50%."


def test_the_fallback_after_the_variant_is_told() -> None:
    certain = route({"base": 0, "ft": 1}, fallback=("base",))

    told = explain(Router(table(certain), lambda: 0), certain, unit="alice")

    assert (told.variant, told.fallback) == ("ft", ("base",))


def test_a_forced_variant_is_said_to_be_forced() -> None:
    told = explain(ROUTER, ROUTE, unit="alice", forced="ft")

    assert (told.variant, told.forced) == ("ft", True)
    assert "asked for by name" in told.why


def test_forcing_an_unknown_variant_is_refused_here_too() -> None:
    with pytest.raises(Refusal):
        explain(ROUTER, ROUTE, unit=None, forced="nope")


def test_a_pinned_unit_is_said_to_be_pinned() -> None:
    some = route({"base": 100, "ft": 0}, pins={"alice": "ft"})

    told = explain(Router(table(some), lambda: 0), some, unit="alice")

    assert (told.variant, told.pinned) == ("ft", True)
    assert told.why == "user 'alice' is pinned to 'ft', so the split does not count."


OFF = route(
    {"base": 50, "ft": 50},
    off=("ft",),
    fallback=("ft",),
    pins={"alice": "ft"},
    shadow=Shadow(variant="ft", percent=10.0),
)


def test_a_stretch_whose_variant_is_off_is_said_to_be_served_by_another() -> None:
    router = Router(table(OFF), lambda: 0)
    mine = next(each for each in "abcdefgh" if bucket("support", each) < BUCKETS // 2)

    told = explain(router, OFF, unit=mine)

    assert [(part.variant, part.instead_of) for part in told.segments] == [
        ("base", "ft"),
        ("base", None),
    ]
    assert (told.variant, told.off, told.fallback, told.shadow) == ("base", ("ft",), (), None)
    assert told.why.endswith(
        "in the stretch of 'ft', which is off, so 'base' serves it, from 0.000000 to 0.500000."
    )


def test_the_odds_say_for_whom_another_stands_in() -> None:
    told = explain(Router(table(OFF), lambda: 0), OFF, unit=None)

    assert told.why.endswith("by chance: base 50% instead of ft, base 50%.")


def test_a_pin_to_what_is_off_is_said_to_wait() -> None:
    told = explain(Router(table(OFF), lambda: 0), OFF, unit="alice")

    assert (told.variant, told.pinned) == ("base", False)
    assert told.why.endswith("Its pin to 'ft' waits until that is on.")


def test_a_shadow_whose_variant_is_on_is_told() -> None:
    shadow = Shadow(variant="ft", percent=10.0)
    some = route({"base": 1, "ft": 0}, shadow=shadow)

    assert explain(Router(table(some), lambda: 0), some, unit="alice").shadow == shadow


def test_a_key_is_its_name_or_where_none_have_names_its_digest() -> None:
    assert key_unit("app", ["app", "web"]) == "app"
    assert key_unit("A" * 64, []) == "a" * 64
    with pytest.raises(Refusal, match="no key 'nope'; there are: app") as unknown:
        key_unit("nope", ["app"])
    with pytest.raises(Refusal, match="SHA-256"):
        key_unit("secret", [])
    assert unknown.value.status == 400
