"""Where finished exchanges are written down, and what of their words may be: redaction."""
