"""Sphinx's settings for these pages and the API reference: `tools/docs` builds them."""

import sys
from pathlib import Path

from pygments.lexers.special import TextLexer
from sphinx.application import Sphinx
from sphinx.util import logging

import ygg

sys.path.insert(0, str(Path(__file__).parent.parent / "tools"))

import reference

project = "ygg"
release = ygg.__version__
extensions = ["myst_parser", "sphinx.ext.autodoc"]
html_theme = "alabaster"
html_theme_options = {"description": "An Yggdrasil node inside your Python program", "fixed_sidebar": True}
html_show_copyright = False

myst_heading_anchors = 3
suppress_warnings = [
    "myst.xref_missing",    # links to files that are no pages lead to the checkout; a test looks for them
    "ref.python",           # two internal classes may have the same name
]

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_default_options = {"show-inheritance": True}


def as_literals(app: Sphinx, what: str, name: str, obj: object, options: object, lines: list[str]) -> None:
    """Have the back-ticks of docstrings mean literals."""
    lines[:] = [reference.literals(line) for line in lines]


def complain_of_missing_names(app: Sphinx, env: object) -> None:
    """Warn of each public name that is described nowhere."""
    described = app.env.domains.python_domain.objects
    for name in ygg.__all__:
        if not name.startswith("_") and f"ygg.{name}" not in described:
            logging.getLogger(__name__).warning("ygg.%s is not in the reference", name)


def setup(app: Sphinx) -> None:
    """Write the pages of the reference before Sphinx looks for pages."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("autodoc-process-docstring", as_literals)
    app.connect("env-check-consistency", complain_of_missing_names)
    reference.write()
