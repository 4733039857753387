/* data plane */
/*
 * Which of the blocks stay, and their order: a weak topological order after F. Bourdoncle
 * ("Efficient chaotic iteration strategies with widenings", 1993). Each strongly connected
 * component is put down as a whole behind its head, and then ordered in the same way without the
 * head's incoming edges. Blocks are written from the back of the layout to its front, so the
 * successor that is visited last comes next.
 */
#include "translator/region/region.h"

typedef struct Order {
    Region *r;
    uint32_t *number;  /* of the search; DONE: put down */
    uint32_t n_numbers;
    uint32_t *stack;
    uint32_t n_stack;
    uint32_t at;       /* the layout's front */
} Order;

#define DONE UINT32_MAX

static uint32_t visit(Order *o, uint32_t b);

static void put_down(Order *o, uint32_t b)
{
    o->r->layout[--o->at] = b;
}

/* All of b's component, whose other blocks are unvisited again. */
static void component(Order *o, uint32_t b)
{
    for (unsigned n = 0; n < REGION_SUCCS; n++) {
        int32_t s = o->r->block[b].succ[n];
        if (s >= 0 && !o->number[s])
            visit(o, (uint32_t)s);
    }
    put_down(o, b);
}

/* Gives the lowest number of a block that can be reached and isn't put down. */
static uint32_t visit(Order *o, uint32_t b)
{
    bool loop = false;
    uint32_t head = o->number[b] = ++o->n_numbers;
    o->stack[o->n_stack++] = b;
    for (unsigned n = 0; n < REGION_SUCCS; n++) {
        int32_t s = o->r->block[b].succ[n];
        if (s < 0)
            continue;
        uint32_t low = o->number[s] ? o->number[s] : visit(o, (uint32_t)s);
        if (low <= head) {
            head = low;
            loop = true;
        }
    }
    if (head != o->number[b])
        return head;
    o->number[b] = DONE;
    uint32_t other = o->stack[--o->n_stack];
    if (!loop) {
        put_down(o, b);
        return head;
    }
    while (other != b) {
        o->number[other] = 0;
        other = o->stack[--o->n_stack];
    }
    component(o, b);
    return head;
}

static void drop_edges(Region *r)
{
    for (uint32_t b = 0; b < r->n_blocks; b++)
        for (unsigned n = 0; n < REGION_SUCCS; n++) {
            int32_t s = r->block[b].succ[n];
            if (s >= 0 && !r->block[s].keep)
                r->block[b].succ[n] = -1;
        }
}

/* What goes back to the entry leaves, to come in again, so that nothing is done before the loop for
 * the sake of its rare ways. */
static void open_loop(Region *r)
{
    for (uint32_t b = 0; b < r->n_blocks; b++)
        for (unsigned n = 0; n < REGION_SUCCS; n++)
            if (r->block[b].succ[n] == 0)
                r->block[b].succ[n] = -1;
}

static bool leads_to_kept(const Region *r, const RegionBlock *k)
{
    for (unsigned n = 0; n < REGION_SUCCS; n++)
        if (k->succ[n] >= 0 && r->block[k->succ[n]].keep)
            return true;
    return false;
}

/* Keeps the blocks from which the entry can be reached; false: it is no loop's head. */
static bool keep_loop(Region *r)
{
    bool loop = false;
    r->block[0].keep = true;
    for (bool changed = true; changed;) {
        changed = false;
        for (uint32_t b = r->n_blocks; b-- > 0;) {
            RegionBlock *k = &r->block[b];
            if (k->keep || !leads_to_kept(r, k))
                continue;
            k->keep = changed = loop = true;
        }
        loop |= leads_to_kept(r, &r->block[0]);
    }
    return loop;
}

bool region_layout(Region *r)
{
    Arena *a = r->src->arena;
    for (uint32_t b = 0; b < r->n_blocks; b++)
        r->block[b].keep = r->block[b].n_insns;
    drop_edges(r);
    for (uint32_t b = 0; b < r->n_blocks; b++)
        r->block[b].keep = false;
    if (r->whole)
        open_loop(r);
    r->loop = keep_loop(r);
    for (uint32_t b = 0; b < r->n_blocks && !r->loop; b++)
        r->block[b].keep = r->block[b].n_insns;
    drop_edges(r);

    Order o = { .r = r, .at = r->n_blocks };
    o.number = arena_alloc(a, r->n_blocks * sizeof *o.number);
    o.stack = arena_alloc(a, r->n_blocks * sizeof *o.stack);
    r->layout = arena_alloc(a, r->n_blocks * sizeof *r->layout);
    visit(&o, 0);
    r->layout += o.at;
    r->n_layout = r->n_blocks - o.at;
    for (uint32_t n = 0; n < r->n_layout; n++)
        r->block[r->layout[n]].order = (int32_t)n;
    for (uint32_t b = 0; b < r->n_blocks; b++)
        for (unsigned n = 0; n < REGION_SUCCS; n++)
            if (r->block[b].order >= 0 && r->block[b].succ[n] >= 0)
                r->block[r->block[b].succ[n]].n_pred++;
    return r->n_layout > 0;
}
