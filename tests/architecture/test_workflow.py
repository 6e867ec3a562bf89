"""The example workflow is one: its commands exist, its jobs hand each other what they need, and it may do little."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import click
import pytest
from ruamel.yaml import YAML

from iopsim.cli import program

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / ".github" / "workflows" / "sweep.yml"
WORKFLOW: dict[str, Any] = YAML(typ="safe").load(FILE.read_text(encoding="utf-8"))
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
STEPS = [step for job in JOBS.values() for step in job["steps"]]
EXPRESSION = re.compile(r"\$\{\{ *(.*?) *\}\}")
SHARDS = JOBS["shard"]["strategy"]["matrix"]["shard"]


def filled_in(text: str, shard: int = 1) -> str:
    """A command with the workflow's expressions and environment put in, as the runner does it."""
    known = {"matrix.shard": str(shard), "strategy.job-total": str(len(SHARDS))}
    text = EXPRESSION.sub(lambda found: known[found[1]], text)
    return re.sub(r"\$(\w+)", lambda found: environment()[found[1]], text)


def environment() -> dict[str, str]:
    """What `env` holds where no input is given: the other side of each `||`."""
    found = {}
    for name, value in WORKFLOW["env"].items():
        expression = EXPRESSION.fullmatch(value)
        assert expression, value
        given, default = expression[1].split(" || ")
        assert given.removeprefix("inputs.") in WORKFLOW["on"]["workflow_dispatch"]["inputs"]
        found[name] = default.strip("'")
    return found


def commands(job: str, shard: int = 1) -> list[list[str]]:
    """The words after `iopsim` of each command of a job."""
    lines = [line.strip() for step in JOBS[job]["steps"] for line in step.get("run", "").splitlines()]
    return [shlex.split(filled_in(line, shard))[1:] for line in lines if line.startswith("iopsim ")]


def parse(words: list[str]) -> dict[str, Any]:
    """What click understands of a command line, subcommands too."""
    command: click.Command = program
    context = program.make_context("iopsim", list(words))
    while isinstance(command, click.Group):
        name, *words = words
        found = command.get_command(context, name)
        assert found is not None, f"no command {name}"
        command, context = found, found.make_context(name, list(words), parent=context)
    return context.params


def used(job: str, action: str) -> list[dict[str, Any]]:
    """What a job gives to each use of an action."""
    return [step["with"] for step in JOBS[job]["steps"] if step.get("uses", "").split("@")[0] == action]


def test_every_command_exists_with_its_options() -> None:
    told = [words for job in JOBS for words in commands(job)]
    assert [words[0] for words in told] == ["sweep", "merge", "cache", "check"]
    for words in told:
        parse(words)


@pytest.mark.parametrize(
    "wrong", ["iopsim swep x.yaml", "iopsim check answer --junit", "iopsim cache clear --old"]
)
def test_a_command_that_does_not_exist_is_noticed(wrong: str) -> None:
    with pytest.raises((click.UsageError, AssertionError)):
        parse(shlex.split(wrong)[1:])


def test_the_shards_are_all_parts_of_one_whole() -> None:
    parts = [parse(commands("shard", shard)[0])["shard"] for shard in SHARDS]
    assert parts == [(number, len(SHARDS)) for number in range(1, len(SHARDS) + 1)]
    assert JOBS["shard"]["strategy"]["fail-fast"] is False


def test_what_a_job_uploads_is_what_the_next_one_joins() -> None:
    (sweep,), (merge, _, check) = commands("shard"), commands("answer")
    (shard,), (answer,) = used("shard", "actions/upload-artifact"), used("answer", "actions/upload-artifact")
    (download,) = used("answer", "actions/download-artifact")
    assert JOBS["answer"]["needs"] == "shard"
    assert shard["path"] == str(parse(sweep)["out"])
    assert re.fullmatch(download["pattern"].replace("*", ".*"), filled_in(shard["name"]))
    assert merge[1:3] == [sweep[1], f"{download['path']}/*"]
    written = [str(parse(merge)["out"]), str(parse(check)["junit_xml"])]
    assert check[1] == written[0]
    assert answer["path"].split() == written


def test_replications_are_kept_from_run_to_run_whatever_the_verdict() -> None:
    (saved,) = used("answer", "actions/cache/save")
    restored = [used(job, "actions/cache/restore")[0] for job in JOBS]
    assert {cache["path"] for cache in (saved, *restored)} == {"results/.cache"}
    assert {"github.run_id", "github.run_attempt"} <= set(EXPRESSION.findall(saved["key"]))
    assert all(saved["key"].startswith(cache["restore-keys"]) for cache in restored)
    steps = [step.get("run", step.get("uses", "")) for step in JOBS["answer"]["steps"]]
    order = [
        next(i for i, step in enumerate(steps) if word in step)
        for word in ("iopsim merge", "save", "iopsim check")
    ]
    assert order == sorted(order)


def test_the_answer_is_uploaded_also_when_a_target_is_missed() -> None:
    last = JOBS["answer"]["steps"][-1]
    assert (last["uses"].split("@")[0], last["if"]) == ("actions/upload-artifact", "always()")


def test_the_files_that_are_named_exist() -> None:
    given = WORKFLOW["on"]["workflow_dispatch"]["inputs"]["sweep"]["default"]
    assert set(environment().values()) == {given}
    assert (ROOT / given).is_file()
    for pattern in WORKFLOW["on"]["pull_request"]["paths"]:
        assert any(ROOT.glob(pattern.replace("**", "**/*"))), pattern
    installs = [step["run"] for step in STEPS if step.get("run", "").startswith("pip install")]
    assert installs == ["pip install -c constraints.txt ."] * len(JOBS)


def test_actions_are_githubs_own_and_pinned_to_a_major_version() -> None:
    uses = [step["uses"] for step in STEPS if "uses" in step]
    assert all(re.fullmatch(r"actions/[a-z/-]+@v\d+", action) for action in uses)
    versions = {action.split("@")[0]: set() for action in uses}  # type: dict[str, set[str]]
    for action in uses:
        versions[action.split("@")[0]].add(action)
    assert [sorted(found) for found in versions.values() if len(found) > 1] == []


def test_the_workflow_may_read_and_no_more() -> None:
    assert WORKFLOW["permissions"] == {"contents": "read"}
    assert not any("permissions" in job for job in JOBS.values())
    assert all(job["timeout-minutes"] <= 60 for job in JOBS.values())


def test_what_people_type_never_becomes_part_of_a_command() -> None:
    for step in STEPS:
        expressions = EXPRESSION.findall(step.get("run", ""))
        assert set(expressions) <= {"matrix.shard", "strategy.job-total"}
        assert all(f'"${name}"' in step["run"] for name in re.findall(r"\$(\w+)", step.get("run", "")))
