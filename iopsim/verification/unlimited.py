"""A level with room for everybody: its census in time."""
