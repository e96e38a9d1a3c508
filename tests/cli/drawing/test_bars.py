import io
from typing import Any

import pytest
from rich.console import Console, RenderableType

from proxy.cli.drawing.bars import bar, split
from proxy.controlplane.admin import models


def variant(name: str, share: float, **more: Any) -> models.VariantState:
    said = {"upstream": "vllm", "model": None, "baseline": False, "off": False, **more}
    weight = said.pop("weight", share * 100)
    return models.VariantState(name=name, share=share, weight=weight, **said)


def route(*variants: models.VariantState, **more: Any) -> models.RouteState:
    said = {"sticky": "user", "fallback": [], "pins": 0, "shadow": None, **more}
    return models.RouteState(name="support", variants=list(variants), **said)


def drawn(each: models.RouteState, width: int = 80, encoding: str = "utf-8") -> list[str]:
    """Return the lines of a route on a terminal of this width."""
    return lines(split(each), width, encoding)


def lines(drawn: Any, width: int, encoding: str = "utf-8") -> list[str]:
    file = io.TextIOWrapper(io.BytesIO(), encoding=encoding, write_through=True)
    console = Console(file=file, width=width, markup=False, emoji=False)
    one: RenderableType
    for one in drawn:
        console.print(one)
    file.seek(0)
    return [line.rstrip() for line in file.read().splitlines()]


def test_a_bar_is_as_long_as_its_share() -> None:
    assert bar(1, 10) == "█" * 10
    assert bar(0.5, 10) == "█" * 5
    assert bar(0.0625, 10) == "▋"
    assert bar(0, 10) == ""


def test_a_share_however_small_can_be_seen() -> None:
    assert bar(0.0001, 10) == "▏"
    assert bar(0.0001, 10, plain=True) == "#"
    assert bar(0, 10, plain=True) == ""


@pytest.mark.parametrize("width", [1, 7, 40])
def test_the_bars_of_a_split_are_not_longer_than_the_whole(width: int) -> None:
    for percent in range(101):
        assert len(bar(percent / 100, width)) <= width
        assert len(bar(percent / 100, width, plain=True)) <= width


def test_a_route_is_drawn_with_its_shares_and_who_serves_them() -> None:
    both = route(variant("base", 0.75, baseline=True), variant("ft-v2", 0.25, model="lora"))

    assert drawn(both) == [
        "support  sticky: user",
        "  base  75% ██████████████████████████████           vllm",
        "  ft-v2 25% ██████████                               vllm lora",
    ]


def test_what_is_off_says_so_and_has_no_bar() -> None:
    both = route(variant("base", 1.0), variant("ft-v2", 0.0, off=True, weight=5.0))

    assert drawn(both)[2].split() == ["ft-v2", "0%", "off,", "keeps", "weight", "5", "vllm"]


def test_what_else_holds_for_a_route_stands_below_it() -> None:
    shadow = models.ShadowState(variant="new", percent=2.5, timeout_seconds=60, concurrency=16)
    one = route(variant("base", 1.0), fallback=["base"], pins=3, shadow=shadow)

    assert drawn(one)[-1] == "  fallback: base  pins: 3  shadow: 'new' gets 2.5% as well"


def test_a_narrow_terminal_loses_nothing_but_length() -> None:
    both = route(variant("base", 0.9), variant("a-rather-long-name", 0.1, model="the-model"))

    told = drawn(both, width=40)

    assert max(map(len, told)) <= 40
    joined = "".join("".join(told).split())
    assert "90%" in joined
    assert "10%" in joined
    assert "█" in joined


def test_a_terminal_that_is_not_utf_8_gets_plain_characters() -> None:
    assert (
        drawn(route(variant("base", 1.0)), encoding="ascii")[1] == f"  base 100% {'#' * 40} vllm"
    )


def test_a_name_can_not_steer_the_terminal() -> None:
    told = drawn(route(variant("a\x1b[31m[bold]", 1.0)))

    assert "a\\x1b[31m[bold]" in told[1]
