/* Making and freeing a translator, its errors, fork. Control plane, but for the fork hooks. */
#include "config.h"

#include <glib.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "translator/debug/perf-map.h"
#include "translator/runtime/critical.h"
#include "translator/runtime/runtime.h"
#include "translator/runtime/stored.h"

bool translator_error(struct _GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    g_set_error_literal(error, g_quark_from_static_string("translator"), 0, text);
    return false;
}

_Noreturn void translator_fatal(const char *what)
{
    char line[256];
    int n = snprintf(line, sizeof line, "calque: %s\n", what);
    (void)!write(STDERR_FILENO, line, (size_t)n);
    _exit(126);
}

static bool make_tables(Translator *t)
{
    t->units = unit_table_new();
    t->arena = arena_new();
    t->unit_arena = arena_new();
    const void **fns = calloc(t->isa->n_helpers + 1, sizeof *fns);
    t->helper_fns = fns;
    t->cap_hints = 64;
    t->hints = calloc(t->cap_hints, sizeof *t->hints);
    if (!t->units || !fns || !t->hints)
        return false;
    for (unsigned n = 0; n < t->isa->n_helpers; n++)
        memcpy(&fns[n], &t->isa->helpers[n].fn, sizeof fns[n]);
    return true;
}

Translator *translator_new_for(const TranslatorConfig *config, const GuestIsa *isa, GError **error)
{
    Translator *t = calloc(1, sizeof *t);
    if (!t) {
        translator_error(error, "out of memory");
        return NULL;
    }
    t->perf_fd = -1;
    t->isa = isa;
    t->callbacks = *config->callbacks;
    t->opaque = config->opaque;
    t->code_bytes = config->code_bytes;
    t->host_cpu = config->host_cpu;
    t->one_insn = config->one_insn;
    t->stats_time = config->stats;
    t->cpu_name = config->cpu ? config->cpu : "";
    t->verify = config->verify || log_on(LOG_VERIFY);
    const Backend *backend = backend_find(config->backend);
    if (!backend) {
        translator_error(error, "there is no backend \"%s\"", config->backend);
        goto fail;
    }
    t->cpu_model = isa->model ? isa->model(config->cpu, error) : NULL;
    if (isa->model && !t->cpu_model)
        goto fail;
    if (!make_tables(t)) {
        translator_error(error, "out of memory");
        goto fail;
    }
    t->backend = backend;
    tier_init(t, config);
    if (!backend->init(t, error))
        goto fail;
    if (config->perf_map || log_on(LOG_PERF_MAP))
        t->perf_fd = perf_map_open();
    return t;
fail:
    translator_free(t);
    return NULL;
}

Translator *translator_new(const TranslatorConfig *config, GError **error)
{
    const GuestIsa *isa = guest_find(config->guest);
    if (!isa) {
        translator_error(error, "there is no guest \"%s\"", config->guest);
        return NULL;
    }
    return translator_new_for(config, isa, error);
}

void translator_free(Translator *t)
{
    if (!t)
        return;
    while (t->vcpus)
        vcpu_free(t->vcpus);
    vcpu_free_idle(t);
    stored_free(t);
    if (t->backend)
        t->backend->free(t);
    if (t->perf_fd >= 0)
        close(t->perf_fd);
    unit_table_free(t->units);
    critical_free(t);
    arena_free(t->arena);
    arena_free(t->unit_arena);
    free((void *)t->helper_fns);
    free(t->hints);
    g_free((void *)t->cpu_model);
    free(t);
}

const void *translator_cpu_model(const Translator *t) { return t->cpu_model; }

void translator_stats(Translator *t, TranslatorStats *ret_stats)
{
    translator_lock(t);
    *ret_stats = t->stats;
    translator_unlock(t);
}

void translator_stats_print(Translator *t)
{
    TranslatorStats s;
    translator_stats(t, &s);
    log_write("calque: %llu units of %llu guest instructions, %llu bytes; "
              "%llu invalidated, %llu flushes\n",
              (unsigned long long)s.units, (unsigned long long)s.guest_insns,
              (unsigned long long)s.host_bytes, (unsigned long long)s.invalidated,
              (unsigned long long)s.flushes);
    log_write("calque: %llu regions of %llu guest instructions, %llu bytes; "
              "%llu rebuilt, %llu refused\n",
              (unsigned long long)s.regions, (unsigned long long)s.region_insns,
              (unsigned long long)s.region_bytes,
              (unsigned long long)s.regions_rebuilt,
              (unsigned long long)s.regions_refused);
    log_write("calque: %llu units of the store were met\n", (unsigned long long)s.stored);
    log_write("calque: translation took %llu us, of regions %llu us\n",
              (unsigned long long)s.baseline_ns / 1000, (unsigned long long)s.region_ns / 1000);
}
