/* data plane */
/* See unit-points.h. */
#include "translator/cache/unit-points.h"

#include <string.h>

enum { GAP_MORE = 255, FOUR_MORE = 15, FIVE_MORE = 31, KIND_SHIFT = 5, KIND_NONE = 7 };
/* What a point without changes takes at most, and a change. */
enum { POINT_BYTES_MAX = 32, CHANGE_BYTES_MAX = 16, NUMBER_BYTES_MAX = 10 };

/* -- writing ----------------------------------------------------------------------------------- */

static uint64_t alternate(int64_t n) { return (uint64_t)n << 1 ^ (uint64_t)(n >> 63); }

static uint8_t *put_number(uint8_t *p, uint64_t n)
{
    for (; n >= 0x80; n >>= 7)
        *p++ = (uint8_t)(n | 0x80);
    *p++ = (uint8_t)n;
    return p;
}

typedef struct Writer {
    PointBytes *to;
    GuestAddr unit_pc;
    const UnitSnap *snap;
    const uint64_t *constant;
    uint32_t end;             /* of the last point */
    int32_t guest;
    uint32_t last, n_last;    /* its list */
} Writer;

static uint64_t snap_number(const Writer *w, const UnitSnap *s)
{
    switch (s->kind) {
    case UNIT_SNAP_CONST: return alternate((int64_t)w->constant[s->what]);
    case UNIT_SNAP_GUEST: return alternate((int64_t)(w->constant[s->what] - w->unit_pc));
    case UNIT_SNAP_VCONST: return w->constant[s->what];
    default: return s->what;
    }
}

static uint8_t *put_change(const Writer *w, uint8_t *p, const UnitSnap *s)
{
    uint64_t what = snap_number(w, s);
    *p++ = s->var;
    if (s->form)
        *p++ = (uint8_t)(KIND_NONE << KIND_SHIFT | s->form);
    *p++ = (uint8_t)(s->kind << KIND_SHIFT | (what < FIVE_MORE ? what : FIVE_MORE));
    return what < FIVE_MORE ? p : put_number(p, what);
}

static bool same_place(const UnitSnap *a, const UnitSnap *b)
{
    return a->kind == b->kind && a->form == b->form && a->what == b->what;
}

/* What differs between the last list and this one, both by ascending variables: how many. */
static uint32_t put_changes(const Writer *w, const RawPoint *r, uint8_t **at)
{
    const UnitSnap *old = w->snap + w->last, *old_end = old + w->n_last;
    const UnitSnap *now = w->snap + r->snap, *now_end = now + r->n_snap;
    uint32_t count = 0;
    uint8_t *p = *at;
    if (old == now && w->n_last == r->n_snap)
        return 0;
    while (old < old_end || now < now_end) {
        if (now == now_end || (old < old_end && old->var < now->var)) {
            *p++ = old++->var;
            *p++ = KIND_NONE << KIND_SHIFT;
            count++;
        } else if (old < old_end && old->var == now->var && same_place(old, now)) {
            old++;
            now++;
        } else {
            old += old < old_end && old->var == now->var;
            p = put_change(w, p, now++);
            count++;
        }
    }
    *at = p;
    return count;
}

static void put_point(Writer *w, const RawPoint *r)
{
    uint32_t gap = r->start - w->end;
    int64_t on = (int64_t)r->guest - w->guest;
    bool near = !(on & 1) && on >= 0 && on < 2 * FOUR_MORE;
    uint8_t *p = w->to->p + w->to->n;
    *p++ = (uint8_t)(gap < GAP_MORE ? gap : GAP_MORE);
    if (gap >= GAP_MORE)
        p = put_number(p, gap);
    *p++ = (uint8_t)((near ? on / 2 : FOUR_MORE) << 4 |
                     (r->bytes < FOUR_MORE ? r->bytes : FOUR_MORE));
    if (!near)
        p = put_number(p, alternate(on));
    if (r->bytes >= FOUR_MORE)
        p = put_number(p, r->bytes);
    uint8_t *head = p++;
    uint32_t changes = put_changes(w, r, &p);
    *head = (uint8_t)((changes < FIVE_MORE ? changes : FIVE_MORE) << 3 | r->flags_kind);
    if (changes >= FIVE_MORE) {
        uint8_t more[NUMBER_BYTES_MAX];
        size_t n = (size_t)(put_number(more, changes - FIVE_MORE) - more);
        memmove(head + 1 + n, head + 1, (size_t)(p - head - 1));
        memcpy(head + 1, more, n);
        p += n;
    }
    w->to->n = (size_t)(p - w->to->p);
    w->end = r->start + r->bytes;
    w->guest = r->guest;
    w->last = r->snap;
    w->n_last = r->n_snap;
}

