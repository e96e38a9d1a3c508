"""Tools that tests of several rooms share."""
