/* The structure of random programs; see gen.h. */
#include "tests/kick-fuzz/gen.h"

#include <assert.h>
#include <string.h>

enum { MAX_BYTES = 2400, MAX_LEAVES = 6, MAX_TURNS = 40, ALL_TURNS = 300 };
enum { OUT, AGAIN }; /* KickGen.leave */

void kick_emit(KickGen *g, uint32_t insn, unsigned bytes)
{
    assert(g->n + bytes <= KICK_CODE_BYTES);
    memcpy(g->code + g->n, &insn, bytes);
    g->n += bytes;
}

uint32_t kick_item_begin(KickGen *g)
{
    return g->n;
}

void kick_item_end(KickGen *g, uint32_t start)
{
    if (g->n_items < KICK_ITEMS && g->n > start)
        g->item[g->n_items++] = (KickItem){start, g->n};
}

static bool one_in(KickGen *g, unsigned n)
{
    return kick_below(g, n) == 0;
}

static void block(KickGen *g, unsigned level, unsigned turns);

static void plain(KickGen *g)
{
    unsigned sum = 0, group = 0;
    for (unsigned n = 0; n < g->guest->n_groups; n++)
        sum += g->weight[n];
    for (unsigned at = kick_below(g, sum); at >= g->weight[group]; group++)
        at -= g->weight[group];
    g->guest->plain(g, group);
}

static void some_plain(KickGen *g, unsigned most)
{
    for (unsigned n = 1 + kick_below(g, most); n > 0; n--)
        plain(g);
}

static void trigger(KickGen *g)
{
    uint32_t start = kick_item_begin(g);
    g->guest->trigger(g);
    kick_item_end(g, start);
}

/* Around some instructions: if, or if and else. */
static void condition(KickGen *g, unsigned level, unsigned turns)
{
    uint32_t start = kick_item_begin(g), away = g->guest->branch_if(g);
    kick_item_end(g, start);
    if (one_in(g, 4))
        block(g, level, turns);
    else
        some_plain(g, 3);
    if (one_in(g, 2)) {
        start = kick_item_begin(g);
        uint32_t end = g->guest->jump(g);
        kick_item_end(g, start);
        g->guest->patch(g, away, g->n);
        some_plain(g, 3);
        away = end;
    }
    g->guest->patch(g, away, g->n);
}

/* A way out of the innermost loop, or to its next turn. */
static void leave(KickGen *g)
{
    unsigned where = kick_below(g, 3) ? AGAIN : OUT;
    if (!g->leave[where] || g->n_leave[where] == MAX_LEAVES)
        return;
    uint32_t start = kick_item_begin(g);
    g->leave[where][g->n_leave[where]++] = g->guest->branch_if(g);
    kick_item_end(g, start);
}

/* Some from 2 to MAX_TURNS, not too many together with the loops around. */
static unsigned loop_turns(KickGen *g, unsigned turns)
{
    unsigned most = ALL_TURNS / turns;
    most = most > MAX_TURNS ? MAX_TURNS : most < 3 ? 3 : most;
    if (g->in_function)
        most = g->in_function == 1 ? 3 : 6;
    return 2 + kick_below(g, most - 1);
}

static void loop(KickGen *g, unsigned level, unsigned turns)
{
    uint32_t to[2][MAX_LEAVES], *old_leave[2];
    unsigned old_n[2], old_walks = g->walks_left;
    KickLoop l = {
        .form = kick_below(g, g->guest->n_loop_forms),
        .counter = g->in_function ? 2 + g->in_function : level,
        .turns = loop_turns(g, turns),
    };
    for (unsigned k = 0; k < 2; k++) {
        old_leave[k] = g->leave[k];
        old_n[k] = g->n_leave[k];
        g->leave[k] = to[k];
        g->n_leave[k] = 0;
    }
    uint32_t start = kick_item_begin(g);
    g->guest->walk_begin(g);
    kick_item_end(g, start);
    g->walks_left = 2;
    g->guest->loop_begin(g, &l);
    block(g, level + 1, turns * l.turns);
    for (unsigned k = 0; k < g->n_leave[AGAIN]; k++)
        g->guest->patch(g, to[AGAIN][k], g->n);
    start = kick_item_begin(g);
    g->guest->loop_end(g, &l);
    kick_item_end(g, start);
    for (unsigned k = 0; k < g->n_leave[OUT]; k++)
        g->guest->patch(g, to[OUT][k], g->n);
    if (g->n_loops < KICK_LOOPS)
        g->loop[g->n_loops++] = (KickItem){l.head, g->n};
    for (unsigned k = 0; k < 2; k++) {
        g->leave[k] = old_leave[k];
        g->n_leave[k] = old_n[k];
    }
    g->walks_left = old_walks;
}

/* Functions that may be called from here: [0, n). */
static unsigned callable(const KickGen *g)
{
    return g->in_function == 0 ? g->n_functions : g->in_function == 1 ? g->n_leaves : 0;
}

static void call(KickGen *g)
{
    unsigned n = callable(g);
    if (!n || g->n_calls == KICK_CALLS)
        return;
    uint32_t start = kick_item_begin(g);
    if (one_in(g, 4) && g->n_entries + 4 <= KICK_CALLS) {
        unsigned ways = 1u << kick_below(g, 3);
        g->guest->through_table(g, g->n_table, ways, true);
        for (unsigned k = 0; k < ways; k++)
            g->entry[g->n_entries++] = (KickCall){g->n_table++, kick_below(g, n)};
    } else {
        uint32_t at = g->guest->call(g);
        g->call[g->n_calls++] = (KickCall){at, kick_below(g, n)};
    }
    kick_item_end(g, start);
}

