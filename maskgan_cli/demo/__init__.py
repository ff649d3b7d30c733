"""The demo: edits a photo and rendered faces by public commands and writes an HTML page of the results.

cast.py      selects the rendered faces, before rendering
commands.py  the commands, which the page also shows
run.py       runs all commands in order
truth_comparison.py  compares results with the ground truth
docs_pictures.py  writes some results as pictures for the documentation
page.py      writes the page, a single file
"""
