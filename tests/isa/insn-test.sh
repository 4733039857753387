#!/bin/sh
# Generated instructions on every backend, against the oracle when there is one (see insn-test.c).
status=0
for guest in ${ISA_GUESTS-riscv64}; do
    oracle=tests/isa/oracle-$guest
    if [ -x "$oracle" ]; then
        ./insn-test -p "$oracle" "$@" "$guest" || status=1
    else
        ./insn-test "$@" "$guest" || status=1
    fi
done
exit $status
