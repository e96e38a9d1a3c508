"""What turnout is told by its file: read, watched for changes, and how well that went."""
