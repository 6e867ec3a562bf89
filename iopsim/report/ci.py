"""Verdicts in the forms that continuous integration reads: JUnit XML, a job summary, annotations.

None holds a time or a place, so the same verdicts give the same bytes.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING

from iopsim.report.judgment import tally
from iopsim.report.markdown import escaped, table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from xml.etree.ElementTree import Element

    from iopsim.report.judgment import Case, Suites

__all__ = ["job_summary", "junit_xml", "workflow_commands"]

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_ANNOTATIONS = {"missed": "error", "undecided": "warning"}
_SHOWN = 10  # annotations of one kind that GitHub shows of a step


def junit_xml(suites: Suites) -> str:
    """A JUnit report: a suite for each results folder, a test case for each target.

    A missed target is a `failure`. An undecided one is an `error` of type `undecided`: the test came to no end, more
    replications would bring it there.

    Source: the schema of the xUnit plugin of Jenkins (junit-10.xsd), which GitLab and others read as well.
    """
    from xml.etree.ElementTree import Element, SubElement, indent, tostring

    root = Element("testsuites", _counts([case for cases in suites.values() for case in cases]))
    for title, cases in suites.items():
        attributes = {"name": _clean(title), **_counts(cases), "skipped": "0", "time": "0"}
        suite = SubElement(root, "testsuite", attributes)
        suite.extend(_test_case(title, case) for case in cases)
    indent(root)
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{tostring(root, encoding="unicode")}\n'


def job_summary(suites: Suites, more: str = "") -> str:
    """The verdicts in Markdown: a table for each results folder; `more` Markdown follows them."""
    sections = [
        f"### {escaped(title)}: {tally(cases)}\n\n"
        + table(["target", "verdict", "found"], [(case.name, case.verdict, case.message) for case in cases])
        for title, cases in suites.items()
    ]
    return "\n\n".join([*sections, more]).strip() + "\n"


def workflow_commands(suites: Suites) -> Iterator[str]:
    """Annotations as GitHub's workflow commands: an error for each missed target, a warning for each undecided one.

    GitHub shows ten of a kind; where there are more, the tenth names the rest.
    """
    for verdict, kind in _ANNOTATIONS.items():
        told = [
            (f"{title}: {case.name} {verdict}", case.message)
            for title, cases in suites.items()
            for case in cases
            if case.verdict == verdict
        ]
        if len(told) > _SHOWN:
            rest = [name for name, _ in told[_SHOWN - 1 :]]
            told[_SHOWN - 1 :] = [(f"{len(rest)} more", "\n".join(rest))]
        for name, message in told:
            title = _command_data(name).replace(":", "%3A").replace(",", "%2C")
            yield f"::{kind} title={title}::{_command_data(message)}"


def _counts(cases: Sequence[Case]) -> dict[str, str]:
    number = Counter(case.verdict for case in cases)
    counts = {"tests": len(cases), "failures": number["missed"], "errors": number["undecided"]}
    return {name: str(count) for name, count in counts.items()}


def _test_case(suite: str, case: Case) -> Element:
    from xml.etree.ElementTree import Element, SubElement

    name, message = _clean(case.name), _clean(case.message)
    found = Element("testcase", {"classname": _clean(suite), "name": name, "time": "0"})
    if case.verdict == "met":
        SubElement(found, "system-out").text = message
    else:
        kind = "failure" if case.verdict == "missed" else "error"
        why = SubElement(found, kind, {"type": case.verdict, "message": message})
        why.text = f"{name}: {message}"
    return found


def _clean(text: str) -> str:
    """The text with a replacement for each character that XML cannot hold, escaped or not."""
    return _NOT_IN_XML.sub("\ufffd", text)


def _command_data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
