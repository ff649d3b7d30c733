"""Training: one loop, one file per task.

loop.py         steps, metrics, sample sheets, checkpoints, interruption, the NaN guard
task.py         what the loop needs of a training task
validation.py, measures.py, best.py   validation, what it measures of painted faces, the best weights
host.py         who runs it: the command line, a thread, a measurement
run.py          from what was asked for to finished weights, under any host
setup.py        from data set and recipe to the loop
checkpoint.py, state.py   the run folder, one state of it, and resuming
painting.py, adversarial.py   what painters share: losses, measures, sheets; and the step of the paper's
perceptual.py, average.py     the features that are compared, moving averages
start.py, grow.py   begin with trained weights, of half the side too
compare.py      run folders side by side: a table and curves
processes.py    several processes: averaged gradients, shared validation
trackers.py     TensorBoard, wandb, mlflow
accumulate.py   a batch in parts, for one step
learner.py, schedule.py, losses.py   an Adam, its rate, what is minimised
augment.py, mouths.py   what faces are put through
dmn.py          Stage I: the Dense Mapping Network
mask_vae.py     MaskVAE
ebst.py         Stage II: Editing Behaviour Simulated Training
pix2pixhd.py, spade.py, stargan.py, elegant.py   the paper's baselines
parser.py, attributes.py, pose.py, identity.py   the judges
"""
