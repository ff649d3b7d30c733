"""Pictures, label maps, JSON and CSV files: strict reading with clear errors, and atomic writing.

writing.py   atomic writes of bytes, JSON and CSV; removal of temporary files of killed writes
reading.py   reading of JSON, CSV and standard input; hashes of files; errors for files that cannot be read
pictures.py  reading of pictures in the supported formats, with a limit on their size
encoding.py  writing of pictures
colour_profiles.py  conversion to sRGB with ICC profiles; transparency
photos.py    photos with their EXIF data and orientation
masks.py     label maps: plain, palette or colour-coded; part files of the raw layout
"""

from maskgan_cli.files.encoding import check_picture_name, encode_image, encode_png, write_image
from maskgan_cli.files.masks import (
    MASK_HINT,
    encode_label_map,
    palette_image,
    read_label_map,
    read_part,
    write_label_map,
)
from maskgan_cli.files.photos import Photo, encode_photo, read_note, read_photo, write_photo
from maskgan_cli.files.pictures import (
    IMAGE_SUFFIXES,
    JPEG_SUFFIXES,
    READ_SUFFIXES,
    Picture,
    is_plain_jpeg,
    left_out,
    max_pixels,
    read_image,
)
from maskgan_cli.files.reading import decoded, read_csv, read_json, read_stdin, sha256, table_lines, unreadable
from maskgan_cli.files.writing import (
    DiskError,
    atomic,
    disk_error,
    encode_csv,
    encode_json,
    holds,
    keep_or_write,
    keep_or_write_all,
    refuse_existing,
    remove_leftovers,
    write_bytes,
    write_csv,
    write_json,
)

__all__ = [
    "IMAGE_SUFFIXES",
    "JPEG_SUFFIXES",
    "MASK_HINT",
    "READ_SUFFIXES",
    "DiskError",
    "Photo",
    "Picture",
    "atomic",
    "check_picture_name",
    "decoded",
    "disk_error",
    "encode_csv",
    "encode_image",
    "encode_json",
    "encode_label_map",
    "encode_photo",
    "encode_png",
    "holds",
    "is_plain_jpeg",
    "keep_or_write",
    "keep_or_write_all",
    "left_out",
    "max_pixels",
    "palette_image",
    "read_csv",
    "read_image",
    "read_json",
    "read_label_map",
    "read_note",
    "read_part",
    "read_photo",
    "read_stdin",
    "refuse_existing",
    "remove_leftovers",
    "sha256",
    "table_lines",
    "unreadable",
    "write_bytes",
    "write_csv",
    "write_image",
    "write_json",
    "write_label_map",
    "write_photo",
]
