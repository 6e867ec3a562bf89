"""Exact answers of queueing theory, which simulation results are compared with (model.md §11).

Rates are per day and times are in days. Files are imported by name, so that the light ones stay light:

    erlang         Erlang B and C; M/M/c and M/G/c/c (pure Python, light enough for start-up)
    abandonment    Erlang A: M/M/c with exponential patience
    losses         M/M/c/c whose places change on a day: the transient
    infinite       M/G/∞: steady, after an opening, and with a rate that changes in steps
    priorities     Cobham: mean waits of priority classes
    tracks         places by track, on therapists that all tracks share
    deterministic  fixed stays (M/D/c) and closed cohorts (bulk service)
    chains         any finite Markov chain, in the long run or some days on; places held; holders who swap
    continuum      up to three levels that step down, step up, hold places and swap
    networks       levels among which patients go by chance: how often each is visited (Jackson)
    stays          restricted means, weekly shares, runs of missed sessions, the wait to the next session (pure Python)
    integrals      areas under survival functions, jumps included (pure Python)
"""
