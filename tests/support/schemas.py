"""A JSON Schema checker for the few keywords that our schema uses; others are an error."""

import re
from collections.abc import Iterator
from typing import Any

TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}
SAID = {"$defs", "$schema", "title", "description", "examples", "default", "format"}
KNOWN = SAID | {
    "$ref",
    "additionalProperties",
    "anyOf",
    "const",
    "enum",
    "exclusiveMinimum",
    "items",
    "maximum",
    "minLength",
    "minProperties",
    "minimum",
    "pattern",
    "patternProperties",
    "properties",
    "propertyNames",
    "required",
    "type",
}


def misfits(value: object, schema: dict[str, Any], path: str = "") -> list[str]:
    """Return the paths at which `value` does not fit `schema`."""
    return sorted(set(_misfits(value, schema, schema, path)))


def _misfits(
    value: object, node: dict[str, Any], whole: dict[str, Any], path: str
) -> Iterator[str]:
    assert set(node) <= KNOWN, set(node) - KNOWN
    if "$ref" in node:
        yield from _misfits(value, whole["$defs"][node["$ref"].rsplit("/", 1)[1]], whole, path)
    if "anyOf" in node:
        tried = [list(_misfits(value, part, whole, path)) for part in node["anyOf"]]
        yield from min(tried, key=len)
    if not _fits(value, node):
        yield path
    elif isinstance(value, dict):
        yield from _inside(value, node, whole, path)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _misfits(item, node.get("items", {}), whole, f"{path}[{index}]")


def _fits(value: object, node: dict[str, Any]) -> bool:
    kinds = TYPES.get(node.get("type", ""))
    fits = kinds is None or type(value) in kinds
    fits &= "enum" not in node or value in node["enum"]
    fits &= "const" not in node or value == node["const"]
    if isinstance(value, str):
        fits &= len(value) >= node.get("minLength", 0)
        fits &= re.search(node.get("pattern", ""), value) is not None
    elif isinstance(value, int | float):
        fits &= node.get("minimum", value) <= value <= node.get("maximum", value)
        fits &= value > node.get("exclusiveMinimum", value - 1)
    elif isinstance(value, dict):
        fits &= set(node.get("required", ())) <= set(value)
        fits &= len(value) >= node.get("minProperties", 0)
    return fits


def _inside(
    value: dict[str, object], node: dict[str, Any], whole: dict[str, Any], path: str
) -> Iterator[str]:
    patterns = node.get("patternProperties", {})
    for name, item in value.items():
        here = f"{path}.{name}".removeprefix(".")
        by_pattern = next((part for key, part in patterns.items() if re.search(key, name)), None)
        inner = node.get("properties", {}).get(name) or by_pattern
        if inner is None:
            inner = node.get("additionalProperties", {})
        if inner is False:
            yield here
        elif isinstance(inner, dict):
            yield from _misfits(item, inner, whole, here)
