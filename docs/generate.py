"""Write the reference pages from the program: `python docs/generate.py`; with `--check`, only say which are stale.

`scenario.md` and `sweeps.md` come from the JSON Schemas of the two languages, which take every meaning from their
vocabulary (iopsim/scenario/schema.py, levels.py and sweeps/schema.py) and the laws; `metrics.md` comes from the
registry of metrics; `verification.md` from the tables of the benchmarks (verification.py).
"""

from __future__ import annotations

import inspect
import re
import sys
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

from verification import verification_blocks

from iopsim.measures.registry import registered
from iopsim.scenario.changeable import MAY_BEGIN, MAY_CHANGE
from iopsim.scenario.distributions.families import LAWS
from iopsim.scenario.distributions.law import Continuous
from iopsim.scenario.not_yet import WORDS
from iopsim.scenario.schema import Scenario
from iopsim.scenario.sweeps.schema import Sweep

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from iopsim.measures.registry import Metric
    from iopsim.scenario.distributions import Law

HERE = Path(__file__).parent
ENORMOUS = 1000  # an upper limit from here on only catches slips of the pen
GENERATED = (
    "<!-- Written by docs/generate.py: change the docstrings and descriptions in iopsim/, not this page. -->"
)

Schema = dict[str, Any]  # a JSON Schema


def main(arguments: Sequence[str]) -> int:
    """Write the pages that are stale; with `--check` name them instead, and give 1 if there are any."""
    pages = {
        "scenario.md": scenario_page(),
        "sweeps.md": sweeps_page(),
        "metrics.md": metrics_page(),
        "verification.md": _page(*verification_blocks(_table)),
    }
    stale = {name: text for name, text in pages.items() if _read(HERE / name) != text}
    if "--check" in arguments:
        for name in stale:
            print(f"docs/{name} is stale; run `python docs/generate.py`", file=sys.stderr)
        return int(bool(stale))
    for name, text in stale.items():
        (HERE / name).write_text(text, encoding="utf-8")
        print(f"wrote docs/{name}")
    return 0


def _read(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _page(*blocks: str) -> str:
    return "\n\n".join((GENERATED, *(block.strip() for block in blocks))) + "\n"


def _table(*rows: Sequence[str]) -> str:
    """A Markdown table; the first row is its head."""
    head, *body = [[cell.replace("|", "\\|").replace("\n", " ") for cell in row] for row in rows]
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, ["---"] * len(head), *body))


# ── the scenario language ────────────────────────────────────────────────────────────────────────────────────

LANGUAGE = """
# The scenario language

A scenario is one YAML file. This page lists every word of it. `scenarios/minimal.yaml` is the shortest useful
scenario, `scenarios/baseline.yaml` uses most of the language, and the [tutorial](tutorial.md) shows how to change
one. What the words do in the simulation is said in [model.md](model.md).

## Rules

- Everything has a default unless it is the question itself: `sources`, `levels`, and what is marked *required*.
- The unit is in the key: `_days`, `_weeks`, `_hours`, `_minutes`, `per_week`, `per_year`. Shares are numbers from
  0 to 1. Money is in `currency`.
- Names are yours. They start with a letter a–z and go on with a–z, 0–9 and `_`. A `label` says the same for people.
  `home` is a destination that always exists, `either` a time that always exists.
- An unknown key is an error, and so is a name that is used and defined nowhere. All errors of a file are reported
  at once, with line and column.
- `extends: other.yaml` starts from another file. Mappings merge key by key; lists, laws and tables of shares
  replace what was there; `key: null` removes.
- `--set levels.iop.places=14` on the command line changes one value by the same rules.
- `notes:` maps a dotted path to where its value comes from. `iopsim show --resolved my.yaml` prints a scenario with
  every default filled in.
- Editors that know JSON Schema can complete and check a scenario: `scenarios/scenario.schema.json`.

In the tables, *law* is a number or one of the [laws](#laws). Limits that only catch slips of the pen are left out.
"""

