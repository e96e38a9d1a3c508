"""What each variant really gets."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.rollout.shares import default, shares, weights
from proxy.routing.decision import Router
from proxy.routing.explain import shares as dealt_out
from proxy.routing.table import Route, RoutingTable, Variant


def route(split: dict[str, float], *off: str, names: str = "abc") -> dict[str, Any]:
    variants = {name: {"off": True} if name in off else {} for name in names}
    return {"variants": variants} | ({"split": split} if split else {})


def test_without_a_split_the_baseline_gets_all() -> None:
    assert shares(route({})) == {"a": 100.0, "b": 0.0, "c": 0.0}
    assert weights(route({})) == {"a": 100.0, "b": 0.0, "c": 0.0}


def test_shares_are_percentages_in_the_files_order() -> None:
    assert list(shares(route({"c": 1, "a": 3})).items()) == [("a", 75.0), ("b", 0.0), ("c", 25.0)]


def test_what_is_off_leaves_its_weight_to_the_default() -> None:
    split = {"a": 80.0, "b": 15.0, "c": 5.0}
    assert shares(route(split, "c")) == {"a": 85.0, "b": 15.0, "c": 0.0}
    assert shares(route(split, "a")) == {"a": 0.0, "b": 95.0, "c": 5.0}
    assert shares(route({"c": 1.0}, "c")) == {"a": 100.0, "b": 0.0, "c": 0.0}
    assert default(route(split, "a")) == "b"


def test_where_all_are_off_nobody_takes_over() -> None:
    assert default(route({}, "a", "b", "c")) is None
    assert shares(route({"a": 1, "b": 3}, "a", "b", "c")) == {"a": 25.0, "b": 75.0, "c": 0.0}


WEIGHTS = st.floats(min_value=0.0, allow_infinity=False, allow_nan=False)


@given(
    st.tuples(WEIGHTS, WEIGHTS, WEIGHTS).filter(any), st.sets(st.sampled_from("abc"), max_size=2)
)
def test_shares_make_a_whole_whatever_the_weights(split: tuple[float, ...], off: set[str]) -> None:
    found = shares(route(dict(zip("abc", split, strict=True)), *off))
    assert sum(found.values()) == pytest.approx(100.0)
    assert all(found[name] == 0.0 for name in off)


@given(
    st.tuples(*[st.integers(min_value=0, max_value=1000)] * 3).filter(any),
    st.sets(st.sampled_from("abc"), max_size=2),
)
def test_shares_are_what_the_router_deals_out(split: tuple[int, ...], off: set[str]) -> None:
    said = dict(zip("abc", map(float, split), strict=True))
    table = Route(
        name="r",
        variants=tuple(Variant(name=name, upstream="x") for name in "abc"),
        weights=tuple(said.values()),
        off=tuple(off),
    )
    router = Router(RoutingTable(version=1, digest="", routes={"r": table}), dice=lambda: 0)
    dealt = dict.fromkeys("abc", 0.0)
    for part in dealt_out(router, table):
        dealt[part.variant] += 100 * part.share
    assert dealt == pytest.approx(shares(route(said, *off)), abs=1e-6)
