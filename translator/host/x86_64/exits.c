/* data plane */
/*
 * Leaving a unit: direct exits with their links, indirect ones, calls and returns by the host's
 * own, traps. What isn't canonical goes to where it belongs before (write-back.c).
 *
 * A direct exit is a jump whose rel32 lies within eight aligned bytes, so that it can be patched
 * while others run it. Unlinked it leads to a stub, `call STUB_LEAVE_LINK`, whose return address
 * tells C which link it is.
 *
 * The private stack holds 16-byte frames: host return address, guest return address above it. A
 * landing pad, behind each host call, drops the guest's address and goes on by a link of its own.
 * Where what is returned to overwrites the flags unread, and functions call themselves, EXPECTED is
 * added to the address: returns that expect it leave the flags unsaved (IR_EXIT_EXPECTED).
 */
#include "translator/host/x86_64/emit-state.h"
#include "translator/ir/arena.h"

/* Before terminators: a flags value in EFLAGS becomes an ordinary one. */
static void settle_flags(Emit *e) { flags_clobber(e); }

/* -- links ------------------------------------------------------------------------------------- */

/* What is `ahead` bytes on shall stand at most at byte `most` of an aligned eight. (Prefixes
 * without a meaning instead of nops were no faster before branches, and slower before jumps.) */
static void align_site(Emit *e, unsigned ahead, unsigned most)
{
    static const uint8_t nop[8][7] = {
        { 0 }, { 0x90 }, { 0x66, 0x90 }, { 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0 },
        { 0x0f, 0x1f, 0x44, 0, 0 }, { 0x66, 0x0f, 0x1f, 0x44, 0, 0 },
        { 0x0f, 0x1f, 0x80, 0, 0, 0, 0 },
    };
    unsigned at = ((e->p - e->code) + ahead) % 8, n = at > most ? 8 - at : 0;
    for (unsigned k = 0; k < n; k++)
        emit8(e, nop[n][k]);
}

static void align_rel32(Emit *e, unsigned opcode_bytes) { align_site(e, opcode_bytes, 4); }

/* The same by prefixes of the instruction that follows, no branch and in no need of a segment: a
 * nop would be one more. */
static void align_by_prefix(Emit *e, unsigned ahead)
{
    for (unsigned at = ((e->p - e->code) + ahead) % 8; at > 4 && at < 8; at++)
        emit8(e, 0x2e);
}

/* A branch with two bytes of opcode. Behind the comparison that it is for, the prefixes are that
 * one's, so that they stay together: the processor makes one operation of them. */
static void align_branch(Emit *e)
{
    struct EmitState *s = e->s;
    uint32_t at = e->p - e->code, n = (at + 2) % 8 > 4 ? 8 - (at + 2) % 8 : 0;
    if (n && s->cmp_end == at) {
        memmove(e->code + s->cmp_at + n, e->code + s->cmp_at, at - s->cmp_at);
        memset(e->code + s->cmp_at, 0x2e, n);
        e->p += n;
    }
    align_rel32(e, 2);
}

static void emit_link_stub(Emit *e, RawLink *l)
{
    uint32_t stub = e->p - e->code;
    l->stub = stub;
    emit_call_stub(e, STUB_LEAVE_LINK);
    int32_t rel = stub - (l->site + 4);
    memcpy(e->code + l->site, &rel, 4);
}

/* At the unit's end: UnitLink.apart. */
bool exit_emit_link_stubs(Emit *e)
{
    for (uint32_t n = 0; n < e->s->n_links; n++) {
        RawLink *l = &e->s->links[n];
        if (l->stub)
            continue;
        if (e->limit - e->p < EMIT_RESERVE)
            return false;
        emit_link_stub(e, l);
        l->apart = true;
    }
    return true;
}

/* The rel32 just emitted (its bytes are anything) is a link's. Entries are counted where a loop or
 * a recursion comes by: behind jumps back and calls; and behind regions, which had better go on
 * there. The rest of the units are entered from those. */
static RawLink *add_link(Emit *e, GuestAddr target, bool counts)
{
    struct EmitState *s = e->s;
    s->links = arena_grow(e->unit->arena, s->links, sizeof *s->links, s->n_links, &s->cap_links,
                          s->n_links + 1);
    RawLink *l = &s->links[s->n_links++];
    counts = (counts || e->unit->flags & IR_UNIT_REGION) && e->translator->tier == TIER_AUTO;
    *l = (RawLink) { .target = target, .site = e->p - 4 - e->code, .counts = counts };
    return l;
}

