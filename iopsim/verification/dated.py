"""A plan that changes on a known date."""
