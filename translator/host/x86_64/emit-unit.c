/* data plane */
/*
 * Compiles one unit: walks its block, hands each instruction to its select function, then appends
 * the cold code and the constant pool and records links, relocations and the side table.
 */
#include "translator/host/x86_64/compile.h"
#include "translator/host/x86_64/emit-state.h"
#include "translator/host/x86_64/fp-site.h"
#include "translator/ir/arena.h"

/* -- machine-level helpers --------------------------------------------------------------------- */

void emit_move(Emit *e, Reg to, Reg from)
{
    if (to == from)
        return;
    if (to < 16 && from < 16)
        enc_mov_rr(e, true, to, from);
    else if (to >= 16 && from >= 16)
        enc_rr(e, 0, 1, 0, 0x28, to, from); /* movaps */
    else if (to >= 16)
        enc_rr(e, 0x66, 1, ENC_W, 0x6e, to, from); /* movq xmm, r64 */
    else
        enc_rr(e, 0x66, 1, ENC_W, 0x7e, from, to);
}

/* The minimum of a value with itself is the value, and traps for a NaN (fp_canonical()). */
static void emit_canonical(Emit *e, bool dbl, Reg to, Reg from)
{
    IrInsn add = { .op = IR_fadd, .type = dbl ? IR_F64 : IR_F32, .attr = IR_FP_NAN_DEFAULT };
    UnitFpSite *s;
    if (!e->cpu->avx) {
        emit_move(e, to, from);
        from = to;
    }
    s = fp_site_begin(e, &add);
    s->arg_type = add.type;
    s->dst = fp_in(to);
    s->src[0] = s->src[1] = fp_in(from);
    s->src[2] = fp_in(REG_NONE);
    emit_vrrr(e, vop_pfx(VFMIN, dbl ? 0xf2 : 0xf3), to, from, from);
    fp_site_end(e);
}

void emit_form(Emit *e, Reg to, Reg from, IrForm form)
{
    if (form == IR_FORM_CANON || form == IR_FORM_CANON_BOX) {
        emit_canonical(e, form == IR_FORM_CANON, to, from);
        from = to;
        form = form == IR_FORM_CANON_BOX ? IR_FORM_BOX : IR_FORM_PLAIN;
    }
    switch (form) {
    case IR_FORM_SEXT:
        enc_rr(e, 0, 0, ENC_W, 0x63, to, from); /* movsxd */
        break;
    case IR_FORM_ZEXT:
        enc_mov_rr(e, false, to, from);
        break;
    case IR_FORM_BOX:
        emit_move(e, to, from);
        enc_rm(e, 0x66, 1, 0, 0xeb, to, enc_pool128(e, 0xffffffffull << 32, 0)); /* por */
        break;
    default:
        break;
    }
}

void emit_load(Emit *e, Reg to, Mem m, unsigned bytes)
{
    if (to < 16)
        enc_load(e, bytes == 8, to, m);
    else if (bytes == 16)
        enc_rm(e, 0, 1, 0, 0x10, to, m); /* movups */
    else
        enc_rm(e, bytes == 8 ? 0xf2 : 0xf3, 1, 0, 0x10, to, m); /* movsd, movss */
}

void emit_store(Emit *e, Mem m, Reg from, unsigned bytes)
{
    if (from < 16)
        enc_store(e, bytes == 8, m, from);
    else if (bytes == 16)
        enc_rm(e, 0, 1, 0, 0x11, from, m);
    else
        enc_rm(e, bytes == 8 ? 0xf2 : 0xf3, 1, 0, 0x11, from, m);
}

void emit_reloc(Emit *e, uint32_t at, UnitRelocKind kind, unsigned stub)
{
    struct EmitState *s = e->s;
    UnitReloc r = { .at = at, .kind = kind, .stub = stub };
    e->failed |= r.at != at;
    s->relocs = arena_grow(e->unit->arena, s->relocs, sizeof *s->relocs, s->n_relocs,
                           &s->cap_relocs, s->n_relocs + 1);
    s->relocs[s->n_relocs++] = r;
}

static void stub_rel32(Emit *e, StubId stub)
{
    emit_reloc(e, e->p - e->code, UNIT_RELOC_STUB, stub);
    emit32(e, (uint32_t)(e->s->backend->stub[stub] - (e->p + 4)));
}