static bool no_links(Emit *e) { return e->unit->flags & IR_UNIT_ALONE; }

/* It goes onto the private stack; `more` is EXPECTED or 0. Without, it is taken from the register
 * `home` if that isn't REG_NONE. */
static void push_return(Emit *e, GuestAddr ret_pc, int32_t more, Reg home, Reg temp)
{
    if (home != REG_NONE && !more) {
        enc_push(e, home);
    } else if (ret_pc <= INT32_MAX - EXPECTED) {
        emit8(e, 0x68); /* push imm32 */
        emit32(e, ret_pc + more);
        emit_reloc(e, e->p - 4 - e->code, UNIT_RELOC_GUEST32, 0);
    } else {
        emit_guest_addr(e, temp, ret_pc);
        if (more)
            enc_lea(e, true, temp, (Mem) { temp, REG_NONE, 0, 0, more });
        enc_push(e, temp);
    }
}

static int32_t expected(const IrInsn *call)
{
    return call->attr & IR_EXIT_EXPECTED ? EXPECTED : 0;
}

enum { CALL_BYTES = 5, LEA_BYTES = 5, LEA_MAX_AT = 8 - LEA_BYTES };

/* lea rsp, [rsp+8]: as long as a jump */
static void drop_return(Emit *e) { enc_lea(e, true, RSP, (Mem) { RSP, REG_NONE, 0, 0, 8 }); }

static void landing_pad(Emit *e, GuestAddr ret_pc)
{
    align_by_prefix(e, 1 + 1);
    enc_pop(e, RCX); /* which is nothing's here, in a byte */
    align_rel32(e, 1);
    emit8(e, 0xe9);
    emit32(e, 0);
    add_link(e, ret_pc, false);
}

/* The private stack gets what the calls that were inlined around the exit would have pushed, from
 * the outermost on. Everything is canonical; keeps rax. */
static void push_frame_chain(Emit *e, uint32_t frame)
{
    const IrFrame *f = &e->unit->frame[frame];
    Label inside = LABEL_INIT;
    if (f->outer)
        push_frame_chain(e, f->outer);
    push_return(e, f->ret, 0, REG_NONE, RCX);
    emit8(e, 0xe8);
    emit32(e, inside.fix);
    inside.fix = e->p - 4 - e->code;
    landing_pad(e, f->ret);
    enc_bind(e, &inside);
}

static void push_frames(Emit *e, const IrInsn *exit)
{
    uint32_t frame = exit->attr >> IR_EXIT_FRAME_SHIFT;
    if (frame && !no_links(e))
        push_frame_chain(e, frame);
}

static void leave_to_pc(Emit *e, GuestAddr pc)
{
    exit_store_pc(e, pc, RAX);
    emit_jmp_stub(e, STUB_LEAVE_PC);
}

/* Each unit has one, so it is small: C finds the unit by the return address. */
static void cold_hot(Emit *e, Cold *c)
{
    (void)c;
    emit_call_stub(e, STUB_LEAVE_HOT);
}

/* At the entry, where everything is canonical. */
void exit_count_entry(Emit *e)
{
    Cold *c = emit_cold(e, cold_hot, NULL);
    Mem m = mem_state(offsetof(Vcpu, profile) + 4 * vcpu_profile_index(e->unit->pc));
    enc_alu_i(e, ALU_ADD, false, operand_mem(m), (int32_t)e->translator->tier_step);
    enc_jcc(e, CC_B, &c->enter);
}

/* Loops must be interruptible: a jump backwards looks whether somebody wants us in C. So do all out
 * of a region, whose jumps inside don't (opt/polls.c). */
static bool wants_poll(Emit *e, GuestAddr target)
{
    return target <= e->guest_pc || e->unit->flags & IR_UNIT_REGION;
}

static void poll_kick(Emit *e)
{
    enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(kicked)), 0);
}

/* v[0], v[1]: snapshot, number of entries and flags kind; v[2]: pc */
static void cold_poll(Emit *e, Cold *c)
{
    exit_write_back(e, c->v[0], c->v[1] & 0xffff, c->v[1] >> 16);
    leave_to_pc(e, c->v[2]);
}

