#!/bin/sh
# A few random programs; `make check-csmith` takes as many as CSMITH_SECONDS allow.
exec "${PYTHON:-python3}" "$(dirname "$0")/csmith.py" --calque "$CALQUE" --count "${CSMITH_COUNT:-6}"
