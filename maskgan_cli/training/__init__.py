"""Training: one loop, one file per task.

loop.py         steps, metrics, sample sheets, checkpoints, interruption, the NaN guard
checkpoint.py   the run folder, and resuming from it
setup.py        from data set and recipe to the loop
losses.py       least squares, feature matching, perceptual; cross-entropy, KL
dmn.py          Stage I: the Dense Mapping Network
mask_vae.py     MaskVAE
ebst.py         Stage II: Editing Behaviour Simulated Training
"""
