"""Plans that enter a comparison: scenarios that are simulated, and finished results that are read."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from iopsim.errors import Fault, InputError, Mark
from iopsim.experiment.cache import PACK, unpacked
from iopsim.experiment.disk import told_as_machine_error
from iopsim.experiment.equilibrium import unsteady
from iopsim.experiment.keys import program_version
from iopsim.experiment.plans import Plan, gather, replications, silent
from iopsim.experiment.store import read_run
from iopsim.experiment.warm_up import settle
from iopsim.scenario import resolved_text

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from concurrent.futures import Executor
    from pathlib import Path

    from iopsim.experiment.cache import Cache
    from iopsim.experiment.encoding import Replication
    from iopsim.experiment.plans import Progress
    from iopsim.experiment.store import Results
    from iopsim.scenario.schema import Scenario

__all__ = ["Contender", "Entry", "entered", "from_results", "read", "settled"]


@dataclass(frozen=True, slots=True)
class Contender:
    """A plan before its replications are there.

    Attributes:
        scenario: What the plan is.
        results: Its finished results; None if it is to be simulated.
    """

    scenario: Scenario
    results: Results | None = None

    @property
    def version(self) -> str:
        """Of the program that simulated it, or will."""
        return str(self.results.manifest.get("model_version")) if self.results else program_version()

    @property
    def text(self) -> str:
        """The resolved scenario as YAML, as the results say it where there are some."""
        if self.results:
            with told_as_machine_error(self.results.path, None):
                return self.results.file("scenario.resolved.yaml").read_text(encoding="utf-8")
        return resolved_text(self.scenario)


@dataclass(frozen=True, slots=True)
class Entry:
    """A plan's replications.

    Attributes:
        key: Content key that they are known by.
        replications: In order of their index, from 0.
    """

    key: str
    replications: Sequence[Replication]


def from_results(path: Path) -> Contender:
    """The plan of a finished run.

    Raises:
        InputError: The folder is that of no finished run, or lacks its replications.
    """
    results = read_run(path)
    if (kind := results.manifest.get("kind")) != "run":
        message = f"holds a {kind}, which is no one plan; give a folder that `iopsim run` wrote"
        raise InputError(Fault("not-a-run", message, mark=Mark(str(path))))
    results.file(PACK)  # before anything is simulated
    return Contender(results.scenario(), results)


def read(results: Results) -> Entry:
    """The replications of a finished run.

    Raises:
        InputError: They are not there, or damaged.
    """
    key, _, _ = next(unpacked(results.file(PACK)))
    return Entry(key, results.replications())


def settled(
    contenders: Mapping[str, Contender], cache: Cache, executor: Executor, progress: Progress = silent
) -> tuple[dict[str, Contender], list[str]]:
    """One warm-up for all that are to be simulated, where one asks for it to be found, and what to say of it.

    Finished results keep theirs, and count as plans that give a number.

    Raises:
        InputError: A stay or delay is too long for pilot runs.
        Interrupted: The user stopped.
    """
    scenarios, warm_up = settle([one.scenario for one in contenders.values()], cache, executor, progress)
    with_warm_up = {
        plan: one if one.results else replace(one, scenario=scenario)
        for (plan, one), scenario in zip(contenders.items(), scenarios, strict=True)
    }
    return with_warm_up, warm_up.notes() if warm_up else []


def entered(
    contenders: Mapping[str, Contender], cache: Cache, executor: Executor, progress: Progress = silent
) -> tuple[dict[str, Entry], list[str]]:
    """Simulate and read all replications of settled plans; and what is to be said of their numbers.

    Raises:
        InputError: A folder lacks its replications.
        Interrupted: The user stopped; what had finished is kept.
    """
    finished = {plan: read(one.results) for plan, one in contenders.items() if one.results}
    names = [plan for plan in contenders if plan not in finished]
    plans = [Plan.of(contenders[plan].scenario) for plan in names]
    gathered = dict(zip(names, gather(plans, cache, executor, progress, together=True), strict=True))
    simulated = {
        plan: Entry(found.plan.key, replications(found.plan, range(found.count), cache))
        for plan, found in gathered.items()
    }
    entries = {plan: (finished | simulated)[plan] for plan in contenders}
    short = [
        f"{plan} is not yet as precise as asked after {found.count} replications, the most allowed "
        f"(run.replications.max): {'; '.join(map(str, found.short_of))}."
        for plan, found in gathered.items()
        if found.short_of
    ]
    unequal = _unequal({plan: len(entry.replications) for plan, entry in entries.items()})
    return entries, [*unequal, *short, *_unsteady({plan: one.scenario for plan, one in contenders.items()})]


def _unequal(counts: Mapping[str, int]) -> list[str]:
    """Whether plans have unequal numbers of replications, and which of them are compared."""
    fewest = min(counts.values())
    if max(counts.values()) == fewest:
        return []
    said = ", ".join(f"{plan} {count}" for plan, count in counts.items())
    first = f"first {fewest} of each are" if fewest > 1 else "first of each is"
    return [f"Plans have unequal numbers of replications ({said}): the {first} compared."]


def _unsteady(scenarios: Mapping[str, Scenario]) -> Iterator[str]:
    """Plans with waitlists that are in no equilibrium."""
    for plan, scenario in scenarios.items():
        for level, pool in unsteady(scenario).items():
            where = scenario.says(scenario.levels, level)
            yield (
                f"{plan}: the waitlist of {where} is in no equilibrium ({pool.balance}); "
                "its waits, and what they differ by, depend on how long is simulated."
            )
