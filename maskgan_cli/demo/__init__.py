"""Run the demo: edit a photo and rendered faces with `maskgan` commands, and write an HTML page of the results.

cast.py              selects which faces to render
commands.py          builds the commands, which the page also shows
run.py               runs all commands in order
truth_comparison.py  compares results with the ground truth
docs_pictures.py     writes some results as pictures for the documentation
page.py              writes the page, a single HTML file
"""
