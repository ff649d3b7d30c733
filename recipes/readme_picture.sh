#!/usr/bin/env bash
# Make the pictures at the top of the README: edits of a public-domain photo and of rendered faces, from the demo.
#   recipes/readme_picture.sh [work folder]
set -euo pipefail
work=${1:-readme-picture}
docs=$(dirname "$0")/../docs/demo
maskgan demo --out "$work"
cp "$work"/pictures/{photo,faces}.jpg "$work/pictures/pictures.json" "$docs/"
