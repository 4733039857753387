/* data plane */
/*
 * Guest memory, directly: in user mode a guest address is a host address. A fault is the host's
 * signal, which vcpu_host_signal() turns into a jump to interp_enter().
 *
 * Atomics are the host's own with full ordering, so that guest threads work; plain accesses are
 * single copies of their width.
 */
#include <string.h>

#include "translator/host/interp/interp.h"

typedef unsigned __int128 U128;
typedef struct Access {
    void *host;
    unsigned bytes;
    bool swap;
} Access;

static bool access_begin(Vcpu *v, const IrInsn *i, const Val *value, Access *ret)
{
    uint64_t addr = value[i->arg[0]].u + (uint64_t)i->imm;
    bool indexed = i->op == IR_load || i->op == IR_store;
    if (indexed && i->arg[1])
        addr += value[i->arg[1]].u << ((i->attr & IR_MEM_SCALE) >> IR_MEM_SCALE_SHIFT);
    /* Linux's tagged address ABI: user addresses have bit 55 clear whatever the tag. */
    if (v->translator->isa->ignores_top_byte && !(addr >> 55 & 1))
        addr &= ~0ull >> 8;
    ret->bytes = 1u << (i->attr & IR_MEM_SIZE);
    ret->swap = i->attr & IR_MEM_BE;
    ret->host = (void *)(uintptr_t)addr;
    InterpVcpu *iv = v->backend;
    iv->access = addr;
    iv->merged = i->attr & IR_MEM_MERGED;
    /* The host has no 16-byte atomics on misaligned addresses. */
    bool wide_atomic = ret->bytes == 16 && (!indexed || (i->attr & IR_MEM_ATOMIC));
    if (((i->attr & IR_MEM_ALIGN) || wide_atomic) && (addr & (ret->bytes - 1))) {
        v->exit_reason = VCPU_EXIT_ALIGN;
        v->exit_addr = addr;
        return false;
    }
    return true;
}

static U128 swap_bytes(U128 x, unsigned bytes)
{
    uint64_t lo = (uint64_t)x, hi = (uint64_t)(x >> 64);
    if (bytes == 16)
        return (U128)__builtin_bswap64(lo) << 64 | __builtin_bswap64(hi);
    return __builtin_bswap64(lo) >> (64 - 8 * bytes);
}

static U128 val_wide(Val x)
{
    return (U128)x.v.hi << 64 | x.v.lo;
}

static Val extend(U128 x, const IrInsn *i, unsigned bytes)
{
    if (bytes < 8 && (i->attr & IR_MEM_SIGNED)) {
        unsigned shift = 64 - 8 * bytes;
        x = (uint64_t)((int64_t)((uint64_t)x << shift) >> shift);
        if (i->type == IR_I32)
            x = (uint32_t)x;
    }
    return (Val){ .v = { (uint64_t)x, (uint64_t)(x >> 64) } };
}

typedef long long Wide __attribute__((vector_size(16)));

/* memcpy of a constant size is one access of that size on every host we run on. */
static U128 load_plain(const Access *a)
{
    switch (a->bytes) {
    case 1: return *(volatile uint8_t *)a->host;
    case 2: { uint16_t x; memcpy(&x, a->host, 2); return x; }
    case 4: { uint32_t x; memcpy(&x, a->host, 4); return x; }
    case 8: { uint64_t x; memcpy(&x, a->host, 8); return x; }
    default: {
        Wide w; /* one 16-byte load: single-copy atomic when aligned on hosts with AVX, LSE2 */
        memcpy(&w, a->host, 16);
        return (U128)(uint64_t)w[1] << 64 | (uint64_t)w[0];
    }
    }
}

static void store_plain(const Access *a, U128 x)
{
    switch (a->bytes) {
    case 1: *(volatile uint8_t *)a->host = (uint8_t)x; break;
    case 2: { uint16_t y = (uint16_t)x; memcpy(a->host, &y, 2); break; }
    case 4: { uint32_t y = (uint32_t)x; memcpy(a->host, &y, 4); break; }
    case 8: { uint64_t y = (uint64_t)x; memcpy(a->host, &y, 8); break; }
    default: {
        Wide w = { (long long)(uint64_t)x, (long long)(uint64_t)(x >> 64) };
        memcpy(a->host, &w, 16);
    }
    }
}

static U128 cas16(void *host, U128 expected, U128 new)
{
#if defined(__x86_64__)
    /* Written out: clang has no 16-byte builtin in a file that isn't made for cx16 as a whole. */
    uint64_t lo = (uint64_t)expected, hi = (uint64_t)(expected >> 64);
    __asm__ volatile("lock cmpxchg16b %2"
                     : "+a"(lo), "+d"(hi), "+m"(*(U128 *)host)
                     : "b"((uint64_t)new), "c"((uint64_t)(new >> 64))
                     : "cc", "memory");
    return (U128)hi << 64 | lo;
#else
    return __sync_val_compare_and_swap((U128 *)host, expected, new);
#endif
}

