"""Callers: clients' keys and the administration's tokens, which must tell their owners apart."""

from proxy.config.fit.values import Values
from proxy.config.source import Document

OWN_TOKEN = "local"  # noqa: S105  # a name: of the token that turnout makes itself


def fit_callers(document: Document) -> None:
    """Report what would let one caller be taken for another."""
    values = Values(document)
    values.each_its_own(("keys",), "sha256", "key")
    tokens = ("admin", "tokens")
    values.each_its_own(tokens, "sha256", "token")
    if OWN_TOKEN in values.names(*tokens):
        values.report(
            (*tokens, OWN_TOKEN),
            "has the name of the token that turnout makes itself",
            "choose another name: it says who did what in the audit log",
        )
