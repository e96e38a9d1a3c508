"""What each change makes of the contents, and what it refuses."""

import math
from collections.abc import Callable
from typing import Any

import pytest

from proxy.errors import ChangeError
from proxy.rollout import changes, digest
from proxy.rollout.contents import Contents

VARIANTS = {"base": {"upstream": "openai"}, "ft-v2": {"upstream": "openai", "model": "ft"}}


def support(**parts: Any) -> Contents:
    return {"routes": {"support": {"variants": VARIANTS, **parts}}, "default_upstream": "openai"}


def part(contents: Contents, name: str, route: str = "support") -> Any:
    return contents["routes"][route].get(name)


def test_a_split_is_what_was_typed_and_who_was_not_named_gets_nothing() -> None:
    before = support(split={"base": 50.0, "ft-v2": 50.0})
    assert part(changes.split(before, "support", {"ft-v2": 5, "base": 95.0}), "split") == {
        "base": 95.0,
        "ft-v2": 5.0,
    }
    assert part(changes.split(before, "support", {"ft-v2": 1}), "split") == {"ft-v2": 1.0}


def test_a_change_touches_only_what_it_names_and_never_what_it_was_given() -> None:
    before = support(split={"base": 1.0}, sticky="key") | {"pass_unknown_models": True}
    before["routes"]["sales"] = {"variants": {"only": {"upstream": "openai"}}}
    was = digest(before)
    after = changes.split(before, "support", {"ft-v2": 1})
    assert digest(before) == was
    assert part(after, "sticky") == "key"
    assert {name: value for name, value in after.items() if name != "routes"} == {
        "default_upstream": "openai",
        "pass_unknown_models": True,
    }
    assert after["routes"]["sales"] == before["routes"]["sales"]


@pytest.mark.parametrize("weight", [-1.0, math.nan, math.inf])
def test_a_weight_is_a_number_from_0_up(weight: float) -> None:
    with pytest.raises(ChangeError, match="the weight of 'base' must be a number, 0 or above"):
        changes.split(support(), "support", {"base": weight})
    with pytest.raises(ChangeError, match="the weight of 'new' must be a number, 0 or above"):
        changes.add_variant(support(), "support", "new", {"upstream": "a"}, weight)


@pytest.mark.parametrize("weights", [{}, {"base": 0}, {"base": 0.0, "ft-v2": 0}])
def test_a_split_serves_somebody(weights: dict[str, float]) -> None:
    with pytest.raises(ChangeError, match="must give one variant a weight above 0"):
        changes.split(support(), "support", weights)


EVERY_CHANGE: list[Callable[[str, str], Contents]] = [
    lambda route, variant: changes.split(support(), route, {variant: 1}),
    lambda route, variant: changes.drain_variant(support(), route, variant),
    lambda route, variant: changes.remove_variant(support(), route, variant),
    lambda route, variant: changes.switch(support(), variant, on=False, route=route),
    lambda route, variant: changes.pin(support(), route, "alice", variant),
    lambda route, variant: changes.shadow(support(), route, variant, 5.0),
]


@pytest.mark.parametrize("change", EVERY_CHANGE)
def test_an_unknown_name_is_refused_with_those_there_are(
    change: Callable[[str, str], Contents],
) -> None:
    with pytest.raises(ChangeError, match="'sales' is no route; there are: support"):
        change("sales", "base")
    with pytest.raises(
        ChangeError, match=r"'ft' is no variant of route 'support'; there are: base, ft-v2"
    ):
        change("support", "ft")


def test_an_unknown_name_is_repeated_in_short() -> None:
    with pytest.raises(ChangeError, match=r"^'x{100}' is no route; there are: none$"):
        changes.split({}, "x" * 5000, {})


def test_a_new_variant_stands_last_and_has_no_weight_unless_it_is_given_one() -> None:
    new = {"upstream": "openai", "model": None, "overrides": {}, "defaults": {"n": None}}
    after = changes.add_variant(support(), "support", "a-new", new)
    assert list(part(after, "variants")) == ["base", "ft-v2", "a-new"]
    assert part(after, "variants")["a-new"] == {"upstream": "openai", "defaults": {"n": None}}
    assert part(after, "split") is None


def test_a_new_variants_weight_joins_the_others() -> None:
    before = support(split={"base": 8.0, "ft-v2": 1.0})
    after = changes.add_variant(before, "support", "new", {"upstream": "a"}, 1.0)
    assert part(after, "split") == {"base": 8.0, "ft-v2": 1.0, "new": 1.0}


def test_without_a_split_so_far_the_baseline_counts_as_100() -> None:
    after = changes.add_variant(support(), "support", "new", {"upstream": "a"}, 25.0)
    assert part(after, "split") == {"base": 100.0, "new": 25.0}


