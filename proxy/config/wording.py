"""Wording: what pydantic found becomes a reason and a remedy in plain words.

No text here repeats a value from the file: it may be a secret. Names of keys are repeated.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches
from typing import Any

from proxy.config.schema import described, inside, target
from proxy.config.source import KeyPath, shown
from proxy.errors import ConfigError

# pydantic's kind of error -> the reason and the remedy; {} takes from the error's own context.
SENTENCES = {
    "string_type": ("must be text", "put it in quotes"),
    "int_parsing": ("must be a whole number", "write digits only, for example 10"),
    "int_parsing_size": ("must be a whole number", "choose a smaller one"),
    "int_from_float": ("must be a whole number", "write it without a fraction"),
    "float_parsing": ("must be a number", "write digits only, for example 10"),
    "finite_number": ("must be a finite number", "write a number; .inf and .nan are none"),
    "bool_type": ("must be true or false", "write true or false"),
    "bool_parsing": ("must be true or false", "write true or false"),
    "greater_than": ("must be more than {gt:.15g}", "choose a larger number"),
    "greater_than_equal": ("must be at least {ge:.15g}", "choose a larger number"),
    "less_than": ("must be less than {lt:.15g}", "choose a smaller number"),
    "less_than_equal": ("must be at most {le:.15g}", "choose a smaller number"),
    "dict_type": ("must be a mapping", "write 'name: value' lines indented below it"),
    "list_type": ("must be a list", "write it like [first, second]"),
    "too_short": ("is empty", "name at least one below it"),
    "literal_error": ("must be {expected}", "choose one of them"),
    "enum": ("must be {expected}", "choose one of them"),
    "recursion_loop": ("holds itself", "write it out in full"),
}
OTHER = ("has a value that does not fit", "see docs/configuration.md for what it takes")


def worded(kind: str, path: KeyPath, context: dict[str, Any]) -> tuple[str, str]:
    """Return the reason and the remedy for pydantic's error `kind` at `path`."""
    if kind == "turnout":
        return context["reason"], context["remedy"]
    if kind == "extra_forbidden":
        return "is no setting here", suggest(str(path[-1]), settings_at(path[:-1]))
    if kind == "missing":
        said = settings_at(path[:-1])[str(path[-1])].get("description", "")
        sentence = " ".join(said.split()).split(". ")[0].rstrip(".")
        return "is missing", f"add '{path[-1]}: ...' ({sentence})"
    if kind == "model_type":
        return "must be a mapping", f"write it like {_example(path)}"
    reason, remedy = SENTENCES.get(kind, OTHER)
    return reason.format_map(context), remedy


def refused(what: str, problems: Sequence[str]) -> ConfigError:
    """Return the error of `what` has `problems`, which are a line each."""
    count = f"{len(problems)} problem{'s'[: len(problems) != 1]}"
    told = "".join(f"\n  {problem}" for problem in problems)
    return ConfigError(f"{what} has {count}:{told}", problems=tuple(problems))


def suggest(name: str, known: Iterable[str]) -> str:
    """Return a remedy for an unknown name: the known one it is like, or all of them."""
    names = list(known)
    close = get_close_matches(name.lower(), names, n=1)
    if close:
        return f"did you mean '{shown(close[0])}'?"
    return (
        f"choose from: {', '.join(map(shown, names))}"
        if names
        else "there is none yet: define one first"
    )


def _example(path: KeyPath) -> str:
    """Return the mapping at `path` as it may be written: what it must say, or what it may."""
    known = settings_at(path)
    must = [name for name, said in known.items() if "default" not in said]
    on = {name: said for name, said in known.items() if said.get("default") is not None}
    switches = [name for name, said in on.items() if _can_be_off(said)]
    names = must or switches or list(known)[:1]
    name = f"{shown(str(path[-1]))}: "
    written = f"{name}{{{', '.join(f'{each}: {_value(known[each])}' for each in names)}}}"
    can_be_off = _can_be_off(settings_at(path[:-1]).get(str(path[-1]), {}))
    return f"{written}, or {name}off" if can_be_off else written


def _can_be_off(said: dict[str, Any]) -> bool:
    return any("off" in part.get("enum", ()) for part in said.get("anyOf", ()))


def _value(said: dict[str, Any]) -> str:
    if _can_be_off(said):
        return "off"
    if inside(said):
        return "{NAME: ...}"
    value = said.get("examples", [said.get("default", "...")])[0]
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def settings_at(path: KeyPath) -> dict[str, dict[str, Any]]:
    """Return the schemas of the settings that the mapping at `path` takes, by name."""
    whole = described()
    node = whole
    for part in path:
        node = target(node, whole)
        node = node.get("properties", {}).get(part) or inside(node) or {}
    properties: dict[str, dict[str, Any]] = target(node, whole).get("properties", {})
    return properties
