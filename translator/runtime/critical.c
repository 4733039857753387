/* data plane */
#include "translator/runtime/critical.h"

#include "translator/memory/own-pages.h"
#include "translator/opt/opt.h"

enum { MAX_CRITICAL = 4096, DESCRIPTOR_ALIGN = 32 };
#define TABLE_BYTES (MAX_CRITICAL * sizeof(TranslatorCritical))

static bool known(const Translator *t, const TranslatorCritical *c)
{
    for (unsigned n = 0; n < t->n_critical; n++)
        if (t->critical[n].key == c->key && t->critical[n].start == c->start)
            return true;
    return false;
}

static bool add(Translator *t, const TranslatorCritical *c)
{
    if (!t->critical) {
        t->critical = own_pages_map(TABLE_BYTES);
        if (!t->critical)
            return false;
    }
    if (t->n_critical == MAX_CRITICAL)
        return false;
    t->critical[t->n_critical++] = *c;
    return true;
}

static bool is_in_one(const Translator *t, GuestAddr pc)
{
    for (unsigned n = 0; n < t->n_critical; n++)
        if (pc - t->critical[n].start < t->critical[n].end - t->critical[n].start)
            return true;
    return false;
}

CriticalAnswer critical_look(Translator *t, const IrUnit *u)
{
    CriticalAnswer answer = CRITICAL_NONE;
    if (!t->callbacks.critical || (u->plain_stores && !t->n_critical))
        return answer;
    for (IrRef r = 1; r < u->n_insns; r++) { /* in whatever order */
        const IrInsn *i = &u->insn[r];
        if (i->op == IR_insn && t->n_critical && is_in_one(t, (GuestAddr)i->imm))
            answer = CRITICAL_KNOWN;
        if (i->op != IR_store || (i->attr & IR_MEM_SIZE) != 3)
            continue;
        const IrInsn *value = &u->insn[i->arg[2]];
        if ((value->op != IR_const && value->op != IR_codeaddr) || !value->imm ||
            value->imm & (DESCRIPTOR_ALIGN - 1))
            continue;
        TranslatorCritical c;
        int is = t->callbacks.critical(t->opaque, (GuestAddr)value->imm, &c);
        if (is == 0)
            continue;
        answer = CRITICAL_KNOWN;
        if (is > 0 && !known(t, &c) && add(t, &c))
            return CRITICAL_FOUND;
    }
    return answer;
}

void critical_lift(Translator *t, IrUnit *u)
{
    GuestAddr end = u->pc + u->code_bytes;
    for (unsigned n = 0; n < t->n_critical; n++) {
        const TranslatorCritical *c = &t->critical[n];
        if (c->start < end && u->pc < c->end)
            opt_critical(u, c->start, c->end, c->abort, c->key);
    }
}

void critical_forget(Translator *t, GuestAddr start, uint64_t bytes)
{
    for (unsigned n = t->n_critical; n-- > 0;) {
        const TranslatorCritical *c = &t->critical[n];
        if (c->start - start < bytes || start - c->start < c->end - c->start)
            t->critical[n] = t->critical[--t->n_critical];
    }
}

void critical_free(Translator *t)
{
    own_pages_unmap(t->critical, TABLE_BYTES);
}

bool translator_critical_at(Translator *t, GuestAddr pc, TranslatorCritical *ret)
{
    bool found = false;
    translator_lock(t);
    for (unsigned n = 0; n < t->n_critical && !found; n++) {
        found = pc - t->critical[n].start < t->critical[n].end - t->critical[n].start;
        if (found)
            *ret = t->critical[n];
    }
    translator_unlock(t);
    return found;
}
