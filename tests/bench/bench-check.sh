#!/bin/sh
# Every benchmark's output under calque is the native one's. Nothing is timed here.
for cc in aarch64-linux-gnu-gcc riscv64-linux-gnu-gcc; do
    command -v $cc > /dev/null || { echo "no $cc"; exit 77; }
done
exec "${PYTHON:-python3}" "$(dirname "$0")/bench.py" --calque "$CALQUE" --rounds 1 --only-calque \
    --build bench-programs
