/* The guests and hosts that are compiled in. */
#include "config.h"

#include <string.h>

#include "translator/runtime/runtime.h"

static const GuestIsa *const guests[] = {
    &guest_aarch64,
    &guest_riscv64,
};
static const char *const guest_names[] = {
    "aarch64",
    "riscv64",
    NULL,
};

static const Backend *const backends[] = { /* best first */
#ifdef HOST_X86_64
    &backend_x86_64,
#endif
    &backend_interp,
};

const char *const *translator_guests(void)
{
    return guest_names;
}

const char *const *translator_models(const char *guest)
{
    static const char *const none[] = {NULL};
    const GuestIsa *isa = guest_find(guest);
    return isa && isa->models ? isa->models() : none;
}

const GuestIsa *guest_find(const char *name)
{
    for (size_t n = 0; n < sizeof guests / sizeof *guests; n++)
        if (!strcmp(guests[n]->name, name))
            return guests[n];
    return NULL;
}

const Backend *backend_find(const char *name)
{
    for (size_t n = 0; n < sizeof backends / sizeof *backends; n++)
        if (!name || !strcmp(backends[n]->name, name))
            return backends[n];
    return NULL;
}
