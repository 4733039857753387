/* Runs a unit that is given as text: see ir-test.c. */
#ifndef TESTS_IR_RUN_H
#define TESTS_IR_RUN_H

#include <glib.h>
#include <stdbool.h>

/* From the state that `start` gives ("r1=5 fl=0x20000000"; all else is zero) on to the first way
 * out, by each backend, with passes and without; then the variables that `end` names must have the
 * values that it gives. */
bool run_unit(const char *text, const char *start, const char *end, GError **error);

#endif
