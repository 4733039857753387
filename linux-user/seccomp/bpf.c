/* data plane */
#include "linux-user/seccomp/bpf.h"

#include <string.h>

enum { DATA_BYTES = 4 * BPF_DATA_WORDS, MEMORY_WORDS = BPF_MEMWORDS };

/* ---- the check ---- */

/* The operand of one instruction; jumps are looked at where their targets are. */
static bool check_insn(const struct sock_filter *f)
{
    switch (f->code) {
    case BPF_LD | BPF_W | BPF_ABS:
        return !(f->k & 3) && f->k < DATA_BYTES;
    case BPF_ALU | BPF_DIV | BPF_K:
        return f->k != 0;
    case BPF_ALU | BPF_LSH | BPF_K:
    case BPF_ALU | BPF_RSH | BPF_K:
        return f->k < 32;
    case BPF_LD | BPF_MEM:
    case BPF_LDX | BPF_MEM:
    case BPF_ST:
    case BPF_STX:
        return f->k < MEMORY_WORDS;
    case BPF_LD | BPF_W | BPF_LEN: case BPF_LDX | BPF_W | BPF_LEN:
    case BPF_LD | BPF_IMM: case BPF_LDX | BPF_IMM:
    case BPF_RET | BPF_K: case BPF_RET | BPF_A:
    case BPF_MISC | BPF_TAX: case BPF_MISC | BPF_TXA:
    case BPF_ALU | BPF_ADD | BPF_K: case BPF_ALU | BPF_ADD | BPF_X:
    case BPF_ALU | BPF_SUB | BPF_K: case BPF_ALU | BPF_SUB | BPF_X:
    case BPF_ALU | BPF_MUL | BPF_K: case BPF_ALU | BPF_MUL | BPF_X:
    case BPF_ALU | BPF_AND | BPF_K: case BPF_ALU | BPF_AND | BPF_X:
    case BPF_ALU | BPF_OR | BPF_K: case BPF_ALU | BPF_OR | BPF_X:
    case BPF_ALU | BPF_XOR | BPF_K: case BPF_ALU | BPF_XOR | BPF_X:
    case BPF_ALU | BPF_DIV | BPF_X: case BPF_ALU | BPF_LSH | BPF_X:
    case BPF_ALU | BPF_RSH | BPF_X: case BPF_ALU | BPF_NEG:
    case BPF_JMP | BPF_JA:
    case BPF_JMP | BPF_JEQ | BPF_K: case BPF_JMP | BPF_JEQ | BPF_X:
    case BPF_JMP | BPF_JGE | BPF_K: case BPF_JMP | BPF_JGE | BPF_X:
    case BPF_JMP | BPF_JGT | BPF_K: case BPF_JMP | BPF_JGT | BPF_X:
    case BPF_JMP | BPF_JSET | BPF_K: case BPF_JMP | BPF_JSET | BPF_X:
        return true;
    default:
        return false;
    }
}

bool bpf_check(const struct sock_filter *code, unsigned n)
{
    /* Bit i: M[i] has been written on every way to here. Jumps go forward only, so one pass does;
     * bits of an instruction that nothing falls into come from the jumps to it. */
    uint16_t written[BPF_MAXINSNS], now = 0;

    if (n == 0 || n > BPF_MAXINSNS || BPF_CLASS(code[n - 1].code) != BPF_RET)
        return false;
    memset(written, 0xff, sizeof written);
    for (unsigned i = 0; i < n; i++) {
        const struct sock_filter *f = &code[i];
        if (!check_insn(f))
            return false;
        now &= written[i];
        if (BPF_CLASS(f->code) == BPF_ST || BPF_CLASS(f->code) == BPF_STX)
            now |= 1u << f->k;
        else if ((f->code == (BPF_LD | BPF_MEM) || f->code == (BPF_LDX | BPF_MEM)) &&
                 !(now >> f->k & 1))
            return false;
        if (BPF_CLASS(f->code) != BPF_JMP)
            continue;
        if (f->code == (BPF_JMP | BPF_JA)) {
            if (f->k >= n - i - 1)
                return false;
            written[i + 1 + f->k] &= now;
        } else {
            if (i + 1u + f->jt >= n || i + 1u + f->jf >= n)
                return false;
            written[i + 1 + f->jt] &= now;
            written[i + 1 + f->jf] &= now;
        }
        now = 0xffff;
    }
    return true;
}

/* ---- running ---- */

static uint32_t alu(unsigned op, uint32_t a, uint32_t b)
{
    switch (op) {
    case BPF_ADD: return a + b;
    case BPF_SUB: return a - b;
    case BPF_MUL: return a * b;
    case BPF_DIV: return a / b;
    case BPF_AND: return a & b;
    case BPF_OR: return a | b;
    case BPF_XOR: return a ^ b;
    case BPF_LSH: return a << (b & 31);
    case BPF_RSH: return a >> (b & 31);
    default: return -a; /* BPF_NEG */
    }
}

static bool jumps(unsigned op, uint32_t a, uint32_t b)
{
    switch (op) {
    case BPF_JEQ: return a == b;
    case BPF_JGE: return a >= b;
    case BPF_JGT: return a > b;
    default: return a & b; /* BPF_JSET */
    }
}

/* False: a load of a word from `limit` on. */
static inline bool run(const struct sock_filter *f, const uint32_t *data, unsigned limit,
                       uint32_t *ret)
{
    uint32_t a = 0, x = 0, m[MEMORY_WORDS];

    for (;; f++) {
        uint32_t b = BPF_SRC(f->code) == BPF_X ? x : f->k;
        switch (BPF_CLASS(f->code)) {
        case BPF_LD:
        case BPF_LDX: {
            uint32_t v;
            if (BPF_MODE(f->code) == BPF_ABS && f->k / 4 >= limit)
                return false;
            switch (BPF_MODE(f->code)) {
            case BPF_ABS: v = data[f->k / 4]; break;
            case BPF_LEN: v = DATA_BYTES; break;
            case BPF_MEM: v = m[f->k]; break;
            default: v = f->k; break;
            }
            *(BPF_CLASS(f->code) == BPF_LD ? &a : &x) = v;
            break;
        }
        case BPF_ST: m[f->k] = a; break;
        case BPF_STX: m[f->k] = x; break;
        case BPF_ALU:
            if (BPF_OP(f->code) == BPF_DIV && !b) { /* ends the program with 0 */
                *ret = 0;
                return true;
            }
            a = alu(BPF_OP(f->code), a, b);
            break;
        case BPF_JMP:
            if (BPF_OP(f->code) == BPF_JA)
                f += f->k;
            else
                f += jumps(BPF_OP(f->code), a, b) ? f->jt : f->jf;
            break;
        case BPF_RET:
            *ret = BPF_RVAL(f->code) == BPF_A ? a : f->k;
            return true;
        default: /* BPF_MISC */
            if (BPF_MISCOP(f->code) == BPF_TAX)
                x = a;
            else
                a = x;
        }
    }
}

uint32_t bpf_run(const struct sock_filter *code, const uint32_t *data)
{
    uint32_t ret = 0;

    run(code, data, BPF_DATA_WORDS, &ret);
    return ret;
}

bool bpf_run_constant(const struct sock_filter *code, const uint32_t *data, uint32_t *ret)
{
    return run(code, data, BPF_DATA_ARCH + 1, ret);
}
