/* data plane */
/*
 * The side table of a unit: for each place in its code that may fault, the guest's pc and where the
 * guest's variables are. Programs have a million such places and nearly none faults, so the table
 * is a stream of bytes that says what differs from the place before, and finding one reads all of
 * the unit's before it. It holds no address: the stream is the same in a file.
 *
 * A point:  gap               from the end of the one before; 255: a number follows
 *           guest:4 bytes:4   steps of 2 bytes that the guest's pc goes on, and the length of the
 *                             host's instruction; 15: a number follows (the guest's first)
 *           changes:5 flags_kind:3   31 changes: a number follows, how many more
 * A change: var               the variable, a byte
 *           kind:3 what:5     UNIT_SNAP_*; 31: a number follows
 *           7 << 5 | form     a form other than the usual one; kind and what follow
 *           7 << 5            the variable is at its usual place again
 * A number: seven bits a byte, the lowest first, bit 7: there is more. Signed ones alternate: 0,
 * -1, 1, -2 … `what` of UNIT_SNAP_CONST is such a signed value, of UNIT_SNAP_GUEST an address less
 * the unit's, of UNIT_SNAP_VCONST an index into the unit's.
 */
#ifndef TRANSLATOR_CACHE_UNIT_POINTS_H
#define TRANSLATOR_CACHE_UNIT_POINTS_H

#include "translator/cache/unit.h"
#include "translator/ir/arena.h"

/* While a unit is compiled: a point and its list in UnitSnaps, by ascending variables. */
typedef struct UnitSnap {
    uint8_t var;
    uint8_t kind : 4; /* UNIT_SNAP_* */
    uint8_t form : 4; /* IrForm: the variable has this of it */
    uint16_t what;
} UnitSnap;
typedef struct RawPoint {
    uint32_t start, bytes; /* start: offset from code */
    int32_t guest;         /* guest pc less unit pc */
    uint32_t snap, n_snap;
    uint32_t flags_kind;   /* how EFLAGS hold the guest's flags, for UNIT_SNAP_FLAGS */
} RawPoint;
enum {
    UNIT_SNAP_REG,    /* in this register */
    UNIT_SNAP_SPILL,  /* in this spill slot */
    UNIT_SNAP_VAR,    /* in the state, at this variable's place */
    UNIT_SNAP_CONST,  /* constant[what] */
    UNIT_SNAP_GUEST,  /* the same, a guest code address */
    UNIT_SNAP_VCONST, /* vconst[constant[what]] */
    UNIT_SNAP_FLAGS,  /* in EFLAGS */
};

typedef struct PointBytes { uint8_t *p; size_t n, cap; } PointBytes;
/* The stream of a unit's points, in the arena. False: they aren't in order, which is a bug. */
bool unit_points_encode(Arena *arena, GuestAddr unit_pc, const RawPoint *point, uint32_t n,
                        const UnitSnap *snap, const uint64_t *constant, PointBytes *ret);

enum { UNIT_POINT_VARS = 256 };
typedef struct UnitPlace {
    uint64_t what;            /* the constant itself; an index of vconst; else as in UnitSnap */
    uint8_t kind, form;
} UnitPlace;
typedef struct UnitPoint {
    int32_t guest;
    uint32_t flags_kind;
    uint64_t moved[UNIT_POINT_VARS / 64]; /* a bit a variable that isn't at its usual place */
    UnitPlace place[UNIT_POINT_VARS];
} UnitPoint;
/* The point that holds at an offset from the unit's code. Async-signal-safe. */
bool unit_point_find(const UnitTables *t, GuestAddr unit_pc, uint32_t at, UnitPoint *ret);

#endif
