/* data plane */
/*
 * Looks ahead from a branch target for what happens to NZCV first: a read, or an instruction that
 * sets all of it. A compare in front of a branch needn't leave its flags in memory then.
 *
 * It must be exact in one direction only: "dead" has to be true. So what isn't known here (returns,
 * indirect branches, exceptions, anything unusual among the system instructions) counts as a read.
 */
#include "translator/guest/aarch64/translate.h"

enum { MAX_INSNS = 40, MAX_PLACES = 8 };

typedef enum Kind { NEUTRAL, SETS, READS, JUMP, FORK } Kind;

static int64_t field(uint32_t word, unsigned lsb, unsigned bits)
{
    return (int64_t)((uint64_t)word << (64 - lsb - bits)) >> (64 - bits);
}

static bool is(uint32_t word, uint32_t mask, uint32_t value)
{
    return (word & mask) == value;
}

static Kind classify_branch(uint32_t word, GuestAddr pc, GuestAddr *ret_target)
{
    if (is(word, 0x7c000000, 0x14000000)) { /* B, BL */
        *ret_target = pc + field(word, 0, 26) * 4;
        return JUMP;
    }
    if (is(word, 0x7e000000, 0x34000000)) { /* CBZ */
        *ret_target = pc + field(word, 5, 19) * 4;
        return FORK;
    }
    if (is(word, 0x7e000000, 0x36000000)) { /* TBZ */
        *ret_target = pc + field(word, 5, 14) * 4;
        return FORK;
    }
    if (is(word, 0xfffff01f, 0xd503201f) || is(word, 0xfffff09f, 0xd503309f)) /* hints, barriers */
        return NEUTRAL;
    if (is(word, 0xffdfffe0, 0xd51bd040)) /* TPIDR_EL0 */
        return NEUTRAL;
    return READS;
}

/* An encoding that is reserved after all raises an exception with the flags as they are. */
static Kind sets_unless(bool reserved)
{
    return reserved ? READS : SETS;
}

static bool imm6_reserved(uint32_t word)
{
    return !(word >> 31) && word & 1u << 15;
}

static Kind classify_register(uint32_t word)
{
    if (is(word, 0x1f000000, 0x0a000000)) /* logical: ANDS, BICS */
        return is(word, 0x60000000, 0x60000000) ? sets_unless(imm6_reserved(word)) : NEUTRAL;
    if (is(word, 0x1f200000, 0x0b000000)) /* add, subtract: ADDS, SUBS */
        return word & 1u << 29 ? sets_unless((word >> 22 & 3) == 3 || imm6_reserved(word))
                               : NEUTRAL;
    if (is(word, 0x1f200000, 0x0b200000)) /* the same, extended register */
        return word & 1u << 29 ? sets_unless(word >> 22 & 3 || (word >> 10 & 7) > 4) : NEUTRAL;
    if (is(word, 0x1fe00000, 0x1ac00000) || is(word, 0x1f000000, 0x1b000000))
        return NEUTRAL; /* one, two or three sources */
    return READS; /* with carry, conditional, RMIF, SETF */
}

static Kind classify_immediate(uint32_t word)
{
    if (is(word, 0x3f800000, 0x31000000)) /* ADDS, SUBS */
        return SETS;
    if (is(word, 0x7f800000, 0x72000000)) { /* ANDS; see decode_bit_mask() */
        bool sf = word >> 31, n = word >> 22 & 1;
        unsigned imms = word >> 10 & 63, levels = (n ? 64u : 0) | (~imms & 63);
        if (levels < 2 || (n && !sf))
            return READS;
        unsigned size = 1u << (31 - __builtin_clz(levels));
        return sets_unless((imms & (size - 1)) == size - 1);
    }
    return NEUTRAL;
}

static Kind classify_simd(uint32_t word)
{
    if (is(word, 0xff20fc07, 0x1e202000)) /* FCMP, FCMPE */
        return sets_unless((word >> 22 & 3) >= 2); /* of half precision only where that is */
    if (is(word, 0xff200400, 0x1e200400)) /* FCCMP, FCSEL */
        return READS;
    return NEUTRAL;
}

static Kind classify(uint32_t word, GuestAddr pc, GuestAddr *ret_target)
{
    switch (word >> 25 & 15) {
    case 8: case 9: /* data processing, immediate */
        return classify_immediate(word);
    case 10: case 11:
        return classify_branch(word, pc, ret_target);
    case 4: case 6: case 12: case 14: /* loads and stores */
        return NEUTRAL;
    case 5: case 13:
        return classify_register(word);
    case 7: case 15:
        return classify_simd(word);
    default:
        return READS;
    }
}

static bool window_word(CodeWindow *w, GuestAddr pc, uint32_t *ret_word)
{
    if (pc < w->start || pc - w->start + 4 > w->bytes)
        return false;
    *ret_word = a64_fetch(w->code + (pc - w->start));
    if (pc < w->seen_start)
        w->seen_start = pc;
    if (pc + 4 > w->seen_end)
        w->seen_end = pc + 4;
    return true;
}

/* Places to look on from, those that have been looked on from first. */
typedef struct Places {
    GuestAddr at[MAX_PLACES];
    unsigned n, done;
} Places;

/* A place once, so that loops end. False: there are too many. */
static bool add_place(Places *p, GuestAddr pc)
{
    for (unsigned k = 0; k < p->n; k++)
        if (p->at[k] == pc)
            return true;
    if (p->n == MAX_PLACES)
        return false;
    p->at[p->n++] = pc;
    return true;
}

bool a64_flags_dead(CodeWindow *w, GuestAddr at)
{
    Places places = { .at = { at }, .n = 1 };
    unsigned n_insns = 0;
    while (places.done < places.n) {
        GuestAddr pc = places.at[places.done++], target;
        for (bool on = true; on;) {
            uint32_t word;
            if (n_insns++ == MAX_INSNS || !window_word(w, pc, &word))
                return false;
            switch (classify(word, pc, &target)) {
            case READS:
                return false;
            case SETS:
                on = false;
                break;
            case JUMP:
                if (!add_place(&places, target))
                    return false;
                on = false;
                break;
            case FORK:
                if (!add_place(&places, target))
                    return false;
                pc += 4;
                break;
            default:
                pc += 4;
            }
        }
    }
    return true;
}
