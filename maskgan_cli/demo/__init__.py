"""The demo: everything at once on rendered faces, ending in one page.

run.py   what is done, in order
page.py  the page of pictures and numbers
"""
