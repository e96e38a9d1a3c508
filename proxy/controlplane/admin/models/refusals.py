"""What is answered instead, where something can't be done."""

from pydantic import Field

from proxy.controlplane.admin.models.forms import Answer
from proxy.controlplane.admin.models.history import VersionLine


class Refusal(Answer):
    """Why it was not done."""

    message: str
    """The reason and the remedy, for people."""
    problems: list[str] = Field(default_factory=list)
    """All problems, where there are several."""


class Refused(Answer):
    """The body of every status from 400 on but 412."""

    detail: Refusal
    """Why."""


class Overtaken(Refusal):
    """The routing changed since the version that the change was made against."""

    current: int
    """The version in force."""
    since: list[VersionLine]
    """What was published since, the newest first."""


class Outdated(Answer):
    """The body of status 412."""

    detail: Overtaken
    """Who changed what meanwhile."""
