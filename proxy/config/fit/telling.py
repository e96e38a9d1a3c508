"""Telling: how the settings of notifiers must fit together."""

from proxy.config.fit.values import Values
from proxy.config.source import Document

EMAIL = ("alerts", "notify", "email")


def fit_telling(document: Document) -> None:
    """Report what no mail server could be told safely."""
    values = Values(document)
    said = {name: values.at(*EMAIL, name) is not None for name in ("user", "password")}
    for name, other in (("user", "password"), ("password", "user")):
        if said[name] and not said[other]:
            values.report((*EMAIL, name), f"comes without a '{other}'", "write both, or neither")
    if said["password"] and values.at(*EMAIL, "security") == "none":
        values.report(
            (*EMAIL, "security"),
            "would send the password for all to read",
            "write starttls or tls, or remove user and password",
        )
