#!/bin/sh
# Host instructions for small guest loops are what *.golden says.
exec "${PYTHON:-python3}" "$(dirname "$0")/codegen.py" --calque "$CALQUE"
