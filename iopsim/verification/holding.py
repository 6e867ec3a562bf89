"""Levels that refer to each other and hold places meanwhile."""
