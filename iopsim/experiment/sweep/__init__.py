"""Sweeps: many plans of one scenario, simulated with the same patients, in one table; and the answers in it."""
