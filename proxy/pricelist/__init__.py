"""The price list: what hosted models cost, as a library keeps it up to date.

    listed   the list itself
    hosted   who of the configured upstreams may be in it

Nothing of the library is loaded before there is an upstream that may be in its list.
"""

from proxy.pricelist.hosted import Hosted
from proxy.pricelist.listed import PriceList

__all__ = ["Hosted", "PriceList"]
