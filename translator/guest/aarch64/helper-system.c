/* data plane */
/*
 * Helpers of system instructions.
 */
#include <sys/random.h>
#include <time.h>

#include "translator/guest/aarch64/helpers.h"
#include "translator/guest/isa.h"

/* CNTVCT_EL0: CNTFRQ_EL0 says 1 GHz, as from Armv8.6 on. */
uint64_t a64_helper_counter(Vcpu *v)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

uint32_t a64_helper_code_seen(Vcpu *v, uint64_t addr)
{
    return vcpu_code_seen(v, addr);
}

uint64_t a64_helper_random(Vcpu *v)
{
    uint64_t value = 0;
    /* Up to 256 bytes come whole once the pool is ready (getrandom(2)), for which this waits. */
    while (getrandom(&value, sizeof(value), 0) != sizeof(value))
        ;
    return value;
}
