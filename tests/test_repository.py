"""What stands beside the code agrees with it."""

import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def project():
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def test_the_citation_names_the_version_and_the_licence_of_the_package(project):
    lines = (ROOT / "CITATION.cff").read_text(encoding="utf-8").splitlines()
    assert f"version: {project['version']}" in lines
    assert f"license: {project['license']}" in lines


def test_the_workflow_runs_the_check_on_each_python_that_the_package_declares(project):
    workflow = (ROOT / ".github" / "workflows" / "check.yml").read_text(encoding="utf-8")
    declared = [line.rsplit(" ", 1)[1] for line in project["classifiers"] if re.search(r":: 3\.\d+$", line)]
    assert json.loads(re.search(r"python: (\[.*\])", workflow)[1]) == declared
    assert re.findall(r"- run: (.*)", workflow) == ["bash .ci/run"]


@pytest.mark.parametrize(
    ("packages", "code", "says"),
    [
        ([{"name": "a", "version": "1", "vulns": []}], 0, "1 packages, 0 vulnerabilities"),
        ([{"name": "a", "version": "1", "vulns": [{"id": "PYSEC-1", "fix_versions": ["2"]}]}], 1, "a 1: PYSEC-1"),
        ([{"name": "a", "version": "1", "vulns": []}, {"name": "b", "skip_reason": "unknown"}], 1, "b: unknown"),
        ([{"name": "b", "skip_reason": "unknown"}], 0, "NOT AUDITED"),
    ],
    ids=["clean", "vulnerable", "passed over", "out of reach"],
)
def test_the_audit_fails_on_what_is_vulnerable_or_was_passed_over(packages, code, says):
    audit = [sys.executable, str(ROOT / ".ci" / "audit")]
    done = subprocess.run(
        audit, input=json.dumps({"dependencies": packages}), text=True, capture_output=True, check=False
    )
    assert (done.returncode, says in done.stdout) == (code, True), done.stdout + done.stderr