bool unit_points_encode(Arena *arena, GuestAddr unit_pc, const RawPoint *point, uint32_t n,
                        const UnitSnap *snap, const uint64_t *constant, PointBytes *ret)
{
    Writer w = { .to = ret, .unit_pc = unit_pc, .snap = snap, .constant = constant };
    for (uint32_t k = 0; k < n; k++) {
        size_t most = POINT_BYTES_MAX + (w.n_last + point[k].n_snap) * CHANGE_BYTES_MAX;
        if (point[k].start < w.end || point[k].flags_kind > 7)
            return false;
        ret->p = arena_grow(arena, ret->p, 1, ret->n, &ret->cap, ret->n + most);
        put_point(&w, &point[k]);
    }
    return true;
}

/* -- reading ----------------------------------------------------------------------------------- */

typedef struct Reader { const uint8_t *p, *end; } Reader;

static uint8_t get_byte(Reader *r) { return r->p < r->end ? *r->p++ : 0; }

static uint64_t get_number(Reader *r)
{
    uint64_t n = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t byte = get_byte(r);
        n |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80)
            break;
    }
    return n;
}

static int64_t get_signed(Reader *r)
{
    uint64_t n = get_number(r);
    return (int64_t)(n >> 1 ^ -(n & 1));
}

static void get_change(Reader *r, GuestAddr unit_pc, UnitPoint *to)
{
    uint8_t var = get_byte(r), byte = get_byte(r), form = 0;
    if (byte == KIND_NONE << KIND_SHIFT) {
        to->moved[var / 64] &= ~(UINT64_C(1) << var % 64);
        return;
    }
    if (byte >> KIND_SHIFT == KIND_NONE) {
        form = byte & FIVE_MORE;
        byte = get_byte(r);
    }
    UnitPlace *place = &to->place[var];
    to->moved[var / 64] |= UINT64_C(1) << var % 64;
    place->form = form;
    place->kind = byte >> KIND_SHIFT;
    uint64_t n = byte & FIVE_MORE;
    n = n == FIVE_MORE ? get_number(r) : n;
    if (place->kind == UNIT_SNAP_CONST || place->kind == UNIT_SNAP_GUEST)
        n = (n >> 1 ^ -(n & 1)) + (place->kind == UNIT_SNAP_GUEST ? unit_pc : 0);
    place->what = n;
}

bool unit_point_find(const UnitTables *t, GuestAddr unit_pc, uint32_t at, UnitPoint *ret)
{
    Reader r = { t->points, t->points + t->point_bytes };
    uint32_t start = 0;
    ret->guest = 0;
    memset(ret->moved, 0, sizeof ret->moved);
    while (r.p < r.end) {
        uint32_t gap = get_byte(&r);
        start += gap == GAP_MORE ? (uint32_t)get_number(&r) : gap;
        uint8_t byte = get_byte(&r);
        int64_t guest = byte >> 4 == FOUR_MORE ? get_signed(&r) : (byte >> 4) * 2;
        uint32_t bytes = (byte & 15) == FOUR_MORE ? (uint32_t)get_number(&r) : byte & 15;
        if (at < start)
            return false;
        ret->guest += (int32_t)guest;
        byte = get_byte(&r);
        ret->flags_kind = byte & 7;
        uint32_t changes = byte >> 3;
        if (changes == FIVE_MORE)
            changes += (uint32_t)get_number(&r);
        for (; changes && r.p < r.end; changes--)
            get_change(&r, unit_pc, ret);
        if (at - start < bytes)
            return true;
        start += bytes;
    }
    return false;
}
