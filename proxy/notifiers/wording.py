"""How notices are worded where people read them: mails, chats, Alertmanager's annotations."""

from proxy.alerting.notice import TEST, Notice, State


def alertname(notice: Notice) -> str:
    """Return the alert's name as Prometheus' own are written: TurnoutErrorRate."""
    return "Turnout" + "".join(part.capitalize() for part in notice.name.split("_"))


def severity(notice: Notice) -> str:
    """Return how urgent it is, as Prometheus' rules for the same say; info: nothing is wrong."""
    return "info" if notice.name == TEST else "warning"


def place(notice: Notice) -> str:
    """Return which route and variant it is about, as far as it is."""
    return " / ".join(filter(None, (notice.route, notice.variant)))


def title(notice: Notice) -> str:
    """Return what it is, in a few words."""
    if notice.name == TEST:
        return "Test"
    state = "Resolved" if notice.state is State.RESOLVED else "Firing"
    where = place(notice)
    return f"{state}: {notice.name} on {where}" if where else f"{state}: {notice.name}"


def plain(notice: Notice) -> str:
    """Return the sentence where a title has said already whose it is."""
    return notice.sentence.removeprefix("turnout: ")


def moments(notice: Notice) -> list[tuple[str, float]]:
    """Return when it began, and when it was over or seen last, each with its name."""
    if notice.name == TEST:
        return []
    if notice.state is State.RESOLVED and notice.ends_at is not None:
        return [("Since", notice.first_at), ("Until", notice.ends_at)]
    return [("Since", notice.first_at), ("Latest", notice.last_at)]


def figure(value: float, unit: str) -> str:
    """Return a number with its unit."""
    return f"{value:.6g} {unit}".rstrip()


def figures(notice: Notice) -> list[tuple[str, str]]:
    """Return what there is to say in figures, each with its name."""
    said = [("Threshold", figure(notice.threshold, notice.unit))]
    if notice.value is not None:
        said.insert(0, ("Value", figure(notice.value, notice.unit)))
    if notice.count > 1:
        said.append(("Requests", f"{notice.count:,}"))
    return [] if notice.name == TEST else said
