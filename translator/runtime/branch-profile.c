/* data plane */
#include "translator/memory/own-pages.h"
#include "translator/runtime/branch-profile.h"

static unsigned row_of(GuestAddr next, GuestAddr to)
{
    uint64_t key = next ^ to << 20;
    return (unsigned)(key * 0x9e3779b97f4a7c15u >> 40) % BRANCH_PROFILE_ROWS;
}

bool branch_profile_begin(Vcpu *v, GuestAddr pc, unsigned blocks, bool hot)
{
    if (!v->branches)
        v->branches = own_pages_map(sizeof *v->branches);
    if (!v->branches)
        return false;
    v->branches->pc = pc;
    v->branches->mode = v->mode;
    v->branches->hot = hot;
    v->profiling = blocks;
    return true;
}

bool branch_profile_note(Vcpu *v, GuestAddr next, GuestAddr to)
{
    BranchProfile *p = v->branches;
    BranchCount *row = &p->row[row_of(next, to)];
    if (row->next != next || row->to != to)
        *row = (BranchCount){ .next = next, .to = to };
    row->n++;
    return --v->profiling == 0;
}

uint32_t branch_profile_count(const Vcpu *v, GuestAddr next, GuestAddr to)
{
    if (!v->branches)
        return 0;
    const BranchCount *row = &v->branches->row[row_of(next, to)];
    return row->next == next && row->to == to ? row->n : 0;
}

void branch_profile_delete(Vcpu *v)
{
    if (v->branches)
        own_pages_unmap(v->branches, sizeof *v->branches);
}
