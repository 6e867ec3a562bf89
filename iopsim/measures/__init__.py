"""Facts to numbers: pure functions of a scenario, a ledger and the measured window."""
