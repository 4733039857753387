/* data plane */
/* Encoders of vector instructions. Intel SDM vol. 2 (2023-09): 2.3 for VEX, 2.7 for EVEX. */
#include "translator/host/x86_64/encode-sse.h"

static unsigned vop_prefix(Vop op) { return op >> VOP_PFX_SHIFT & 0xff; }
static unsigned vop_map(Vop op) { return op >> VOP_MAP_SHIFT & 3; }

void enc_evex(Emit *e, unsigned pfx, unsigned map, bool w, unsigned opcode, Reg reg, Reg vvvv,
              Operand rm, unsigned imm_bytes, unsigned mask, bool zero)
{
    unsigned pp = pfx == 0x66 ? 1 : pfx == 0xf3 ? 2 : pfx == 0xf2 ? 3 : 0;
    unsigned r = reg >> 3 & 1, x = 0, b = 0;
    if (rm.reg != REG_NONE) {
        b = rm.reg >> 3 & 1;
    } else {
        if (rm.mem.base < BASE_POOL)
            b = rm.mem.base >> 3 & 1;
        if (rm.mem.index != REG_NONE)
            x = rm.mem.index >> 3 & 1;
        if (rm.mem.seg)
            emit8(e, rm.mem.seg);
    }
    unsigned v = vvvv == REG_NONE ? 15 : ~vvvv & 15;
    emit8(e, 0x62);
    emit8(e, (r ^ 1) << 7 | (x ^ 1) << 6 | (b ^ 1) << 5 | 1 << 4 | map);
    emit8(e, (unsigned)w << 7 | v << 3 | 1 << 2 | pp);
    emit8(e, (unsigned)zero << 7 | 0 << 5 | 1 << 3 | mask);
    emit8(e, opcode);
    enc_modrm(e, reg, rm, imm_bytes, true);
}

static void avx_op(Emit *e, Vop op, Reg dst, Reg a, Operand b, unsigned imm_bytes)
{
    if (op & VOP_EVEX)
        enc_evex(e, vop_prefix(op), vop_map(op), op & VOP_W, op & 0xff, dst, a, b, imm_bytes, 0,
                 false);
    else
        enc_vex(e, vop_prefix(op), vop_map(op), op & VOP_W, 0, op & 0xff, dst, a, b, imm_bytes);
}

static void sse_op(Emit *e, Vop op, Reg reg, Operand rm, unsigned imm_bytes)
{
    enc_op(e, vop_prefix(op), vop_map(op), 0, op & 0xff, reg, rm, imm_bytes);
}

static void vop3(Emit *e, Vop op, Reg dst, Reg a, Operand b, unsigned imm_bytes)
{
    if (e->cpu->avx) {
        /* an operand with a low number in ModRM.rm saves a prefix byte */
        if (op & VOP_COMM && b.reg != REG_NONE && b.reg & 8 && !(a & 8) && vop_map(op) == 1)
            avx_op(e, op, dst, b.reg, operand_reg(a), imm_bytes);
        else
            avx_op(e, op, dst, a, b, imm_bytes);
        return;
    }
    if (b.reg == dst && a != dst) {
        if (op & VOP_COMM) {
            b.reg = a;
        } else {
            Mem save = MEM_STATE(vec_arg[5]);
            emit_vstore(e, save, dst);
            emit_vmov(e, dst, a);
            b = operand_mem(save);
        }
    } else {
        emit_vmov(e, dst, a);
    }
    sse_op(e, op, dst, b, imm_bytes);
}

void emit_vop3(Emit *e, Vop op, Reg dst, Reg a, Operand b) { vop3(e, op, dst, a, b, 0); }

void emit_vop3i(Emit *e, Vop op, Reg dst, Reg a, Operand b, unsigned imm)
{
    vop3(e, op, dst, a, b, 1);
    emit8(e, imm);
}

static void vop2(Emit *e, Vop op, Reg dst, Operand src, unsigned imm_bytes)
{
    if (e->cpu->avx)
        avx_op(e, op, dst, REG_NONE, src, imm_bytes);
    else
        sse_op(e, op, dst, src, imm_bytes);
}

void emit_vop2(Emit *e, Vop op, Reg dst, Operand src) { vop2(e, op, dst, src, 0); }

void emit_vop2i(Emit *e, Vop op, Reg dst, Operand src, unsigned imm)
{
    vop2(e, op, dst, src, 1);
    emit8(e, imm);
}

static void vscalar2(Emit *e, Vop op, Reg dst, Reg src, unsigned imm_bytes)
{
    if (e->cpu->avx) {
        avx_op(e, op, dst, src, operand_reg(src), imm_bytes);
    } else {
        emit_vmov(e, dst, src);
        sse_op(e, op, dst, operand_reg(dst), imm_bytes);
    }
}

void emit_vscalar2(Emit *e, Vop op, Reg dst, Reg src) { vscalar2(e, op, dst, src, 0); }

void emit_vscalar2i(Emit *e, Vop op, Reg dst, Reg src, unsigned imm)
{
    vscalar2(e, op, dst, src, 1);
    emit8(e, imm);
}

