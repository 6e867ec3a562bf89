"""Write health-system.yaml: twenty sites, each with the program of baseline.yaml, that share beds upstream.

    python scenarios/health_system.py

Sites follow the rules of baseline.yaml and beds those of continuum.yaml, numbers and sources included; only what is
said here differs: how many there are, how large they are, who sends whom where, and that a bed asks for the next place
when its stay is over, not before: so beds wait for sites.
"""

from __future__ import annotations

from copy import deepcopy
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from iopsim.scenario.file import dump, parse
from iopsim.scenario.tree import plain

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER = Path(__file__).resolve().parent
TARGET = FOLDER / "health-system.yaml"
HEAD = """\
# Twenty outpatient sites of one health system, which share withdrawal, residential and inpatient beds.
#     iopsim run scenarios/health-system.yaml
# Written by `python scenarios/health_system.py`: change that file, or baseline.yaml and continuum.yaml, not this one.
"""
Tree = dict[str, Any]


class Size(NamedTuple):
    """How large a site is; `groups` are those that differ from the baseline's, None for one that is not there."""

    calls_per_week: float
    php_referrals_per_week: float
    therapists: int
    php_places: int
    groups: Mapping[str, Tree | None] = {}


BOTH: Tree = {"tracks": ["mood", "sud"], "hours": 3, "seats": 12}
EVENING = {**BOTH, "time": "evening", "days": ["mon", "tue", "thu"], "start": "17:30"}
NOON = {**BOTH, "time": "day", "days": ["mon", "wed", "fri"], "start": "12:30"}
SMALL = Size(7.5, 0.75, 3, 6, {"mood_evening": None, "sud_evening": None, "evening": EVENING})
MEDIUM = Size(10, 1, 4, 8)
LARGE = Size(12.5, 1.25, 5, 10, {"noon": NOON})
SITES = {
    "ashland": SMALL, "bayside": SMALL, "brookfield": MEDIUM, "cedar": SMALL, "downtown": LARGE,
    "eastgate": MEDIUM, "fairview": SMALL, "glenwood": SMALL, "harbor": LARGE, "hillcrest": MEDIUM,
    "lakeside": SMALL, "maple": SMALL, "midtown": MEDIUM, "northgate": MEDIUM, "oakdale": SMALL,
    "parkway": SMALL, "riverside": MEDIUM, "southside": SMALL, "summit": MEDIUM, "westgate": LARGE,
}  # fmt: skip

REFERRALS = {"emergency": 100, "withdrawal": 25, "primary_care": 80}  # a week, from all around
BEDS = {"detox": 24, "residential": 24, "inpatient": 190}
OF_A_SITE = (
    "group_therapy",
    "individual_therapy",
    "family_therapy",
    "skills_training",
)  # by its own therapists
AS_THERE = "as in {}.yaml, where each number has its source or says that it is an assumption"


def health_system(baseline: Tree, continuum: Tree) -> Tree:
    """The whole scenario as plain values."""
    own = [f"{site}_{level}" for site in SITES for level in ("php", "iop")]
    whole = {
        **deepcopy(baseline),
        "name": "health_system",
        "description": f"{len(SITES)} sites with IOP and PHP that share withdrawal, residential and inpatient beds.",
        "run": {**baseline["run"], "replications": 4},
        "sources": {
            name: {**(continuum["sources"] | baseline["sources"])[name], "per_week": number}
            for name, number in REFERRALS.items()
        },
        "levels": {name: _beds(continuum, name) for name in BEDS},
        "staff": {},
        "services": {},
        "notes": _notes(baseline, continuum),
    }
    for site, size in SITES.items():
        _open(whole, baseline, site, size)
    whole["levels"]["outpatient"] = baseline["levels"]["outpatient"]
    for name, role in baseline["staff"].items():
        if name not in {"therapist", "intake"}:
            whole["staff"][name] = {**role, "posts": len(SITES) * role["posts"]}
    for name, service in baseline["services"].items():
        if name not in OF_A_SITE:
            whole["services"][name] = {
                **service,
                "levels": [level for level in own if level.endswith("_iop")],
            }
    for payer in whole["payers"].values():
        if "authorization" in payer:
            payer["authorization"]["levels"] = own
    money = whole["money"]
    money["revenue"] = {level: money["revenue"]["iop"] for level in own if level.endswith("_iop")}
    money["inpatient_alternative"]["for"] = [f"{site}_community" for site in SITES]
    whole["targets"] = [
        {**target, "metric": f"{site}_{target['metric']}"}
        for site in SITES
        for target in baseline["targets"][:1]
    ]
    return whole


