"""Contents: the routing as the file says it, as plain JSON values, and its one written form.

    {"routes": {ROUTE: {"variants": {VARIANT: {"upstream": ..., "off": true, ...}, ...},
                        "split": {VARIANT: WEIGHT}, "pins": {UNIT: VARIANT},
                        "shadow": {...}, "fallback": [...], ...}},
     "default_upstream": ..., "pass_unknown_models": ...}

What is not said has its default: no split gives the baseline all. Contents are never changed in
place. What a value may be, and how names fit together, is the configuration's business.
"""

import json
from hashlib import sha256
from typing import Any

import msgspec

from proxy.rollout.version import Version

Contents = dict[str, Any]


def canonical(contents: Contents) -> bytes:
    """Return the one JSON text of `contents`: compact, UTF-8, names sorted but for variants.

    The order of a route's variants says which of them is the baseline and how the split is laid
    out, so it is part of what the contents say.
    """
    ordered = _ordered(contents, ())
    written = json.dumps(ordered, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return written.encode()


def digest(contents: Contents) -> str:
    """Return the SHA-256 of the canonical text, in hexadecimal."""
    return sha256(canonical(contents)).hexdigest()


def contents_of(version: Version) -> Contents:
    """Return what `version` says, its variants in their order."""
    contents: Contents = msgspec.json.decode(version.contents)
    return contents


def _ordered(value: Any, path: tuple[str, ...]) -> Any:
    if isinstance(value, list):
        return [_ordered(item, (*path, "")) for item in value]
    if not isinstance(value, dict):
        return value
    match path:
        case ("routes", _, "variants"):
            names = list(value)
        case _:
            names = sorted(value)
    return {name: _ordered(value[name], (*path, name)) for name in names}