void emit_jmp_stub(Emit *e, StubId stub)
{
    emit8(e, 0xe9);
    stub_rel32(e, stub);
}

void emit_call_stub(Emit *e, StubId stub)
{
    emit8(e, 0xe8);
    stub_rel32(e, stub);
}

void emit_jcc_stub(Emit *e, HostCc cc, StubId stub)
{
    emit8(e, 0x0f);
    emit8(e, 0x80 | cc);
    stub_rel32(e, stub);
}

void emit_guest_addr(Emit *e, Reg to, GuestAddr pc)
{
    if (pc <= INT32_MAX) {
        enc_mov_ri(e, to, pc);
        emit_reloc(e, e->p - 4 - e->code, UNIT_RELOC_GUEST32, 0);
    } else {
        emit8(e, 0x48 | (to >> 3 & 1));
        emit8(e, 0xb8 | (to & 7));
        emit64(e, pc);
        emit_reloc(e, e->p - 8 - e->code, UNIT_RELOC_GUEST64, 0);
    }
}

Cold *emit_cold(Emit *e, void (*fn)(Emit *e, Cold *c), IrInsn *i)
{
    Cold *c = arena_alloc(e->unit->arena, sizeof *c);
    c->fn = fn;
    c->enter = c->back = LABEL_INIT;
    c->insn = i;
    c->guest_pc = e->guest_pc;
    *e->s->cold_tail = c;
    e->s->cold_tail = &c->next;
    return c;
}

void emit_call_fn(Emit *e, unsigned fn, uint64_t imm)
{
    /* The stub keeps rax in scratch[6]. */
    enc_store(e, true, MEM_STATE(scratch[6]), RAX);
    if (imm <= UINT32_MAX) {
        enc_mov_ri(e, RAX, imm);
    } else {
        emit8(e, 0x48);
        emit8(e, 0xb8);
        emit64(e, imm);
    }
    enc_store(e, true, MEM_STATE(scratch[7]), RAX);
    enc_mov_ri(e, RAX, fn);
    emit_call_stub(e, STUB_CALL_FN);
}

void emit_point_begin(Emit *e)
{
    struct EmitState *s = e->s;
    unsigned n;
    const IrInsn *i = e->ra->current;
    bool merged = i->op == IR_store && i->attr & IR_MEM_MERGED;
    if (merged)
        flags_clobber(e);
    uint32_t snap = ra_snapshot(e->ra, false, &n);
    s->points = arena_grow(e->unit->arena, s->points, sizeof *s->points, s->n_points,
                           &s->cap_points, s->n_points + 1);
    s->points[s->n_points++] = (RawPoint) {
        .start = (uint32_t)(e->p - e->code), .guest = (int32_t)(e->guest_pc - e->unit->pc),
        .snap = snap, .n_snap = n,
        .flags_kind = merged ? FLAGS_MERGED : flags_kind_plain(s->flags_kind),
    };
}

void emit_point_end(Emit *e)
{
    RawPoint *p = &e->s->points[e->s->n_points - 1];
    p->bytes = (uint32_t)(e->p - e->code) - p->start;
}

/* -- the allocator's requests ------------------------------------------------------------------ */

static void target_move(void *host, Reg to, Reg from) { emit_move(host, to, from); }

static void target_swap(void *host, Reg a, Reg b) { emit_swap(host, a, b); }

static void target_load(void *host, Reg to, uint32_t offset, unsigned bytes)
{
    emit_load(host, to, mem_state(offset), bytes);
}

static void target_store(void *host, uint32_t offset, Reg from, unsigned bytes)
{
    emit_store(host, mem_state(offset), from, bytes);
}

static void target_form(void *host, Reg to, Reg from, IrForm form)
{
    emit_form(host, to, from, form);
}

