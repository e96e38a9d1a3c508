"""What stands in deploy/, with the real programs that it is for."""
