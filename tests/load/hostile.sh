#!/bin/sh
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/load/hostile.py" "${CALQUE:-./calque}"