static void select_poll(Emit *e, IrInsn *i)
{
    unsigned n;
    e->ra->skip_lazy = ra_lazy_dead(i);
    flags_clobber(e);
    uint32_t snap = ra_snapshot(e->ra, true, &n);
    e->ra->skip_lazy = false;
    Cold *c = emit_cold(e, cold_poll, i);
    c->v[0] = snap;
    c->v[1] = n;
    c->v[2] = i->imm;
    enc_alu_i(e, ALU_CMP, false, operand_mem(MEM_STATE(kicked)), 0);
    enc_jcc(e, CC_NE, &c->enter);
}

/* If nobody wants us in C, straight on; behind that is what goes there. */
static void jump_polling(Emit *e, GuestAddr target)
{
    enum { POLL_BYTES = 4 };
    /* Round a loop without counting it would never be seen to be hot. */
    bool seen = unit_counts(e->unit->flags) || e->translator->tier != TIER_AUTO;
    if (target == e->unit->pc && seen) {
        poll_kick(e);
        enc_jcc(e, CC_E, &e->s->entry);
        leave_to_pc(e, target);
        return;
    }
    align_by_prefix(e, POLL_BYTES + 2);
    poll_kick(e);
    align_rel32(e, 2);
    emit8(e, 0x0f);
    emit8(e, 0x80 | CC_E);
    emit32(e, 0);
    emit_link_stub(e, add_link(e, target, target <= e->guest_pc));
}

/* Everything is canonical: on to the target. */
static void jump_direct(Emit *e, GuestAddr target)
{
    if (no_links(e)) {
        leave_to_pc(e, target);
    } else if (wants_poll(e, target)) {
        jump_polling(e, target);
    } else {
        align_rel32(e, 1);
        emit8(e, 0xe9);
        emit32(e, 0);
        add_link(e, target, target <= e->guest_pc);
    }
}

/* At a direct exit: with lazy variables that nobody wants EFLAGS may just be lost. */
static void write_back_direct(Emit *e, const IrInsn *i)
{
    e->ra->skip_lazy = ra_lazy_dead(i);
    if (!e->ra->skip_lazy)
        settle_flags(e);
    exit_write_back_now(e);
    e->ra->skip_lazy = false;
}

static void select_exit_jump(Emit *e, IrInsn *i)
{
    write_back_direct(e, i);
    push_frames(e, i);
    jump_direct(e, i->imm);
    e->s->ended = true;
}

/* v[0], v[1]: snapshot, number of entries and flags kind; v[2]: target */
static void cold_side_exit(Emit *e, Cold *c)
{
    exit_write_back(e, c->v[0], c->v[1] & 0xffff, c->v[1] >> 16);
    push_frames(e, c->insn);
    jump_direct(e, c->v[2]);
}

/* The snapshot of a side exit; flags in EFLAGS will be taken through rax there. */
static uint32_t side_snapshot(Emit *e, unsigned *ret_n)
{
    uint32_t snap = ra_snapshot(e->ra, true, ret_n);
    /* In a region exits are rare: better to save rax there than to move what is in it here. */
    if (exit_snap_has_flags(&e->ra->snap[snap], *ret_n) && e->ra->owner[RAX] && !e->s->region) {
        ra_take(e->ra, RAX);
        snap = ra_snapshot(e->ra, true, ret_n);
        ra_release(e->ra, RAX);
    }
    return snap;
}

static HostCc exit_cond(Emit *e, IrRef b) { return flags_use_cond(e, b); }

static void select_exit_if(Emit *e, IrInsn *i)
{
    HostCc cc = exit_cond(e, i->arg[0]);
    GuestAddr target = i->imm;
    if (e->s->inverted == (IrRef)(i - e->unit->insn))
        cc ^= 1;
    unsigned n;
    /* It may move values: before the exit's snapshot. */
    uint32_t back = e->s->region ? region_settle_back(e, i) : UINT32_MAX;
    e->ra->skip_lazy = ra_lazy_dead(i);
    uint32_t snap = side_snapshot(e, &n);
    e->ra->skip_lazy = false;
    FlagsKind there = flags_kind_where(e, cc == CC_E);
    if (e->s->region && region_goes_back(e, back, cc, snap, n)) {
        exit_write_back(e, snap, n, there);
        push_frames(e, i);
        jump_direct(e, target);
        return;
    }
    if (n == 0 && !no_links(e) && cc < 16 && target > e->guest_pc && !e->s->region) {
        align_branch(e);
        emit8(e, 0x0f);
        emit8(e, 0x80 | cc);
        emit32(e, 0);
        add_link(e, target, false);
        return;
    }
    Cold *c = emit_cold(e, cold_side_exit, i);
    c->v[0] = snap;
    c->v[1] = n | (uint64_t)there << 16;
    c->v[2] = target;
    enc_jcc(e, cc, &c->enter);
    e->s->flags_kind = flags_kind_where(e, cc == CC_NE);
}

