"""The choices of the command line are those of the evaluation."""

from __future__ import annotations

from maskgan_cli.data.sources import SPLITS
from maskgan_cli.evaluation import choices
from maskgan_cli.evaluation.fid import NETWORKS
from maskgan_cli.evaluation.judge_accuracy import JUDGE_ACCURACY
from maskgan_cli.evaluation.pairs import PROTOCOLS
from maskgan_cli.evaluation.report import FORMATS
from maskgan_cli.evaluation.verification import POINT_SOURCES


def test_every_choice_is_offered() -> None:
    for offered, known in (
        (choices.ProtocolName, PROTOCOLS),
        (choices.Features, NETWORKS),
        (choices.Form, FORMATS),
        (choices.TestedJudge, JUDGE_ACCURACY),
        (choices.Points, POINT_SOURCES),
        (choices.Split, SPLITS),
    ):
        assert [choice.value for choice in offered] == list(known)
