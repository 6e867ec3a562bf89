"""iopsim: capacity planning for intensive outpatient programs by discrete-event simulation."""

__all__ = ["__version__"]

__version__ = "0.1.0"
