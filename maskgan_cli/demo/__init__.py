"""The demo: a photo and rendered faces edited by commands anyone can type, ending in one page.

cast.py      who plays what, found before anything is rendered
commands.py  the commands: what is run is what is shown
run.py       all of them, in order
measure.py   results beside the truth
pictures.py  a few of the results as pictures for documents
page.py      the page, one file
"""