CHANGING = """
## What may change on a date

`changes:` lays values over the scenario from a date on, each at its dotted path:

    changes:
      - {from: 2027-09-06, set: {staff.therapist.posts: 5, levels.iop.groups.mood_day.seats: 14}}

Whatever is decided from that day on goes by the new value; what was decided before stays. A fall in a capacity sends
nobody away: nobody is admitted until there are fewer. Posts that are added are filled on the date by newcomers, who
take patients as their onboarding allows. A change before the opening holds from the beginning, and one after the end
is an error. These values may change, each only where the scenario says one already, but for those marked *, which may
begin on the date. Groups begin and end by their own `from` and `until`, and a source's own `changes` multiply its rate.
"""

FROM_TODAY = """
## Files of patients

A run from today (`from_today`) begins at 0:00 of the day `as_of` with those who are in care, who wait, and who were
referred and have not come to a list yet. Each file is a CSV file with a row for each patient, beside the scenario.
Cells are names or labels of the scenario, whatever the case of their letters; dates are written 2027-01-31, or
2027-01-31 14:30. A column is found by the heading that `columns` gives, or else by the name of the field. A file with
nothing but headings says that nobody is there. Results hold no row, no name and no id of these files, unless
`--name-patients` asks for the ids of those who wait.

    MRN,Level,StartDate,Group,Clinician,Attended,Track
    1007,Intensive outpatient,2026-12-07,mood_day,Kim,9,Mood and anxiety
"""

UNSUPPORTED = """
## Words not supported yet

These words belong to the language and are refused by name, never ignored. `*` stands for any name.
"""

LAWS_INTRO = """
## Laws

A quantity that varies is written as a law: one name with its parameters. A bare number is a quantity that never
varies. `cv` is the coefficient of variation, the standard deviation divided by the mean.

    stay_days: {lognormal: {mean: 10, cv: 0.75, at_most: 60}}
    stay_days: 10
"""

TRUNCATION = """
Every law with a density also takes `at_least` and `at_most`: values outside cannot occur, and the law keeps its form
between them. `mean` and `cv` are those without the cut, so the mean of what is left differs. Laws of days are
never negative.
"""


def scenario_page() -> str:
    """The reference of the scenario language."""
    schema = Scenario.model_json_schema(by_alias=True)
    parts = list(_parts(schema, "", schema["$defs"]))
    sections = [f"## The file\n\n{_prose(schema['description'])}\n\n{_fields(schema)}"]
    for name in dict.fromkeys(name for name, _ in parts):
        part = schema["$defs"][name]
        where = _where([path for other, path in parts if other == name])
        sections.append(f"## {_title(name)}\n\n{_prose(part['description'])}\n\n{where}\n\n{_fields(part)}")
    besides = (
        CHANGING,
        _changing(),
        FROM_TODAY,
        LAWS_INTRO,
        _laws(),
        TRUNCATION,
        UNSUPPORTED,
        _unsupported(),
    )
    return _page(LANGUAGE, *sections, *besides)


def _parts(node: Schema, path: str, parts: Mapping[str, Schema]) -> Iterator[tuple[str, str]]:
    """Every part below a part of the tree with its path, depth first."""
    for key, field in node["properties"].items():
        for name, below in _references(field, f"{path}.{key}".lstrip(".")):
            if name in parts and name.lower() not in LAWS:
                yield name, below
                yield from _parts(parts[name], below, parts)


def _references(field: Schema, path: str) -> Iterator[tuple[str, str]]:
    if "$ref" in field:
        yield field["$ref"].rpartition("/")[2], path
    for form in (*field.get("anyOf", ()), *field.get("oneOf", ())):
        yield from _references(form, path)
    if "items" in field:
        yield from _references(field["items"], f"{path}[…]")
    if isinstance(field.get("additionalProperties"), dict):
        yield from _references(field["additionalProperties"], f"{path}.<name>")


def _where(paths: Sequence[str]) -> str:
    own = [path for path in paths if ".by." not in path] or paths
    varied = "; may be varied under `by`" if len(own) < len(paths) else ""
    return f"At {', '.join(f'`{path}`' for path in own)}{varied}."


def _title(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name).capitalize()


def _prose(docstring: str) -> str:
    """The first line of a docstring as a sentence of the page, with its reference as a link."""
    return docstring.partition("\n")[0].replace("model.md", "[model.md](model.md)")