/* -- traps ------------------------------------------------------------------------------------- */

static void leave_trap(Emit *e, const IrInsn *i)
{
    exit_store_pc(e, i->imm, RDX);
    if (i->attr == VCPU_EXIT_GUESS || i->attr == VCPU_EXIT_GUESS_BOXED)
        exit_store_addr(e, MEM_STATE(exit_payload), e->unit->pc, RDX);
    if (i->attr == VCPU_EXIT_SYSCALL && e->translator->callbacks.syscall && !no_links(e)) {
        emit_jmp_stub(e, STUB_SYSCALL);
        return;
    }
    enc_store_i(e, false, MEM_STATE(exit_reason), i->attr);
    emit_jmp_stub(e, STUB_LEAVE_DONE);
}

/* r[0]: payload or REG_NONE */
static void cold_trap(Emit *e, Cold *c)
{
    if (c->r[0] != REG_NONE)
        enc_store(e, true, MEM_STATE(exit_payload), c->r[0]);
    exit_write_back(e, c->v[0], c->v[1] & 0xffff, c->v[1] >> 16);
    leave_trap(e, c->insn);
}

static void select_trap_if(Emit *e, IrInsn *i)
{
    Reg p = i->arg[1] ? ra_use(e->ra, i->arg[1]) : REG_NONE;
    HostCc cc = exit_cond(e, i->arg[0]);
    unsigned n;
    uint32_t snap = ra_snapshot(e->ra, true, &n);
    if (exit_snap_has_flags(&e->ra->snap[snap], n)) {
        /* rare: take them now, and look at the condition as a value */
        ra_use(e->ra, i->arg[0]);
        flags_clobber(e);
        cc = exit_cond(e, i->arg[0]);
        snap = ra_snapshot(e->ra, true, &n);
    }
    Cold *c = emit_cold(e, cold_trap, i);
    c->r[0] = p;
    c->v[0] = snap;
    c->v[1] = n;
    enc_jcc(e, cc, &c->enter);
}

static void select_trap(Emit *e, IrInsn *i)
{
    settle_flags(e);
    if (i->arg[0]) {
        Reg p = ra_use(e->ra, i->arg[0]);
        enc_store(e, true, MEM_STATE(exit_payload), p);
    }
    exit_write_back_now(e);
    leave_trap(e, i);
    e->s->ended = true;
}

/* -- indirect exits, calls, returns ------------------------------------------------------------ */

static void leave_to(Emit *e, Reg r)
{
    enc_store(e, true, mem_state(offsetof(Vcpu, cpu) + e->unit->isa->pc_offset), r);
    emit_jmp_stub(e, STUB_LEAVE_PC);
}

/* The pc in r isn't in the jump cache. */
static void look_further(Emit *e, Reg r)
{
    emit_move(e, RAX, r);
    emit_jmp_stub(e, STUB_MISS);
}

/* Writes everything back. The target is then in the register that is returned: a home, or rax. */
static Reg settle_target(Emit *e, IrRef target)
{
    Reg home = exit_home_with(e, target);
    settle_flags(e);
    if (home != REG_NONE) {
        exit_write_back_now(e);
        return home;
    }
    const RaValue *v = &e->ra->value[ra_root(e->ra, target)];
    if (v->reg == RAX)
        e->ra->locked |= 1u << RAX; /* which writing back keeps */
    else
        ra_use_fixed(e->ra, target, RAX);
    exit_write_back_now(e);
    return RAX;
}

