"""One replication of a scenario: the clinic around a SimPy environment, and the ledger of what happened in it."""

__all__ = ["MODEL_VERSION"]

# Changes whenever the same scenario and seed may give different numbers (see "Results changed" in CHANGELOG.md).
MODEL_VERSION = "4"
