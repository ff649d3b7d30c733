"""The command line offers what the evaluation knows, and nothing else."""

from __future__ import annotations

from maskgan_cli.data.sources import SPLITS
from maskgan_cli.evaluation import choices
from maskgan_cli.evaluation.fid import NETWORKS
from maskgan_cli.evaluation.pairs import PROTOCOLS
from maskgan_cli.evaluation.report import FORMATS
from maskgan_cli.evaluation.trust import TRUST
from maskgan_cli.evaluation.verification import WAYS


def test_every_choice_is_offered() -> None:
    for offered, known in (
        (choices.Protocol, PROTOCOLS), (choices.Features, NETWORKS), (choices.Form, FORMATS),
        (choices.Trusted, TRUST), (choices.Points, WAYS), (choices.Split, SPLITS),
    ):  # fmt: skip
        assert [choice.value for choice in offered] == list(known)
