/* data plane */
/* The code that every unit shares: enter and leave, look-up, returns that don't match, calls of
 * backend functions. Made once, at the start of the code buffer. */
#include "translator/host/x86_64/compile.h"
#include "translator/host/x86_64/emit-state.h"
#include "translator/host/x86_64/scan.h"
#include "translator/runtime/runtime.h"

static const Reg callee_saved[] = { RBX, RBP, R12, R13, R14, R15 };
enum { N_CALLEE_SAVED = 6, SCAN_FRAMES = 16 };

/* Home registers from or to the state. */
static void move_homes(Emit *e, X86Backend *b, const GuestIsa *isa, bool load)
{
    for (unsigned v = 0; v < isa->n_vars; v++) {
        if (b->home[v] == REG_NONE)
            continue;
        Mem m = mem_state(offsetof(Vcpu, cpu) + isa->vars[v].offset);
        unsigned bytes = isa->vars[v].type == IR_V128 ? 16 : 8;
        if (load)
            emit_load(e, b->home[v], m, bytes);
        else
            emit_store(e, m, b->home[v], bytes);
    }
}

static void fpctl(Emit *e, bool load, Mem m)
{
    enc_rm(e, 0, 1, 0, 0xae, load ? 2 : 3, m);
}

static void stub_enter(Emit *e, X86Backend *b, const GuestIsa *isa)
{
    for (unsigned n = 0; n < N_CALLEE_SAVED; n++)
        enc_push(e, callee_saved[n]);
    /* six pushes and the return address: eight more bytes align the stack for calls */
    enc_alu_i(e, ALU_SUB, true, operand_reg(RSP), 8);
    enc_lea(e, true, RBP, (Mem) { RDI, REG_NONE, 0, 0, STATE_BIAS });
    enc_store(e, true, MEM_STATE(c_stack), RSP);
    enc_mov_rr(e, true, RAX, RSI);
    fpctl(e, false, MEM_STATE(host_fpctl));
    fpctl(e, true, MEM_STATE(guest_fpctl));
    enc_load(e, true, RSP, MEM_STATE(return_stack));
    move_homes(e, b, isa, true);
    enc_rr(e, 0, 0, 0, 0xff, 4, RAX); /* jmp rax */
}

static void leave(Emit *e)
{
    fpctl(e, false, MEM_STATE(guest_fpctl));
    fpctl(e, true, MEM_STATE(host_fpctl));
    enc_store(e, true, MEM_STATE(return_stack), RSP);
    enc_load(e, true, RSP, MEM_STATE(c_stack));
    enc_alu_i(e, ALU_ADD, true, operand_reg(RSP), 8);
    for (unsigned n = N_CALLEE_SAVED; n-- > 0;)
        enc_pop(e, callee_saved[n]);
    emit8(e, 0xc3);
}

static void stub_leave_fault(Emit *e, uint64_t result)
{
    enc_mov_ri(e, RAX, result);
    leave(e);
}

