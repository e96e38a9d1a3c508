"""Explanations and splits, as lines for people, wherever they come from."""

from collections.abc import Iterator, Sequence

import click

from proxy.controlplane.admin import models
from proxy.routing.explain import Share, percent


def explanation(told: models.Explained) -> Iterator[str]:
    """Draw where a request goes, and why."""
    goes = told.variant or "by chance"
    yield f"{click.style(told.route, bold=True)} -> {click.style(goes, bold=True)}"
    yield told.why
    yield from segments(told.segments, told.variant)
    if told.fallback:
        yield f"Should it fail before its first byte: {', '.join(told.fallback)}."
    if told.off:
        yield f"Off, and so asked by nobody: {', '.join(told.off)}."
    if told.shadow is not None:
        some = percent(told.shadow.percent / 100)
        yield f"Shadow: '{told.shadow.variant}' gets {some} of the requests as well."


def segments(parts: Sequence[Share | models.Segment], chosen: str | None = None) -> Iterator[str]:
    """Draw the stretches of a split, with a mark at the one chosen."""
    width = max(len(part.variant) for part in parts)
    wide = max(len(percent(part.share)) for part in parts)
    for part in parts:
        mark = "*" if part.variant == chosen else " "
        stretch = f"{part.start:.6f} to {part.end:.6f}"
        stead = "" if part.instead_of is None else f"  instead of {part.instead_of}, which is off"
        share = f"{percent(part.share):>{wide}}{stead}"
        yield f" {mark} {part.variant:<{width}}  {stretch}  {share}"
