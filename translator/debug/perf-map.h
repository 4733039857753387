/* /tmp/perf-PID.map, where perf(1) looks for the names of code made at run time. */
#ifndef TRANSLATOR_DEBUG_PERF_MAP_H
#define TRANSLATOR_DEBUG_PERF_MAP_H

#include "translator/cache/unit.h"

struct Translator;

int perf_map_open(void); /* -1: it can't be written, and there is none */
/* `code`: where the unit's is. */
void perf_map_add(const struct Translator *t, const CompiledUnit *u, const uint8_t *code);

#endif