/* The jump cache's entry of the pc in r, by way of rcx and rdx. */
static void look_up(Emit *e, Reg r, Label *miss)
{
    enc_mov_rr(e, false, RCX, r);
    enc_alu_i(e, ALU_AND, false, operand_reg(RCX), (VCPU_JUMP_CACHE_SIZE - 1) << 2);
    enc_load(e, true, RDX, MEM_STATE(jump_cache));
    enc_rm(e, 0, 0, ENC_W, 0x3b, r,
           (Mem) { RDX, RCX, 2, 0, offsetof(JumpCacheEntry, pc) });
    enc_jcc(e, CC_NE, miss);
}

static const Mem jump_cache_host = { RDX, RCX, 2, 0, offsetof(JumpCacheEntry, host) };

/* On to it on a hit. Also in stubs. */
void exit_emit_lookup(Emit *e, Reg r, Label *miss)
{
    look_up(e, r, miss);
    enc_rm(e, 0, 0, 0, 0xff, 4, jump_cache_host);
}

/* r[0]: the target */
static void cold_miss(Emit *e, Cold *c) { look_further(e, c->r[0]); }

static void jump_to(Emit *e, Reg r)
{
    if (no_links(e)) {
        leave_to(e, r);
        return;
    }
    Cold *c = emit_cold(e, cold_miss, NULL);
    c->r[0] = r;
    exit_emit_lookup(e, r, &c->enter);
}

/* For the profile; by way of rcx. */
static void note_target(Emit *e, Reg r)
{
    if (e->translator->tier != TIER_AUTO || e->unit->flags & (IR_UNIT_REGION | IR_UNIT_ALONE))
        return;
    size_t site = offsetof(Vcpu, target) +
                  vcpu_target_site(e->guest_pc) * sizeof(((Vcpu *)0)->target[0]);
    Mem m = mem_state(site);
    m.index = RCX;
    m.scale = 3;
    enc_rr(e, 0, 0, 0, 0x69, RCX, r); /* imul */
    emit32(e, (uint32_t)VCPU_TARGET_HASH);
    enc_shift_i(e, SH_SHR, false, RCX, 32 - VCPU_TARGETS_LOG2);
    enc_store(e, true, m, r);
}

static void select_exit_ind(Emit *e, IrInsn *i)
{
    Reg r = settle_target(e, i->arg[0]);
    note_target(e, r);
    push_frames(e, i);
    jump_to(e, r);
    e->s->ended = true;
}

/* The guest's return address, if it is a constant (as always). */
static bool return_pc(Emit *e, IrRef ret, GuestAddr *ret_pc)
{
    const IrInsn *r = ra_insn(e->ra, ret);
    if (!r || (r->op != IR_codeaddr && r->op != IR_const))
        return false;
    *ret_pc = r->imm;
    return true;
}

/* The way back from a call once the unit is withdrawn. v[0]: return address; v[1]: the place that
 * leads here then */
static void cold_withdrawn(Emit *e, Cold *c)
{
    align_rel32(e, LEA_BYTES + 1);
    drop_return(e);
    emit8(e, 0xe9);
    emit32(e, 0);
    add_link(e, c->v[0], false)->guard = c->v[1];
}

/* Behind a call after which the unit goes on. The instruction there can be replaced by a jump, by
 * one store, so that a unit whose code has been changed meanwhile isn't returned into. */
static void come_back(Emit *e, GuestAddr ret_pc)
{
    Cold *c = emit_cold(e, cold_withdrawn, NULL);
    c->v[0] = ret_pc;
    c->v[1] = e->p - e->code;
    drop_return(e);
    flags_forget(e);
    ra_return_vars(e->ra);
    e->failed |= e->ra->failed; /* before anything uses what isn't there */
}

static void select_gcall(Emit *e, IrInsn *i)
{
    GuestAddr ret_pc;
    write_back_direct(e, i);
    if (!return_pc(e, i->arg[0], &ret_pc)) {
        e->failed = true;
        return;
    }
    push_return(e, ret_pc, expected(i), exit_home_with(e, i->arg[0]), RCX);
    align_site(e, CALL_BYTES, 0); /* its own rel32 then is at byte 4 */
    emit8(e, 0xe8);
    emit32(e, 0);
    add_link(e, i->imm, true);
    come_back(e, ret_pc);
}

