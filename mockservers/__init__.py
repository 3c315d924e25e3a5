"""Honest and faulty servers for integration tests."""