static void target_constant(void *host, Reg to, const IrInsn *i)
{
    Emit *e = host;
    if (i->op == IR_codeaddr) {
        emit_guest_addr(e, to, i->imm);
        return;
    }
    if (to < 16) {
        enc_mov_ri(e, to, i->imm);
        return;
    }
    V128 v = { i->imm, 0 };
    if (i->op == IR_vconst)
        v = e->unit->vconst[i->imm];
    if (v.lo == 0 && v.hi == 0)
        enc_rr(e, 0x66, 1, 0, 0xef, to, to); /* pxor */
    else if (i->op != IR_vconst)
        enc_rm(e, i->type == IR_F32 ? 0xf3 : 0xf2, 1, 0, 0x10, to, enc_pool64(e, v.lo));
    else if (v.lo == UINT64_MAX && v.hi == UINT64_MAX)
        enc_rr(e, 0x66, 1, 0, 0x76, to, to); /* pcmpeqd */
    else
        enc_rm(e, 0, 1, 0, 0x28, to, enc_pool128(e, v.lo, v.hi));
}

static void target_fetch(void *host, IrRef value) { flags_fetch(host, value); }

void compile_target_init(X86Backend *b)
{
    _Static_assert((int)RA_MAX_SPILLS == (int)VCPU_SPILLS, "each slot has a place");
    _Static_assert(offsetof(Vcpu, cpu) - offsetof(Vcpu, jump_cache) == 64, "see struct Vcpu");
    b->target = (RaTarget) {
        .gprs = TARGET_GPRS, .xmms = TARGET_XMMS,
        .gpr_home = target_gpr_home, .xmm_home = target_xmm_home,
        .n_gpr_homes = N_GPR_HOMES, .n_xmm_homes = N_XMM_HOMES,
        .spill_offset = vcpu_spill_offset(0), .cpu_offset = offsetof(Vcpu, cpu),
        .jump_reg = RAX, .state_reg = REG_STATE, .state_bias = STATE_BIAS,
        .move = target_move, .swap = target_swap, .load = target_load, .store = target_store,
        .constant = target_constant, .form = target_form, .fetch = target_fetch,
    };
}

/* -- the unit ---------------------------------------------------------------------------------- */

/* Finds pairs that one machine instruction computes: the arithmetic beside a flags operation on the
 * same operands. The first of the two does the work, the other is marked. */
enum { PAIR_WINDOW = 6, DIVISION_WINDOW = 40 };

static unsigned arithmetic_of(unsigned flags_op)
{
    switch (flags_op) {
    case IR_flsub: return IR_sub;
    case IR_fladd: return IR_add;
    case IR_flsbc: return IR_sbc;
    case IR_fladc: return IR_adc;
    default: return 0;
    }
}

/* a - c is also there as a + -c. */
static bool is_pair(const IrUnit *u, const IrInsn *f, const IrInsn *a)
{
    if (f->op == IR_flsub && a->op == IR_add && f->attr == a->type && f->arg[0] == a->arg[0]) {
        const IrInsn *c = &u->insn[f->arg[1]], *d = &u->insn[a->arg[1]];
        uint64_t sum = (uint64_t)c->imm + (uint64_t)d->imm;
        return c->op == IR_const && d->op == IR_const &&
               (a->type == IR_I32 ? (uint32_t)sum : sum) == 0;
    }
    return arithmetic_of(f->op) == a->op && f->attr == a->type && f->arg[0] == a->arg[0] &&
           f->arg[1] == a->arg[1] && f->arg[2] == a->arg[2];
}

static bool is_high_half(unsigned op) { return op == IR_mulhu || op == IR_mulhs; }

/* Both halves of one product. */
static bool is_product(const IrInsn *i, const IrInsn *j)
{
    bool same = i->arg[0] == j->arg[0] && i->arg[1] == j->arg[1];
    bool crossed = i->arg[0] == j->arg[1] && i->arg[1] == j->arg[0];
    return (same || crossed) && i->type == IR_I64 && j->type == IR_I64 &&
           (i->op == IR_mul ? is_high_half(j->op) : j->op == IR_mul);
}

static bool is_division(unsigned op)
{
    return op == IR_udiv || op == IR_urem || op == IR_sdiv || op == IR_srem;
}

/* Quotient and remainder of one division. */
static bool is_quotient(const IrInsn *i, const IrInsn *j)
{
    unsigned a = i->op < j->op ? i->op : j->op, b = i->op < j->op ? j->op : i->op;
    bool both = (a == IR_udiv && b == IR_urem) || (a == IR_sdiv && b == IR_srem);
    return both && i->type == j->type && i->arg[0] == j->arg[0] && i->arg[1] == j->arg[1];
}