static void select_exit_call(Emit *e, IrInsn *i)
{
    GuestAddr ret_pc;
    write_back_direct(e, i);
    e->s->ended = true;
    if (no_links(e)) {
        leave_to_pc(e, i->imm);
        return;
    }
    push_frames(e, i);
    if (!return_pc(e, i->arg[0], &ret_pc)) {
        jump_direct(e, i->imm);
        return;
    }
    Reg home = exit_home_with(e, i->arg[0]);
    if (home != REG_NONE && !expected(i))
        align_by_prefix(e, (home & 8 ? 2 : 1) + 1); /* push, then the opcode */
    push_return(e, ret_pc, expected(i), home, RCX);
    align_rel32(e, 1);
    emit8(e, 0xe8);
    emit32(e, 0);
    add_link(e, i->imm, true);
    landing_pad(e, ret_pc);
}

/* A call whose target isn't in the jump cache: the frame as the call makes it, so that only the
 * unit has to be found. r[0]: the target; r[1]: the return address's home, or REG_NONE; v[0]: the
 * return address; back: the landing pad */
static void cold_call_miss(Emit *e, Cold *c)
{
    Label leave = LABEL_INIT;
    push_return(e, c->v[0], 0, c->r[1], RCX);
    emit8(e, 0xe8);
    emit32(e, leave.fix);
    leave.fix = e->p - 4 - e->code;
    enc_jmp(e, &c->back);
    enc_bind(e, &leave);
    look_further(e, c->r[0]);
}

static void select_exit_callind(Emit *e, IrInsn *i)
{
    GuestAddr ret_pc;
    Reg r = settle_target(e, i->arg[0]);
    note_target(e, r);
    e->s->ended = true;
    if (no_links(e)) {
        leave_to(e, r);
        return;
    }
    push_frames(e, i);
    if (!return_pc(e, i->arg[1], &ret_pc)) {
        jump_to(e, r);
        return;
    }
    Cold *c = emit_cold(e, cold_call_miss, NULL);
    c->v[0] = ret_pc;
    c->r[0] = r;
    c->r[1] = exit_home_with(e, i->arg[1]);
    look_up(e, r, &c->enter);
    push_return(e, ret_pc, 0, c->r[1], RAX);
    enc_rm(e, 0, 0, 0, 0xff, 2, jump_cache_host);
    enc_bind(e, &c->back);
    landing_pad(e, ret_pc);
}

static void select_gcallind(Emit *e, IrInsn *i)
{
    GuestAddr ret_pc;
    Reg r = settle_target(e, i->arg[0]);
    if (!return_pc(e, i->arg[1], &ret_pc)) {
        e->failed = true;
        return;
    }
    Cold *c = emit_cold(e, cold_call_miss, NULL);
    c->v[0] = ret_pc;
    c->r[0] = r;
    c->r[1] = exit_home_with(e, i->arg[1]);
    look_up(e, r, &c->enter);
    push_return(e, ret_pc, 0, c->r[1], RAX);
    enc_rm(e, 0, 0, 0, 0xff, 2, jump_cache_host);
    align_site(e, 0, LEA_MAX_AT);
    enc_bind(e, &c->back);
    come_back(e, ret_pc);
}

/* r[0]: the target */
static void cold_ret(Emit *e, Cold *c)
{
    if (c->r[0] != RAX)
        enc_mov_rr(e, true, RAX, c->r[0]);
    emit_jmp_stub(e, STUB_RET);
}

/* The flags as they are to be in the state when a return turns out to be one that may want them. */
typedef struct LateFlags {
    bool wanted, w;
    unsigned var;
    bool compared;
    Reg a;       /* what was compared with imm; otherwise the flags */
    int32_t imm;
} LateFlags;

static unsigned lazy_var(Emit *e)
{
    for (unsigned var = 0; var < e->ra->n_vars; var++)
        if (e->ra->vars[var].flags & IR_VAR_LAZY)
            return var;
    return e->ra->n_vars;
}

/* Flags in EFLAGS that a comparison of a home register with a constant has made can be made again,
 * those in rax, which writing back keeps, be stored, both later. */
static LateFlags put_flags_off(Emit *e)
{
    LateFlags f = { .var = lazy_var(e) };
    if (f.var == e->ra->n_vars)
        return f;
    const RaValue *v = &e->ra->value[e->ra->binding[f.var]];
    const IrInsn *i = v->special ? ra_insn(e->ra, v->insn) : NULL;
    if (i && i->op == IR_flsub && ra_fits_i32(e->ra, i->arg[1], &f.imm)) {
        f.a = exit_home_with(e, i->arg[0]);
        f.w = i->attr == IR_I64;
        f.wanted = f.compared = f.a != REG_NONE;
    }
    if (!f.wanted) {
        settle_flags(e);
        f.a = v->reg;
        f.wanted = f.a == RAX && !e->ra->form[f.var] && v->mem != (RA_MEM_VAR | (int)f.var);
    }
    return f;
}

