/*
 * Which way branches go, seen for a moment before a region is made of them.
 *
 * A vcpu that has found code hot executes its next blocks one by one, by units that end with the
 * first branch (IR_UNIT_ONE_BLOCK), and the dispatcher notes where each of them led. So code that
 * runs at its full speed counts nothing. What was seen is kept for other regions; a place whose
 * row another branch needs is forgotten.
 *
 * A branch is known by the address behind it, which both a unit and a region have. All of this is
 * the vcpu's own thread's.
 */
#ifndef TRANSLATOR_RUNTIME_BRANCH_PROFILE_H
#define TRANSLATOR_RUNTIME_BRANCH_PROFILE_H

#include "translator/runtime/vcpu.h"

enum { BRANCH_PROFILE_ROWS = 4096 };

typedef struct BranchCount { GuestAddr next, to; uint32_t n; } BranchCount;

struct BranchProfile {
    GuestAddr pc; /* the code that was found hot, or nearly */
    uint64_t mode;
    bool hot;
    BranchCount row[BRANCH_PROFILE_ROWS];
};

/* Has the vcpu's next blocks looked at. False: there is no memory. */
bool branch_profile_begin(Vcpu *v, GuestAddr pc, unsigned blocks, bool hot);
/* A block whose last instruction ends at `next` led to `to`. True: that was the last one. */
bool branch_profile_note(Vcpu *v, GuestAddr next, GuestAddr to);
/* How often the branch before `next` has been seen to go to `to`. */
uint32_t branch_profile_count(const Vcpu *v, GuestAddr next, GuestAddr to);
/* Of a vcpu that ends. */
void branch_profile_delete(Vcpu *v);

#endif
