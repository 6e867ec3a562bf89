"""Arithmetic before a run: what is asked of every pool and role, and what cannot work out.

`assess` balances the flows of patients, in means, and sets them against what there is. It knows no waiting: the
*offered load* is what would come if nobody gave up, was refused, held a place or waited for one.

    fates         what becomes of one stay: how it ends, how many days and sessions it takes
    doors         who is lost or denied between coming to a level and being admitted
    flows         how many come, from the sources through next, step-up, dropout, returns and whoever is sent elsewhere
    timetable     sessions held in a week, working days, phases under the minimum week
    posts         posts filled on average, as people leave, are hired and learn
    pool          what a pool is; pools puts together places, caseloads, seats (with the starts of cohorts) and
                  appointments: asked for against there
    work          hours of each role: expected against bookable
    facilitation  facilitators at the same time, patients per clinician
    unused, idle  parts of the scenario that nobody uses, and words that change nothing
    earnings      days that earn nothing, and tiers that no day reaches
    today         where a run from today begins: more patients than places
    dates         what holds from a dated change on, and what holds all the time
    targets       targets that the above rules out
"""

from iopsim.scenario.plausible.assessment import Plausibility, assess, unsteady, warnings
from iopsim.scenario.plausible.finding import Finding
from iopsim.scenario.plausible.pool import Pool
from iopsim.scenario.plausible.work import Hours

__all__ = ["Finding", "Hours", "Plausibility", "Pool", "assess", "unsteady", "warnings"]
