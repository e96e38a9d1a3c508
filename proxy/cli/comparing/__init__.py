"""Variants side by side, at a terminal and as a page.

    compare  the command
    wording  what metrics are called, and how values and findings are said
    table    the comparison drawn for a terminal
    page     the comparison as one HTML file
    plots    its pictures, as SVG

Nothing is imported here: the command is loaded only when it is used.
"""