def test_a_name_is_not_given_twice() -> None:
    with pytest.raises(ChangeError, match="route 'support' has a variant 'base' already"):
        changes.add_variant(support(), "support", "base", {"upstream": "a"}, 0.0)


def test_a_drained_variant_leaves_its_weight_to_the_default() -> None:
    before = support(split={"base": 90.0, "ft-v2": 10.0}, pins={"alice": "ft-v2"})
    after = changes.drain_variant(before, "support", "ft-v2")
    assert part(after, "split") == {"base": 100.0}
    assert part(after, "pins") == {"alice": "ft-v2"}
    assert changes.drain_variant(after, "support", "ft-v2") == after


def test_where_the_baseline_is_off_another_takes_what_is_drained() -> None:
    variants = VARIANTS | {"base": {"upstream": "a", "off": True}, "new": {"upstream": "a"}}
    before = support(variants=variants, split={"base": 1.0, "ft-v2": 2.0, "new": 4.0})
    after = changes.drain_variant(before, "support", "new")
    assert part(after, "split") == {"base": 1.0, "ft-v2": 6.0}


def test_the_default_itself_can_not_be_drained() -> None:
    with pytest.raises(ChangeError, match="'base' is the default of route 'support'"):
        changes.drain_variant(support(), "support", "base")


def test_what_is_removed_leaves_nothing_behind_that_names_it() -> None:
    before = support(
        split={"base": 100.0, "ft-v2": 0.0},
        pins={"alice": "ft-v2", "bob": "base"},
        fallback=["ft-v2", "base"],
        shadow={"variant": "ft-v2", "percent": 5.0},
    )
    after = changes.remove_variant(before, "support", "ft-v2")
    assert after["routes"]["support"] == {
        "variants": {"base": {"upstream": "openai"}},
        "split": {"base": 100.0},
        "pins": {"bob": "base"},
        "fallback": ["base"],
    }


def test_a_shadow_of_another_variant_stays() -> None:
    to_base = {"variant": "base", "percent": 5.0}
    after = changes.remove_variant(support(shadow=to_base), "support", "ft-v2")
    assert part(after, "shadow") == to_base
    assert part(after, "split") is None


def test_a_variant_with_a_weight_is_not_removed() -> None:
    with pytest.raises(ChangeError, match="'base' of route 'support' still has a weight"):
        changes.remove_variant(support(), "support", "base")


def test_the_baseline_can_be_removed_once_another_has_it_all() -> None:
    before = support(split={"ft-v2": 100.0})
    after = changes.remove_variant(before, "support", "base")
    assert list(part(after, "variants")) == ["ft-v2"]


def test_the_last_variant_that_is_on_can_not_be_removed() -> None:
    off = VARIANTS | {"ft-v2": {"upstream": "openai", "off": True}}
    before = support(variants=off, split={"ft-v2": 1.0})
    with pytest.raises(ChangeError, match="'support' would have no variant that is on"):
        changes.remove_variant(before, "support", "base")


def test_a_variant_that_is_off_keeps_its_weight_and_has_it_when_it_is_on_again() -> None:
    before = support(split={"base": 90.0, "ft-v2": 10.0})
    off = changes.switch(before, "ft-v2", on=False)
    assert part(off, "variants")["ft-v2"] == {"upstream": "openai", "model": "ft", "off": True}
    assert part(off, "split") == {"base": 90.0, "ft-v2": 10.0}
    assert digest(changes.switch(off, "ft-v2", on=False)) == digest(off)
    assert digest(changes.switch(off, "ft-v2", on=True)) == digest(before)


def test_a_variant_is_switched_in_every_route_that_has_it_or_in_one() -> None:
    before = support()
    before["routes"]["sales"] = {"variants": VARIANTS}
    before["routes"]["other"] = {"variants": {"base": {"upstream": "a"}}}

    def where_off(contents: Contents) -> list[str]:
        routes = contents["routes"].items()
        return [name for name, each in routes if each["variants"].get("ft-v2", {}).get("off")]

    assert where_off(changes.switch(before, "ft-v2", on=False)) == ["support", "sales"]
    assert where_off(changes.switch(before, "ft-v2", on=False, route="sales")) == ["sales"]


def test_switching_what_no_route_has_is_refused() -> None:
    with pytest.raises(
        ChangeError, match="'ft' is no variant of any route; there are: base, ft-v2"
    ):
        changes.switch(support(), "ft", on=False)


