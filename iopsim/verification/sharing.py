"""Patients of several kinds who share places or therapists: whose turn it is, and what limits."""

from __future__ import annotations

from typing import TYPE_CHECKING

from iopsim.model.ledger import Fact
from iopsim.theory.chains import Unit
from iopsim.theory.erlang import mmc
from iopsim.theory.priorities import cobham
from iopsim.theory.tracks import shared_caseload
from iopsim.verification.case import Claim, case
from iopsim.verification.given import caseload, per_day, places, places_of_tracks, stay
from iopsim.verification.observed import mean_days, metric

if TYPE_CHECKING:
    from collections.abc import Iterator

    from iopsim.scenario.schema import Scenario


@case("three-classes", "Three classes of priority (Cobham)", replications=60)
def three_classes(scenario: Scenario) -> Iterator[Claim]:
    """Who goes first waits least, and nobody is put out; sources are listed in the order of their classes."""
    rates = {source: per_day(scenario, source) for source in scenario.sources}
    waits = cobham(list(rates.values()), stay(scenario).mean, places(scenario))
    for source, wait_days in zip(rates, waits, strict=True):
        waited = mean_days(f"mean wait of {source}", Fact.JOINED, Fact.STARTED, origin=source)
        yield Claim(wait_days, waited, precision=0.04)
    waiting = sum(rate * wait_days for rate, wait_days in zip(rates.values(), waits, strict=True))
    yield Claim(waiting, metric("clinic.waitlist.mean"), precision=0.04)


@case("joint-limit", "A place and a therapist with room: M/M/min", replications=110)
def joint_limit(scenario: Scenario) -> Iterator[Claim]:
    """The smaller of the two is the limit, and is what is said to hold people back."""
    for source, spec in scenario.sources.items():
        level, role = spec.to, scenario.levels[spec.to].caseload
        beds, room = places(scenario, level), caseload(scenario, level)
        exact = mmc(per_day(scenario, source), stay(scenario, level).mean, min(beds, room))
        yield Claim(exact.mean_wait_days, metric(f"{level}.wait_days.mean"))
        yield Claim(exact.mean_waiting, metric(f"{level}.waitlist.mean"))
        yield Claim(exact.utilization * min(beds, room), metric(f"{level}.census.mean"))
        missing = "seat" if beds < room else role
        yield Claim(1.0, metric(f"{level}.held_back_by.{missing}.share"))


@case("two-tracks", "Two tracks with places of their own, on shared therapists", replications=30)
def two_tracks(scenario: Scenario) -> Iterator[Claim]:
    """The first who could start is admitted: a small Markov chain."""
    level = scenario.levels["clinic"]
    track_of = {name: next(iter(source.tracks or {})) for name, source in scenario.sources.items()}
    rates = {track: per_day(scenario, name) for name, track in track_of.items()}
    beds = places_of_tracks(scenario)
    tracks = [
        Unit(arrivals_per_day=rates[track], mean_stay_days=stay(scenario).mean, places=beds[track])
        for track in beds
    ]
    at_most = level.waitlist.at_most
    assert isinstance(at_most, int), "one cap for all"
    for track, exact in zip(beds, shared_caseload(tracks, caseload(scenario), at_most), strict=True):
        yield Claim(exact.mean_wait_days, metric(f"clinic.{track}.wait_days.mean"))
        yield Claim(exact.refused_share, metric(f"clinic.{track}.lost.refused.share"))
        yield Claim(exact.waiting, metric(f"clinic.{track}.waitlist.mean"))
        yield Claim(exact.census, metric(f"clinic.{track}.census.mean"))
