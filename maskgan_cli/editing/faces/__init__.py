"""Reading of faces to edit.

face.py         a face: its picture, its mask, and lists of pairs
reader.py       faces from crops and from photos
search.py, overview.py     detection of faces in photos
cutouts.py      crops of photos, and their records
framing.py      check whether a picture is a face crop
parse.py        masks by the face parser
"""
