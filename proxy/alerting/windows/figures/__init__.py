"""Figures: what rules are of, kept over a sliding window in bounded memory.

facts     what one exchange says
sums      what many come to
sliding   of those, the last ones
sureness  what two of them side by side surely say
"""
