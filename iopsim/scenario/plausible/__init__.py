"""Arithmetic before a run: what is asked of every pool and role, and what cannot work out.

`assess` balances the flows of patients, in means, and sets them against what there is. It knows no waiting: the
*offered load* is what would come if nobody gave up, was refused, held a place or waited for one.

    fates      what becomes of one stay: how it ends, how many days and sessions it takes
    flows      how many such stays begin, from the sources through next, step-up, dropout and returns
    timetable  sessions held in a week, facilitators at the same time, phases under the minimum week
    pools      places, seats and caseloads: asked for against there
    work       hours of each role: expected against bookable
    unused     parts of the scenario that nobody uses
    targets    targets that the above rules out
"""

from iopsim.scenario.plausible.assessment import Plausibility, assess, unsteady, warnings
from iopsim.scenario.plausible.finding import Finding
from iopsim.scenario.plausible.pools import Pool
from iopsim.scenario.plausible.work import Hours

__all__ = ["Finding", "Hours", "Plausibility", "Pool", "assess", "unsteady", "warnings"]
