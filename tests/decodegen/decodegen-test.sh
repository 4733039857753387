#!/bin/sh
# The environment comes from the Makefile (tests/local.mk).
here=$(dirname "$0")
exec "${PYTHON-python3}" "$here/run.py" "$here/../../translator/decodegen/decodegen.py" \
    "${CC-cc}" "$here/../.."
