"""Pages of HTML from the templates of this package; whatever is put into them is escaped."""

from __future__ import annotations

from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined


def render(template: str, **values: Any) -> str:
    """A template of ``maskgan_cli/templates`` filled in; a name that it needs and does not get is an error."""
    environment = Environment(
        loader=PackageLoader("maskgan_cli"), autoescape=True, undefined=StrictUndefined, trim_blocks=True,
        lstrip_blocks=True,
    )  # fmt: skip
    return environment.get_template(template).render(values)