def test_the_last_variant_that_is_on_stays_on_and_goes_off_on_all_other_routes() -> None:
    before = support()
    before["routes"]["zoo"] = {"variants": {"ft-v2": {"upstream": "a"}}}
    after = changes.switch(before, "ft-v2", on=False)
    assert part(after, "variants")["ft-v2"]["off"] is True
    assert after["routes"]["zoo"] == before["routes"]["zoo"]
    assert digest(changes.switch(after, "ft-v2", on=False)) == digest(after)
    assert digest(changes.switch(after, "ft-v2", on=True)) == digest(before)
    with pytest.raises(ChangeError, match="route 'zoo' would have no variant that is on"):
        changes.switch(before, "ft-v2", on=False, route="zoo")


def test_a_variant_that_is_the_last_one_on_everywhere_is_not_switched_off() -> None:
    only = {"routes": {"zoo": {"variants": {"ft-v2": {"upstream": "a"}}}}}
    with pytest.raises(ChangeError, match="route 'zoo' would have no variant that is on"):
        changes.switch(only, "ft-v2", on=False)


def test_a_pin_is_set_changed_and_ended() -> None:
    pinned = changes.pin(support(), "support", "alice", "ft-v2")
    assert part(pinned, "pins") == {"alice": "ft-v2"}
    both = changes.pin(pinned, "support", "Bob B.", "ft-v2")
    moved = changes.pin(both, "support", "alice", "base")
    assert part(moved, "pins") == {"alice": "base", "Bob B.": "ft-v2"}
    assert part(changes.pin(moved, "support", "alice", None), "pins") == {"Bob B.": "ft-v2"}
    assert digest(changes.pin(pinned, "support", "alice", None)) == digest(support())


def test_a_pin_that_is_none_can_not_be_ended() -> None:
    with pytest.raises(
        ChangeError, match="'bob' is no pinned unit of route 'support'; there are: alice"
    ):
        changes.pin(support(pins={"alice": "base"}), "support", "bob", None)


@pytest.mark.parametrize("unit", ["", " ", "a\nb", "\ud800", "\x00"])
def test_a_unit_is_text_that_can_be_read(unit: str) -> None:
    with pytest.raises(ChangeError, match="a unit must be printable text"):
        changes.pin(support(), "support", unit, "base")


def test_what_could_never_have_an_effect_is_refused() -> None:
    off = changes.switch(support(), "ft-v2", on=False)
    with pytest.raises(ChangeError, match="'ft-v2' of route 'support' is off; switch it on"):
        changes.pin(off, "support", "alice", "ft-v2")
    with pytest.raises(ChangeError, match="'ft-v2' of route 'support' is off; switch it on"):
        changes.shadow(off, "support", "ft-v2", 5.0)
    with pytest.raises(ChangeError, match="sticky by request, so it has no units to pin"):
        changes.pin(support(sticky="request"), "support", "alice", "base")


def test_a_shadow_says_only_what_is_not_so_anyway() -> None:
    plain = changes.shadow(support(), "support", "ft-v2", 5, timeout=60.0, concurrency=16)
    assert part(plain, "shadow") == {"variant": "ft-v2", "percent": 5.0}
    own = changes.shadow(plain, "support", "base", 100, timeout=5, concurrency=2)
    assert part(own, "shadow") == {
        "variant": "base",
        "percent": 100.0,
        "timeout_seconds": 5.0,
        "concurrency": 2,
    }
    assert digest(changes.shadow(own, "support", None)) == digest(support())


def test_a_shadow_that_is_none_can_not_be_ended() -> None:
    with pytest.raises(ChangeError, match="route 'support' has no shadow"):
        changes.shadow(support(), "support", None)


@pytest.mark.parametrize("percent", [0.0, -1.0, 100.1, math.nan])
def test_a_shadow_gets_a_percentage(percent: float) -> None:
    with pytest.raises(ChangeError, match="a percentage above 0, up to 100"):
        changes.shadow(support(), "support", "ft-v2", percent)


def test_one_route_is_restored_and_the_others_stay() -> None:
    earlier = support(split={"base": 1.0})
    now = support(split={"ft-v2": 1.0}) | {"default_upstream": "other"}
    now["routes"]["sales"] = {"variants": VARIANTS}
    after = changes.restore(now, earlier, "support")
    assert after["routes"] == {**earlier["routes"], "sales": {"variants": VARIANTS}}
    assert after["default_upstream"] == "other"
    assert changes.restore(now, earlier) == earlier


def test_a_route_that_was_taken_out_can_be_restored_and_one_that_was_not_there_can_not() -> None:
    earlier, now = support(), {"default_upstream": "openai"}
    assert digest(changes.restore(now, earlier, "support")) == digest(support())
    with pytest.raises(ChangeError, match="'sales' is no route of that version"):
        changes.restore(now, earlier, "sales")