/* A jump to one of 2 or 4 cases, which go on behind. */
static void choose(KickGen *g)
{
    unsigned ways = one_in(g, 2) ? 2 : 4, first = g->n_table;
    uint32_t end[4];
    uint32_t start = kick_item_begin(g);
    g->guest->through_table(g, first, ways, false);
    kick_item_end(g, start);
    g->n_table += ways;
    for (unsigned k = 0; k < ways; k++) {
        g->table[first + k] = KICK_CODE + g->n;
        some_plain(g, 2);
        if (k + 1 < ways)
            end[k] = g->guest->jump(g);
    }
    for (unsigned k = 0; k + 1 < ways; k++)
        g->guest->patch(g, end[k], g->n);
}

static void string_loop(KickGen *g)
{
    uint32_t start = kick_item_begin(g);
    g->guest->string_loop(g);
    kick_item_end(g, start);
}

static void part(KickGen *g, unsigned level, unsigned turns)
{
    bool room = g->n < MAX_BYTES, may_loop = g->in_function ? level < 1 : level < 3;
    switch (kick_below(g, 16)) {
    case 0: case 1:
        if (room)
            condition(g, level, turns);
        break;
    case 2: case 3:
        if (room && may_loop && turns < ALL_TURNS)
            loop(g, level, turns);
        break;
    case 4:
        if (one_in(g, 2))
            call(g);
        break;
    case 5:
        leave(g);
        break;
    case 6:
        if (room && one_in(g, 4) && g->n_table + 8 < KICK_CALLS)
            choose(g);
        break;
    case 7:
        if (one_in(g, g->string_odds))
            string_loop(g);
        break;
    default:
        plain(g);
        break;
    }
}

static void block(KickGen *g, unsigned level, unsigned turns)
{
    if (level && one_in(g, g->trigger_odds))
        trigger(g);
    for (unsigned n = 2 + kick_below(g, 6); n > 0; n--)
        part(g, level, turns);
    if (level && one_in(g, 2 * g->trigger_odds))
        trigger(g);
}

static void functions(KickGen *g)
{
    uint32_t start[KICK_FUNCTIONS];
    for (unsigned n = g->n_functions; n-- > 0;) {
        bool leaf = n < g->n_leaves;
        g->in_function = leaf ? 2 : 1;
        start[n] = g->n;
        g->guest->function_begin(g, leaf);
        if (one_in(g, 3))
            loop(g, 0, 20);
        block(g, 0, 20);
        g->guest->function_end(g, leaf);
    }
    for (unsigned k = 0; k < g->n_calls; k++)
        g->guest->patch(g, g->call[k].at, start[g->call[k].function]);
    for (unsigned k = 0; k < g->n_entries; k++)
        g->table[g->entry[k].at] = KICK_CODE + start[g->entry[k].function];
}

/* Text of bytes that are no 0, with some in between. */
static void make_strings(KickGen *g, uint8_t *at)
{
    for (unsigned n = 0; n < KICK_REACH; n++)
        at[n] = (uint8_t)(one_in(g, 100) ? 0 : 1 + kick_below(g, one_in(g, 8) ? 255 : 3));
    memset(at + KICK_REACH - 64, 0, 64);
}

static void draw_character(KickGen *g)
{
    static const uint8_t odds[] = {1, 1, 2, 3, 4};
    g->n_regs = one_in(g, 3) ? g->guest->n_free : 3 + kick_below(g, g->guest->n_free - 2);
    g->n_fp_regs = one_in(g, 4) ? g->guest->n_fp_free : 2 + kick_below(g, 8);
    for (unsigned n = 0; n < g->guest->n_groups; n++)
        g->weight[n] = one_in(g, 3) ? 0 : 1 + kick_below(g, 6);
    g->weight[kick_below(g, g->guest->n_groups)] += one_in(g, 3) ? 30 : 3;
    g->trigger_odds = odds[kick_below(g, sizeof odds)];
    g->traps = one_in(g, 4);
    g->string_odds = one_in(g, 3) ? 1 : 6;
    g->n_leaves = kick_below(g, 4);
    g->n_functions = g->n_leaves ? g->n_leaves + kick_below(g, 3) : 0;
}

void kick_generate(KickGen *g, const KickGuest *guest, uint64_t seed, uint8_t *code, uint8_t *data)
{
    memset(g, 0, sizeof *g);
    memset(code, 0, KICK_CODE_BYTES);
    *g = (KickGen){.random = seed, .guest = guest, .code = code};
    for (unsigned n = 0; n < KICK_DATA_BYTES; n += 8) {
        uint64_t value = kick_random(g);
        if (n < KICK_BASE + KICK_STRINGS)
            value = one_in(g, 2) ? value : value >> (value & 63);
        memcpy(data + n, &value, 8);
    }
    make_strings(g, data + KICK_BASE + KICK_STRINGS);
    g->table = (uint64_t *)(void *)(data + KICK_BASE + KICK_TABLE);
    draw_character(g);
    for (unsigned n = 1 + kick_below(g, 3); n > 0; n--) {
        some_plain(g, 2);
        loop(g, 0, 1);
    }
    some_plain(g, 2);
    g->guest->stop(g);
    functions(g);
}
