"""Sessions and those who attend them: misses in a row, and cohorts that start together."""
