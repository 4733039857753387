#!/bin/sh
exec "${PYTHON:-python3}" "${srcdir:-.}/tests/cache/cache.py" "${CALQUE:-./calque}"