def _open(whole: Tree, baseline: Tree, site: str, size: Size) -> None:
    """Add one site: its sources, levels, staff, and the services that its own staff give."""
    sources, levels, services = (deepcopy(baseline[part]) for part in ("sources", "levels", "services"))
    label, iop, php = site.title(), levels["iop"], levels["php"]
    community = {"label": f"{label}: community", "to": f"{site}_iop", "per_week": size.calls_per_week}
    php_direct = {
        "label": f"{label}: direct PHP",
        "to": f"{site}_php",
        "per_week": size.php_referrals_per_week,
    }
    whole["sources"][f"{site}_community"] = {**sources["community"], **community}
    whole["sources"][f"{site}_php_direct"] = {**sources["php_direct"], **php_direct}
    php |= {"label": f"{label} PHP", "places": size.php_places, "next": _sited(php["next"], site)}
    groups = {name: group for name, group in (iop["groups"] | dict(size.groups)).items() if group}
    iop |= {
        "label": f"{label} IOP",
        "caseload": f"{site}_therapist",
        "intake": {**iop["intake"], "role": f"{site}_intake"},
        "groups": {
            f"{site}_{name}": {**group, "facilitators": {f"{site}_therapist": 1}}
            for name, group in groups.items()
        },
    }
    upstream = dict.fromkeys((*BEDS, f"{site}_php", "returned"), 1)
    iop["waitlist"]["priority"] = {**upstream, f"{site}_community": 2}
    iop["leave_early"]["step_up"]["to"] = _sited(iop["leave_early"]["step_up"]["to"], site)
    iop["returns"]["to"] = f"{site}_iop"
    whole["levels"] |= {f"{site}_php": php, f"{site}_iop": iop}
    for role, posts in (("therapist", size.therapists), ("intake", 1)):
        spec = baseline["staff"][role]
        whole["staff"][f"{site}_{role}"] = {
            **spec,
            "label": f"{label}: {spec['label'].lower()}",
            "posts": posts,
        }
    for name in OF_A_SITE:
        service = {**services[name], "levels": [f"{site}_iop"], "role": f"{site}_therapist"}
        whole["services"][f"{site}_{name}"] = service


def _sited(shares: Tree, site: str) -> Tree:
    """Shares of destinations, of which PHP and IOP are those of the site."""
    return {f"{site}_{name}" if name in {"php", "iop"} else name: share for name, share in shares.items()}


def _beds(continuum: Tree, name: str) -> Tree:
    """A level that all sites share: its patients step down to PHP and IOP of every site."""
    level: Tree = deepcopy(continuum["levels"][name])
    del level["refer_before_days"]
    level["next"] = {
        place: share for to, whole in level["next"].items() for place, share in _everywhere(to, whole).items()
    }
    growth = BEDS[name] / level["places"]
    level["places"], level["waitlist"]["at_most"] = BEDS[name], round(growth * level["waitlist"]["at_most"])
    if priority := level["waitlist"].get("priority"):
        level["waitlist"]["priority"] = {
            place: rank for to, rank in priority.items() for place in _everywhere(to)
        }
    if returns := level.get("returns"):
        returns["from"] = [place for place in returns["from"] if place != "continuing"]
    return level


def _everywhere(name: str, share: float = 1.0) -> dict[str, float]:
    """The PHP or IOP of every site with its part of a share, by size; any other level with all of it."""
    if name not in {"php", "iop"}:
        return {name: share}
    therapists = sum(size.therapists for size in SITES.values())
    return {f"{site}_{name}": round(share * size.therapists / therapists, 8) for site, size in SITES.items()}


def _notes(baseline: Tree, continuum: Tree) -> dict[str, str]:
    """Where each number comes from: the notes of the file that has it, and those about the sizes."""
    there, upstream = AS_THERE.format("baseline"), AS_THERE.format("continuum")
    roles = ("therapist", "intake")
    shared = (
        "calendar.",
        "payers.",
        "money.benefits",
        "money.overhead",
        "money.inpatient_alternative",
        "targets",
    )
    notes = {about: note for about, note in baseline["notes"].items() if about.startswith(shared)}
    notes |= {
        "run": there,
        "money.revenue": there,
        "sources.emergency": f"{there}; referrals a week: assumption, fill the beds to about 90 %",
        "sources.withdrawal": f"{upstream}; referrals a week: assumption, fill the beds to 80-90 %",
        "sources.primary_care": f"{upstream}; referrals a week: assumption, four a site",
        **{
            f"levels.{name}": f"{upstream}; number of beds, and how many may wait: assumption"
            for name in BEDS
        },
    }
    for site in SITES:
        notes |= {
            f"sources.{site}_community": f"{there}; calls a week by the site's size: assumption",
            f"sources.{site}_php_direct": f"{there}; referrals a week by the site's size: assumption",
            f"levels.{site}_php": f"{there}; places by the site's size: assumption",
            f"levels.{site}_iop": f"{there}; seats and groups by the site's size: assumption",
            **{f"staff.{site}_{role}": baseline["notes"][f"staff.{role}"] for role in roles},
            **{f"services.{site}_{name}": baseline["notes"][f"services.{name}"] for name in OF_A_SITE},
        }
    others = ("levels.outpatient.", "staff.", "services.")
    kept = {*(f"staff.{role}" for role in roles), *(f"services.{name}" for name in OF_A_SITE)}
    notes |= {
        about: note
        for about, note in baseline["notes"].items()
        if about.startswith(others) and about not in kept
    }
    return notes


def text() -> str:
    """The file, made of baseline.yaml and continuum.yaml."""
    trees = [
        plain(parse((FOLDER / name).read_text(encoding="utf-8"), name))
        for name in ("baseline.yaml", "continuum.yaml")
    ]
    return HEAD + dump(health_system(*trees))


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
