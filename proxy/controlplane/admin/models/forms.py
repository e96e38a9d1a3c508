"""The two kinds of model, and the kinds of value in them.

What is asked takes the members it names and no others, each of exactly its type. Texts are one
printable line, for they end in logs and on terminals.
"""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from pydantic_core import PydanticCustomError

MOST_WORDS = 500  # characters of a reason
MOST_UNIT = 1000  # characters of a unit
MOST_NAME = 128  # characters of a name, as in the file


class Asked(BaseModel):
    """A request's body."""

    model_config = ConfigDict(extra="forbid", strict=True, use_attribute_docstrings=True)


class Answer(BaseModel):
    """An answer's body; new members may be added."""

    model_config = ConfigDict(use_attribute_docstrings=True)


def _printable(value: str) -> str:
    if not value.isprintable():
        raise PydanticCustomError("unprintable", "has a line break or control character")
    return value


Line = Annotated[str, AfterValidator(_printable)]
Name = Annotated[Line, Field(min_length=1, max_length=MOST_NAME)]
Unit = Annotated[Line, Field(min_length=1, max_length=MOST_UNIT)]
Words = Annotated[Line, Field(max_length=MOST_WORDS)]
Weight = Annotated[float, Field(ge=0, allow_inf_nan=False)]
Percent = Annotated[float, Field(ge=0, le=100, allow_inf_nan=False)]
Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
Many = Annotated[int, Field(ge=1, le=1_000_000_000)]
Number = Annotated[int, Field(ge=1, le=2**53)]
