"""The planner's table of a large system: a line for each level, role and source in terminals of every width."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from iopsim.experiment.names import reported
from iopsim.experiment.statistics import Interval
from iopsim.experiment.summary import Estimate
from iopsim.report.console import print_summary
from iopsim.report.overview import is_large, most_waited_for
from iopsim.scenario.schema import Scenario

SITES = 20


def system(sites: int = SITES) -> Scenario:
    group = {"days": ["mon", "wed", "fri"], "seats": 12}
    levels = {
        f"site_{at}": {
            "label": f"Site [{at}]",
            "phases": [{"weeks": 8, "days_per_week": 3}],
            "groups": {f"group_{at}": group},
        }
        for at in range(sites)
    }
    sources = {f"calls_{at}": {"to": f"site_{at}", "per_week": 5.0} for at in range(sites)}
    levels |= {"ward": {"places": 4, "stay_days": 9.0, "cost_per_day": 900.0}}
    staff = {"nurse": {"label": "Nurse", "posts": 2}}
    return Scenario.model_validate({"sources": sources, "levels": levels, "staff": staff})


def found(scenario: Scenario) -> list[Estimate]:
    """Every number is 0.5, but as many wait for a site as its number says, and all but one list clear."""
    numbers = {f"site_{at}.waitlist.mean": float(at) for at in range(SITES)}
    numbers |= {f"site_{at}.unresolved.share": 0.0 for at in range(SITES - 1)}
    return [
        Estimate(
            name=name,
            unit=entry.unit_in(scenario),
            better="neither",
            interval=Interval(value, value - 0.1, value + 0.1, 0.1, 4),
        )
        for name, entry in reported(scenario).items()
        for value in [numbers.get(name, 0.5)]
    ]


def printed(scenario: Scenario, width: int) -> list[str]:
    text = io.StringIO()
    print_summary(Console(file=text, width=width), scenario, found(scenario), 4)
    return text.getvalue().splitlines()


@pytest.mark.parametrize("width", [60, 80, 120, 200])
def test_a_line_for_each_site_that_fits_the_terminal(width: int) -> None:
    lines = printed(system(), width)
    assert max(map(len, lines)) <= width
    assert len(lines) < 130
    start = lines.index(f"Levels: {SITES + 1}")
    (site,) = [line for line in lines[start:] if line.startswith("Site [7] ")][:1]
    assert site.split()[2] == "7.00"
    assert ("(6.90 to 7.10)" in site) == (width > 60), "intervals where there is room"
    assert any("summary.csv" in line for line in lines), "where the rest is"


def test_a_program_of_few_levels_keeps_its_table() -> None:
    small = system(3)
    assert not is_large(small)
    assert not any(line.startswith("Levels:") for line in printed(small, 120))


def test_what_limits_is_told_of_those_most_waited_for() -> None:
    scenario = system()
    shown = most_waited_for(scenario, found(scenario), 4)
    assert shown == ["site_16", "site_17", "site_18", "site_19"]
    said = " ".join(printed(scenario, 120)).split("Sources")[1]
    assert "Site [19]: on" in said
    assert "Site [3]: on" not in said
