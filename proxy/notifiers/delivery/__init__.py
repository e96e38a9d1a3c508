"""How a notice gets to one notifier, however long that takes, while it matters.

trouble     why it was not taken, and whether to try again
pending     what is still to be told: the newest word of each thing
delivery    one notifier's own loop: tell, try again, keep up what fires
"""

from proxy.notifiers.delivery.delivery import Carrier, Delivery, attempt
from proxy.notifiers.delivery.pending import Pending
from proxy.notifiers.delivery.trouble import Trouble

__all__ = ["Carrier", "Delivery", "Pending", "Trouble", "attempt"]
