"""iopsim: capacity planning for intensive outpatient programs by discrete-event simulation."""

__all__ = ["__version__", "is_compiled"]

__version__ = "0.1.0"


def is_compiled() -> bool:
    """Whether the model runs as machine code (`hatch_build.py`): the same results, sooner."""
    from importlib.machinery import ExtensionFileLoader
    from importlib.util import find_spec

    clinic = find_spec("iopsim.model.clinic")
    return clinic is not None and isinstance(clinic.loader, ExtensionFileLoader)
