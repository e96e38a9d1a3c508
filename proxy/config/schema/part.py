"""A part of the file, and what editors offer for a value that has words of its own."""

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, Field

from proxy.config import fields


class Part(BaseModel):
    """A mapping that takes the keys it names and no others."""

    model_config = ConfigDict(extra="forbid", use_attribute_docstrings=True)


def offering(*words: str | bool) -> Callable[[dict[str, Any]], None]:
    """Return what lets a JSON Schema offer these words instead of null."""

    def offer(schema: dict[str, Any]) -> None:
        schema["anyOf"] = [part for part in schema["anyOf"] if part.get("type") != "null"]
        schema["anyOf"].append({"enum": list(words)})

    return offer


OFF = offering("off", False)  # noqa: FBT003  # which YAML makes of off, too
CAN_BE_OFF = (fields.OFF, Field(json_schema_extra=OFF))
