/* data plane */
/*
 * perf_event_open: events that the kernel counts by itself (software events, tracepoints) mean the
 * same for the guest. The processor's counters would count the emulator's instructions, and its
 * breakpoints would sit on guest code that never runs as such; so there are none, as on a machine
 * without a PMU. Samples that hold code addresses would hold the emulator's.
 */
#include <errno.h>
#include <linux/perf_event.h>

#include "linux-user/mem/map.h"
#include "linux-user/signal/host-syscall.h"
#include "syscall-tables/handlers.h"
#include "syscall-tables/ids.h"

enum { ATTR_V0_BYTES = 64 };

static bool counts_hardware(uint32_t type)
{
    return type == PERF_TYPE_HARDWARE || type == PERF_TYPE_HW_CACHE || type == PERF_TYPE_RAW ||
           type == PERF_TYPE_BREAKPOINT;
}

long sys_perf_event_open(Thread *t, const uint64_t *args)
{
    const uint64_t code = PERF_SAMPLE_IP | PERF_SAMPLE_CALLCHAIN | PERF_SAMPLE_BRANCH_STACK |
                          PERF_SAMPLE_REGS_USER | PERF_SAMPLE_STACK_USER | PERF_SAMPLE_REGS_INTR;
    struct perf_event_attr attr;

    if (!mem_read(&attr, args[0], ATTR_V0_BYTES))
        return -EFAULT;
    if (counts_hardware(attr.type)) {
        if (log_on(LOG_UNIMP))
            log_write("perf_event_open: no counters of the guest's processor (type %u)\n",
                      attr.type);
        return -ENOENT;
    }
    if (attr.sample_period && attr.sample_type & code) {
        if (log_on(LOG_UNIMP))
            log_write("perf_event_open: samples would hold the emulator's addresses\n");
        return -EOPNOTSUPP;
    }
    return host_syscall(t, HOST_NR_PERF_EVENT_OPEN, args[0], args[1], args[2], args[3], args[4], 0);
}
