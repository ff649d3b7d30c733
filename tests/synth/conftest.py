from __future__ import annotations

import pytest

from maskgan_cli.synth import Rendered, face


@pytest.fixture(scope="session")
def few() -> list[Rendered]:
    """Twenty-four pictures of eight people, at 64 px."""
    return [face(11, i, 64, identities=8) for i in range(24)]
