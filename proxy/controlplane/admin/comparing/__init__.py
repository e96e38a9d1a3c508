"""Variants side by side, for readers.

models     a comparison as it is answered
answering  what may be asked, and the answer
notes      what one must know to read it rightly
"""
