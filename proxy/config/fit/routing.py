"""Routing: how routes, variants, splits, pins and shadows must fit together and to upstreams.

The same rules hold for a file and for contents that somebody changed, so whatever a change of a
running turnout may lead to must fit: a variant that is off keeps its pins and its weight.
"""

from proxy.config.fit.values import Values
from proxy.config.source import Document
from proxy.config.wording import suggest

VARIANT = "variant of this route"


def fit_routing(document: Document) -> None:
    """Report what of the routing does not fit together, or not to upstreams and keys."""
    values = Values(document)
    serves_something(values)
    for name in values.names("routes"):
        _Route(values, name).fit()
    for name in values.names("keys"):
        values.all_known(("keys", name, "routes"), values.names("routes"), "route")


def serves_something(values: Values) -> None:
    """Report a routing that serves nothing, and a default that is not there."""
    default = values.at("default_upstream")
    if default is not None and values.names("upstreams"):
        values.known(("default_upstream",), values.names("upstreams"), "upstream")
    if default is None and values.at("pass_unknown_models") is True:
        values.report(
            ("pass_unknown_models",),
            "needs a 'default_upstream' to pass them to",
            "add 'default_upstream: NAME', or remove this line",
        )
    if default is None and not values.at("routes"):
        values.report((), "serves nothing", "add 'routes', or a 'default_upstream'")


class _Route:
    def __init__(self, values: Values, name: str) -> None:
        self._values = values
        self._report = values.report
        self._here = ("routes", name)
        self._variants = values.names(*self._here, "variants")

    def fit(self) -> None:
        for variant in self._variants:
            self.variant((*self._here, "variants", variant))
        if self._variants:  # without any, that is the problem
            self.one_is_on()
            self.split()
            self._values.all_known((*self._here, "fallback"), self._variants, VARIANT)
            self.pins()
            self.shadow()
        self.unit()
        self.bodies()

    def variant(self, here: tuple[str, ...]) -> None:
        upstreams = self._values.names("upstreams")
        if upstreams:
            self._values.known((*here, "upstream"), upstreams, "upstream")
        overrides = self._values.names(*here, "overrides")
        for member in self._values.names(*here, "defaults"):
            if member in overrides:
                self._report(
                    (*here, "defaults", member),
                    "is never used, since 'overrides' sets it too",
                    "keep one of the two",
                )

    def one_is_on(self) -> None:
        here = (*self._here, "variants")
        if all(self._values.true(*here, name, "off") for name in self._variants):
            self._report(
                here,
                "are all off, so nobody would be served",
                "remove 'off: true' from one; the others' requests go to the first that is on",
            )

    def split(self) -> None:
        here = (*self._here, "split")
        names = self._values.names(*here)
        for name in names:
            if name not in self._variants:
                self._report((*here, name), f"is no {VARIANT}", suggest(name, self._variants))
        if names and all(self._values.number(*here, name, default=0.0) == 0 for name in names):
            self._report(here, "gives nobody a share", "give one variant a weight above 0")

    def pins(self) -> None:
        here = (*self._here, "pins")
        units = self._values.names(*here)
        for unit in units:
            self._values.known((*here, unit), self._variants, VARIANT)
        if units and self._values.at(*self._here, "sticky") == "request":
            self._report(
                here,
                "has no meaning with 'sticky: request', under which there are no units",
                "remove it, or stick to the user, the conversation or the key",
            )

    def shadow(self) -> None:
        here = (*self._here, "shadow", "variant")
        self._values.known(here, self._variants, VARIANT)
        if [self._values.at(*here)] == self._variants:
            self._report(
                here,
                "names the route's only variant, which gets all requests already",
                "add the variant that is to be tried, or remove the shadow",
            )

    def unit(self) -> None:
        sticky = self._values.at(*self._here, "sticky")
        header = (*self._here, "sticky_header")
        if self._values.at(*header) is not None and sticky in ("key", "request"):
            self._report(
                header,
                f"has no meaning with 'sticky: {sticky}'",
                "remove it, or use 'sticky: user' or 'sticky: conversation'",
            )

    def bodies(self) -> None:
        here = (*self._here, "store", "bodies")
        if self._values.at("store") in (False, "off") and self._values.true(*here):
            self._report(
                here,
                "has no place to keep them, since the top-level 'store' is off",
                "remove this, or 'store: off'",
            )
