"""Exchanges on record, shown to readers.

looking   what may be asked, and the answers
words     bodies, for admins
views     what was kept, as the models that are shown
"""
