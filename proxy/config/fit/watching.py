"""Watching: rules over windows must have something to read.

Two of them read signals, which `quality` may leave out.
"""

from proxy.config.fit.values import Values
from proxy.config.source import Document

READ = {"short_rate": "short", "refusals": "refusal"}  # signals by the rules that read them
OFF = (False, "off")


def fit_watching(document: Document) -> None:
    """Report rules that would never fire, for nobody reads what they are of."""
    values = Values(document)
    for route in (None, *values.names("routes")):
        here = () if route is None else ("routes", route)
        for rule, signal in READ.items():
            said = values.at(*here, "alerts", rule)
            if said is not None and said not in OFF and not reads(values, here, signal):
                values.report(
                    (*here, "alerts", rule),
                    f"needs the signal '{signal}', which 'quality' leaves out",
                    f"add {signal} to its 'signals', or switch this alert off",
                )


def reads(values: Values, here: tuple[str, ...], signal: str) -> bool:
    """Return whether a signal is read there: as a route says, or else as is said for all."""
    if values.at("quality") in OFF or values.at(*here, "quality") in OFF:
        return False
    for place in (here, ()):
        signals = values.at(*place, "quality", "signals")
        if isinstance(signals, list):
            return signal in signals
    return True
