"""Trouble: a notice was not taken."""


class Trouble(Exception):
    """Why, in words that hold no secret.

    `final`: trying again would not help. `unsure`: it may have been taken all the same. `after`:
    how many seconds the receiver asks to be left alone.
    """

    def __init__(
        self, reason: str, *, final: bool = False, unsure: bool = False, after: float = 0.0
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.final = final
        self.unsure = unsure
        self.after = after
