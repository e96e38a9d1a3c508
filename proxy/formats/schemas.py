"""Schemas: JSON Schema within bounds, whoever wrote it.

The library follows a schema wherever it leads: over the network, round in a circle, down every
branch of an exponential one, into a pattern that runs away. Here it reads nothing from anywhere,
each keyword that it looks at is counted, and patterns have a time-out.
"""

from collections.abc import Callable, Iterator
from contextvars import ContextVar
from functools import lru_cache
from typing import Any, Final, TypeVar

import msgspec
import regex
from jsonschema import Draft202012Validator, validators
from jsonschema.exceptions import ValidationError
from jsonschema_specifications import REGISTRY
from referencing.exceptions import Unresolvable

STEPS: Final = 20_000  # keywords looked at in one check: half a second at worst
SCHEMA_STEPS: Final = 50_000  # and to see whether a schema is one, which is asked once
DEEP: Final = 100  # keywords within keywords; the library must not meet the end of the stack
PATTERN_SECONDS: Final = 0.05
UNBOUNDED: Final = (b'"patternProperties"', b'"unevaluatedProperties"')  # where both are


class Steps:
    """How many keywords may still be looked at, and how many are being looked at."""

    def __init__(self, left: int) -> None:
        self.left = left
        self.depth = 0


_steps: ContextVar[Steps] = ContextVar("steps")

Errors = Iterator[ValidationError]
Keyword = Callable[[Any, Any, Any, Any], Any]
Found = TypeVar("Found")


class Uncheckable(Exception):
    """A schema is none, leads elsewhere, or costs more than it may."""


class Costly(Uncheckable):
    """It took all the time that it might, and nothing came of it."""


class Schema:
    """One JSON Schema, from its JSON; Uncheckable where it is none."""

    def __init__(self, text: bytes) -> None:
        if all(name in text for name in UNBOUNDED):
            raise Uncheckable("its patterns would have no bound")
        schema = _within(SCHEMA_STEPS, lambda: decoded(text))
        kind = validators.validator_for(schema, default=Draft202012Validator)
        _within(SCHEMA_STEPS, lambda: valid(kind, schema))
        self._validator = bounded(kind)(schema, registry=REGISTRY)

    def holds(self, value: object) -> bool:
        """Return whether `value` is as the schema says; Uncheckable: it can't be told."""
        return _within(STEPS, lambda: bool(self._validator.is_valid(value)))


def decoded(text: bytes) -> Any:
    """Return the schema that `text` is; true and false are schemas as well."""
    schema = msgspec.json.decode(text)
    if not isinstance(schema, dict | bool):
        raise Uncheckable("a schema is a mapping")
    return schema


def valid(kind: Any, schema: Any) -> None:
    """Raise Uncheckable where `schema` is none of its kind."""
    if not bounded(kind)(kind.META_SCHEMA, registry=REGISTRY).is_valid(schema):
        raise Uncheckable("it is no JSON Schema")


def _within(steps: int, look: Callable[[], Found]) -> Found:
    """Return what `look` finds within the steps that it may take."""
    before = _steps.set(Steps(steps))
    try:
        return look()
    except TimeoutError as late:
        raise Costly("its pattern takes too long") from late
    except (
        Unresolvable,
        RecursionError,
        regex.error,
        msgspec.MsgspecError,
        UnicodeDecodeError,
    ) as failure:
        raise Uncheckable(str(failure)) from failure
    finally:
        _steps.reset(before)


@lru_cache
def bounded(kind: Any) -> Any:
    """Return a validator of the library's with every keyword counted, and none without bounds."""
    own = {name: keyword for name, keyword in OWN.items() if name in kind.VALIDATORS}
    keywords = {**kind.VALIDATORS, **own}
    return validators.extend(kind, {name: counted(each) for name, each in keywords.items()})


def counted(keyword: Keyword) -> Keyword:
    """Return a keyword that takes a step, and more where it is long."""

    def step(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
        steps = _steps.get()
        steps.left -= 1 + (len(value) // 8 if isinstance(value, list | dict) else 0)
        if steps.left < 0 or steps.depth >= DEEP:
            raise Costly("it leads too far")
        steps.depth += 1
        try:
            yield from keyword(validator, value, instance, schema) or ()
        finally:
            steps.depth -= 1

    return step


@lru_cache(256)
def compiled(pattern: str) -> regex.Pattern[str]:
    """Return a pattern that can be stopped."""
    return regex.compile(pattern)


def found(pattern: str, text: str) -> bool:
    """Return whether `pattern` is found in `text`; TimeoutError: it takes too long."""
    return compiled(pattern).search(text, timeout=PATTERN_SECONDS) is not None


def pattern(_: Any, value: str, instance: Any, __: Any) -> Errors:
    """Look at the keyword of this name."""
    if isinstance(instance, str) and not found(value, instance):
        yield ValidationError("it does not match its pattern")


def pattern_properties(validator: Any, value: dict[str, Any], instance: Any, _: Any) -> Errors:
    """Look at the keyword patternProperties."""
    if isinstance(instance, dict):
        for each, schema in value.items():
            for name, member in instance.items():
                if found(each, name):
                    yield from validator.descend(member, schema)


def additional_properties(validator: Any, value: Any, instance: Any, schema: Any) -> Errors:
    """Look at the keyword additionalProperties."""
    if isinstance(instance, dict):
        patterns = schema.get("patternProperties", ())
        for name, member in instance.items():
            if name in schema.get("properties", ()) or any(found(each, name) for each in patterns):
                continue
            yield from validator.descend(member, value)


def unique_items(_: Any, value: bool, instance: Any, __: Any) -> Errors:  # noqa: FBT001  # the library's form
    """Look at the keyword uniqueItems: in linear time, and so by how each is written."""
    if value and isinstance(instance, list):
        written = {msgspec.json.encode(each, order="deterministic") for each in instance}
        if len(written) < len(instance):
            yield ValidationError("it has an element twice")


OWN: Final[dict[str, Keyword]] = {
    "pattern": pattern,
    "patternProperties": pattern_properties,
    "additionalProperties": additional_properties,
    "uniqueItems": unique_items,
}
