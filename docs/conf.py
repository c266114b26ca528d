"""The site: ``make docs`` builds it from these pages and the docstrings; warnings are errors."""

import re
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from lfdfp.version import __version__  # noqa: E402

project = "lfdfp"
author = "The lfdfp developers"
version = release = __version__
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = f"lfdfp {release}"
exclude_patterns = ["_build"]
myst_heading_anchors = 4
myst_enable_extensions = ["dollarmath"]
# Pages name files of the repository, which are no part of the site.
suppress_warnings = ["myst.xref_missing", "ref.citation"]
highlight_language = "text"  # commands, mostly; Python says so

autodoc_typehints = "none"  # the signatures hold them
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False


def _own_references(
    app: object, what: str, name: str, thing: object, options: object, lines: list[str]
) -> None:
    """Number the works that a docstring cites by its function: a page holds many docstrings."""
    label = name.rsplit(".", 1)[-1].replace("_", "-")
    for k, line in enumerate(lines):
        lines[k] = re.sub(r"\[(\d+)\](?=_| )", rf"[{label}-\1]", line)


def setup(app: object) -> None:
    """Called by Sphinx."""
    app.connect("autodoc-process-docstring", _own_references, priority=100)  # type: ignore[attr-defined]
