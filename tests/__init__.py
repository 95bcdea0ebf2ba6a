"""Tests: a sentence about behaviour each, against real servers where one can run."""
