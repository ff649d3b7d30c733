#!/usr/bin/env bash
# The pictures at the top of the README: edits of a public-domain photo and of rendered faces, as the demo makes them.
#   recipes/readme_picture.sh [work folder]
set -euo pipefail
work=${1:-readme-picture}
docs=$(dirname "$0")/../docs/demo
maskgan demo --out "$work"
cp "$work"/pictures/{photo,faces}.jpg "$work/pictures/pictures.json" "$docs/"
