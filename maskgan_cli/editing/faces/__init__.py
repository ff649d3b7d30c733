"""Read faces to edit from pictures.

face.py         read a face crop and its mask, and lists of pairs of files
reader.py       read faces from face crops and from photos; in photos, detect the faces and cut them out
search.py, overview.py     detect the faces in photos, and draw their numbers
cutouts.py      cut a face out of a photo, record its position, and paste it back
framing.py      check whether a picture is a face crop
parse.py        make masks with the face parser
"""
