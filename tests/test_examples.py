"""What the documents show runs: the examples, the notebook, and the site itself."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lfdfp
from lfdfp.simulation import write_simulated_capture
from tests.factories import tiny_capture, true_field

ROOT = Path(__file__).parents[1]
HOWTO = ROOT / "docs" / "howto"
EXAMPLES = re.findall(
    r"^```python\n(.*?)^```$", (HOWTO / "python.md").read_text(encoding="utf-8"), re.M | re.S
)
_PATHS = {"PYTHONPATH": str(ROOT)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the files lie that the examples name."""
    place = tmp_path_factory.mktemp("examples")
    made = tiny_capture(size=200)
    write_simulated_capture(place / "IMG_0001.lfp", made, white_image=False, truth=False)
    lfdfp.save(true_field(made, radius=4), place / "field.h5")
    return place


def test_there_are_examples_of_five_lines() -> None:
    assert len(EXAMPLES) >= 5
    assert all(len(one.splitlines()) <= 6 for one in EXAMPLES)


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_every_example_runs(number: int, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if ".plot()" in EXAMPLES[number]:
        pytest.importorskip("matplotlib").use("agg")
        pytest.importorskip("xarray")
    monkeypatch.chdir(folder)
    shutil.rmtree("views", ignore_errors=True)
    exec(compile(EXAMPLES[number], f"example {number}", "exec"), {})
    if "matplotlib.pyplot" in sys.modules:
        sys.modules["matplotlib.pyplot"].close("all")


@pytest.mark.slow
def test_the_notebook_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbformat = pytest.importorskip("nbformat")
    nbclient = pytest.importorskip("nbclient")
    for needed in ("ipykernel", "matplotlib", "xarray"):
        pytest.importorskip(needed)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    monkeypatch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    notebook = nbformat.read(HOWTO / "light_field.ipynb", as_version=4)
    assert all(not cell.get("outputs") for cell in notebook.cells)  # none are kept
    client = nbclient.NotebookClient(
        notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}
    )
    client.execute()
    shown = [out for cell in notebook.cells for out in cell.get("outputs", ())]
    assert any("image/png" in out.get("data", {}) for out in shown)
    assert any("base64" in out.get("data", {}).get("text/html", "") for out in shown)


@pytest.mark.slow
def test_the_site_is_built_without_a_warning(tmp_path: Path) -> None:
    for needed in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(needed)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html"]
    done = subprocess.run(
        [*command, str(ROOT / "docs"), str(tmp_path / "site"), "-d", str(tmp_path / "trees")],
        capture_output=True,
        check=False,
        env=os.environ | _PATHS,
    )
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    page = (tmp_path / "site" / "api.html").read_text(encoding="utf-8")
    missing = [
        name
        for name in lfdfp.__all__
        if not name.startswith("__") and f'<span class="pre">{name}</span>' not in page
    ]
    assert missing == []
