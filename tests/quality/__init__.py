"""Tests of quality, and the labelled cases that its readings are held to."""
