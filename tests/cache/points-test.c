/*
 * Side tables (translator/cache/unit-points.h): random points with random lists are found again,
 * each at its first and last byte, and what lies between them is not.
 */
#include <glib.h>
#include <string.h>

#include "translator/cache/unit-points.h"

enum { UNITS = 2000, POINTS = 40, VARS = 90, CONSTANTS = 64, PC = 0x555500001000 };

typedef struct Made {
    GRand *rand;
    RawPoint point[POINTS];
    UnitSnap snap[POINTS * VARS];
    uint64_t constant[CONSTANTS];
    uint32_t n, n_snaps;
} Made;

static uint32_t below(Made *m, uint32_t n)
{
    return (uint32_t)g_rand_int_range(m->rand, 0, (gint32)n);
}

/* Small ones mostly, as in units. */
static uint32_t size(Made *m, uint32_t usual, uint32_t most)
{
    return below(m, 8) ? below(m, usual) : below(m, most);
}

static void make_list(Made *m, RawPoint *p)
{
    p->snap = m->n_snaps;
    uint32_t one_in = 1 + size(m, 30, 3);
    for (uint32_t var = 0; var < VARS; var++) {
        if (below(m, one_in))
            continue;
        UnitSnap *s = &m->snap[m->n_snaps++];
        *s = (UnitSnap) { .var = var * 256 / VARS, .kind = below(m, UNIT_SNAP_FLAGS + 1),
                          .form = size(m, 1, 5) };
        s->what = s->kind == UNIT_SNAP_REG ? below(m, 32) : s->kind == UNIT_SNAP_FLAGS ? 0
                : s->kind < UNIT_SNAP_CONST ? below(m, 256) : below(m, CONSTANTS);
    }
    p->n_snap = m->n_snaps - p->snap;
}

static void make(Made *m)
{
    uint32_t at = 0;
    int32_t guest = 0;
    m->n_snaps = 0;
    m->n = below(m, POINTS);
    for (uint32_t n = 0; n < CONSTANTS; n++) {
        uint64_t bits = (uint64_t)g_rand_int(m->rand) << 32 | g_rand_int(m->rand);
        m->constant[n] = bits >> below(m, 64);
    }
    for (uint32_t n = 0; n < m->n; n++) {
        RawPoint *p = &m->point[n];
        p->start = at += size(m, 20, 2000);
        p->bytes = 1 + size(m, 9, 600);
        at += p->bytes;
        p->guest = guest += below(m, 6) ? 4 : g_rand_int_range(m->rand, -100000, 100000);
        p->flags_kind = below(m, 8);
        if (n && below(m, 2)) {
            p->snap = p[-1].snap;
            p->n_snap = p[-1].n_snap;
        } else {
            make_list(m, p);
        }
    }
}

static uint64_t meant(const Made *m, const UnitSnap *s)
{
    bool bits = s->kind >= UNIT_SNAP_CONST && s->kind <= UNIT_SNAP_VCONST;
    return bits ? m->constant[s->what] : s->what;
}

static void compare(const Made *m, const RawPoint *want, const UnitPoint *have)
{
    uint32_t moved = 0;
    for (unsigned n = 0; n < UNIT_POINT_VARS / 64; n++)
        moved += (uint32_t)__builtin_popcountll(have->moved[n]);
    g_assert_cmpint(have->guest, ==, want->guest);
    g_assert_cmpuint(have->flags_kind, ==, want->flags_kind);
    g_assert_cmpuint(moved, ==, want->n_snap);
    for (uint32_t n = 0; n < want->n_snap; n++) {
        const UnitSnap *s = &m->snap[want->snap + n];
        const UnitPlace *place = &have->place[s->var];
        g_assert_true(have->moved[s->var / 64] >> s->var % 64 & 1);
        g_assert_cmpuint(place->kind, ==, s->kind);
        g_assert_cmpuint(place->form, ==, s->form);
        g_assert_cmphex(place->what, ==, meant(m, s));
    }
}

static void check(const Made *m, const UnitTables *t)
{
    static UnitPoint found;
    uint32_t end = 0;
    for (uint32_t n = 0; n < m->n; n++) {
        const RawPoint *p = &m->point[n];
        g_assert_true(unit_point_find(t, PC, p->start, &found));
        compare(m, p, &found);
        g_assert_true(unit_point_find(t, PC, p->start + p->bytes - 1, &found));
        compare(m, p, &found);
        g_assert_true(p->start == end || !unit_point_find(t, PC, p->start - 1, &found));
        end = p->start + p->bytes;
    }
    g_assert_false(unit_point_find(t, PC, end, &found));
    g_assert_false(unit_point_find(t, PC, UINT32_MAX, &found));
}

int main(void)
{
    Arena *arena = arena_new();
    Made *m = g_new0(Made, 1);
    m->rand = g_rand_new_with_seed(7);
    for (uint32_t unit = 0; unit < UNITS; unit++) {
        PointBytes bytes = { 0 };
        make(m);
        g_assert_true(unit_points_encode(arena, PC, m->point, m->n, m->snap, m->constant, &bytes));
        const UnitTables t = { .points = bytes.p, .point_bytes = (uint32_t)bytes.n };
        check(m, &t);
        arena_reset(arena);
    }
    /* What isn't in order is refused. */
    PointBytes none = { 0 };
    const RawPoint bad[2] = { { .start = 10, .bytes = 4 }, { .start = 13, .bytes = 4 } };
    g_assert_false(unit_points_encode(arena, PC, bad, 2, m->snap, m->constant, &none));
    g_rand_free(m->rand);
    g_free(m);
    arena_free(arena);
    return 0;
}
