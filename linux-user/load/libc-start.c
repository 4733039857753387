#include "linux-user/load/libc-start.h"

#include <stddef.h>

/* glibc's; another version may have others. */
extern long __x86_shared_non_temporal_threshold __attribute__((weak));
extern long __x86_rep_movsb_stop_threshold __attribute__((weak));

/* Of a processor whose caches it doesn't know glibc believes that 16 KB are too much for them.
 * These are about what it finds for processors with 1 MB of second-level cache. */
enum { BEYOND_CACHES = 4 << 20, BEYOND_L2 = 1 << 20 };

void libc_start_set_caches(void)
{
    if (&__x86_shared_non_temporal_threshold != NULL &&
        __x86_shared_non_temporal_threshold < BEYOND_L2) {
        __x86_shared_non_temporal_threshold = BEYOND_CACHES;
        if (&__x86_rep_movsb_stop_threshold != NULL)
            __x86_rep_movsb_stop_threshold = BEYOND_L2;
    }
}

/* Its value for "unknown". */
const char *__wrap__dl_get_origin(void) { return (const char *)-1; }

/* GLIBC_TUNABLES is the guest's: what would be set here is looked for in each variable of the
 * environment, by some forty names. */
void __wrap___tunables_init(char **environment) { (void)environment; }

void __wrap___register_frame_info(const void *begin, void *object)
{
    (void)begin;
    (void)object;
}

void *__wrap___deregister_frame_info(const void *begin)
{
    (void)begin;
    return NULL;
}