static bool may_pair(unsigned op)
{
    switch (op) {
    case IR_add: case IR_sub: case IR_adc: case IR_sbc:
    case IR_fladd: case IR_flsub: case IR_fladc: case IR_flsbc:
    case IR_mul: case IR_mulhu: case IR_mulhs:
    case IR_udiv: case IR_urem: case IR_sdiv: case IR_srem:
        return true;
    default:
        return false;
    }
}

static void find_pairs(Emit *e, uint32_t block)
{
    IrUnit *u = e->unit;
    IrRef *pair = e->s->pair;
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next) {
        IrInsn *i = &u->insn[r];
        i->mark = 0;
        if (!may_pair(i->op))
            continue;
        bool flags = arithmetic_of(i->op), product = i->op == IR_mul || is_high_half(i->op);
        bool division = is_division(i->op);
        IrRef q = i->prev;
        unsigned window = division ? DIVISION_WINDOW : PAIR_WINDOW;
        for (unsigned k = 0; k < window && q; k++, q = u->insn[q].prev) {
            IrInsn *j = &u->insn[q];
            bool both = product  ? is_product(i, j)
                      : division ? is_quotient(i, j)
                      : flags    ? is_pair(u, i, j)
                                 : arithmetic_of(j->op) && is_pair(u, j, i);
            if (!pair[q] && both) {
                i->mark = MARK_DONE;
                pair[r] = q;
                pair[q] = r;
                break;
            }
        }
    }
}

/* A loop's branch at the end of the unit: the jump back becomes the straight way (with its poll),
 * the way out the side exit. */
static void straighten_loop(Emit *e)
{
    IrUnit *u = e->unit;
    IrInsn *last = &u->insn[u->block[0].last];
    IrInsn *branch = last->prev ? &u->insn[last->prev] : NULL;
    GuestAddr pc = u->pc + u->code_bytes;
    if (last->op != IR_exit_jump || !branch || branch->op != IR_exit_if ||
        u->flags & IR_UNIT_ALONE || (GuestAddr)branch->imm >= pc || (GuestAddr)last->imm < pc)
        return;
    int64_t target = branch->imm;
    uint32_t attr = branch->attr;
    branch->imm = last->imm;
    branch->attr = last->attr;
    last->imm = target;
    last->attr = attr;
    e->s->inverted = last->prev;
}

static CompiledUnit *finish(Emit *e, CodeBuffer *buf);

static bool emit_cold_code(Emit *e)
{
    for (Cold *c = e->s->cold; c; c = c->next) {
        if (e->limit - e->p < EMIT_RESERVE)
            return false;
        enc_bind(e, &c->enter);
        flags_forget(e);
        e->guest_pc = c->guest_pc;
        c->fn(e, c);
    }
    return true;
}

static void emit_pool(Emit *e)
{
    struct EmitState *s = e->s;
    if (!s->n_pool)
        return;
    while ((e->p - e->code) & 15)
        emit8(e, 0xcc);
    uint32_t base = e->p - e->code;
    for (unsigned n = 0; n < s->n_pool; n++) {
        emit64(e, s->pool[n].lo);
        emit64(e, s->pool[n].hi);
    }
    for (unsigned n = 0; n < s->n_pool_fixes; n++) {
        PoolFix *f = &s->pool_fix[n];
        int32_t rel = base + f->offset - (f->at + 4 + f->imm_bytes);
        memcpy(e->code + f->at, &rel, 4);
    }
}

bool emit_block(Emit *e, uint32_t block)
{
    IrUnit *u = e->unit;
    for (IrRef r = u->block[block].first; r; r = u->insn[r].next) {
        IrInsn *i = &u->insn[r];
        switch (i->op) {
        case IR_nop: case IR_get: case IR_copy: case IR_trunc: case IR_phi:
        case IR_const: case IR_codeaddr: case IR_vconst:
            ra_skip(e->ra);
            continue;
        case IR_insn:
            e->guest_pc = i->imm;
            ra_skip(e->ra);
            continue;
        default:
            break;
        }
        if (!ra_begin(e->ra, i) || e->limit - e->p < EMIT_RESERVE || e->failed)
            return false;
        switch (i->op) {
        case IR_put:
            ra_put(e->ra, i->imm, i->arg[0], i->attr);
            break;
        default:
            if (i->mark == MARK_DONE || ra_root(e->ra, r) != r)
                break;
            if (!e->table[i->op]) {
                log_write("x86_64: no selection for the operation %s\n", ir_op_info[i->op].name);
                return false;
            }
            if (!(e->table[i->op]->flags & SEL_KEEPS_FLAGS))
                flags_clobber(e);
            e->table[i->op]->fn(e, i);
        }
        ra_end(e->ra);
        if (e->s->ended)
            break;
    }
    return e->s->ended;
}

