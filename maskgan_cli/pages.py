"""Renders HTML pages from the package's templates, with autoescaping."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """Fill a template of ``maskgan_cli/templates`` with ``values``, and return the HTML text.

    Args:
        template: file name of the template.
        values: values of the variables in the template; a missing value raises an error.
    """
    environment = Environment(
        loader=PackageLoader("maskgan_cli"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(template).render(values)
