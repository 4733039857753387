/*
 * What a region's maker asks about the program (RegionSource): its code, and what the thread that
 * found it hot knows of where it goes.
 */
#ifndef TRANSLATOR_RUNTIME_TIER_SOURCE_H
#define TRANSLATOR_RUNTIME_TIER_SOURCE_H

#include "translator/region/region.h"
#include "translator/runtime/state.h"

typedef struct TierSource {
    RegionSource source;
    Translator *t;
    Vcpu *v;
    GuestAddr with;
} TierSource;

/* Of code that the vcpu runs in. Branches to `with` are followed whatever is known of them. Returns
 * what *s holds: it lives as long, and is for who holds the lock. */
const RegionSource *tier_source(TierSource *s, Translator *t, Vcpu *v, GuestAddr with);

#endif
