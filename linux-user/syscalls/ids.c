/* data plane */
/* The machine's name, limits, what a process confines itself to. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/personality.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <sys/utsname.h>

#include "linux-user/mem/map.h"
#include "linux-user/options.h"
#include "linux-user/signal/host-syscall.h"
#include "linux-user/signal/signal.h"
#include "linux-user/syscalls/convert.h"
#include "syscall-tables/handlers.h"

/* Cut if too long; zeros behind it. */
static void put_name(char *at, size_t size, const char *name)
{
    size_t n = strnlen(name, size - 1);

    memset(at, 0, size);
    memcpy(at, name, n);
}

long sys_uname(Thread *t, const uint64_t *args)
{
    struct utsname name;
    long ret = host_raw(HOST_NR_UNAME, &name);

    if (ret < 0)
        return ret;
    if (t->process->options->uname_release)
        put_name(name.release, sizeof name.release, t->process->options->uname_release);
    const GuestAbi *abi = t->process->abi;
    bool compat = (t->process->personality & PER_MASK) == PER_LINUX32 && abi->compat_machine;
    put_name(name.machine, sizeof name.machine, compat ? abi->compat_machine : abi->uname_machine);
    return mem_write(args[0], &name, sizeof name) ? ret : -EFAULT;
}

/*
 * RLIMIT_AS and RLIMIT_DATA would strike the translator as well as the guest: mem/limits.c counts
 * for the guest alone.
 */
static int limit_index(int resource)
{
    return resource == RLIMIT_AS ? 0 : resource == RLIMIT_DATA ? 1 : -1;
}

/* CAP_SYS_RESOURCE. (The kernel wants it in the first user namespace, which nobody can ask.) */
static bool may_raise_limits(void)
{
    struct __user_cap_header_struct head = {.version = _LINUX_CAPABILITY_VERSION_3};
    struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = {{0}};
    return host_raw(HOST_NR_CAPGET, (uintptr_t)&head, (uintptr_t)data) == 0 &&
           data[0].effective >> CAP_SYS_RESOURCE & 1;
}

static long limit_keep(Process *p, int i, const struct rlimit *new, struct rlimit *ret_old)
{
    long ret = 0;
    pthread_mutex_lock(&p->limits_lock);
    *ret_old = (struct rlimit){ p->limits[i].cur, p->limits[i].max };
    if (new && new->rlim_cur > new->rlim_max)
        ret = -EINVAL;
    else if (new && new->rlim_max > ret_old->rlim_max && !may_raise_limits())
        ret = -EPERM;
    else if (new) {
        p->limits[i].cur = new->rlim_cur;
        p->limits[i].max = new->rlim_max;
    }
    pthread_mutex_unlock(&p->limits_lock);
    return ret;
}

static long limit_call(Thread *t, pid_t pid, int resource, unsigned layout, GuestAddr new,
                       GuestAddr old)
{
    const SyscallTable *table = t->process->abi->syscalls;
    struct rlimit in, out;
    int host_resource = convert_set_to_host(table, TABLE_SET_RLIMIT, (uint32_t)resource);
    int i = limit_index(host_resource);
    long ret;

    if (new && !convert_get(table, layout, &in, new))
        return -EFAULT;
    bool own = pid == 0 || pid == (pid_t)host_raw(HOST_NR_GETPID);
    if (i >= 0 && own)
        ret = limit_keep(t->process, i, new ? &in : NULL, &out);
    else
        ret = host_raw(HOST_NR_PRLIMIT64, pid, host_resource, new ? &in : NULL, old ? &out : NULL);
    if (ret >= 0 && new && own && host_resource == RLIMIT_STACK)
        mem_stack_limit(t->process, in.rlim_cur);
    if (ret >= 0 && new && host_resource == RLIMIT_CORE)
        signal_core_limit_changed(t->process);
    if (ret >= 0 && old && !convert_put(table, layout, old, &out))
        return -EFAULT;
    return ret;
}

long sys_prlimit64(Thread *t, const uint64_t *args)
{
    return limit_call(t, args[0], args[1], TABLE_STRUCT_RLIMIT64, args[2], args[3]);
}

/* A null pointer is an error here. */
long sys_getrlimit(Thread *t, const uint64_t *args)
{
    return args[1] ? limit_call(t, 0, args[0], TABLE_STRUCT_RLIMIT, 0, args[1]) : -EFAULT;
}

long sys_setrlimit(Thread *t, const uint64_t *args)
{
    return args[1] ? limit_call(t, 0, args[0], TABLE_STRUCT_RLIMIT, args[1], 0) : -EFAULT;
}

/* linux/landlock.h, newer than some headers that this may be built with. */
typedef struct PathBeneath {
    uint64_t access;
    int32_t fd;
} __attribute__((packed)) PathBeneath;

enum { RULE_PATH_BENEATH = 1, ACCESS_EXECUTE = 1, ACCESS_READ_FILE = 4 };

/* Natively the guest's programs need nothing but themselves: a set of rules that says who may be
 * executed says so of the emulator too, or nothing could be. The translation store gets no rule:
 * what is confined mustn't write what others execute, and does without. */
static void allow_emulator(int ruleset)
{
    static const uint64_t accesses[] = { ACCESS_EXECUTE | ACCESS_READ_FILE, ACCESS_EXECUTE,
                                         ACCESS_READ_FILE };
    long fd = host_raw(SYS_openat, AT_FDCWD, (uintptr_t) "/proc/self/exe", O_PATH | O_CLOEXEC, 0);
    long r = fd < 0 ? 0 : -EINVAL;

    /* EINVAL: more than the set handles. */
    for (unsigned i = 0; i < sizeof accesses / sizeof *accesses && r == -EINVAL; i++) {
        PathBeneath rule = { accesses[i], (int)fd };
        r = host_raw(HOST_NR_LANDLOCK_ADD_RULE, ruleset, RULE_PATH_BENEATH, (uintptr_t)&rule, 0);
    }
    if (fd >= 0)
        host_raw(SYS_close, fd);
}

long sys_landlock_restrict_self(Thread *t, const uint64_t *args)
{
    if ((int)args[0] >= 0)
        allow_emulator((int)args[0]);
    return convert_call(t, syscall_current(t), args);
}