void emit_vshift_i(Emit *e, unsigned lane_bytes, bool left, bool arith, Reg dst, Reg src,
                   unsigned n)
{
    unsigned opcode = lane_bytes == 2 ? 0x71 : lane_bytes == 4 ? 0x72 : 0x73;
    unsigned ext = lane_bytes == 16 ? (left ? 7 : 3) : left ? 6 : arith ? 4 : 2;
    if (arith && lane_bytes == 8) { /* AVX-512 only */
        enc_evex(e, 0x66, 1, true, 0x72, 4, dst, operand_reg(src), 1, 0, false);
    } else if (e->cpu->avx) {
        enc_vex(e, 0x66, 1, false, 0, opcode, ext, dst, operand_reg(src), 1);
    } else {
        emit_vmov(e, dst, src);
        enc_rr(e, 0x66, 1, 0, opcode, ext, dst);
    }
    emit8(e, n);
}

/* One source, no VEX.vvvv, the same opcode in both forms. */
static void mov_form(Emit *e, unsigned pfx, unsigned opcode, bool w, Reg reg, Operand rm)
{
    if (e->cpu->avx)
        enc_vex(e, pfx, 1, w, 0, opcode, reg, REG_NONE, rm, 0);
    else
        enc_op(e, pfx, 1, w ? ENC_W : 0, opcode, reg, rm, 0);
}

void emit_vmov(Emit *e, Reg dst, Reg src)
{
    if (dst != src)
        mov_form(e, 0, 0x28, false, dst, operand_reg(src));
}

void emit_vload(Emit *e, Reg dst, Mem m) { mov_form(e, 0, 0x10, false, dst, operand_mem(m)); }
void emit_vstore(Emit *e, Mem m, Reg src) { mov_form(e, 0, 0x11, false, src, operand_mem(m)); }

void emit_vload_scalar(Emit *e, bool dbl, Reg dst, Mem m)
{
    mov_form(e, dbl ? 0xf2 : 0xf3, 0x10, false, dst, operand_mem(m));
}

void emit_vstore_scalar(Emit *e, bool dbl, Mem m, Reg src)
{
    mov_form(e, dbl ? 0xf2 : 0xf3, 0x11, false, src, operand_mem(m));
}

void emit_vzero(Emit *e, Reg dst)
{
    if (e->cpu->avx)
        enc_vex(e, 0, 1, false, 0, 0x57, dst, dst, operand_reg(dst), 0);
    else
        enc_rr(e, 0, 1, 0, 0x57, dst, dst);
}

void emit_vones(Emit *e, Reg dst) { emit_vrrr(e, VPCMPEQD, dst, dst, dst); }

void emit_vmovq(Emit *e, Reg dst, Operand src) { mov_form(e, 0xf3, 0x7e, false, dst, src); }

void emit_vfrom_gpr(Emit *e, bool w, Reg dst, Reg src)
{
    mov_form(e, 0x66, 0x6e, w, dst, operand_reg(src));
}

void emit_vto_gpr(Emit *e, bool w, Reg dst, Reg src)
{
    mov_form(e, 0x66, 0x7e, w, src, operand_reg(dst));
}

void emit_vpinsr(Emit *e, unsigned lane_bytes, Reg dst, Reg a, Operand src, unsigned lane)
{
    unsigned map = lane_bytes == 2 ? 1 : 3;
    unsigned opcode = lane_bytes == 1 ? 0x20 : lane_bytes == 2 ? 0xc4 : 0x22;
    bool w = lane_bytes == 8;
    if (e->cpu->avx) {
        enc_vex(e, 0x66, map, w, 0, opcode, dst, a, src, 1);
    } else {
        emit_vmov(e, dst, a);
        enc_op(e, 0x66, map, w ? ENC_W : 0, opcode, dst, src, 1);
    }
    emit8(e, lane);
}

void emit_vpextr(Emit *e, unsigned lane_bytes, Operand dst, Reg src, unsigned lane)
{
    /* the 0F3A form of pextrw stores to memory as well */
    unsigned opcode = lane_bytes == 1 ? 0x14 : lane_bytes == 2 ? 0x15 : 0x16;
    bool w = lane_bytes == 8;
    if (e->cpu->avx)
        enc_vex(e, 0x66, 3, w, 0, opcode, src, REG_NONE, dst, 1);
    else
        enc_op(e, 0x66, 3, w ? ENC_W : 0, opcode, src, dst, 1);
    emit8(e, lane);
}

void emit_kmov_from_gpr(Emit *e, unsigned k, Reg src)
{
    enc_vex(e, 0, 1, false, 0, 0x92, k, REG_NONE, operand_reg(src), 0);
}

void emit_cvt_f2i(Emit *e, bool dbl, bool trunc, bool w, Reg dst, Operand src)
{
    mov_form(e, dbl ? 0xf2 : 0xf3, trunc ? 0x2c : 0x2d, w, dst, src);
}

void emit_cvt_i2f(Emit *e, bool dbl, bool w, Reg dst, Operand src)
{
    emit_vzero(e, dst);
    if (e->cpu->avx)
        enc_vex(e, dbl ? 0xf2 : 0xf3, 1, w, 0, 0x2a, dst, dst, src, 0);
    else
        enc_op(e, dbl ? 0xf2 : 0xf3, 1, w ? ENC_W : 0, 0x2a, dst, src, 0);
}

static void mxcsr_form(Emit *e, unsigned ext, Mem m)
{
    if (e->cpu->avx)
        enc_vex(e, 0, 1, false, 0, 0xae, ext, REG_NONE, operand_mem(m), 0);
    else
        enc_op(e, 0, 1, 0, 0xae, ext, operand_mem(m), 0);
}

void emit_ldmxcsr(Emit *e, Mem m) { mxcsr_form(e, 2, m); }
void emit_stmxcsr(Emit *e, Mem m) { mxcsr_form(e, 3, m); }
