"""Shared code of the tests: scripted servers, programs to run, and rules for the source."""
