"""What is to be said of a run: what limits the program, who never starts, which numbers want a warning."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from iopsim.experiment.equilibrium import growing_lists
from iopsim.experiment.names import reported
from iopsim.experiment.statistics import observations_needed
from iopsim.experiment.summary import goals
from iopsim.measures.possible import gatekeepers, lacks
from iopsim.scenario.names import RETURNED

if TYPE_CHECKING:
    from collections.abc import Container, Mapping, Sequence

    from iopsim.experiment.statistics import Interval
    from iopsim.experiment.summary import Estimate
    from iopsim.scenario.schema import Scenario

__all__ = ["flags", "is_always_free", "limiting", "never_starting"]

UNRESOLVED_AT_MOST = 0.01  # model.md §10
WORTH_A_WORD = 0.05  # a second reason for waiting is named from this share on

_UNRESOLVED = ".unresolved.share"


def limiting(found: Sequence[Estimate], scenario: Scenario, levels: Container[str] | None = None) -> str:
    """What limits the program, in one sentence: what those who wait for its own levels, or some of them, lack."""
    by_name = {estimate.name: estimate.interval for estimate in found}
    lacking: dict[str, list[tuple[Interval, str]]] = {}
    for name, entry in reported(scenario).items():
        names = entry.bound.names
        level, missing = names.get("level"), names.get("missing")
        if not level or not missing or not scenario.levels[level].is_own or is_always_free(scenario, level):
            continue
        if by_name[name].estimate > 0 and (levels is None or level in levels):
            lacking.setdefault(level, []).append((by_name[name], missing))
    if not lacking:
        return "Nobody waits for a level of the program's own: nothing limits it."
    first, *others = [
        _limit_of(scenario, level, sorted(lacks, key=_by_weight)) for level, lacks in lacking.items()
    ]
    return f"{'; '.join([first, *map(_in_a_sentence, others)])}."


def is_always_free(scenario: Scenario, level: str) -> bool:
    """Whether nobody waits for the level but those who were referred before treatment elsewhere is over."""
    return lacks(scenario, level).keys() <= {(_TREATMENT,)}


def flags(found: Sequence[Estimate], scenario: Scenario) -> list[str]:
    """Warnings that belong beside the numbers: lists that grow, waits that never resolved, too few waits."""
    entries, asked = reported(scenario), goals(scenario.targets)
    targeted = {entries[name].bound.names.get("level") for name in asked if name in entries}
    by_name = {estimate.name: estimate.interval for estimate in found}
    warnings, withheld = growing_lists(scenario), []
    for name, entry in entries.items():
        interval, level = by_name[name], entry.bound.names.get("level")
        if level and name.endswith(_UNRESOLVED) and (scenario.levels[level].is_own or level in targeted):
            waits = by_name[f"{name.removesuffix(_UNRESOLVED)}.wait_days.mean"]
            warnings += _unresolved(scenario, entry.bound.names, interval, waits)
        elif entry.p is not None and interval.n and math.isnan(interval.estimate):
            withheld.append(f"{name} (takes {observations_needed(entry.p)})")
    if withheld:
        withheld.sort(key=lambda text: text.split()[0] not in asked)
        more = f" and {len(withheld) - 4} more" if len(withheld) > 4 else ""
        warnings.append(
            f"Too few observations for a percentile, left blank: {', '.join(withheld[:4])}{more}; "
            "simulate more replications or more weeks."
        )
    return warnings


def never_starting(scenario: Scenario, profiles: Mapping[str, Sequence[float]]) -> list[str]:
    """A sentence on each priority class of which people joined a waitlist and nobody ever started (model.md §6).

    Args:
        scenario: What was simulated.
        profiles: Totals over all replications by name, of which `classes.<level>` are read (measures.series).
    """
    origins = [*scenario.sources, *scenario.levels, RETURNED]
    labels = [scenario.says(scenario.sources, name) for name in scenario.sources]
    labels += [*(scenario.says(scenario.levels, name) for name in scenario.levels), "those who return"]
    said = []
    for level, spec in scenario.levels.items():
        counts = profiles.get(f"classes.{level}", [0.0] * 2 * len(origins))
        ranks = [spec.waitlist.priority.get(name, math.inf) for name in origins]
        for rank in sorted(set(ranks)):
            joined, started = np.reshape(counts, (-1, 2))[np.equal(ranks, rank)].sum(axis=0)
            if joined and not started:
                who = [
                    label for label, r, n in zip(labels, ranks, counts[::2], strict=True) if r == rank and n
                ]
                of_class = f"class {rank}" if rank < math.inf else "the last class"
                said.append(
                    f"Of {of_class} ({', '.join(who)}), {joined:,.0f} joined the waitlist of "
                    f"{scenario.says(scenario.levels, level)} in the measured weeks of all replications, and nobody "
                    "ever started care."
                )
    return said


def _by_weight(lack: tuple[Interval, str]) -> tuple[bool, float]:
    """The most days first; to be still in treatment elsewhere is no shortage, and comes last."""
    interval, missing = lack
    return missing == _TREATMENT.lower(), -interval.estimate


def _limit_of(scenario: Scenario, level: str, lacks: Sequence[tuple[Interval, str]]) -> str:
    """`Seats limit Day care: on 71 % (64–78 %) of the days people waited, only a fitting seat was …`."""
    (first, missing), *others = lacks
    subject, verb, plight = _shortage(scenario, level, missing)
    text = f"on {_percent(first)} of the days people waited, {plight}"
    if others and others[0][0].estimate >= WORTH_A_WORD:
        second, next_missing = others[0]
        text += f", on {_percent(second)} {_shortage(scenario, level, next_missing)[2]}"
        if second.high >= first.low and next_missing != _TREATMENT.lower():
            verb = "seems to limit" if verb.endswith("s") else "seem to limit"
    return f"{subject[0].upper()}{subject[1:]} {verb} {scenario.says(scenario.levels, level)}: {text}"


_TREATMENT = "TREATMENT"
_NOT_MISSING = {
    "INTAKE": ("intake appointments", "limit", "an intake appointment was still ahead"),
    _TREATMENT: (
        "treatment in the level before",
        "limits",
        "treatment in the level before was still going on",
    ),
    "ORDER": ("the order of the waitlist", "limits", "only somebody ahead stood in the way"),
}


def _shortage(scenario: Scenario, level: str, missing: str) -> tuple[str, str, str]:
    """What is short, the verb that goes with it, and what that meant on a day of waiting."""
    bits = next(bits for bits, name in lacks(scenario, level).items() if name == missing)
    if bits[0] in _NOT_MISSING:
        return _NOT_MISSING[bits[0]]
    spec = scenario.levels[level]
    seat = "seat" if spec.groups else "place"
    caseloads = f"{_roles(scenario, [spec.caseload or ''])} caseloads"
    gates = gatekeepers(scenario, level)
    appointments = f"{_roles(scenario, gates)} appointments"
    timely = f"timely {appointments}" if len(gates) > 1 else f"a timely {appointments.removesuffix('s')}"
    words = {
        "SEAT": (f"{seat}s", f"a fitting {seat}"),
        "CASELOAD": (caseloads, f"room in {caseloads}"),
        "HOURS": (appointments, timely),
        "AUTHORIZATION": ("authorization", "the payer's authorization"),
    }
    subjects, things = zip(*(words[bit] for bit in bits), strict=True)
    if len(bits) == 1:
        verb = "limits" if bits == ("AUTHORIZATION",) else "limit"
        was = "were" if bits == ("HOURS",) and len(gates) > 1 else "was"
        return subjects[0], verb, f"only {things[0]} {was} missing"
    one, *others = subjects
    plight = f"both {things[0]} and {things[1]} were" if len(bits) == 2 else f"{_listed(things)} were all"
    return f"{one} together with {_listed(others)}", "limit", f"{plight} missing"


def _roles(scenario: Scenario, roles: Sequence[str]) -> str:
    return _listed([_in_a_sentence(scenario.says(scenario.staff, role)) for role in roles if role])


def _listed(words: Sequence[str]) -> str:
    """`a, b and c`."""
    *most, last = words or [""]
    return f"{', '.join(most)} and {last}" if most else last


def _unresolved(
    scenario: Scenario, names: Mapping[str, str | None], share: Interval, waits: Interval
) -> list[str]:
    level, track = str(names["level"]), names.get("track")
    who = scenario.says(scenario.levels, level)
    if track:
        who += f", {scenario.says(scenario.tracks, track)}"
    if share.n and not waits.n:
        return [f"{who}: nobody who joined the waitlist in the measured weeks ever started."]
    if share.estimate > UNRESOLVED_AT_MOST:
        return [
            f"{who}: {_percent(share)} of those who joined in the measured weeks were still waiting at the "
            "end, so the waits shown leave out the longest; raise run.run_out_weeks "
            f"(now {scenario.run.run_out_weeks}), and if that does not help, the list never clears."
        ]
    return []


def _percent(share: Interval) -> str:
    """`71 % (64–78 %)`; the bracket is left out where an end is not known."""
    digits = 0 if share.estimate >= 0.095 else 1
    text = f"{100 * share.estimate:.{digits}f} %"
    if math.isnan(share.low) or math.isnan(share.high):
        return text
    low, high = (100 * min(max(end, 0.0), 1.0) for end in (share.low, share.high))
    return f"{text} ({low:.{digits}f}–{high:.{digits}f} %)"


def _in_a_sentence(label: str) -> str:
    """The label in lower case where it is an ordinary word: `RN` stays."""
    return label if label[1:2].isupper() else label[:1].lower() + label[1:]
