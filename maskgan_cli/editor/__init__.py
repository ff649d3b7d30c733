"""The interactive editor (paper, Sec. 5.6): ``maskgan edit`` serves a local web page.

models.py    the networks: style encoder, generator, parser and MaskVAE, loaded once
edited_face.py  a face to edit: detected in a photo and cropped, with its mask
session_state.py  the part of a session that is saved
session.py   a session: its pictures as files, with their provenance
painting.py  the pictures of a session: the edited face, alone and in its photo
base_face.py  the face that an edit starts from: optionally without its glasses, or with another person's hair
accessories.py  accessories, drawn over the picture
session_store.py  all sessions: a few in memory, the others on disk
example_faces.py  the example faces of the package
fade.py      opacity of an edit at each pixel
session_photos.py  photos scaled down for the screen; superpixels of a face
archive.py   a session as one zip file
uploads.py   limits and decoding of uploaded pictures, masks and session files
learning.py  personalisation in the background
learning_process.py  the child process that runs a personalisation
download.py  names of downloaded files
video.py     animations as MP4 files, with PyAV
composed_mask.py  masks composed of a base mask, sliders and removed accessories
worker.py    a worker thread with a bounded queue
guard.py     access control (token, host, origin) and security headers
request_context.py  objects that the routes share
routes.py    routes of sessions
file_routes.py  routes of downloads, uploads and saved sessions
address.py   token and port, saved for the next start
server.py    the application: files of the page, routes, error responses
serve.py     the server: socket, address, shutdown
page/        HTML, CSS and ES modules
"""