enum { UNIT_ALIGN = 16, REGION_ALIGN = 64, NO_LOOP_AT = 48 };
enum { AGAIN_MAX_IR = 1000 }; /* larger regions aren't emitted again for the places of loops */

/* Regions begin with a cache line, those without a loop at the last quarter of one: of functions
 * that call themselves, that is a tenth faster than some places. But an interpreter's instructions
 * are regions much alike: the indirect jumps at their ends would have the same low bits of
 * addresses, by which, among others, the host's prediction tells them. */
static uint8_t *place_unit(const IrUnit *u, const CodeBuffer *buf)
{
    bool region = u->flags & IR_UNIT_REGION, jumps = false, loops = false;
    uintptr_t align = region ? REGION_ALIGN : UNIT_ALIGN, next = (uintptr_t)buf->next;
    for (uint32_t b = 0; b < u->n_blocks; b++) {
        jumps |= u->block[b].last && u->insn[u->block[b].last].op == IR_exit_ind;
        loops |= u->block[b].loop_depth > 0;
    }
    unsigned at = !region ? 0
                  : jumps ? (uint32_t)u->pc * 0x9e3779b1u >> 30 << 4
                          : loops ? 0 : NO_LOOP_AT;
    return (uint8_t *)((next + align - 1) & ~(align - 1)) + at;
}

static bool emit_once(Emit *e, uint8_t *start, uint8_t *halved)
{
    IrUnit *u = e->unit;
    X86Backend *b = e->translator->backend_data;
    struct EmitState *s = arena_alloc(u->arena, sizeof *s);
    s->backend = b;
    s->pool = arena_alloc_raw(u->arena, POOL_MAX * sizeof *s->pool);
    s->pool_fix = arena_alloc_raw(u->arena, POOL_FIXES_MAX * sizeof *s->pool_fix);
    s->cold_tail = &s->cold;
    s->entry = LABEL_INIT;
    s->fns = backend_fp_fns;
    s->halved = halved;
    e->s = s;
    e->p = e->code = start;
    e->guest_pc = u->pc;
    if (e->limit - e->p < 2 * EMIT_RESERVE)
        return false;
    s->pair = arena_alloc(u->arena, u->n_insns * sizeof *s->pair);
    for (uint32_t block = 0; block < u->n_blocks; block++)
        find_pairs(e, block);
    if (u->n_blocks == 1)
        straighten_loop(e);
    e->ra = ra_new(&b->target, e, u, s->pair);
    if (u->n_blocks > 1 && !halved)
        region_guess_places(e);
    enc_bind(e, &s->entry);
    if (u->flags & IR_UNIT_COUNTED)
        exit_count_entry(e);
    bool emitted = u->n_blocks > 1 ? emit_region(e) : emit_block(e, 0);
    s->straight_bytes = e->p - e->code;
    if (!emitted || !emit_cold_code(e) || e->limit - e->p < 16 * (POOL_MAX + 1))
        return false;
    emit_pool(e);
    return exit_emit_link_stubs(e) && !e->failed && !e->ra->failed;
}

CompiledUnit *compile_unit(Translator *t, IrUnit *u)
{
    X86Backend *b = t->backend_data;
    CodeBuffer *buf = &b->buffer;
    cache_widen(buf, 0, 0);
    uint8_t *start = place_unit(u, buf);
    Emit start_of = { .limit = buf->limit, .cpu = &b->features, .translator = t, .unit = u,
                      .table = b->table };
    Emit emit = start_of, again = start_of;
    if (!emit_once(&emit, start, NULL))
        return NULL;
    if (!emit.s->misplaced || u->n_insns > AGAIN_MAX_IR)
        return finish(&emit, buf);
    return emit_once(&again, start, emit.s->halved) ? finish(&again, buf) : NULL;
}