def _fields(part: Schema) -> str:
    required = part.get("required", ())
    rows = [
        (
            f"`{key}`",
            _type(field),
            _unit(key, field),
            "*required*" if key in required else _default(field),
            field["description"],
        )
        for key, field in part["properties"].items()
    ]
    return _table(("key", "type", "unit", "default", "meaning"), *rows)


def _type(field: Schema) -> str:
    """The type of a field in words."""
    values = field.get("enum") or ([field["const"]] if "const" in field else [])
    forms = [
        form for form in (*field.get("anyOf", ()), *field.get("oneOf", ())) if form.get("type") != "null"
    ]
    if _is_law(field):
        return "[law](#laws)"
    if values or forms:
        return " or ".join([*(f"`{value}`" for value in values), *map(_type, forms)])
    if "$ref" in field:
        title = _title(field["$ref"].rpartition("/")[2])
        return f"[{title}](#{title.lower().replace(' ', '-')})"
    return _plain_type(field)


def _plain_type(field: Schema) -> str:
    match field.get("type"):
        case None:
            return "value"
        case "array":
            least = field.get("minItems")
            times = f"{least} × " if least == field.get("maxItems") and least else ""
            return f"list of {times}{_type(field['items'])}"
        case "object":
            values = field["additionalProperties"]
            return f"by name: {_type(values if isinstance(values, dict) else {})}"
        case "boolean":
            return "`true` or `false`"
        case "string":
            return str(field.get("format", "text"))
        case kind:
            return f"whole {_number(field)}" if kind == "integer" else _number(field)


def _number(field: Schema) -> str:
    words = ["number"]
    for key, word in (("minimum", "from"), ("exclusiveMinimum", "above")):
        words += [f"{word} {field[key]:g}"] if key in field else []
    for key, word in (("maximum", "to"), ("exclusiveMaximum", "to below")):
        words += [f"{word} {field[key]:g}"] if field.get(key, ENORMOUS) < ENORMOUS else []
    return " ".join(words)


def _is_law(field: Schema) -> bool:
    return any(form.get("properties", {}).keys() == LAWS.keys() for form in field.get("anyOf", ()))


def _unit(key: str, field: Schema) -> str:
    """The unit, by the words of the key, which hold it; empty for what is counted or is no quantity."""
    is_law, numbers = _is_law(field), list(_numbers(field))
    if not is_law and not numbers:
        return ""
    per = re.search(r"per_(attended_day|day|week|year|patient)(?:_at_least)?$", key)
    time = re.search(r"(?:^|_)(days|weeks|hours|minutes)(?=_|$)", key)
    if any(min(number.get("maximum", 2), number.get("exclusiveMaximum", 2)) <= 1 for number in numbers):
        what = "share"
    elif re.match(r"cost|salary|overhead|revenue|pay$|below_minimum", key):
        what = "currency"
    else:
        what = time[1] if time else "days" if is_law else ""
    return f"{what} per {per[1].replace('_', ' ')}".strip() if per else what


def _numbers(field: Schema) -> Iterator[Schema]:
    """Every number that a field may hold, itself or by name."""
    if field.get("type") in ("number", "integer"):
        yield field
    below = [*field.get("anyOf", ()), *field.get("oneOf", ()), field.get("additionalProperties")]
    for form in below:
        if isinstance(form, dict):
            yield from _numbers(form)


def _default(field: Schema) -> str:
    if "$ref" in field:
        return "its defaults"
    default = field.get("default")
    if isinstance(default, list) and len(default) > 1 and len(set(default)) == 1:
        return f"{default[0]:g} each"
    return "–" if default is None or default in ("", [], {}) else f"`{_flow(default)}`"


def _flow(value: Any) -> str:
    """A default as a scenario would write it."""
    match value:
        case {"share": share, **rest} if not any(rest.values()):
            return _flow(share)
        case dict():
            return f"{{{', '.join(f'{key}: {_flow(child)}' for key, child in value.items() if child is not None)}}}"
        case list():
            return f"[{', '.join(map(_flow, value))}]"
        case bool():
            return str(value).lower()
        case float():
            return f"{value:g}"
        case _:
            return str(value)


def _laws() -> str:
    rows = [(f"`{name}`", " or ".join(_ways(law)), _about(law)) for name, law in LAWS.items()]
    return _table(("law", "written", "meaning"), *rows)


