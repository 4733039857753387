/*
 * Lifts encodings and verifies the IR: every 16-bit pattern, every row of the tables with random
 * free bits, and 32-bit patterns at a stride (all 2^32 with --full; minutes). What must hold: no
 * crash, a unit that verifies, a length that fits, and an undefined instruction emits nothing but
 * its trap.
 *
 * usage: decode-test GUEST [--full]
 */
#include <glib.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "translator/decodegen/rows.h"
#include "translator/guest/isa.h"
#include "translator/ir/arena.h"
#include "translator/translator.h"

#include "tests/isa/tables.h"

typedef struct Run {
    const GuestIsa *isa;
    const void *model;
    Arena *arena;
    uint64_t n_lifted, n_undefined, n_failed;
} Run;

static bool fail(Run *run, uint32_t insn, const char *why)
{
    fprintf(stderr, "%s %#010" PRIx32 ": %s\n", run->isa->name, insn, why);
    return ++run->n_failed < 20;
}

/* Only marker, payload and trap. */
static bool nothing_but_trap(const IrUnit *u)
{
    unsigned n = 0;
    for (IrRef r = u->block[0].first; r; r = u->insn[r].next)
        n++;
    return n <= 3;
}

/* False when there were so many errors that more would not help. */
static bool try_insn(Run *run, uint32_t insn, uint64_t mode, bool verify)
{
    const GuestAddr pc = 0x10000;
    arena_reset(run->arena);
    IrUnit *unit = ir_unit_new(run->arena, run->isa, pc, mode);
    LiftContext ctx = {
        .b = { unit, 0 }, .isa = run->isa, .cpu_model = run->model,
        .mode = mode, .pc = pc, .code = (const uint8_t *)&insn, .avail = 4,
    };
    ir_emit(&ctx.b, IR_insn, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)pc);
    run->isa->lift(&ctx);
    run->n_lifted++;
    if (ctx.need_more || ctx.bytes < run->isa->min_insn_bytes ||
        ctx.bytes > run->isa->max_insn_bytes)
        return fail(run, insn, "bad length");
    if (!ctx.ended)
        ir_emit(&ctx.b, IR_exit_jump, IR_VOID, 0, 0, 0, 0, 0, 0, (int64_t)(pc + ctx.bytes));
    const IrInsn *last = &unit->insn[unit->block[0].last];
    if (!(ir_op_info[last->op].flags & IR_OPF_Z))
        return fail(run, insn, "ended without a terminator");
    if (last->op == IR_trap && last->attr == VCPU_EXIT_UNDEF) {
        run->n_undefined++;
        if (!nothing_but_trap(unit))
            return fail(run, insn, "IR before the undefined instruction's trap");
    }
    g_autoptr(GError) error = NULL;
    if (verify && !ir_verify(unit, &error))
        return fail(run, insn, error->message);
    return true;
}

static bool run_rows(Run *run, const TestTable *table, GRand *rand)
{
    for (unsigned i = 0; i < *table->n_rows; i++) {
        const DecodeRow *row = &table->rows[i];
        uint64_t before = run->n_undefined;
        for (int n = 0; n < 64; n++) {
            uint32_t free_bits = n == 0 ? 0 : n == 1 ? UINT32_MAX : g_rand_int(rand);
            uint32_t insn = (uint32_t)row->value | (free_bits & (uint32_t)~row->mask);
            for (uint64_t mode = 0; mode < table->n_modes; mode++)
                if (!try_insn(run, insn, mode, true))
                    return false;
        }
        bool none = run->n_undefined - before == 64 * table->n_modes;
        if (row->unimp && !none && !fail(run, (uint32_t)row->value, "UNIMP row was lifted"))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    bool full = argc > 2 && g_str_equal(argv[2], "--full");
    uint64_t failed = 0, tables = 0;
    for (const TestTable *table = test_tables; table->isa; table++) {
        if (argc > 1 && !g_str_equal(argv[1], table->isa->name))
            continue;
        tables++;
        g_autoptr(GRand) rand = g_rand_new_with_seed(1);
        Run run = { table->isa, table->isa->model(NULL, NULL), arena_new(), 0, 0, 0 };
        bool go_on = run_rows(&run, table, rand);
        if (table->width == 16)
            for (uint32_t insn = 0; go_on && insn < 1 << 16; insn++)
                go_on = try_insn(&run, insn, 0, true);
        else
            for (uint64_t insn = full ? 0 : 3; go_on && insn < 1ull << 32; insn += full ? 1 : 4093)
                go_on = try_insn(&run, (uint32_t)insn, 0, !full || insn % 64 == 0);
        printf("%s, %u bits: %u rows, %" PRIu64 " encodings lifted, %" PRIu64 " undefined, %" PRIu64
               " failed\n", table->isa->name, table->width, *table->n_rows, run.n_lifted,
               run.n_undefined, run.n_failed);
        failed += run.n_failed;
        arena_free(run.arena);
        g_free((void *)run.model);
    }
    if (!tables)
        fprintf(stderr, "no such guest\n");
    return failed || !tables;
}
