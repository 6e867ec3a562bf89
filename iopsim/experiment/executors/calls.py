"""A call as bytes on its way to a worker, and what came of it on its way back."""

from __future__ import annotations

import pickle
import traceback
from concurrent.futures import InvalidStateError
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from iopsim.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable
    from concurrent.futures import Future

__all__ = ["ATTEMPTS", "Lost", "failed", "packed", "performed", "settle"]

ATTEMPTS = 3  # how many workers in a row may die of the same work


class Lost(MachineError):
    """Every worker that was given this piece of work died of it; other work may fare better."""


@dataclass(frozen=True, slots=True)
class _Failure:
    """An exception of the call, and where in the worker it was raised."""

    error: Exception
    trace: str


def packed(fn: Callable[..., object], /, *args: object, **kwargs: object) -> bytes:
    """The call as bytes; what its arguments share travels once."""
    return pickle.dumps((fn, args, kwargs))


def performed(call: bytes) -> bytes:
    """Make a packed call; its result or its exception, as bytes."""
    try:
        fn, args, kwargs = pickle.loads(call)
        return pickle.dumps(fn(*args, **kwargs))
    except Exception as error:
        return failed(error)


def failed(error: Exception) -> bytes:
    """What `performed` gives for a call that raised this; an exception that cannot travel is told by its text."""
    trace = "".join(traceback.format_exception(error))
    try:
        answer = pickle.dumps(_Failure(error, trace))
        pickle.loads(answer)
    except Exception:
        text = "".join(traceback.format_exception_only(error)).strip()
        answer = pickle.dumps(_Failure(RuntimeError(text), trace))
    return answer


def settle(future: Future[Any], answer: bytes) -> None:
    """Give a future what came of its call; the traceback in the worker becomes a note of the exception."""
    try:
        result = pickle.loads(answer)
    except Exception as error:  # a result that can leave its worker and not arrive
        result = _Failure(error, "".join(traceback.format_exception(error)))
    with suppress(InvalidStateError):  # it was canceled meanwhile
        if isinstance(result, _Failure):
            result.error.add_note(f"In the worker:\n{result.trace}")
            future.set_exception(result.error)
        else:
            future.set_result(result)
