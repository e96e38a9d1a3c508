"""Asking: every query of a board, put to Prometheus as Grafana would.

It fills in Grafana's variables; it knows nothing of how an answer is drawn.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple, Protocol

Board = Mapping[str, Any]  # a board's JSON
VARIABLE = re.compile(r"\$\{?([a-z_]\w*)\}?")  # $1 of label_replace is none
LABEL_VALUES = re.compile(r"label_values\((?:(.+), )?(\w+)\)")
EVERYTHING = ".*"


class Prometheus(Protocol):
    """Whoever answers its API."""

    async def ask(self, what: str, params: dict[str, Any]) -> Any:
        """Return the data of an answer; ValueError: it does not understand the question."""
        ...


class Window(NamedTuple):
    """The time that is shown, in seconds, and what one step of it is."""

    start: float
    end: float
    step: float
    rate: float  # $__rate_interval

    def variables(self) -> dict[str, str]:
        """Return what Grafana's own variables stand for."""
        return {
            "__range": f"{int(self.end - self.start)}s",
            "__interval": f"{int(1000 * self.step)}ms",
            "__rate_interval": f"{int(1000 * self.rate)}ms",
        }


def panels(board: Board) -> list[dict[str, Any]]:
    """Return the panels of a board that ask something."""
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def chosen(board: Board, **choices: str) -> dict[str, str]:
    """Return what each of a board's variables stands for, where all or the first is chosen."""
    variables = board["templating"]["list"]
    standing = {each["name"]: each.get("current", {}).get("value", "") for each in variables}
    return {
        name: choices.get(name, EVERYTHING if value == "$__all" else value)
        for name, value in standing.items()
    }


def filled(text: str, values: Mapping[str, str]) -> str:
    """Return a query with its variables filled in; KeyError: there is none of that name."""
    return VARIABLE.sub(lambda found: values[found[1]], text)


async def answers(
    prometheus: Prometheus, panel: Mapping[str, Any], window: Window, values: Mapping[str, str]
) -> list[list[dict[str, Any]]]:
    """Return the series that each query of a panel finds; ValueError names what is wrong."""
    known = {**values, **window.variables()}
    found = []
    for target in panel["targets"]:
        question: dict[str, Any] = {"query": filled(target["expr"], known)}
        if target.get("instant"):
            data = await prometheus.ask("query", question | {"time": window.end})
        else:
            data = await prometheus.ask("query_range", question | moments(window))
        found.append(data["result"])
    return found


async def marks(
    prometheus: Prometheus, board: Board, window: Window, values: Mapping[str, str]
) -> list[list[dict[str, Any]]]:
    """Return the series that each of a board's annotations finds."""
    known = {**values, **window.variables()}
    found = []
    for each in board["annotations"]["list"]:
        question = {"query": filled(each["expr"], known)} | moments(window)
        found.append((await prometheus.ask("query_range", question))["result"])
    return found


async def offered(prometheus: Prometheus, board: Board, window: Window) -> dict[str, list[str]]:
    """Return the values that each of a board's variables offers."""
    values, found = chosen(board), {}
    for name, query in _asked(board):
        series, label = LABEL_VALUES.fullmatch(query).groups()  # type: ignore[union-attr]
        params: dict[str, Any] = {"start": window.start, "end": window.end}
        if series is not None:
            params["match[]"] = filled(series, values)
        found[name] = await prometheus.ask(f"label/{label}/values", params)
    return found


def moments(window: Window) -> dict[str, float]:
    """Return a window as Prometheus is told of it."""
    return {"start": window.start, "end": window.end, "step": window.step}


def _asked(board: Board) -> Iterator[tuple[str, str]]:
    for each in board["templating"]["list"]:
        if each["type"] == "query":
            yield each["name"], each["query"]["query"]
