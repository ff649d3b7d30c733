"""Training: one loop for all tasks.

run.py          runs a whole training: from a recipe and a data set to finished weights
setup.py        connects data set, recipe, run folder and task
loop.py         the training loop: steps, metrics, sample grids, checkpoints, interruption, NaN check
task.py         interfaces of a training task
validation.py, measures.py   validation at regular intervals; quality measures of generated faces
best.py         which values of a metric are better
trackers.py     experiment trackers: TensorBoard, Weights & Biases, MLflow
callbacks.py    callbacks of a training; stop on Ctrl-C (host.py is a deprecated alias)
checkpoint.py, state.py   the run folder; one checkpoint in it; resuming
start.py, grow.py   initialisation from trained weights, also from the weights of a smaller network
run_comparison.py   compares run folders: table and curves
learner.py, schedule.py   Adam updates; learning rate
accumulate.py   gradient accumulation
processes.py, reduction.py   training in several processes; averaging their gradients
losses.py, perceptual_features.py, style_losses.py   losses, and the frozen networks that they use
augment.py, mouth_augmentation.py, style_inputs.py   augmentation: general, of mouths, of the generator's inputs
painting_task.py   losses, validation and sample grids of the generators that paint faces from masks
gan_recipe.py, adversarial.py, ema.py   settings, training step and moving average of DMN and its variants
tasks/          the training tasks, one file each
"""
