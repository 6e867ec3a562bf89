"""Patients of several kinds who share places or therapists: whose turn it is, and what limits."""
