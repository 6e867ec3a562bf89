"""Many replications and many scenarios: run, kept, estimated with intervals, and compared."""
