"""How the tables came to be as they are: forwards only, one module a step, named in its order."""

NEWEST = "m0007"  # the revision of the last step

__all__ = ["NEWEST"]
