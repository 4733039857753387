#!/bin/sh
# In each tier, and with both mixed as early as can be.
set -e
for tier in auto 'auto 1' optimize; do
    # shellcheck disable=SC2086
    tests/runtime/runtime-test x86_64 $tier
done
