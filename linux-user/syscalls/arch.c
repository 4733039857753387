/* data plane */
/* Calls of one architecture. */
#include <errno.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"
#include "translator/guest/riscv64/cpu.h"

/* Documentation/arch/riscv/cmodx.rst; flags: SYS_RISCV_FLUSH_ICACHE_LOCAL. */
long sys_riscv_flush_icache(Thread *t, const uint64_t *args)
{
    if (args[2] & ~UINT64_C(1))
        return -EINVAL;
    if (args[1] > args[0])
        mem_code_changed(t->process, args[0], args[1] - args[0]);
    return 0;
}

/* Documentation/arch/riscv/hwprobe.rst */
enum {
    KEY_MVENDORID, KEY_MARCHID, KEY_MIMPID, KEY_BASE_BEHAVIOR, KEY_IMA_EXT_0, KEY_CPUPERF_0,
    KEY_ZICBOZ_BLOCK_SIZE, KEY_HIGHEST_VIRT_ADDRESS, KEY_TIME_CSR_FREQ,
    KEY_MISALIGNED_SCALAR_PERF, KEY_MISALIGNED_VECTOR_PERF, KEY_VENDOR_EXT_THEAD_0,
    KEY_ZICBOM_BLOCK_SIZE,
};
enum { WHICH_CPUS = 1, MISALIGNED_FAST = 3, MISALIGNED_VECTOR_UNSUPPORTED = 4 };

static uint64_t extension_bits(const RiscvModel *m)
{
    static const struct { uint8_t extension, bit; } bits[] = {
        { RISCV_EXT_c, 1 }, { RISCV_EXT_zba, 3 }, { RISCV_EXT_zbb, 4 }, { RISCV_EXT_zbs, 5 },
        { RISCV_EXT_zicboz, 6 }, { RISCV_EXT_zbc, 7 }, { RISCV_EXT_zbkb, 8 }, { RISCV_EXT_zbkc, 9 },
        { RISCV_EXT_zkt, 16 }, { RISCV_EXT_zfh, 27 }, { RISCV_EXT_zfhmin, 28 },
        { RISCV_EXT_zihintntl, 29 }, { RISCV_EXT_zfa, 32 }, { RISCV_EXT_zacas, 34 },
        { RISCV_EXT_zicond, 35 },
        { RISCV_EXT_zihintpause, 36 }, { RISCV_EXT_zimop, 42 }, { RISCV_EXT_zca, 43 },
        { RISCV_EXT_zcb, 44 }, { RISCV_EXT_zcd, 45 }, { RISCV_EXT_zcmop, 47 },
        { RISCV_EXT_zawrs, 48 }, { RISCV_EXT_zicntr, 50 }, { RISCV_EXT_zicbom, 55 },
        { RISCV_EXT_zaamo, 56 }, { RISCV_EXT_zalrsc, 57 }, { RISCV_EXT_zabha, 58 },
        { RISCV_EXT_zicbop, 60 },
    };
    uint64_t out = 0;

    if (riscv_model_has(m, RISCV_EXT_f) && riscv_model_has(m, RISCV_EXT_d))
        out |= 1;
    for (unsigned i = 0; i < sizeof bits / sizeof *bits; i++)
        if (riscv_model_has(m, bits[i].extension))
            out |= UINT64_C(1) << bits[i].bit;
    return out;
}

/* False: no such key. The processors are all alike, and their vendor is nobody. */
static bool probe(const Process *p, int64_t key, uint64_t *ret)
{
    const RiscvModel *m = translator_cpu_model(p->translator);

    switch (key) {
    case KEY_MVENDORID:
    case KEY_MARCHID:
    case KEY_MIMPID:
    case KEY_VENDOR_EXT_THEAD_0: *ret = 0; return true;
    case KEY_BASE_BEHAVIOR: *ret = 1; return true; /* RISCV_HWPROBE_BASE_BEHAVIOR_IMA */
    case KEY_IMA_EXT_0: *ret = extension_bits(m); return true;
    case KEY_CPUPERF_0:
    case KEY_MISALIGNED_SCALAR_PERF: *ret = MISALIGNED_FAST; return true;
    case KEY_MISALIGNED_VECTOR_PERF: *ret = MISALIGNED_VECTOR_UNSUPPORTED; return true;
    case KEY_ZICBOZ_BLOCK_SIZE:
        *ret = riscv_model_has(m, RISCV_EXT_zicboz) ? RISCV_CBO_BYTES : 0;
        return true;
    case KEY_ZICBOM_BLOCK_SIZE:
        *ret = riscv_model_has(m, RISCV_EXT_zicbom) ? RISCV_CBO_BYTES : 0;
        return true;
    case KEY_HIGHEST_VIRT_ADDRESS: *ret = mem_end(p) - 1; return true;
    case KEY_TIME_CSR_FREQ: *ret = 1000000000; return true;
    }
    return false;
}

/* The set of processors that have all that the pairs ask for: all or none. */
static long which_cpus(Thread *t, GuestAddr pairs, uint64_t n, uint64_t bytes, GuestAddr cpus)
{
    struct { int64_t key; uint64_t value; } pair;
    bool all = true, bits;
    uint64_t v;

    for (uint64_t i = 0; i < n; i++, pairs += sizeof pair) {
        if (!mem_get(&pair, pairs))
            return -EFAULT;
        if (!probe(t->process, pair.key, &v)) {
            all = false;
            pair.key = -1;
            pair.value = 0;
            if (!mem_put(pairs, pair))
                return -EFAULT;
            continue;
        }
        bits = pair.key == KEY_BASE_BEHAVIOR || pair.key == KEY_IMA_EXT_0;
        all &= bits ? (v & pair.value) == pair.value : v == pair.value;
    }
    if (!all)
        return mem_clear(cpus, bytes) ? 0 : -EFAULT;
    /* An empty set asks about every processor. */
    uint8_t set[128], any = 0;
    size_t size = bytes < sizeof set ? bytes : sizeof set;
    if (!mem_read(set, cpus, size))
        return -EFAULT;
    for (size_t i = 0; i < size; i++)
        any |= set[i];
    if (any)
        return 0;
    long got = host_raw(HOST_NR_SCHED_GETAFFINITY, 0, size & ~(size_t)7, set);
    if (got < 0)
        return got;
    return mem_write(cpus, set, got) ? 0 : -EFAULT;
}

long sys_riscv_hwprobe(Thread *t, const uint64_t *args)
{
    GuestAddr pairs = args[0];
    uint64_t n = args[1];
    struct { int64_t key; uint64_t value; } pair;

    if (args[4] == WHICH_CPUS)
        return args[2] && args[3] ? which_cpus(t, pairs, n, args[2], args[3]) : -EINVAL;
    if (args[4])
        return -EINVAL;
    if (!args[2] != !args[3])
        return -EINVAL;
    for (uint64_t i = 0; i < n; i++, pairs += sizeof pair) {
        if (!mem_get(&pair, pairs))
            return -EFAULT;
        pair.value = 0;
        if (!probe(t->process, pair.key, &pair.value))
            pair.key = -1;
        if (!mem_put(pairs, pair))
            return -EFAULT;
    }
    return 0;
}