def _ways(law: type[Law]) -> Iterator[str]:
    """Each set of parameters with which a law can be written."""
    if law.bare:
        yield f"`{law.bare}` alone, or `{{{law.name}: {law.bare}}}`"
        return
    chosen = {key for way in law.ways for key in way}
    always = [
        key
        for key, field in law.parameters().items()
        if key not in chosen and law.model_fields[field].is_required()
    ]
    for way in law.ways or ((),):
        given = [key for key in law.parameters() if key in (*always, *way)]
        yield f"`{{{law.name}: {{{', '.join(f'{key}: …' for key in given)}}}}}`"


def _about(law: type[Law]) -> str:
    cut = Continuous.model_fields
    notes = [
        f"`{key}`: {field.description[:1].lower()}{field.description[1:]}"
        for key, name in law.parameters().items()
        if (field := law.model_fields[name]).description and name not in cut and key != "cv"
    ]
    defaults = [
        f"`{key}` is {field.default:g} unless said"
        for key, name in law.parameters().items()
        if isinstance((field := law.model_fields[name]).default, float)
    ]
    return " ".join([_prose(inspect.getdoc(law) or ""), *(f"{note}." for note in (*notes, *defaults))])


def _changing() -> str:
    rows = [
        (kind, ", ".join(f"`{path}`{'*' * (path in MAY_BEGIN)}" for path in paths))
        for kind, paths in MAY_CHANGE.items()
    ]
    return _table(("kind", "paths"), *rows)


def _unsupported() -> str:
    forms = {"word": "a word", "table": "a table", "list": "a list", "number": "a number or switch"}
    rows = []
    for word, instead in WORDS.items():
        path, _, form = word.partition(":")
        rows.append((f"`{path}`{f' as {forms[form]}' if form else ''}", instead or "leave it out"))
    return _table(("word", "instead"), *rows)


# ── the language of sweeps ───────────────────────────────────────────────────────────────────────────────────

SWEEPS = """
# Sweeps

A sweep simulates many plans that are made of one scenario, and says which of them is the cheapest that meets the
targets. The same patients meet every plan. A sweep is one YAML file beside the scenario:

    base: baseline.yaml
    replications: 20
    parameters:
      staff.therapist.posts: [3, 4, 5, 6]
      levels.iop.groups.*.seats: {min: 8, max: 12, n: 3}
      evening:
        values:
          as it is: {}
          longer: {levels.iop.groups.mood_evening.hours: 4, levels.iop.groups.sud_evening.hours: 4}

`iopsim sweep FILE --dry-run` says how many plans that makes (here 4 × 3 × 2) and how long they take, and
`iopsim sweep FILE` simulates them. `scenarios/sweeps/groups-by-therapists.yaml` is a whole example.

## Rules

- A parameter is a dotted path of the scenario, as in `--set`. A `*` stands for every name that is there, so that
  `levels.iop.groups.*.seats` sets the seats of all groups. The path must exist: a misspelled one is an error that
  names the nearest.
- A parameter whose name has no dot is one of its own: each of its values has a name and says what it sets. `{}` sets
  nothing, `null` removes what is there.
- Values are laid over the scenario by the rules of `extends`. What sets a whole part comes first, what sets something
  in it later, and `*` last, in whatever order the file says it. No two parameters set the same path.
- `method: grid` makes every combination, the first parameter varying slowest; `list` takes the first value of every
  parameter, then the second, and so on; `lhs` (a Latin hypercube) and `sobol` (a scrambled Sobol sequence) spread
  `points` over ranges from `min` to `max`. Which points those are depends on the seed of the scenario, and on nothing
  else.
- Nothing below `run` can be a parameter, for plans are compared over the same patients and weeks. `set` changes it for
  all of them.
- All errors of a file are reported at once, with line and column; a value that the scenario refuses is told where it
  stands in the sweep, once.
- Editors that know JSON Schema can complete and check a sweep: `scenarios/sweeps/sweep.schema.json`.
"""