/* The pc in rax, from the larger table into the jump cache (jump-cache.h), and on to it. */
static void stub_miss(Emit *e, const GuestIsa *isa, Label *leave)
{
    Label gone = LABEL_INIT;
    const Mem l1_pc = { RCX, REG_NONE, 0, 0, offsetof(JumpCacheEntry, pc) };
    const Mem l1_host = { RCX, REG_NONE, 0, 0, offsetof(JumpCacheEntry, host) };
    const Mem l2_pc = { RDX, REG_NONE, 0, 0, offsetof(JumpCacheEntry, pc) };
    const Mem l2_host = { RDX, REG_NONE, 0, 0, offsetof(JumpCacheEntry, host) };
    enc_store(e, true, mem_state(offsetof(Vcpu, cpu) + isa->pc_offset), RAX);
    enc_load(e, true, RDX, MEM_STATE(jump_table));
    enc_test(e, true, RDX, RDX);
    enc_jcc(e, CC_E, leave);
    enc_load(e, true, RCX, MEM_STATE(own_jump_cache)); /* another one is in use: no look-ups now */
    enc_rm(e, 0, 0, ENC_W, 0x3b, RCX, MEM_STATE(jump_cache));
    enc_jcc(e, CC_NE, leave);
    enc_op(e, 0, 0, ENC_W, 0x69, RCX, operand_reg(RAX), 4); /* imul rcx, rax, imm32 */
    emit32(e, JUMP_TABLE_FACTOR);
    enc_shift_i(e, SH_SHR, true, RCX, JUMP_TABLE_SHIFT);
    enc_alu_i(e, ALU_AND, false, operand_reg(RCX), (VCPU_JUMP_TABLE_SIZE - 1) << 4);
    enc_alu(e, ALU_ADD, true, RDX, operand_reg(RCX));
    enc_rm(e, 0, 0, ENC_W, 0x3b, RAX, l2_pc);
    enc_jcc(e, CC_NE, leave);
    enc_mov_rr(e, false, RCX, RAX);
    enc_alu_i(e, ALU_AND, false, operand_reg(RCX), (VCPU_JUMP_CACHE_SIZE - 1) << 2);
    enc_shift_i(e, SH_SHL, false, RCX, 2);
    enc_rm(e, 0, 0, ENC_W, 0x03, RCX, MEM_STATE(own_jump_cache)); /* add */
    enc_rm(e, 0, 0, 0, 0xff, 6, l2_host); /* push, pop: no register is free */
    enc_rm(e, 0, 0, 0, 0x8f, 0, l1_host);
    enc_rm(e, 0, 0, ENC_W, 0x87, RAX, l1_pc); /* xchg, a fence as well */
    enc_load(e, true, RAX, mem_state(offsetof(Vcpu, cpu) + isa->pc_offset));
    enc_rm(e, 0, 0, ENC_W, 0x3b, RAX, l2_pc);
    enc_jcc(e, CC_NE, &gone);
    enc_rm(e, 0, 0, 0, 0xff, 4, l2_host); /* jmp */
    enc_bind(e, &gone);
    enc_rr(e, 0, 0, ENC_W, 0xf7, 2, RAX); /* not: nobody looks for the complement there */
    enc_store(e, true, l1_pc, RAX);
    enc_jmp(e, leave);
}

/* The top frame isn't the one, unless it is of a call that expects it (exits.c): look a few frames
 * up (exceptions, longjmp). */
static void stub_ret(Emit *e, Label *jump)
{
    Label again = LABEL_INIT, expected = LABEL_INIT, found = LABEL_INIT;
    enc_mov_rr(e, true, RCX, RSP);
    enc_mov_ri(e, RDX, SCAN_FRAMES);
    enc_jmp(e, &expected);
    enc_bind(e, &again);
    enc_alu_i(e, ALU_ADD, true, operand_reg(RCX), 16);
    enc_rm(e, 0, 0, ENC_W, 0x3b, RAX, (Mem) { RCX, REG_NONE, 0, 0, 8 });
    enc_jcc(e, CC_E, &found);
    enc_bind(e, &expected);
    enc_lea(e, true, RAX, (Mem) { RAX, REG_NONE, 0, 0, EXPECTED });
    enc_rm(e, 0, 0, ENC_W, 0x3b, RAX, (Mem) { RCX, REG_NONE, 0, 0, 8 });
    enc_jcc(e, CC_E, &found);
    enc_lea(e, true, RAX, (Mem) { RAX, REG_NONE, 0, 0, -EXPECTED });
    enc_alu_i(e, ALU_SUB, false, operand_reg(RDX), 1);
    enc_jcc(e, CC_NE, &again);
    enc_jmp(e, jump);
    enc_bind(e, &found);
    enc_mov_rr(e, true, RSP, RCX);
    emit8(e, 0xc3);
}

static void backend_call(Vcpu *v, uint64_t fn)
{
    if (fn == BACKEND_FN_CRC32)
        backend_crc32(v, v->scratch[7]);
    else
        backend_fp_fns[fn](v, v->scratch[7]);
}

