"""Training: one loop, one file per task.

loop.py         steps, metrics, sample sheets, checkpoints, interruption, the NaN guard
checkpoint.py   the run folder, and resuming from it
losses.py       least squares, feature matching, perceptual
dmn.py          Stage I: the Dense Mapping Network
"""
