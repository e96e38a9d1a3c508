"""What a PromQL expression speaks of: metrics, the labels it picks them by, those it groups by.

It reads names and braces and no grammar: whether Prometheus takes an expression, promtool says.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field

TOKENS = re.compile(
    r"""
      (?P<text>"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*')
    | (?P<number>\d[\w.]*)
    | (?P<name>[A-Za-z_:][\w:]*)
    | \#.*
    | (?P<sign>=~|!~|!=|==|[^\s])
    """,
    re.VERBOSE,
)
GROUPING = {"by", "without", "on", "ignoring", "group_left", "group_right"}
WORDS = GROUPING | {"and", "or", "unless", "bool", "offset", "inf", "nan", "start", "end"}
BEHIND_FUNCTION = {"(", "by", "without"}
RANGE = re.compile(r"\[(\w+)(?::\w*)?\]")


@dataclass(frozen=True)
class Matcher:
    """One condition on a label: `sign` is =, !=, =~ or !~."""

    label: str
    sign: str
    value: str

    def picks(self, value: str) -> bool:
        """Return whether a label's value is wanted."""
        found = bool(re.fullmatch(self.value, value)) if "~" in self.sign else self.value == value
        return found != self.sign.startswith("!")


@dataclass
class Selector:
    """A metric, and what its labels must be."""

    metric: str
    matchers: list[Matcher] = field(default_factory=list)


@dataclass
class Spoken:
    """All that an expression speaks of."""

    selectors: list[Selector] = field(default_factory=list)
    grouping: set[str] = field(default_factory=set)


def spoken(expression: str) -> Spoken:
    """Return what `expression` speaks of."""
    tokens = [(found.lastgroup, found[0]) for found in TOKENS.finditer(expression)]
    kept = [(kind, text) for kind, text in tokens if kind is not None]
    said, position = Spoken(), 0
    while position < len(kept):
        kind, text = kept[position]
        following = kept[position + 1][1] if position + 1 < len(kept) else ""
        position += 1
        if kind == "name" and text in GROUPING and following == "(":
            inside, position = until(kept, position + 1, ")")
            said.grouping |= {text for kind, text in inside if kind == "name"}
        elif text == "{":
            inside, position = until(kept, position, "}")
            if not said.selectors or kept[position - len(inside) - 3][0] != "name":
                said.selectors.append(Selector(""))
            said.selectors[-1].matchers += matchers(inside)
        elif kind == "name" and text.lower() not in WORDS and following not in BEHIND_FUNCTION:
            said.selectors.append(Selector(text))
    return said


def until(
    tokens: list[tuple[str, str]], position: int, closing: str
) -> tuple[list[tuple[str, str]], int]:
    """Return the tokens before the next `closing`, and the position behind it."""
    end = next(n for n in range(position, len(tokens)) if tokens[n] == ("sign", closing))
    return tokens[position:end], end + 1


def matchers(tokens: list[tuple[str, str]]) -> Iterator[Matcher]:
    """Yield the conditions between two braces."""
    words = [text for _, text in tokens if text != ","]
    for label, sign, value in zip(words[::3], words[1::3], words[2::3], strict=True):
        yield Matcher(label, sign, value[1:-1])


def ranges(expression: str) -> set[str]:
    """Return the windows that an expression looks back over, like 5m."""
    return set(RANGE.findall(expression))
