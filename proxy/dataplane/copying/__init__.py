"""Copies of bodies, made as they pass, where a route keeps them.

What becomes of a copy is control's matter: here nothing is read, masked or compressed.
"""

from proxy.dataplane.copying.copies import Copies, Copy

__all__ = ["Copies", "Copy"]
