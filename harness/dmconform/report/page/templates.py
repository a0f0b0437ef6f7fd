"""How templates are read that print text of reports: everything is escaped, and made plain first."""

from __future__ import annotations

from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from dmconform.core.text import plain


def template_environment(folder: Path) -> Environment:
    """Returns an environment for the templates of a folder, in which a name that is not defined is an error."""
    return Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # Whatever a template prints is text of a log as far as it knows.
        finalize=lambda value: plain(value) if isinstance(value, str) and not isinstance(value, Markup) else value,
    )