static void keep(const void *to, const void *what, size_t bytes)
{
    if (bytes)
        memcpy((void *)(uintptr_t)to, what, bytes);
}

/* How many bytes. */
static size_t pack_relocs(Emit *e, uint8_t **ret)
{
    struct EmitState *s = e->s;
    uint8_t *p = *ret = arena_alloc_raw(e->unit->arena, s->n_relocs * UNIT_RELOC_BYTES);
    for (uint32_t n = 0, last = 0; n < s->n_relocs; last = s->relocs[n++].at)
        p = unit_put_reloc(p, s->relocs[n].at - last, s->relocs[n]);
    return (size_t)(p - *ret);
}

static bool keep_tables(Emit *e, CodeBuffer *buf, CompiledUnit *c)
{
    struct EmitState *s = e->s;
    PointBytes points = { 0 };
    UnitTables t;
    uint8_t *relocs;
    size_t reloc_bytes = pack_relocs(e, &relocs);
    if (!unit_points_encode(e->unit->arena, e->unit->pc, s->points, s->n_points, e->ra->snap,
                            e->ra->constants, &points))
        return false;
    UnitSide side = {
        .reloc_bytes = reloc_bytes, .point_bytes = points.n, .n_vconsts = e->unit->n_vconsts,
        .n_fp_sites = e->n_fp_sites,
    };
    UnitLink *link = cache_alloc_meta(buf, s->n_links * sizeof *link);
    UnitSide *own = cache_alloc_meta(buf, unit_side_bytes(&side, sizeof *e->fp_sites));
    if (!own || !link || points.n > UNIT_POINT_BYTES_MAX || reloc_bytes > UINT16_MAX)
        return false;
    *own = side;
    c->side = unit_ref(c, own);
    c->link = unit_ref(c, link);
    unit_tables(c, &t);
    keep(t.relocs.p, relocs, reloc_bytes);
    keep(t.points, points.p, points.n);
    keep(t.vconst, e->unit->vconst, e->unit->n_vconsts * sizeof *e->unit->vconst);
    keep(t.fp_site, e->fp_sites, e->n_fp_sites * sizeof *e->fp_sites);
    for (uint32_t n = 0; n < s->n_links; n++) {
        const RawLink *l = &s->links[n];
        link[n] = (UnitLink) {
            .site = l->site, .stub = l->stub - l->site, .guard = l->guard ? l->site - l->guard : 0,
            .target = (int64_t)(l->target - c->pc), .counts = l->counts, .apart = l->apart,
            .from = unit_ref(&link[n], c),
        };
    }
    return true;
}

/* Do the fields of what is kept hold the unit? */
static bool fits(const Emit *e)
{
    return e->p - e->code < UNIT_HOST_BYTES_MAX && e->s->n_links <= UINT16_MAX &&
           e->unit->n_guest_insns <= UINT16_MAX && e->unit->mode <= UINT32_MAX &&
           e->unit->n_vconsts <= UNIT_VCONSTS_MAX &&
           e->n_fp_sites <= UINT16_MAX;
}

static CompiledUnit *finish(Emit *e, CodeBuffer *buf)
{
    struct EmitState *s = e->s;
    IrUnit *u = e->unit;
    if (!fits(e))
        return NULL;
    CompiledUnit *c = cache_alloc_meta(buf, sizeof *c);
    if (!c)
        return NULL;
    c->pc = u->pc;
    c->mode = u->mode;
    c->code_bytes = u->code_bytes;
    c->n_guest_insns = u->n_guest_insns;
    c->flags = u->flags | (s->n_pool ? UNIT_ALIGNED : 0);
    c->code = (UnitRef)((e->code - (const uint8_t *)c) / UNIT_REF_STEP);
    c->straight_bytes = s->straight_bytes <= UINT16_MAX ? s->straight_bytes : UINT16_MAX;
    c->host_bytes = e->p - e->code;
    c->n_links = s->n_links;
    if (!keep_tables(e, buf, c))
        return NULL;
    if (!cache_add(buf, c))
        return NULL;
    buf->next = e->p;
    return c;
}
