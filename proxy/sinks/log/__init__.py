"""The log: one structured line an exchange, an alert or an event of turnout's own."""

from proxy.sinks.log.exchanges import AlertLog, ExchangeLog
from proxy.sinks.log.setup import LogFormat, configure
from proxy.sinks.log.upstreams import UpstreamLog
from proxy.sinks.log.writer import LineWriter

__all__ = ["AlertLog", "ExchangeLog", "LineWriter", "LogFormat", "UpstreamLog", "configure"]
