"""Nothing that only watches changes a number: order of completion, log level, events (house rule 11).

How many workers there are, and how a run is divided, interrupted and continued: tests/cli/test_same_bytes.py; the
options of the command, figures among them: tests/cli/test_run.py.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from concurrent.futures import Executor, Future
from pathlib import Path
from typing import Any

import pytest

from iopsim.experiment.cache import Cache
from iopsim.experiment.executors import Here
from iopsim.experiment.plans import Plan, gather
from iopsim.experiment.run import write_events, write_tables
from iopsim.experiment.store import open_run
from iopsim.scenario.schema import Scenario
from tests.properties.clinics import CLINIC
from tests.unit.kept import contents

NUMBER = 6
SCENARIO = Scenario.model_validate(CLINIC | {"run": CLINIC["run"] | {"replications": NUMBER}})


class LastFirst(Executor):
    """Begins when all has been submitted, and does it from the last to the first."""

    width = NUMBER

    def __init__(self) -> None:
        self._waiting: list[tuple[Future[Any], Callable[[], Any]]] = []
        self.done: list[int] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self._waiting.append((future, lambda: fn(*args, **kwargs)))
        if len(self._waiting) == NUMBER:
            for place in reversed(range(NUMBER)):
                self.done.append(place)
                waiting, call = self._waiting[place]
                waiting.set_result(call())
            self._waiting.clear()
        return future


def files(folder: Path, executor: Executor, events: bool = False) -> dict[str, bytes]:
    """All files of a run but its manifest and what was watched."""
    cache = Cache(folder / ".cache")
    (gathered,) = gather([Plan.of(SCENARIO)], cache, executor)
    with open_run(folder, "run", "0" * 64, about={"kind": "run"}) as run:
        write_tables(gathered, run, cache)
        if events:
            write_events(gathered, run, executor)
        path = run.finish(replications=gathered.count)
    return {name: content for name, content in contents(path).items() if not name.startswith("events")}


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """What a run leaves whose replications come one after the other, and that nobody watches."""
    return files(tmp_path_factory.mktemp("alone"), Here())


def test_the_order_of_completion_changes_nothing(tmp_path: Path, alone: dict[str, bytes]) -> None:
    executor = LastFirst()
    assert files(tmp_path, executor) == alone
    assert executor.done == [5, 4, 3, 2, 1, 0]


def test_events_and_logging_change_nothing(
    tmp_path: Path, alone: dict[str, bytes], caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG):
        assert files(tmp_path, LastFirst(), events=True) == alone


def test_a_model_that_draws_besides_is_noticed(
    tmp_path: Path, alone: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The mutant: stays are drawn from the stream of the process."""
    monkeypatch.setattr("iopsim.model.draws.Draws.uniform", lambda *_: random.random())
    random.seed(1)
    one = files(tmp_path / "one", Here())
    random.seed(1)
    assert one["replications.csv"] != files(tmp_path / "other", LastFirst())["replications.csv"]
