/* See test-isa.h. */
#include "tests/ir/test-isa.h"

#include "translator/runtime/vcpu.h"

typedef struct TestCpu {
    V128 v[4];
    uint64_t r[8], pc, f[4], m[10];
    uint32_t flags, more_flags, w[2];
} TestCpu;

#define R(n) { "r" #n, IR_I64, 0, n, offsetof(TestCpu, r) + n * 8 }
#define F(n) { "f" #n, IR_F64, 0, n, offsetof(TestCpu, f) + n * 8 }
#define V(n) { "x" #n, IR_V128, 0, n, offsetof(TestCpu, v) + n * 16 }
#define M(n) { "m" #n, IR_I64, 0, -1, offsetof(TestCpu, m) + n * 8 }
#define W(n) { "w" #n, IR_I32, 0, -1, offsetof(TestCpu, w) + n * 4 }
enum { N_RUN_ONLY = 13 };
static const IrVar vars[] = {
    R(0), R(1), R(2), R(3), R(4), R(5), R(6), R(7), F(0), F(1), F(2), F(3), V(0), V(1), V(2), V(3),
    { "fl", IR_FLAGS, IR_VAR_LAZY, -1, offsetof(TestCpu, flags) },
    { "pc", IR_I64, IR_VAR_PC, -1, offsetof(TestCpu, pc) },
    /* of test_run_vars only */
    { "fl2", IR_FLAGS, 0, -1, offsetof(TestCpu, more_flags) },
    M(0), M(1), M(2), M(3), M(4), M(5), M(6), M(7), M(8), M(9), W(0), W(1),
};
const IrVar *const test_run_vars = vars;
const unsigned test_n_run_vars = sizeof vars / sizeof *vars;

static uint64_t helper_pure(Vcpu *v, uint64_t a, uint64_t b)
{
    return a * 3 + b;
}

static void helper_state(Vcpu *v, uint64_t a)
{
    TestCpu *cpu = (TestCpu *)v->cpu;
    cpu->r[1] += a;
}

static const IrHelper helpers[] = {
    { "pure", (void (*)(void))helper_pure, "L:LL", IR_HELPER_PURE },
    { "state", (void (*)(void))helper_state, "-:L", IR_HELPER_READS_VARS | IR_HELPER_WRITES_VARS },
};

const GuestIsa test_isa = {
    .name = "test",
    .min_insn_bytes = 4,
    .max_insn_bytes = 4,
    .pc_align = 4,
    .cpu_bytes = (sizeof(TestCpu) + 15) & ~(size_t)15,
    .pc_offset = offsetof(TestCpu, pc),
    .vars = vars,
    .n_vars = sizeof vars / sizeof *vars - N_RUN_ONLY,
    .helpers = helpers,
    .n_helpers = sizeof helpers / sizeof *helpers,
};
