"""What differs between two plans: values by their paths, data files by their content, metrics in pairs."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from scipy.special import stdtrit

from iopsim.errors import InputError
from iopsim.experiment.cache import Cache
from iopsim.experiment.contenders import Contender, from_results
from iopsim.experiment.differ import Change, differ
from iopsim.experiment.executors import Here
from iopsim.experiment.plans import Plan, gather
from iopsim.experiment.run import key_of, write_tables
from iopsim.experiment.store import open_run
from iopsim.model import MODEL_VERSION
from iopsim.report.differing import as_markdown
from iopsim.scenario import load
from tests.unit.kept import BRIEF, ROOT, brief

if TYPE_CHECKING:
    from pathlib import Path

    from iopsim.experiment.differ import Differences, Gap
    from iopsim.scenario.schema import Scenario

BASELINE = ROOT / "scenarios" / "baseline.yaml"
CENSUS = "iop.census.mean"


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """Simulate a scenario and open the folder that is left."""

    def finished(scenario: Scenario, **about: object) -> Contender:
        cache = Cache(tmp_path / "cache")
        with Here() as executor:
            (gathered,) = gather([Plan.of(scenario)], cache, executor)
        with open_run(tmp_path, scenario.name, key_of(scenario), about={"kind": "run"}) as folder:
            write_tables(gathered, folder, cache)
            return from_results(folder.finish(**about))

    return finished


def changes(a: Scenario, b: Scenario) -> dict[str, tuple[Any, Any]]:
    return {change.what: (change.a, change.b) for change in differ(Contender(a), Contender(b)).changes}


def said(found: Differences) -> str:
    """What people read, without the markup and the two names."""
    return re.sub(r"\\(.)", r"\1", as_markdown(found, ("first", "second")).split("\n\n", 2)[2])


# What they say


def test_values_that_differ_stand_in_the_order_of_the_file() -> None:
    sets = ("levels.iop.places=14", "run.seed=7", "sources.community.per_week=3", "description=Another.")
    found = differ(Contender(brief()), Contender(brief(*sets)))
    assert found.changes == (
        Change("description", "", "Another."),
        Change("run.seed", 1, 7),
        Change("sources.community.per_week", 2.0, 3.0),
        Change("levels.iop.places", 12, 14),
    )
    assert found.facts == (Change("seed", 1, 7),)
    assert not found.same_replications
    assert found.outcome is None


def test_a_name_is_no_difference_and_words_change_no_replication() -> None:
    same = differ(Contender(brief()), Contender(brief("name=other")))
    assert (same.changes, same.facts, same.same_replications) == ((), (), True)
    assert said(same) == "The scenarios are identical."
    words = differ(Contender(brief()), Contender(brief("description=Another.", "targets=null")))
    assert [change.what for change in words.changes] == ["description", "targets[0]"]
    assert said(words).endswith("Nothing of this changes what is simulated: both have the same replications.")


def test_what_is_there_once_is_one_difference_and_a_law_over_another_too() -> None:
    sets = (
        "levels.iop.waitlist.patience_days={weibull: {shape: 2, scale: 30}}",
        "levels.inpatient.stay_days.lognormal.mean=11",
        "calendar.closed=[]",
        "targets[1].at_most=0.2",
        "description=''",
        "notes=null",
    )
    group = (
        "levels.iop.groups.evening={tracks: [mood], time: evening, days: [mon, tue, wed], hours: 3, seats: 9}"
    )
    found = changes(load(BASELINE, sets[4:]), load(BASELINE, (*sets, group)))
    nothing, evening = found.pop("levels.iop.groups.evening")
    assert (nothing, evening["tracks"], evening["seats"]) == (None, ["mood"], 9)
    assert len(found.pop("calendar.closed")[0]) == 14
    assert found == {
        "levels.inpatient.stay_days.lognormal.mean": (10.0, 11.0),
        "levels.iop.waitlist.patience_days": (
            {"exponential": {"mean": 40.0}},
            {"weibull": {"shape": 2.0, "scale": 30.0}},
        ),
        "targets[1].at_most": (0.1, 0.2),
    }


def test_the_order_of_names_differs_too_where_it_breaks_ties(tmp_path: Path) -> None:
    base = brief("sources.clinic={to: iop, per_week: 1}")
    assert list(base.sources) == ["community", "clinic"]
    turned = base.model_copy(update={"sources": dict(reversed(base.sources.items()))})
    assert changes(base, turned) == {"sources (order)": (["community", "clinic"], ["clinic", "community"])}


def with_data(folder: Path, name: str, *days: int) -> Scenario:
    """A scenario whose stays are those of a data file."""
    folder.mkdir(exist_ok=True)
    (folder / name).write_text("\n".join(["days", *map(str, days)]) + "\n", encoding="utf-8")
    law = f"levels.iop.stay_days={{empirical: {{csv: {name}, column: days}}}}"
    (folder / "plan.yaml").write_text(f"extends: {ROOT / 'scenarios' / 'minimal.yaml'}\n", encoding="utf-8")
    return load(folder / "plan.yaml", (*BRIEF, law))


def test_data_files_differ_by_what_they_hold(tmp_path: Path) -> None:
    days = 20, 40, 60
    first, renamed = with_data(tmp_path, "a.csv", *days), with_data(tmp_path, "b.csv", *days)
    same = differ(Contender(first), Contender(renamed))
    assert same.changes == ()
    other = with_data(tmp_path / "elsewhere", "a.csv", 20, 40, 61)
    (change,) = differ(Contender(first), Contender(other)).changes
    assert change.what == "levels.iop.stay_days.empirical.sha256"
    assert len(change.a) == len(change.b) == 64
    assert change.a != change.b


def test_a_data_file_that_changed_after_the_run_is_noticed(tmp_path: Path, run: Any) -> None:
    sets = ("run.replications=2",)
    first = with_data(tmp_path, "a.csv", 20, 40, 60)
    results = run(first.model_copy(update={"run": brief(*sets).run}))
    now = with_data(tmp_path, "a.csv", 20, 40, 60).model_copy(update={"run": results.scenario.run})
    assert said(differ(results, Contender(now))) == "The scenarios are identical."
    changed = with_data(tmp_path, "a.csv", 20, 40, 99).model_copy(update={"run": results.scenario.run})
    assert (
        said(differ(results, Contender(changed)))
        == "No value of the scenarios differs, but a data file they name does."
    )


# What came of them


def gaps_of(found: Differences) -> dict[str, Gap]:
    assert found.outcome is not None
    return {gap.metric: gap for gap in found.outcome.gaps}


def test_results_differ_by_paired_intervals_that_hold_together(run: Any) -> None:
    a = run(brief("run.replications=6"))
    b = run(brief("run.replications=5", "levels.iop.places=2"))
    found = differ(a, b)
    assert found.facts == (Change("replications", 6, 5),)
    assert found.outcome is not None
    assert (found.outcome.replications, found.outcome.unpaired) == ((5, 5), ())
    gap = gaps_of(found)[CENSUS]
    ours, theirs = (
        np.array([year.outcomes[CENSUS].value for year in one.results.replications()[:5]]) for one in (a, b)
    )
    assert (gap.a.estimate, gap.b.estimate) == pytest.approx((ours.mean(), theirs.mean()))
    differences = theirs - ours
    t = stdtrit(4, 1 - 0.05 / found.outcome.compared / 2)
    half_width = t * differences.std(ddof=1) / math.sqrt(5)
    assert gap.difference.estimate == pytest.approx(differences.mean())
    assert gap.difference.low == pytest.approx(differences.mean() - half_width)
    assert gap.difference.high == pytest.approx(differences.mean() + half_width)
    assert gap.by_more_than_chance == (gap.difference.high < 0)


def test_a_difference_is_by_more_than_chance_only_where_its_interval_says_so(run: Any) -> None:
    days = "levels.iop.stay_days"
    a, b = run(brief("run.replications=6", f"{days}=20")), run(brief("run.replications=6", f"{days}=12"))
    found = differ(a, b)
    for gap in gaps_of(found).values():
        assert gap.by_more_than_chance == (gap.difference.low > 0 or gap.difference.high < 0)
    # All stays are of the one length here and of the other there.
    stay = gaps_of(found)["iop.stay_days.mean"]
    assert (stay.difference.estimate, stay.by_more_than_chance) == (-8, True)
    referrals = "iop.referrals.total"
    assert referrals not in gaps_of(found)
    assert found.outcome is not None
    some, rest = (
        sum(gap.by_more_than_chance == known for gap in found.outcome.gaps) for known in (True, False)
    )
    assert some and rest
    text = said(found)
    equal = found.outcome.compared - some - rest
    assert f"Of {found.outcome.compared} metrics in 6 replications, {some} differ by more than chance" in text
    assert f"{rest} by no more than chance may, {equal} not at all:" in text
    assert re.search(
        r"iop\.stay_days\.mean +\| +20\.0 \| +12\.0 \| +-8\.00 \| +-8\.00 to -8\.00 \| days", text
    )


def test_runs_of_two_seeds_form_no_pairs_and_the_reason_is_told(run: Any) -> None:
    nurse = "staff.nurse={posts: 1, salary_per_year: 50001}"
    a = run(brief("run.replications=6", nurse))
    b = run(brief("run.replications=4", nurse, "run.seed=9", "levels.iop.stay_days=5"))
    found = differ(a, b)
    assert found.outcome is not None
    assert found.outcome.replications == (6, 4)
    assert found.outcome.unpaired == ("run.seed: B has 9, A has 1",)
    stay = gaps_of(found)["iop.stay_days.mean"]
    assert stay.difference.estimate == pytest.approx(stay.b.estimate - stay.a.estimate)
    assert math.isnan(stay.difference.low)
    for gap in found.outcome.gaps:
        assert gap.by_more_than_chance == (gap.a.high < gap.b.low or gap.b.high < gap.a.low)
    assert stay.by_more_than_chance
    text = said(found)
    assert (
        "Replications form no pairs (run.seed: B has 9, A has 1), so each has its own 95 % interval." in text
    )
    assert "in 6 and 4 replications" in text
    assert "program.payroll.total" not in gaps_of(found)  # one constant, rounded in six parts and in four
    assert re.search(r"\| metric +\| +A \| +interval \| +B \| +interval \| +difference \| unit", text)


def test_one_scenario_in_two_programs_is_told_as_such(run: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    results = run(brief("run.replications=2"))
    older = Contender(
        results.scenario,
        type(results.results)(results.results.path, {**results.results.manifest, "model_version": "1-old"}),
    )
    found = differ(older, results)
    assert [change.what for change in found.facts] == ["model version"]
    assert found.outcome is not None
    assert found.outcome.unpaired[0].startswith(f"model version: B has {MODEL_VERSION}-")


def test_a_run_is_identical_to_itself_and_to_its_file(run: Any) -> None:
    scenario = brief("run.replications=3")
    results = run(scenario)
    found = differ(results, results)
    assert found.outcome is not None
    assert (found.changes, found.facts, found.outcome.gaps) == ((), (), ())
    assert said(found) == (
        "The scenarios are identical.\n\n"
        f"The results are identical: {found.outcome.compared} metrics in 3 replications."
    )
    with_file = differ(results, Contender(scenario))
    assert (with_file.changes, with_file.facts, with_file.same_replications) == ((), (), True)
    assert with_file.outcome is None


def test_metrics_that_only_one_has_are_named(run: Any) -> None:
    a = run(brief("run.replications=2", "staff.nurse={posts: 1}", "sources.clinic={to: iop, per_week: 1}"))
    b = run(brief("run.replications=2", "levels.iop.waitlist.at_most=3"))
    found = differ(a, b)
    assert found.outcome is not None
    assert "clinic.conversion.share" in found.outcome.only_a
    assert found.outcome.only_b == ("iop.lost.refused.share",)
    assert "Only B has iop.lost.refused.share." in said(found)
    assert re.search(r"Only A has .*clinic", said(found))


def test_amounts_in_two_currencies_are_not_subtracted(run: Any) -> None:
    nurse = ("run.replications=2", "staff.nurse={posts: 1, salary_per_year: 50000}")
    found = differ(run(brief(*nurse)), run(brief(*nurse, "currency=EUR")))
    assert found.outcome is not None
    assert "program.payroll.total" in set(found.outcome.only_a) & set(found.outcome.only_b)
    assert found.outcome.unpaired == ("currency: B has EUR, A has USD",)


def test_folders_of_other_things_are_refused(tmp_path: Path) -> None:
    with open_run(tmp_path, "demo", "0" * 64, about={"kind": "sweep"}) as folder:
        path = folder.finish()
    with pytest.raises(InputError, match="holds a sweep, which is no one plan"):
        from_results(path)
