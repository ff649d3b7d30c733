"""The interactive editor (paper, Sec. 5.6) as a local web page: ``maskgan edit``.

studio.py    the networks, loaded once: a face's style, its painting, its mask, its codes
face.py      a face to edit: found in a photo and cut out, with its mask
session_state.py  what of a session is kept on disk
session.py   one face being edited, painted and put back into its photo
shelf.py     all sessions: a few in memory, the rest on disk
library.py   the faces that come with the package
fade.py      how much of an edit is shown where
photos.py    the whole photo for the screen, a face in patches
archive.py   a session as one zip that opens again
uploads.py   pictures, masks and session files as they arrive: bounded, then decoded
learning.py  learns a person in the background
learner.py   the process that does
download.py  what saved files are named after
compose.py   a mask of one base, sliders, things put on and taken off
worker.py    one thread that does the work, and a bounded queue before it
guard.py     who may ask: the token, the host, the origin; and what a browser may do with the answer
desk.py      what every route needs
routes.py    the sessions over HTTP
file_routes.py  what is saved and opened over HTTP
address.py   the token and the port, kept for the next start
server.py    the application: the page's files, the routes, how failures are told
serve.py     a socket, an address, an orderly end
page/        HTML, CSS and ES modules as the browser gets them
"""
