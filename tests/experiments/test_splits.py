"""Splits: a window in which shares or variants changed says so."""

from typing import Any

from proxy.experiments import turns


def route(base: float, ft: float, model: str = "m", **more: Any) -> dict[str, Any]:
    variants = {"base": {"upstream": "u"}, "ft": {"upstream": "u", "model": model, **more}}
    return {"variants": variants, "split": {"base": base, "ft": ft}}


def test_the_same_shares_are_no_turn() -> None:
    same = [(1, 0.0, route(90, 10)), (2, 5.0, route(9, 1)), (3, 6.0, route(90, 10))]
    assert turns(same) == ()
    assert turns([]) == ()


def test_other_shares_are_one() -> None:
    (found,) = turns([(3, 0.0, route(90, 10)), (4, 5.0, route(50, 50))])
    assert (found.version, found.at) == (4, 5.0)
    assert (found.before, found.after) == ({"base": 90, "ft": 10}, {"base": 50, "ft": 50})
    assert found.remade == ()


def test_switching_off_turns_shares_and_remakes_nothing() -> None:
    (found,) = turns([(3, 0.0, route(90, 10)), (4, 5.0, route(90, 10, off=True))])
    assert (found.after, found.remade) == ({"base": 100}, ())


def test_another_model_by_the_same_name_is_another_variant() -> None:
    (found,) = turns([(3, 0.0, route(90, 10)), (4, 5.0, route(90, 10, "m2"))])
    assert found.remade == ("ft",)


def test_a_route_that_comes_and_goes_is_told() -> None:
    found = turns([(1, 0.0, None), (2, 1.0, route(100, 0)), (3, 2.0, None)])
    assert [(turn.before, turn.after) for turn in found] == [
        ({}, {"base": 100}),
        ({"base": 100}, {}),
    ]
