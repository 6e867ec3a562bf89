"""Exact answers of queueing theory, which simulation results are compared with (model.md §11).

Rates are per day and times are in days. Files are imported by name, so that the light ones stay light:

    erlang         Erlang B and C; M/M/c and M/G/c/c (pure Python, light enough for start-up)
    abandonment    Erlang A: M/M/c with exponential patience
    infinite       M/G/∞: steady, after an opening, and with a rate that changes in steps
    priorities     Cobham: mean waits of priority classes
    deterministic  fixed stays (M/D/c) and closed cohorts (bulk service)
    chains         any finite Markov chain, in the long run or some days on; places held; holders who swap
    continuum      up to three levels that step down, step up, hold places and swap
    stays          restricted means, runs of missed sessions, the wait to the next session (pure Python)
    integrals      areas under survival functions, jumps included (pure Python)
"""
