"""The command line: one module per group of commands. Parse, call, print; no logic, no torch import.

shell.py        the manners every command shares
options.py      the options that mean the same everywhere
demo.py         demo
data.py         synth, prep-data, check-data
train.py        train ...
edit.py         render, swap-mouth, swap, style-copy
interpolate.py  interpolate
"""
