/* data plane */
/* Checksums: CRC-32C has an instruction here, the IEEE one is a carry-less division. */
#include "translator/host/x86_64/emit-state.h"

static void select_crc32c(Emit *e, IrInsn *i)
{
    unsigned size = i->attr & 3;
    Reg b = ra_use(e->ra, i->arg[1]);
    Reg d = ra_use_scratch(e->ra, i->arg[0]);
    if (size == 1)
        emit8(e, 0x66);
    enc_rr(e, 0xf2, 2, (size == 3 ? ENC_W : 0) | (size == 0 ? ENC_BYTE : 0), size ? 0xf1 : 0xf0, d,
           b);
    enc_mov_rr(e, false, d, d);
    ra_def_is(e->ra, i, d);
}

/* For hosts without carry-less multiplication. */
void backend_crc32(Vcpu *v, uint64_t bytes)
{
    uint32_t crc = v->scratch[0];
    uint64_t data = v->scratch[1];
    for (uint64_t n = 0; n < bytes; n++) {
        crc ^= (uint8_t)(data >> 8 * n);
        for (unsigned k = 0; k < 8; k++)
            crc = crc >> 1 ^ (crc & 1 ? 0xedb88320u : 0);
    }
    v->scratch[0] = crc;
}

static void by_bits(Emit *e, IrInsn *i)
{
    Reg a = ra_use(e->ra, i->arg[0]), b = ra_use(e->ra, i->arg[1]);
    Reg d = ra_def(e->ra, i);
    enc_store(e, true, MEM_STATE(scratch[0]), a);
    enc_store(e, true, MEM_STATE(scratch[1]), b);
    emit_call_fn(e, BACKEND_FN_CRC32, 1u << (i->attr & 3));
    enc_load(e, false, d, MEM_STATE(scratch[0]));
}

/* With the polynomial's bits reflected, as those of the data are, the remainder of 64 bits x is the
 * upper half of q * POLYNOMIAL where q is the one whose product has x as its lower half: x times
 * the polynomial's inverse modulo 2^64, all without carries. Fewer bits stand above zeroes, which
 * leave a remainder of 0 as it is; the rest of the old one is shifted down. */
static void select_crc32(Emit *e, IrInsn *i)
{
    static const uint64_t POLYNOMIAL = 0x1db710641, INVERSE = 0xb4e5b025f7011641;
    unsigned bits = 8u << (i->attr & 3);
    if (!e->cpu->pclmul) {
        by_bits(e, i);
        return;
    }
    Reg crc = ra_use(e->ra, i->arg[0]), data = ra_use(e->ra, i->arg[1]);
    Reg t = ra_temp_gpr(e->ra), x = ra_temp_xmm(e->ra);
    Operand constants = operand_mem(enc_pool128(e, INVERSE, POLYNOMIAL));
    enc_mov_rr(e, false, t, crc);
    enc_alu(e, ALU_XOR, bits == 64, t, operand_reg(data));
    if (bits < 64)
        enc_shift_i(e, SH_SHL, true, t, 64 - bits);
    enc_rr(e, 0x66, 1, ENC_W, 0x6e, x, t); /* movq x, t */
    enc_op(e, 0x66, 3, 0, 0x44, x, constants, 1); /* pclmulqdq: the lower halves */
    emit8(e, 0);
    enc_op(e, 0x66, 3, 0, 0x44, x, constants, 1); /* the lower by the upper */
    emit8(e, 0x10);
    if (bits < 32) {
        enc_mov_rr(e, false, t, crc);
        enc_shift_i(e, SH_SHR, false, t, bits);
    }
    Reg d = ra_def(e->ra, i);
    enc_op(e, 0x66, 3, 0, 0x16, x, operand_reg(d), 1); /* pextrd d, x, 2 */
    emit8(e, 2);
    if (bits < 32)
        enc_alu(e, ALU_XOR, false, d, operand_reg(t));
}

const SelectRow select_crc_rows[] = {
    { IR_crc32, 0, select_crc32 },
    { IR_crc32c, SEL_KEEPS_FLAGS, select_crc32c },
    { 0 },
};
