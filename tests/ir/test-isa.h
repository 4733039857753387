/* A guest that exists only for tests of the IR: a few variables of each type, two helpers. */
#ifndef TESTS_IR_TEST_ISA_H
#define TESTS_IR_TEST_ISA_H

#include "translator/guest/isa.h"

extern const GuestIsa test_isa;
/* For units that are executed: its variables, a second one of flags, and some without a home. */
extern const IrVar *const test_run_vars;
extern const unsigned test_n_run_vars;

#endif
