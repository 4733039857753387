/* data plane */
/* Units of loaded chunks get into the unit table when they are to be forgotten. See stored.h. */
#include "translator/runtime/stored.h"

#include "translator/runtime/stored-state.h"

/* The code jumps there already. A target that has been invalidated was connected before. */
static void connect_link(Translator *t, UnitLink *link, CompiledUnit *to)
{
    if (!link->to && !to->invalid)
        unit_link(t, link, to);
}

typedef struct Touched {
    uint64_t is[STORE_CHUNK_UNITS / 64]; /* a bit a unit */
    uint32_t n;
} Touched;

static bool is_touched(const Touched *t, uint32_t n)
{
    return n < STORE_CHUNK_UNITS && t->is[n / 64] >> n % 64 & 1;
}

static void touch(Touched *t, uint32_t n)
{
    t->n += !is_touched(t, n);
    t->is[n / 64] |= UINT64_C(1) << n % 64;
}

static StoredChunk *find_loaded(const struct Stored *s, const StoredChunk *like, uint32_t number)
{
    for (uint32_t n = 0; n < s->n_loaded; n++) {
        StoredChunk *c = s->loaded[n].chunk;
        if (c->number == number && c->file == like->file && c->bias == like->bias)
            return c;
    }
    return NULL;
}

/* Links of other chunks that lead to the chunk's units, all or those that are touched. */
static bool connect_bound(Translator *t, StoredChunk *c, const Touched *touched)
{
    for (uint32_t n = 0; n < c->n_in; n++) {
        StoreCross cross = c->in[n];
        if (touched && !is_touched(touched, cross.to))
            continue;
        StoredChunk *from = find_loaded(t->stored, c, c->first + cross.other);
        if (!from || !chunk_is_bound(from, cross, c))
            continue;
        if ((!chunk_made(c, cross.to) && !stored_adopt(t, c, cross.to)) ||
            (!chunk_made(from, cross.from) && !stored_adopt(t, from, cross.from)))
            return false;
        connect_link(t, unit_link_at(chunk_made(from, cross.from), cross.link),
                     chunk_made(c, cross.to));
    }
    return true;
}

void stored_expose_unit(Translator *t, CompiledUnit *u)
{
    StoredChunk *c = unit_chunk(u);
    if (!c || c->connected)
        return;
    uint32_t self = chunk_find_unit(c, (uint32_t)(unit_code(u) - unit_code(&c->base)));
    Touched only = { 0 };
    if (self < STORE_CHUNK_UNITS)
        touch(&only, self);
    connect_bound(t, c, self < STORE_CHUNK_UNITS ? &only : NULL);
    for (uint32_t n = 0; n < c->tables->n_units; n++) {
        const StoreUnit *from = &c->unit[n];
        for (uint32_t k = from->link; k < from[1].link; k++)
            if (c->link[k].to == self + 1 && (chunk_made(c, n) || stored_adopt(t, c, n)))
                connect_link(t, unit_link_at(chunk_made(c, n), k - from->link), u);
    }
}

static bool connect(Translator *t, StoredChunk *c)
{
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        if (!chunk_made(c, n) && !stored_adopt(t, c, n))
            return false;
    for (uint32_t n = 0; n < c->tables->n_units; n++) {
        const StoreUnit *u = &c->unit[n];
        for (uint32_t k = u->link; k < u[1].link; k++)
            if (c->link[k].to)
                connect_link(t, unit_link_at(chunk_made(c, n), k - u->link),
                             chunk_made(c, c->link[k].to - 1));
    }
    if (!connect_bound(t, c, NULL))
        return false;
    c->connected = true;
    return true;
}

/* What is invalid already was connected for it. Code that is flushed again and again, by a JIT or a
 * test, has been retranslated out of the chunk. */
static void look_whether_touched(const StoredChunk *c, uint32_t n, GuestAddr start, GuestAddr last,
                                 Touched *ret)
{
    if (chunk_made(c, n) && chunk_made(c, n)->invalid)
        return;
    for (uint32_t k = 0; k < chunk_n_seen(&c->unit[n]); k++) {
        StoreRange seen = chunk_seen(c, &c->unit[n], k);
        GuestAddr from = seen.off + c->bias;
        if (from <= last && from + seen.bytes > start)
            touch(ret, n);
    }
}

/* Which units of a chunk that has seen code thereabouts have seen that of the place. Those but
 * regions have seen what is near them (StoreUnit.around). */
static void find_touched(const StoredChunk *c, GuestAddr start, GuestAddr last, Touched *ret)
{
    enum { NEAR = UINT16_MAX };
    memset(ret, 0, sizeof *ret);
    uint64_t from = (start > c->seen_start ? start : c->seen_start) - c->bias;
    uint64_t to = (last < c->seen_end ? last : c->seen_end) - c->bias;
    uint32_t end = chunk_first_from(c, to + NEAR + 1);
    for (uint32_t n = chunk_first_from(c, from > NEAR ? from - NEAR : 0); n < end; n++)
        if (c->unit[n].by_off < c->tables->n_units)
            look_whether_touched(c, c->unit[n].by_off, start, last, ret);
    for (uint32_t n = 0; c->tables->n_seen && n < c->tables->n_units; n++)
        if (c->unit[n].n_seen)
            look_whether_touched(c, n, start, last, ret);
}

/* Those units, and what jumps to them. An instruction that is to be translated in another way
 * concerns a few of the chunk's units, and each that is made takes some 200 bytes. */
static bool connect_touched(Translator *t, StoredChunk *c, const Touched *touched)
{
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        if (is_touched(touched, n) && !chunk_made(c, n) && !stored_adopt(t, c, n))
            return false;
    for (uint32_t n = 0; n < c->tables->n_units; n++)
        for (uint32_t k = c->unit[n].link; k < c->unit[n + 1].link; k++) {
            uint32_t to = c->link[k].to;
            if (!to || !is_touched(touched, to - 1))
                continue;
            if (!chunk_made(c, n) && !stored_adopt(t, c, n))
                return false;
            connect_link(t, unit_link_at(chunk_made(c, n), k - c->unit[n].link),
                         chunk_made(c, to - 1));
        }
    return connect_bound(t, c, touched);
}

static bool expose(Translator *t, StoredChunk *c, GuestAddr start, GuestAddr last)
{
    enum { FEW = 64 };
    Touched touched;
    if (c->tables->n_units > STORE_CHUNK_UNITS)
        return connect(t, c);
    find_touched(c, start, last, &touched);
    return !touched.n || (touched.n > FEW ? connect(t, c) : connect_touched(t, c, &touched));
}

bool stored_expose(Translator *t, GuestAddr start, uint64_t bytes)
{
    GuestAddr last = start + bytes - 1 < start ? ~(GuestAddr)0 : start + bytes - 1;
    if (!t->stored || !bytes)
        return true;
    for (uint32_t n = 0; n < t->stored->n_loaded; n++) {
        StoredSpan *s = &t->stored->loaded[n];
        if (s->start > last || s->end <= start)
            continue;
        if (!expose(t, s->chunk, start, last))
            return false;
        if (s->chunk->connected)
            s->start = s->end = 0;
    }
    return true;
}
