"""Notes: what one must know to read a comparison rightly. It finds nothing out itself."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from proxy.experiments import Measured, Turn
from proxy.experiments.summaries import after
from proxy.routing.explain import percent


def notes(turns: Sequence[Turn], sides: Sequence[Measured]) -> Iterator[str]:
    """Yield them, the weightiest first."""
    yield from (_turned(turn) for turn in turns)
    for turn in turns:
        if turn.remade:
            yield (
                f"Version {turn.version} made something else of {', '.join(turn.remade)}: "
                f"compare from then on, --since {_moment(after(turn.at))}."
            )
    for side in sides:
        elsewhere = side.left_out.get("fallback", 0)
        if elsewhere:
            yield (
                f"{elsewhere} requests that were {side.variant}'s were served by another variant "
                "after it failed; these failures are not in its error rate."
            )
        if side.unpriced:
            yield f"{side.unpriced} completed requests of {side.variant} have no known cost."


def _turned(turn: Turn) -> str:
    return (
        f"Version {turn.version} changed the split at {_moment(turn.at)}, from "
        f"{_shares(turn.before)} to {_shares(turn.after)}: the groups are of different times, and "
        "units may have moved between them."
    )


def _shares(shares: Mapping[str, float]) -> str:
    return (
        " ".join(f"{name}={percent(share / 100)}" for name, share in shares.items()) or "nothing"
    )


def _moment(at: float) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