/* Not to a call that expects it: the flags then, and whether it is to another one. r[0]: the
 * target, which isn't rax; v[0]: the LateFlags, if any */
static void cold_unexpected(Emit *e, Cold *c)
{
    const LateFlags *f = (const LateFlags *)(uintptr_t)c->v[0];
    Label elsewhere = LABEL_INIT;
    if (f->compared) {
        enc_alu_i(e, ALU_CMP, f->w, operand_reg(f->a), f->imm);
        flags_to_ax(e, FLAGS_SUB);
        enc_store(e, false, exit_var_mem(e, f->var), RAX);
    } else if (f->wanted) {
        enc_store(e, false, exit_var_mem(e, f->var), f->a);
    }
    enc_rm(e, 0, 0, ENC_W, 0x3b, c->r[0], (Mem) { RSP, REG_NONE, 0, 0, 8 });
    enc_jcc(e, CC_NE, &elsewhere);
    emit8(e, 0xc3);
    enc_bind(e, &elsewhere);
    enc_mov_rr(e, true, RAX, c->r[0]);
    emit_jmp_stub(e, STUB_RET);
}

static void return_expected(Emit *e, Reg r)
{
    LateFlags *f = arena_alloc(e->unit->arena, sizeof *f);
    *f = put_flags_off(e);
    e->ra->skip_lazy = f->wanted;
    if (f->wanted && !f->compared)
        e->ra->locked |= 1u << RAX; /* not for what the snapshot untangles */
    exit_write_back_now(e);
    e->ra->skip_lazy = false;
    Cold *c = emit_cold(e, cold_unexpected, NULL);
    c->r[0] = r;
    c->v[0] = (uintptr_t)f;
    enc_lea(e, true, RCX, (Mem) { r, REG_NONE, 0, 0, EXPECTED });
    enc_rm(e, 0, 0, ENC_W, 0x3b, RCX, (Mem) { RSP, REG_NONE, 0, 0, 8 });
    enc_jcc(e, CC_NE, &c->enter);
    emit8(e, 0xc3);
}

static void select_exit_ret(Emit *e, IrInsn *i)
{
    e->s->ended = true;
    if (i->attr & IR_EXIT_EXPECTED && !no_links(e)) {
        Reg home = exit_home_with(e, i->arg[0]);
        if (home != REG_NONE) {
            return_expected(e, home);
            return;
        }
    }
    Reg r = settle_target(e, i->arg[0]);
    if (no_links(e)) {
        leave_to(e, r);
        return;
    }
    enc_rm(e, 0, 0, ENC_W, 0x3b, r, (Mem) { RSP, REG_NONE, 0, 0, 8 });
    if (r == e->s->backend->return_home) {
        emit_jcc_stub(e, CC_NE, STUB_RET_HOME);
    } else {
        Cold *c = emit_cold(e, cold_ret, NULL);
        c->r[0] = r;
        enc_jcc(e, CC_NE, &c->enter);
    }
    emit8(e, 0xc3);
}

const SelectRow select_control_rows[] = {
    { IR_exit_if, SEL_KEEPS_FLAGS, select_exit_if },
    { IR_poll, SEL_KEEPS_FLAGS, select_poll },
    { IR_trap_if, SEL_KEEPS_FLAGS, select_trap_if },
    { IR_exit_jump, SEL_KEEPS_FLAGS, select_exit_jump },
    { IR_exit_ind, SEL_KEEPS_FLAGS, select_exit_ind },
    { IR_exit_call, SEL_KEEPS_FLAGS, select_exit_call },
    { IR_exit_callind, SEL_KEEPS_FLAGS, select_exit_callind },
    { IR_exit_ret, SEL_KEEPS_FLAGS, select_exit_ret },
    { IR_gcall, SEL_KEEPS_FLAGS, select_gcall },
    { IR_gcallind, SEL_KEEPS_FLAGS, select_gcallind },
    { IR_trap, SEL_KEEPS_FLAGS, select_trap },
    { 0 },
};
