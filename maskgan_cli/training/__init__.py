"""Training: one loop for all tasks.

run.py          runs a training order from start to finished weights
setup.py        joins data set, recipe and run folder
loop.py         steps, metrics, sample grids, checkpoints, interruption, NaN check
task.py         interfaces of a training task
validation.py, measures.py, best.py   validation, measures of painted faces, the best weights
trackers.py     experiment trackers: TensorBoard, Weights & Biases, MLflow
callbacks.py, host.py   callbacks of a training; signals of the command line; former names of both
checkpoint.py, state.py   the run folder, one checkpoint, resuming
start.py, grow.py   initialisation from trained weights, also of a smaller network
run_comparison.py   compares run folders: table and curves
learner.py, schedule.py   Adam updates, learning rate
accumulate.py, processes.py, reduction.py   gradient accumulation; several processes, their mean gradients
losses.py, perceptual_features.py, style_losses.py   losses and their fixed networks
augment.py, mouth_augmentation.py, style_inputs.py   augmentation
painting_task.py   losses, validation and sample grids of all generators
gan_recipe.py, adversarial.py, ema.py   settings, training step and moving average of DMN and its variants
tasks/          what is trained: one file for each task
"""