#define CAS(bits) \
    { \
        uint##bits##_t e = (uint##bits##_t)expected; \
        __atomic_compare_exchange_n((uint##bits##_t *)a->host, &e, (uint##bits##_t)new, false, \
                                    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST); \
        return e; \
    }

/* Compare and swap of raw memory bytes; gives what was there. */
static U128 cas(const Access *a, U128 expected, U128 new)
{
    switch (a->bytes) {
    case 1: CAS(8)
    case 2: CAS(16)
    case 4: CAS(32)
    case 8: CAS(64)
    default: return cas16(a->host, expected, new);
    }
}

static uint64_t rmw_value(unsigned rmw, uint64_t old, uint64_t x, unsigned bits)
{
    unsigned s = 64 - bits;
    int64_t so = (int64_t)(old << s), sx = (int64_t)(x << s);
    uint64_t uo = old << s, ux = x << s;
    switch (rmw) {
    case IR_RMW_XCHG: return x;
    case IR_RMW_ADD: return old + x;
    case IR_RMW_AND: return old & x;
    case IR_RMW_ANDN: return old & ~x;
    case IR_RMW_OR: return old | x;
    case IR_RMW_XOR: return old ^ x;
    case IR_RMW_SMAX: return so > sx ? old : x;
    case IR_RMW_SMIN: return so < sx ? old : x;
    case IR_RMW_UMAX: return uo > ux ? old : x;
    default: return uo < ux ? old : x;
    }
}

static U128 cut(U128 x, unsigned bytes)
{
    return bytes == 16 ? x : x & (((U128)1 << 8 * bytes) - 1);
}

static Val run_rmw(const Access *a, const IrInsn *i, uint64_t x)
{
    U128 raw = load_plain(a);
    for (;;) {
        U128 old = a->swap ? swap_bytes(raw, a->bytes) : raw;
        U128 new = cut(rmw_value(i->cc, (uint64_t)old, x, 8 * a->bytes), a->bytes);
        U128 seen = cas(a, raw, a->swap ? swap_bytes(new, a->bytes) : new);
        if (seen == raw)
            return extend(old, i, a->bytes);
        raw = seen;
    }
}

static U128 run_cas(const Access *a, Val expected, Val new)
{
    U128 e = cut(val_wide(expected), a->bytes), n = cut(val_wide(new), a->bytes);
    if (a->swap) {
        e = swap_bytes(e, a->bytes);
        n = swap_bytes(n, a->bytes);
    }
    U128 seen = cas(a, e, n);
    return a->swap ? swap_bytes(seen, a->bytes) : seen;
}

static Val run_load(const Access *a, const IrInsn *i)
{
    U128 x = load_plain(a);
    if (i->attr & IR_MEM_ACQUIRE)
        __atomic_thread_fence(__ATOMIC_ACQUIRE);
    return extend(a->swap ? swap_bytes(x, a->bytes) : x, i, a->bytes);
}

static void run_store(const Access *a, const IrInsn *i, Val value)
{
    U128 x = cut(val_wide(value), a->bytes);
    if (i->attr & IR_MEM_RELEASE)
        __atomic_thread_fence(__ATOMIC_RELEASE);
    store_plain(a, a->swap ? swap_bytes(x, a->bytes) : x);
    if ((i->attr & IR_MEM_SEQ_CST) == IR_MEM_SEQ_CST)
        __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

bool interp_memory(Vcpu *v, const IrInsn *i, const Val *value, Val *ret)
{
    Access a;
    if (i->op == IR_condcas && !value[i->arg[3]].u) {
        *ret = (Val){ .u = 0 };
        return true;
    }
    if (!access_begin(v, i, value, &a))
        return false;
    switch (i->op) {
    case IR_load:
        *ret = run_load(&a, i);
        break;
    case IR_store:
        run_store(&a, i, value[i->arg[2]]);
        break;
    case IR_armw:
        *ret = run_rmw(&a, i, value[i->arg[1]].u);
        break;
    case IR_acas:
        *ret = extend(run_cas(&a, value[i->arg[1]], value[i->arg[2]]), i, a.bytes);
        break;
    default: { /* condcas */
        U128 expected = cut(val_wide(value[i->arg[1]]), a.bytes);
        *ret = (Val){ .u = run_cas(&a, value[i->arg[1]], value[i->arg[2]]) == expected };
        break;
    }
    }
    return true;
}