static void stub_call_fn(Emit *e)
{
    static const Reg saved[8] = { RCX, RDX, RSI, RDI, R8, R9, R10, R11 };
    enc_store(e, true, MEM_STATE(return_stack), RSP);
    enc_load(e, true, RSP, MEM_STATE(c_stack));
    for (unsigned n = 0; n < 8; n++)
        enc_push(e, saved[n]);
    enc_alu_i(e, ALU_SUB, true, operand_reg(RSP), 256);
    for (unsigned n = 0; n < 16; n++)
        emit_store(e, (Mem) { RSP, REG_NONE, 0, 0, 16 * n }, XMM0 + n, 16);
    fpctl(e, false, MEM_STATE(guest_fpctl));
    fpctl(e, true, MEM_STATE(host_fpctl));
    enc_lea(e, true, RDI, (Mem) { REG_STATE, REG_NONE, 0, 0, -STATE_BIAS });
    enc_mov_rr(e, false, RSI, RAX);
    enc_mov_ri(e, RAX, (uintptr_t)backend_call);
    enc_rr(e, 0, 0, 0, 0xff, 2, RAX);
    fpctl(e, true, MEM_STATE(guest_fpctl));
    for (unsigned n = 0; n < 16; n++)
        emit_load(e, XMM0 + n, (Mem) { RSP, REG_NONE, 0, 0, 16 * n }, 16);
    enc_alu_i(e, ALU_ADD, true, operand_reg(RSP), 256);
    for (unsigned n = 8; n-- > 0;)
        enc_pop(e, saved[n]);
    enc_load(e, true, RSP, MEM_STATE(return_stack));
    enc_load(e, true, RAX, MEM_STATE(scratch[6]));
    emit8(e, 0xc3);
}

static void call_c(Emit *e, uintptr_t fn)
{
    enc_lea(e, true, RDI, (Mem) { REG_STATE, REG_NONE, 0, 0, -STATE_BIAS });
    enc_mov_ri(e, RAX, fn);
    enc_rr(e, 0, 0, 0, 0xff, 2, RAX);
}

/* The whole way through the dispatcher and its caller costs as much as a short call of the
 * kernel's. What the host's kernel returns to has no return addresses predicted, so the callback is
 * called from here: functions that have returned before and those that are called behind it cost
 * little. The code that made the call may have been flushed meanwhile, so it goes on by a
 * look-up. */
static void stub_syscall(Emit *e, X86Backend *b, const GuestIsa *isa, Label *jump, Label *leave_all)
{
    Label not_done = LABEL_INIT;
    move_homes(e, b, isa, false);
    enc_store(e, true, MEM_STATE(return_stack), RSP);
    enc_load(e, true, RSP, MEM_STATE(c_stack));
    call_c(e, (uintptr_t)vcpu_syscall_begin); /* gives a VcpuCallback in rax, rdx */
    enc_mov_rr(e, true, RDI, RDX);
    enc_lea(e, true, RSI, (Mem) { REG_STATE, REG_NONE, 0, 0, -STATE_BIAS });
    enc_rr(e, 0, 0, 0, 0xff, 2, RAX);
    enc_mov_rr(e, false, RBX, RAX); /* which C keeps */
    call_c(e, (uintptr_t)vcpu_syscall_end);
    enc_movzx(e, 1, RAX, operand_reg(RBX));
    enc_load(e, true, RSP, MEM_STATE(return_stack));
    move_homes(e, b, isa, true);
    enc_test(e, false, RAX, RAX);
    enc_jcc(e, CC_E, &not_done);
    enc_load(e, true, RAX, mem_state(offsetof(Vcpu, cpu) + isa->pc_offset));
    enc_jmp(e, jump);
    enc_bind(e, &not_done);
    enc_store_i(e, false, MEM_STATE(exit_reason), VCPU_EXIT_SYSCALL);
    enc_mov_ri(e, RAX, LEAVE_DONE);
    enc_jmp(e, leave_all);
}

