"""Alerts, and of which nobody is told for a while.

alerts    those that fire, are pending, or were resolved lately
silence   add, list and end silences
drawn     both, drawn

Nothing is imported here: each command is loaded only when it is used.
"""