SWEEP_RESULTS = """
## Results

`results/<sweep>/` gets a folder with

- `sweep.csv`, the tidy table: a row for each point and metric, with its 95 % interval, and the verdict where a target
  stands on it;
- `points.csv`, a row for each point: its verdict over all targets (*met* if all are, *missed* if any is, otherwise
  *undecided*), cost and wait;
- `frontier.csv`, the same of the points that no other beats in both cost and wait, by their estimates;
- `sweep.resolved.yaml` and `base.resolved.yaml`, which together are the sweep with all its defaults: `iopsim sweep`
  reads them again;
- `figures/`: for two parameters a map of every metric with a target, for one parameter (or a second one with few
  values) lines with their intervals, and cost against wait.

The answer names the cheapest point that meets all targets and the next one, with the difference of their costs. It is
taken replication by replication, since the same patients met both. Where points are undecided, it says about how many
replications may decide.
"""


def sweeps_page() -> str:
    """The reference of the language of sweeps."""
    schema = Sweep.model_json_schema(by_alias=True)
    parameter = schema["$defs"]["Parameter"]
    words = "At `parameters.<name>`; a bare list says only `values`."
    fields = re.sub(r"\]\(#(?!parameter\))", "](scenario.md#", _fields(schema))
    return _page(
        SWEEPS,
        f"## The file\n\n{_prose(schema['description'])}\n\n{fields}",
        f"## Parameter\n\n{_prose(parameter['description'])}\n\n{words}\n\n{_fields(parameter)}",
        SWEEP_RESULTS,
    )


# ── the metrics ──────────────────────────────────────────────────────────────────────────────────────────────

METRICS = """
# Metrics

Every number that a run reports, with what it means. `iopsim metrics wait_days` explains one on the command line,
and `iopsim metrics scenarios/baseline.yaml` lists all full names of a scenario.

A full name is the pattern with names of the scenario in place of `<…>`, then a dot and a statistic:
`iop.wait_days.p90`. What stands in square brackets may be left out: `iop.mood.wait_days.p90` is the same for one
track. `<missing>` is `seat`, a caseload role such as `therapist`, a role whose appointment admission waits for,
`authorization`, several of them as in `seat_and_therapist`, or else `intake`, `treatment` or `order`. A metric exists
only where it makes sense: a level without groups has no attendance by session, and a level whose list has no limit
refuses nobody.

The window is the measured weeks. In the definitions, S are the stays whose care starts in the window. Those who
are referred, join the waitlist or start care in the window are followed through the run-out.

Every estimate has a 95 % interval, which narrows as replications are added:

- Totals, averages over time and maxima: each replication gives one number, and the estimate is their mean, with
  Student's t.
- Shares, means of waits and stays, and money per day, episode or referral: a sum over all replications divided by
  another, with a jackknife that leaves out one replication at a time.
- `p50`, `p90`, `p95`: percentiles of the observations of all replications together, with a jackknife. A percentile p
  is left blank below 10 ÷ (1 − p) observations: 20, 100 and 200 of them.
"""


def metrics_page() -> str:
    """The reference of the metrics, by the module that computes them."""
    metrics = list(registered().values())
    sections = []
    for module in dict.fromkeys(map(_module, metrics)):
        title, _, about = (sys.modules[module].__doc__ or "").partition("\n")[0].partition(": ")
        listed = _metrics(metric for metric in metrics if _module(metric) == module)
        sections.append(f"## {title}\n\n{about[:1].upper()}{about[1:]}\n\n{listed}")
    return _page(METRICS, *sections)


def _module(metric: Metric) -> str:
    compute: Any = metric.compute
    return str(getattr(compute, "func", compute).__module__)


def _metrics(metrics: Iterable[Metric]) -> str:
    """The table of some metrics; neighbors that differ in their pattern only share a row."""
    rows = []
    for (statistics, unit, better, definition), alike in groupby(metrics, key=_said):
        patterns = "<br>".join(f"`{metric.pattern}`" for metric in alike)
        rows.append((patterns, ", ".join(f"`{one}`" for one in statistics), unit, better, definition))
    return _table(("pattern", "statistics", "unit", "better", "definition"), *rows)


def _said(metric: Metric) -> tuple[tuple[str, ...], str, str, str]:
    unit, better = metric.unit.replace("{currency}", "currency"), metric.better.replace("neither", "")
    return metric.statistics, unit, better, metric.definition


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
