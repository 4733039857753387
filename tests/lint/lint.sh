#!/bin/sh
top=$(dirname "$0")/../..
exec "${PYTHON:-python3}" "$top/tests/lint/lint.py" "$top"
