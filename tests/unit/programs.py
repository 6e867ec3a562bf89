"""Small programs as scenario files say them."""

BASE = """\
run: {start: 2027-01-04, warm_up_weeks: 10, weeks: 52, run_out_weeks: 10}
tracks: {mood: {}, sud: {}}
sources:
  community: {to: iop, per_week: 5, tracks: {mood: 0.5, sud: 0.5}, times: {day: 0.7, either: 0.3}}
  ward: {to: inpatient, per_week: 2, tracks: {mood: 1}}
levels:
  inpatient:
    places: 20
    stay_days: {lognormal: {mean: 10, cv: 0.75}}
    next: {iop: 0.5, home: 0.5}
    cost_per_day: 1050
  iop:
    phases: [{weeks: 8, days_per_week: 3}]
    caseload: therapist
    groups:
      morning: {days: [mon, wed, fri], seats: 12, facilitators: {therapist: 1}}
staff:
  therapist: {posts: 2, caseload: 12}
"""
TEN_LINES = """\
sources:
  community: {to: iop, per_week: 3}
levels:
  iop:
    phases: [{weeks: 8, days_per_week: 3}]
    groups:
      morning: {days: [mon, wed, fri], seats: 12}
"""
