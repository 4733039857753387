#!/bin/sh
# Every eighth of gcc's torture tests; TORTURE_SAMPLE=1 takes all.
exec "${PYTHON:-python3}" "$(dirname "$0")/torture.py" --calque "$CALQUE" --sample "${TORTURE_SAMPLE:-8}"