static void stub_scan(Emit *e, unsigned kind)
{
    static void (*const fn[3][IR_N_SCANS])(void) = {
        { scan128_differs, scan128_differs2, scan128_differs4, scan128_range, scan128_words,
          scan128_equal, scan128_equal_nz, scan_word },
        { scan256_differs, scan256_differs2, scan256_differs4, scan256_range, scan256_words,
          scan256_equal, scan256_equal_nz, scan_word },
        { scan512_differs, scan512_differs2, scan512_differs4, scan512_range, scan512_words,
          scan512_equal, scan512_equal_nz, scan_word },
    };
    enc_mov_ri(e, RAX, (uintptr_t)fn[e->cpu->avx512vl ? 2 : e->cpu->avx2][kind]);
    enc_rr(e, 0, 0, 0, 0xff, 4, RAX); /* jmp */
}

static void stub_move(Emit *e, unsigned kind)
{
    static void (*const fn[2][IR_N_MOVES])(void) = {
        { move128_copy, move128_until, move128_fill },
        { move512_copy, move512_until, move512_fill },
    };
    enc_mov_ri(e, RAX, (uintptr_t)fn[e->cpu->avx512vl && e->cpu->bmi2][kind]);
    enc_rr(e, 0, 0, 0, 0xff, 4, RAX); /* jmp */
}

static void start(Emit *e, X86Backend *b, StubId id)
{
    while ((e->p - e->code) & 15)
        emit8(e, 0xcc);
    b->stub[id] = e->p;
}

void compile_stubs(X86Backend *b, const GuestIsa *isa)
{
    Emit emit = { 0 }, *e = &emit;
    Label leave_label = LABEL_INIT, jump_label = LABEL_INIT, leave_pc = LABEL_INIT;
    Label miss = LABEL_INIT, ret_label = LABEL_INIT;
    e->p = e->code = b->buffer.base;
    e->limit = b->buffer.limit;
    e->cpu = &b->features;

    start(e, b, STUB_ENTER);
    stub_enter(e, b, isa);
    start(e, b, STUB_LEAVE);
    enc_bind(e, &leave_label);
    move_homes(e, b, isa, false);
    leave(e);
    start(e, b, STUB_LEAVE_DONE);
    enc_mov_ri(e, RAX, LEAVE_DONE);
    enc_jmp(e, &leave_label);
    start(e, b, STUB_JUMP);
    enc_bind(e, &jump_label);
    exit_emit_lookup(e, RAX, &miss);
    start(e, b, STUB_MISS);
    enc_bind(e, &miss);
    stub_miss(e, isa, &leave_pc);
    start(e, b, STUB_LEAVE_PC);
    enc_bind(e, &leave_pc);
    enc_mov_ri(e, RAX, LEAVE_PC);
    enc_jmp(e, &leave_label);
    start(e, b, STUB_LEAVE_LINK);
    enc_pop(e, RAX);
    enc_jmp(e, &leave_label);
    start(e, b, STUB_LEAVE_HOT);
    enc_pop(e, RAX);
    enc_store_i(e, false, MEM_STATE(hot), 1);
    enc_jmp(e, &leave_label);
    start(e, b, STUB_LEAVE_FAULT);
    stub_leave_fault(e, LEAVE_FAULT);
    start(e, b, STUB_LEAVE_RETRY);
    stub_leave_fault(e, LEAVE_RETRY);
    start(e, b, STUB_RET_HOME);
    if (b->return_home != REG_NONE)
        enc_mov_rr(e, true, RAX, b->return_home);
    enc_jmp(e, &ret_label);
    start(e, b, STUB_RET);
    enc_bind(e, &ret_label);
    stub_ret(e, &jump_label);
    start(e, b, STUB_SENTINEL);
    enc_load(e, true, RSP, MEM_STATE(return_stack_top));
    enc_jmp(e, &jump_label);
    start(e, b, STUB_SYSCALL);
    stub_syscall(e, b, isa, &jump_label, &leave_label);
    start(e, b, STUB_CALL_FN);
    stub_call_fn(e);
    for (unsigned n = 0; n < IR_N_SCANS; n++) {
        start(e, b, STUB_SCAN + n);
        stub_scan(e, n);
    }
    for (unsigned n = 0; n < IR_N_MOVES; n++) {
        start(e, b, STUB_MOVE + n);
        stub_move(e, n);
    }
    while ((e->p - e->code) & 63)
        emit8(e, 0xcc);
    b->buffer.first = b->buffer.next = e->p;
}
