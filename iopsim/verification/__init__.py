"""Cases whose answer theory knows exactly: what `iopsim verify` simulates and compares.

- `cases/*.yaml`: a scenario file for each, as a planner would write it;
- `waiting.py`, `sharing.py`, …: by theme, what theory says of it, a function from the scenario to its claims;
- `given.py`: what a scenario gives theory to compute with;
- `observed.py`: one replication as a case sees it, its ledger and the metrics that are reported;
- `case.py`: a case, a claim, and the list of all cases;
- `judge.py`: replications to estimates, and whether they agree.
"""
