"""A comparison as JUnit reads test results: a suite for each candidate, a case for each run."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Sequence

from llmctl.compare.shape import Candidate, Comparison, Trial
from llmctl.output.terminal import safe

# XML 1.0 has no way to write these, not even escaped.
_ILLEGAL = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
LONGEST = 2000  # characters of an answer that did not pass


def junit(comparison: Comparison) -> str:
    """XML. A run that failed is an error, an answer that misses a check a failure; a candidate that
    was refused has one skipped case. Warm-ups are no cases. Times are what users waited, seconds.
    """
    root = ET.Element("testsuites", name="llmctl compare")
    for at, candidate in enumerate(comparison.candidates):
        trials = [one for one in comparison.measured if one.candidate == at]
        _suite(root, comparison, candidate, trials)
    _summed(root, list(root))
    ET.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + ET.tostring(root, "unicode") + "\n"


def _suite(
    root: ET.Element, comparison: Comparison, candidate: Candidate, trials: Sequence[Trial]
) -> None:
    name = legal(candidate.name)
    suite = ET.SubElement(root, "testsuite", name=name, timestamp=comparison.started_at[:19])
    if candidate.refused is not None:
        case = ET.SubElement(suite, "testcase", name="refused", classname=name, time="0")
        ET.SubElement(case, "skipped", message=legal(candidate.refused.message))
    for trial in sorted(trials, key=lambda one: (one.case, one.repeat)):
        _case(suite, comparison, name, trial)
    _counted(suite)


def _counted(suite: ET.Element) -> None:
    cases = suite.findall("testcase")
    suite.set("tests", str(len(cases)))
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(sum(case.find(kind) is not None for case in cases)))
    suite.set("time", f"{sum(float(case.get('time', 0)) for case in cases):.3f}")


def _summed(root: ET.Element, suites: Sequence[ET.Element]) -> None:
    for name in ("tests", "failures", "errors", "skipped"):
        root.set(name, str(sum(int(suite.get(name, 0)) for suite in suites)))
    root.set("time", f"{sum(float(suite.get('time', 0)) for suite in suites):.3f}")


def _case(suite: ET.Element, comparison: Comparison, name: str, trial: Trial) -> None:
    given = comparison.cases[trial.case]
    number = f" [{trial.repeat}]" if comparison.repeat > 1 else ""
    latency = trial.receipt.latency
    waited = latency.waited_s + (latency.auth_s or 0.0) + (latency.total_s or 0.0)
    case = ET.SubElement(
        suite, "testcase", name=legal(given.id) + number, classname=name, time=f"{waited:.3f}"
    )
    error = trial.receipt.error
    missed = [mark for mark in trial.marks if not mark.passed]
    if error is not None:
        ET.SubElement(case, "error", type=legal(error.code), message=legal(error.message))
    elif missed:
        checks = ", ".join(mark.check for mark in missed)
        failure = ET.SubElement(case, "failure", type="check-failed", message=legal(checks))
        reasons = [f"{mark.check}: {mark.why}" if mark.why else mark.check for mark in missed]
        failure.text = legal("\n".join(reasons) + "\n\n" + trial.receipt.text[:LONGEST])


def legal(text: str) -> str:
    """Without the characters that cannot stand in XML, and with those that drive a terminal made
    visible: logs of tests are printed."""
    return _ILLEGAL.sub("", safe(_ILLEGAL.sub("", text)))
