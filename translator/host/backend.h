/*
 * What the translator asks of a host: one Backend a host, in host/<isa>/. Everything that knows the
 * host's instructions stands behind it.
 *
 * A backend compiles a verified unit into the code buffer (cache/code-buffer.h) and fills in
 * the CompiledUnit: entry, links for chaining, relocations, side table. The runtime owns look-up,
 * linking, invalidation and the loop around enter().
 */
#ifndef TRANSLATOR_HOST_BACKEND_H
#define TRANSLATOR_HOST_BACKEND_H

#include "translator/runtime/vcpu.h"

struct CompiledUnit; /* cache/unit.h */
struct UnitLink;

typedef struct Backend {
    const char *name;
    bool regions; /* compile() takes units with IR_UNIT_REGION */
    bool (*init)(Translator *t, struct _GError **error); /* common stubs */
    void (*free)(Translator *t);
    bool (*vcpu_init)(Vcpu *v);
    void (*vcpu_free)(Vcpu *v);
    /* Emits code for u; returns NULL when the code buffer is full. */
    struct CompiledUnit *(*compile)(Translator *t, IrUnit *u);
    /* Runs from a unit until it comes back to C; v->exit_reason and the state are set, or the next
     * pc has no unit yet (returns false: look up vcpu_pc and call again). `ret_link`: the link to
     * patch once the target is compiled, or NULL; then v->exit_stub may be that of a link in a
     * chunk of the store, whose pointers exist under the lock only. */
    bool (*enter)(Vcpu *v, struct CompiledUnit *unit, struct UnitLink **ret_link);
    void (*link)(Translator *t, struct UnitLink *link, struct CompiledUnit *target);
    void (*unlink)(Translator *t, struct UnitLink *link);
    /* The same for a link's place in code of the store. */
    void (*patch)(uint8_t *site, const uint8_t *target);
    /* Who returns to the link's guard goes on by the link instead. (NULL: there are no guards.) */
    void (*close_return)(Translator *t, const struct UnitLink *link);
    /* Every unit is forgotten and no vcpu is in translated code: their memory may be used again.
     * Return stacks of t->vcpus must hold nothing of theirs afterwards. May be NULL. */
    void (*flush)(Translator *t);
    /* For the translation store; stub NULL: its code can't be kept. A stub as UNIT_RELOC_STUB
     * numbers it; puts a jump of at most STORE_JUMP_BYTES; the same as a link's stub, of
     * UNIT_STUB_BYTES, to the common one that such stubs lead to; the size of a struct UnitFpSite;
     * a number that differs where code can't be used (the host's features). */
    const uint8_t *(*stub)(const Translator *t, unsigned number);
    void (*put_jump)(uint8_t *at, const uint8_t *to);
    void (*put_link_stub)(uint8_t *at, const uint8_t *to);
    unsigned link_stub;
    size_t fp_site_bytes;
    uint64_t (*code_key)(const Translator *t);
    /* Host signal with the pc in translated code: see vcpu_host_signal(). */
    bool (*host_signal)(Vcpu *v, int sig, const siginfo_t *info, void *ucontext);
    void (*kick)(Vcpu *v);
    uint32_t (*fp_flags)(const Vcpu *v);
    void (*fp_set_flags)(Vcpu *v, uint32_t flags);
    void (*fp_set_control)(Vcpu *v, uint32_t control);
    uint32_t (*fp_control)(const Vcpu *v);
} Backend;

extern const Backend backend_x86_64, backend_interp;

#endif
