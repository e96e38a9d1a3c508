"""How a request gets in: the listener, its Host, who asks, and how much it may send."""
