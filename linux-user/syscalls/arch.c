/* data plane */
/* Calls of one architecture. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/hwprobe.h"
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
    KEY_ZICBOM_BLOCK_SIZE, KEY_VENDOR_EXT_SIFIVE_0, KEY_VENDOR_EXT_MIPS_0, KEY_ZICBOP_BLOCK_SIZE,
    KEY_IMA_EXT_1,
};
enum { WHICH_CPUS = 1, MISALIGNED_FAST = 3, MISALIGNED_VECTOR_UNSUPPORTED = 4 };

static uint64_t extension_bits(const RiscvModel *m)
{
    static const struct { uint8_t extension, bit; } bits[] = {
        { RISCV_EXT_c, 1 }, { RISCV_EXT_zba, 3 }, { RISCV_EXT_zbb, 4 }, { RISCV_EXT_zbs, 5 },
        { RISCV_EXT_zicboz, 6 }, { RISCV_EXT_zbc, 7 }, { RISCV_EXT_zbkb, 8 }, { RISCV_EXT_zbkc, 9 },
        { RISCV_EXT_zknd, 11 }, { RISCV_EXT_zkne, 12 }, { RISCV_EXT_zknh, 13 },
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

/* The processors are all alike, and their vendor is nobody. */
bool riscv_hwprobe_value(const Process *p, int64_t key, uint64_t *ret)
{
    const RiscvModel *m = translator_cpu_model(p->translator);

    switch (key) {
    case KEY_MVENDORID:
    case KEY_MARCHID:
    case KEY_MIMPID:
    case KEY_VENDOR_EXT_THEAD_0:
    case KEY_VENDOR_EXT_SIFIVE_0:
    case KEY_VENDOR_EXT_MIPS_0:
    case KEY_IMA_EXT_1: *ret = 0; return true;
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
    case KEY_ZICBOP_BLOCK_SIZE:
        *ret = riscv_model_has(m, RISCV_EXT_zicbop) ? RISCV_CBO_BYTES : 0;
        return true;
    case KEY_HIGHEST_VIRT_ADDRESS: *ret = mem_end(p) - 1; return true;
    case KEY_TIME_CSR_FREQ: *ret = 1000000000; return true;
    }
    return false;
}

/* Keys whose value says which of many things there are; a question is for some of them. */
static bool is_bitmask(int64_t key)
{
    switch (key) {
    case KEY_BASE_BEHAVIOR:
    case KEY_IMA_EXT_0:
    case KEY_IMA_EXT_1:
    case KEY_CPUPERF_0:
    case KEY_VENDOR_EXT_THEAD_0:
    case KEY_VENDOR_EXT_SIFIVE_0:
    case KEY_VENDOR_EXT_MIPS_0: return true;
    default: return false;
    }
}

enum { CPUSET_BYTES = 1024 };

/* The machine's processors: those that are online, or at least ours. "0-3,8\n". */
static void online_cpus(uint8_t set[CPUSET_BYTES])
{
    char text[512] = "";
    unsigned first = 0, n = 0;
    bool range = false;
    long fd = host_raw(HOST_NR_OPENAT, AT_FDCWD, (uintptr_t) "/sys/devices/system/cpu/online",
                       O_RDONLY | O_CLOEXEC);

    memset(set, 0, CPUSET_BYTES);
    if (fd < 0 || host_raw(HOST_NR_READ, fd, (uintptr_t)text, sizeof text - 1) <= 0)
        host_raw(HOST_NR_SCHED_GETAFFINITY, 0, CPUSET_BYTES, (uintptr_t)set);
    if (fd >= 0)
        host_raw(HOST_NR_CLOSE, fd);
    for (const char *p = text; *p; p++) {
        if (*p >= '0' && *p <= '9') {
            n = n * 10 + (unsigned)(*p - '0');
            continue;
        }
        for (unsigned i = range ? first : n; i <= n && i < CPUSET_BYTES * 8; i++)
            set[i / 8] |= (uint8_t)(1 << i % 8);
        range = *p == '-';
        first = n;
        n = 0;
    }
}

/* The guest's set, without those that aren't there; whether it named any, and any that is there. */
static long read_cpus(GuestAddr cpus, uint64_t bytes, uint8_t set[CPUSET_BYTES],
                      uint8_t online[CPUSET_BYTES], bool *ret_given, bool *ret_any)
{
    memset(set, 0, CPUSET_BYTES);
    *ret_given = *ret_any = false;
    if (!mem_read(set, cpus, bytes < CPUSET_BYTES ? bytes : CPUSET_BYTES))
        return -EFAULT;
    online_cpus(online);
    for (size_t i = 0; i < CPUSET_BYTES; i++) {
        *ret_given |= set[i] != 0;
        set[i] &= online[i];
        *ret_any |= set[i] != 0;
    }
    return 0;
}

/* arch/riscv/kernel/sys_hwprobe.c, hwprobe_get_cpus(): those of the set (if it is empty, of all)
 * that have what the pairs ask for; ours are all alike. */
static long which_cpus(Thread *t, GuestAddr pairs, uint64_t n, uint64_t bytes, GuestAddr cpus)
{
    struct { int64_t key; uint64_t value; } pair;
    uint8_t set[CPUSET_BYTES], online[CPUSET_BYTES];
    bool all = true, given, any;
    uint64_t v;

    if (!bytes || !cpus)
        return -EINVAL;
    long r = read_cpus(cpus, bytes, set, online, &given, &any);
    if (r < 0)
        return r;
    for (uint64_t i = 0; i < n; i++, pairs += sizeof pair) {
        if (!mem_get(&pair, pairs))
            return -EFAULT;
        if (riscv_hwprobe_value(t->process, pair.key, &v)) {
            all &= is_bitmask(pair.key) ? (v & pair.value) == pair.value : v == pair.value;
            continue;
        }
        all = false;
        pair.key = -1;
        pair.value = 0;
        if (!mem_put(pairs, pair))
            return -EFAULT;
    }
    if (!all)
        memset(set, 0, sizeof set);
    const uint8_t *out = all && !given ? online : set;
    return mem_write(cpus, out, bytes < CPUSET_BYTES ? bytes : CPUSET_BYTES) ? 0 : -EFAULT;
}

long sys_riscv_hwprobe(Thread *t, const uint64_t *args)
{
    GuestAddr pairs = args[0];
    uint64_t n = args[1];
    uint8_t set[CPUSET_BYTES], online[CPUSET_BYTES];
    struct { int64_t key; uint64_t value; } pair;
    bool given, any;

    if ((uint32_t)args[4] == WHICH_CPUS)
        return which_cpus(t, pairs, n, args[2], args[3]);
    if ((uint32_t)args[4])
        return -EINVAL;
    if (args[2] || args[3]) {
        long r = read_cpus(args[3], args[2], set, online, &given, &any);
        if (r < 0 || !any)
            return r < 0 ? r : -EINVAL;
    }
    for (uint64_t i = 0; i < n; i++, pairs += sizeof pair) {
        if (!mem_get(&pair, pairs))
            return -EFAULT;
        pair.value = 0;
        if (!riscv_hwprobe_value(t->process, pair.key, &pair.value))
            pair.key = -1;
        if (!mem_put(pairs, pair))
            return -EFAULT;
    }
    return 0;
}
