"""The price list: what hosted models cost, as a library keeps it up to date.

`PriceList` is here; nothing of the library is loaded before somebody asks for a price that it
may have.
"""

from proxy.pricelist.listed import PriceList

__all__ = ["PriceList"]
