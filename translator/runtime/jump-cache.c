/* data plane */
/* See jump-cache.h. */
#include "translator/runtime/jump-cache.h"

#include "translator/memory/own-pages.h"
#include "translator/runtime/runtime.h"

/* Fills until the second table pays: as many look-ups cost some 0.2 ms, the table's pages 0.05. */
enum {
    FILLS_UNTIL_TABLE = 2048,
    FILLS_OF_TWO = 8,         /* that are expected to compete for a place */
    PART = VCPU_JUMP_CACHE_SIZE / 64,
};

const JumpCacheEntry jump_cache_empty[VCPU_JUMP_CACHE_SIZE] = { { .pc = ~(GuestAddr)0 } };

static size_t table_bytes(size_t entries) { return entries * sizeof(JumpCacheEntry); }

bool jump_cache_new(Vcpu *v)
{
    v->own_jump_cache = own_pages_map_populated(table_bytes(VCPU_JUMP_CACHE_SIZE));
    v->jump_cache = v->own_jump_cache;
    if (!v->own_jump_cache)
        return false;
    v->own_jump_cache[0].pc = jump_cache_free(0);
    return true;
}

void jump_cache_delete(Vcpu *v)
{
    own_pages_unmap(v->own_jump_cache, table_bytes(VCPU_JUMP_CACHE_SIZE));
    own_pages_unmap(v->idle_jump_table, table_bytes(VCPU_JUMP_TABLE_SIZE));
}

/* Without the table until it would pay again: a guest that changes its mode all the time must not
 * clear it each time. */
void jump_cache_clear(Vcpu *v)
{
    for (uint64_t used = v->jump_cache_used; used; used &= used - 1)
        for (unsigned n = (unsigned)__builtin_ctzll(used) * PART, end = n + PART; n < end; n++)
            __atomic_store_n(&v->own_jump_cache[n].pc, jump_cache_free(n), __ATOMIC_RELAXED);
    v->jump_cache_used = 0;
    __atomic_store_n(&v->jump_table, NULL, __ATOMIC_RELAXED);
    v->jump_fills = 0;
}

static void table_begin(Vcpu *v)
{
    v->jump_fills = 0;
    v->jump_cache_used = ~UINT64_C(0); /* common code doesn't say which parts it writes to */
    if (v->idle_jump_table)
        for (unsigned n = 0; n < VCPU_JUMP_TABLE_SIZE; n++)
            v->idle_jump_table[n].pc = jump_cache_free(n);
    else if (!(v->idle_jump_table = own_pages_map_populated(table_bytes(VCPU_JUMP_TABLE_SIZE))))
        return;
    v->idle_jump_table[0].pc = jump_cache_free(0);
    __atomic_store_n(&v->jump_table, v->idle_jump_table, __ATOMIC_SEQ_CST);
}

static void purge_entry(JumpCacheEntry *table, unsigned n, GuestAddr pc)
{
    if (__atomic_load_n(&table[n].pc, __ATOMIC_SEQ_CST) == pc)
        __atomic_store_n(&table[n].pc, jump_cache_free(n), __ATOMIC_SEQ_CST);
}

void jump_cache_purge(Vcpu *v, GuestAddr pc)
{
    JumpCacheEntry *table = __atomic_load_n(&v->jump_table, __ATOMIC_SEQ_CST);
    if (table)
        purge_entry(table, jump_table_index(pc), pc);
    purge_entry(v->own_jump_cache, jump_cache_index(pc), pc);
}

static void set_entry(JumpCacheEntry *e, GuestAddr pc, const uint8_t *host)
{
    __atomic_store_n(&e->host, (const void *)host, __ATOMIC_RELAXED);
    __atomic_store_n(&e->pc, pc, __ATOMIC_RELEASE);
}

static bool is_entry(const JumpCacheEntry *e, const CompiledUnit *u)
{
    return e->pc == u->pc && e->host == unit_entry(u);
}

/* Wherever look-ups look: the table may have come, or lost it, since the other got it. */
static bool is_filled(const Vcpu *v, const CompiledUnit *u)
{
    return is_entry(&v->own_jump_cache[jump_cache_index(u->pc)], u) &&
           (!v->jump_table || is_entry(&v->jump_table[jump_table_index(u->pc)], u));
}

bool jump_cache_fill(Vcpu *v, CompiledUnit *u)
{
    unsigned n = jump_cache_index(u->pc);
    if (u->flags & IR_UNIT_ALONE || is_filled(v, u))
        return false;
    atomic_store_explicit(&u->looked_up, true, memory_order_relaxed);
    if (!v->jump_table && ++v->jump_fills >= FILLS_UNTIL_TABLE)
        table_begin(v);
    if (v->jump_table)
        set_entry(&v->jump_table[jump_table_index(u->pc)], u->pc, unit_entry(u));
    v->jump_cache_used |= UINT64_C(1) << n / PART;
    set_entry(&v->own_jump_cache[n], u->pc, unit_entry(u));
    /* unit_invalidate() marks the unit, then purges: one of us sees the other. */
    atomic_thread_fence(memory_order_seq_cst);
    if (__atomic_load_n(&u->invalid, __ATOMIC_SEQ_CST))
        jump_cache_purge(v, u->pc);
    return true;
}

/* Of several at a pc the first one stays: the store gives the newest first. */
void jump_cache_expect(Vcpu *v, GuestAddr pc, const uint8_t *host)
{
    unsigned n = jump_cache_index(pc);
    JumpCacheEntry *e = &v->own_jump_cache[n], *far;
    bool taken = e->pc != jump_cache_free(n);
    if (taken && !v->jump_table && (v->jump_fills += FILLS_OF_TWO) >= FILLS_UNTIL_TABLE)
        table_begin(v);
    far = v->jump_table ? &v->jump_table[jump_table_index(pc)] : NULL;
    if (far && far->pc != pc)
        set_entry(far, pc, host);
    if (taken)
        return;
    v->jump_cache_used |= UINT64_C(1) << n / PART;
    set_entry(e, pc, host);
}
