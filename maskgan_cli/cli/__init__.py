"""The command line: one module per group of commands. Parse, call, print; no logic, no torch import.

app.py          every group of commands, joined
shell.py        the manners every command shares
streams.py      encodings, closed streams, remarks on what is left out
options.py      the options that mean the same everywhere
batch.py        lists and folders of pictures: one bad file never ends a batch
demo.py         demo
examples.py     examples
help_examples.py   an example of every command, at the end of its help
data.py         synth, prep-data, check-data
align.py        align, paste
parse.py        parse
train.py        train ...
personalise.py  personalise
recipes.py      recipes list, recipes show
runs.py         runs
doctor.py       doctor
bench.py        bench
edit.py, edits.py   render, swap-mouth, swap, style-copy, transfer; what the editing commands share
reshape.py      reshape, find-directions
interpolate.py  interpolate
inspect.py      inspect
simulate.py     simulate-edits
compare.py      compare
editor.py       editor
weights.py      weights ...
reproduce.py    reproduce
evaluate.py, distances.py, results.py, judge.py, verify.py, study.py, truths.py   eval ...
"""
