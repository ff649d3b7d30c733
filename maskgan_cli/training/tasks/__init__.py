"""The training tasks. Each file has the class of its recipes and the function ``prepare_training(plan, recipe)``.

dmn.py          Stage I: Dense Mapping Network
mask_vae.py     MaskVAE
ebst.py         Stage II: Editing Behaviour Simulated Training
pix2pixhd.py, spade.py, stargan.py, elegant.py   the paper's baselines
sean.py         SEAN
parser.py, attributes.py, pose.py, identity.py   judges (evaluation networks)
"""
