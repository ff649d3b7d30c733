"""The command line. Its modules parse options, call the other packages and print results, and import torch late.

app.py          the application with all commands
shell.py        the runtime of all commands: output, signals, exit codes
streams.py      encodings, closed streams, warnings about inputs
options.py      options that several commands share
batch.py        lists and folders of pictures
demo.py         demo
examples.py     examples
help_examples.py   the examples at the end of every command's help
data.py         synth, prep-data, merge-data, check-data
align.py        align, paste
parse.py        parse
train.py        train ...
personalise.py  personalise
recipes.py      recipes list, recipes show
runs.py         runs
doctor.py       doctor
bench.py        bench
edit.py         edit
editing.py      options and execution of the editing commands
render.py       render
swap.py         swap-mouth, swap, style-copy, transfer
reshape.py      reshape, find-directions
interpolate.py  interpolate
inspect.py      inspect
simulate.py     simulate-edits
compare.py      compare
weights.py      weights ...
reproduce.py    reproduce
eval/           eval ...
"""
