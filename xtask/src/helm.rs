//! `cargo xtask helm`: the Helm chart, rendered by Helm and looked at.

use anyhow::Result;

use crate::python::Environment;
use crate::workspace::{Binaries, Workspace};
use crate::{process, ui};

/// Renders the chart with several sets of values; fails when one is not as it should be.
pub(crate) fn run(workspace: &Workspace, binaries: &Binaries) -> Result<()> {
    let environment =
        Environment::prepare(workspace, "helm-venv", "deploy/helm/tests/requirements.txt")?;
    let mut check = environment.tool("python");
    check.arg("deploy/helm/tests/check_chart.py");
    check.arg("--headworks").arg(&binaries.gateway);
    check.arg("--keep").arg(workspace.target.join("helm"));
    ui::step("deploy/helm/headworks", |step| process::run(step, check))
}
