/* data plane */
/*
 * The emitter's SSE, AVX and AVX-512VL forms on 128-bit registers. A Vop names an instruction by
 * prefix, map, opcode and W; emit_vop3() and friends take three operands and choose the VEX form
 * when the processor has AVX, else the two-operand SSE form with the moves it needs. Vops marked
 * VOP_AVX or VOP_EVEX exist in no SSE form: the caller tests e->cpu.
 *
 * Memory operands of SSE forms must be aligned to 16 bytes where the whole register is read; the
 * state's v128 places, spill slots and the constant pool are.
 */
#ifndef TRANSLATOR_HOST_X86_64_ENCODE_SSE_H
#define TRANSLATOR_HOST_X86_64_ENCODE_SSE_H

#include "translator/host/x86_64/encode.h"

typedef uint32_t Vop;
enum {
    VOP_MAP_SHIFT = 8,
    VOP_W = 1 << 10,
    VOP_COMM = 1 << 11,  /* integer and commutative: operands may be swapped */
    VOP_EVEX = 1 << 12,
    VOP_PFX_SHIFT = 16,
};
#define VOP(pfx, map, op) ((Vop)(pfx) << VOP_PFX_SHIFT | (map) << VOP_MAP_SHIFT | (op))

/* Integer, map 0F */
enum {
    VPUNPCKLBW = VOP(0x66, 1, 0x60), VPUNPCKLWD = VOP(0x66, 1, 0x61),
    VPUNPCKLDQ = VOP(0x66, 1, 0x62),
    VPACKSSWB = VOP(0x66, 1, 0x63), VPCMPGTB = VOP(0x66, 1, 0x64), VPCMPGTW = VOP(0x66, 1, 0x65),
    VPCMPGTD = VOP(0x66, 1, 0x66), VPACKUSWB = VOP(0x66, 1, 0x67), VPUNPCKHBW = VOP(0x66, 1, 0x68),
    VPUNPCKHWD = VOP(0x66, 1, 0x69), VPUNPCKHDQ = VOP(0x66, 1, 0x6a),
    VPACKSSDW = VOP(0x66, 1, 0x6b),
    VPUNPCKLQDQ = VOP(0x66, 1, 0x6c), VPUNPCKHQDQ = VOP(0x66, 1, 0x6d),
    VPCMPEQB = VOP(0x66, 1, 0x74) | VOP_COMM, VPCMPEQW = VOP(0x66, 1, 0x75) | VOP_COMM,
    VPCMPEQD = VOP(0x66, 1, 0x76) | VOP_COMM,
    VPSRLW = VOP(0x66, 1, 0xd1), VPSRLD = VOP(0x66, 1, 0xd2), VPSRLQ = VOP(0x66, 1, 0xd3),
    VPADDQ = VOP(0x66, 1, 0xd4) | VOP_COMM, VPMULLW = VOP(0x66, 1, 0xd5) | VOP_COMM,
    VPSUBUSB = VOP(0x66, 1, 0xd8), VPSUBUSW = VOP(0x66, 1, 0xd9),
    VPMINUB = VOP(0x66, 1, 0xda) | VOP_COMM, VPAND = VOP(0x66, 1, 0xdb) | VOP_COMM,
    VPADDUSB = VOP(0x66, 1, 0xdc) | VOP_COMM, VPADDUSW = VOP(0x66, 1, 0xdd) | VOP_COMM,
    VPMAXUB = VOP(0x66, 1, 0xde) | VOP_COMM, VPANDN = VOP(0x66, 1, 0xdf),
    VPAVGB = VOP(0x66, 1, 0xe0) | VOP_COMM, VPSRAW = VOP(0x66, 1, 0xe1),
    VPSRAD = VOP(0x66, 1, 0xe2),
    VPAVGW = VOP(0x66, 1, 0xe3) | VOP_COMM, VPMULHUW = VOP(0x66, 1, 0xe4) | VOP_COMM,
    VPMULHW = VOP(0x66, 1, 0xe5) | VOP_COMM, VPSUBSB = VOP(0x66, 1, 0xe8),
    VPSUBSW = VOP(0x66, 1, 0xe9), VPMINSW = VOP(0x66, 1, 0xea) | VOP_COMM,
    VPOR = VOP(0x66, 1, 0xeb) | VOP_COMM, VPADDSB = VOP(0x66, 1, 0xec) | VOP_COMM,
    VPADDSW = VOP(0x66, 1, 0xed) | VOP_COMM, VPMAXSW = VOP(0x66, 1, 0xee) | VOP_COMM,
    VPXOR = VOP(0x66, 1, 0xef) | VOP_COMM, VPSLLW = VOP(0x66, 1, 0xf1), VPSLLD = VOP(0x66, 1, 0xf2),
    VPSLLQ = VOP(0x66, 1, 0xf3), VPMULUDQ = VOP(0x66, 1, 0xf4) | VOP_COMM,
    VPMADDWD = VOP(0x66, 1, 0xf5) | VOP_COMM, VPSADBW = VOP(0x66, 1, 0xf6) | VOP_COMM,
    VPSUBB = VOP(0x66, 1, 0xf8), VPSUBW = VOP(0x66, 1, 0xf9), VPSUBD = VOP(0x66, 1, 0xfa),
    VPSUBQ = VOP(0x66, 1, 0xfb), VPADDB = VOP(0x66, 1, 0xfc) | VOP_COMM,
    VPADDW = VOP(0x66, 1, 0xfd) | VOP_COMM, VPADDD = VOP(0x66, 1, 0xfe) | VOP_COMM,
};
/* Integer, maps 0F38 and 0F3A (those of 0F3A and the shuffles take an immediate byte) */
enum {
    VPSHUFB = VOP(0x66, 2, 0x00), VPHADDW = VOP(0x66, 2, 0x01), VPHADDD = VOP(0x66, 2, 0x02),
    VPMADDUBSW = VOP(0x66, 2, 0x04), VPMULHRSW = VOP(0x66, 2, 0x0b) | VOP_COMM,
    VPABSB = VOP(0x66, 2, 0x1c), VPABSW = VOP(0x66, 2, 0x1d), VPABSD = VOP(0x66, 2, 0x1e),
    VPMOVSXBW = VOP(0x66, 2, 0x20), VPMOVSXWD = VOP(0x66, 2, 0x23), VPMOVSXDQ = VOP(0x66, 2, 0x25),
    VPMULDQ = VOP(0x66, 2, 0x28) | VOP_COMM, VPCMPEQQ = VOP(0x66, 2, 0x29) | VOP_COMM,
    VPACKUSDW = VOP(0x66, 2, 0x2b), VPMOVZXBW = VOP(0x66, 2, 0x30), VPMOVZXWD = VOP(0x66, 2, 0x33),
    VPMOVZXDQ = VOP(0x66, 2, 0x35), VPCMPGTQ = VOP(0x66, 2, 0x37),
    VPMINSB = VOP(0x66, 2, 0x38) | VOP_COMM, VPMINSD = VOP(0x66, 2, 0x39) | VOP_COMM,
    VPMINUW = VOP(0x66, 2, 0x3a) | VOP_COMM, VPMINUD = VOP(0x66, 2, 0x3b) | VOP_COMM,
    VPMAXSB = VOP(0x66, 2, 0x3c) | VOP_COMM, VPMAXSD = VOP(0x66, 2, 0x3d) | VOP_COMM,
    VPMAXUW = VOP(0x66, 2, 0x3e) | VOP_COMM, VPMAXUD = VOP(0x66, 2, 0x3f) | VOP_COMM,
    VPMULLD = VOP(0x66, 2, 0x40) | VOP_COMM,
    VAESIMC = VOP(0x66, 2, 0xdb), VAESENC = VOP(0x66, 2, 0xdc), VAESENCLAST = VOP(0x66, 2, 0xdd),
    VAESDEC = VOP(0x66, 2, 0xde), VAESDECLAST = VOP(0x66, 2, 0xdf), VGF2P8MULB = VOP(0x66, 2, 0xcf),
    VPALIGNR = VOP(0x66, 3, 0x0f), VPBLENDW = VOP(0x66, 3, 0x0e), VPCLMULQDQ = VOP(0x66, 3, 0x44),
    VBLENDPS = VOP(0x66, 3, 0x0c), VINSERTPS = VOP(0x66, 3, 0x21),
    VGF2P8AFFINE = VOP(0x66, 3, 0xce),
    VPSHUFD = VOP(0x66, 1, 0x70), VPSHUFHW = VOP(0xf3, 1, 0x70), VPSHUFLW = VOP(0xf2, 1, 0x70),
    VSHUFPS = VOP(0, 1, 0xc6), VSHUFPD = VOP(0x66, 1, 0xc6),
    /* AVX2 */
    VPSRLVD = VOP(0x66, 2, 0x45), VPSRLVQ = VOP(0x66, 2, 0x45) | VOP_W,
    VPSRAVD = VOP(0x66, 2, 0x46),
    VPSLLVD = VOP(0x66, 2, 0x47), VPSLLVQ = VOP(0x66, 2, 0x47) | VOP_W,
    VPBROADCASTB = VOP(0x66, 2, 0x78), VPBROADCASTW = VOP(0x66, 2, 0x79),
    VPBROADCASTD = VOP(0x66, 2, 0x58), VPBROADCASTQ = VOP(0x66, 2, 0x59),
};
/* Floating point: packed single; FP_D and the scalar prefixes make the other three. */
enum {
    VSQRT = VOP(0, 1, 0x51), VFADD = VOP(0, 1, 0x58), VFMUL = VOP(0, 1, 0x59),
    VFSUB = VOP(0, 1, 0x5c),
    VFMIN = VOP(0, 1, 0x5d), VFDIV = VOP(0, 1, 0x5e), VFMAX = VOP(0, 1, 0x5f),
    VFCMP = VOP(0, 1, 0xc2), /* imm */
    VMOVLHPS = VOP(0, 1, 0x16), VMOVHLPS = VOP(0, 1, 0x12),
    VUCOMIS = VOP(0, 1, 0x2e), VCOMIS = VOP(0, 1, 0x2f),
    VCVTSS2SD = VOP(0xf3, 1, 0x5a), VCVTSD2SS = VOP(0xf2, 1, 0x5a),
    VCVTPS2PD = VOP(0, 1, 0x5a), VCVTPD2PS = VOP(0x66, 1, 0x5a),
    VCVTDQ2PS = VOP(0, 1, 0x5b), VCVTPS2DQ = VOP(0x66, 1, 0x5b), VCVTTPS2DQ = VOP(0xf3, 1, 0x5b),
    VCVTDQ2PD = VOP(0xf3, 1, 0xe6),
    VCVTPH2PS = VOP(0x66, 2, 0x13), VCVTPS2PH = VOP(0x66, 3, 0x1d),
    VROUNDPS = VOP(0x66, 3, 0x08), VROUNDPD = VOP(0x66, 3, 0x09), VROUNDSS = VOP(0x66, 3, 0x0a),
    VROUNDSD = VOP(0x66, 3, 0x0b),
    VFMADD231P = VOP(0x66, 2, 0xb8), VFMADD231S = VOP(0x66, 2, 0xb9),
    VFMSUB231P = VOP(0x66, 2, 0xba), VFMSUB231S = VOP(0x66, 2, 0xbb),
    VFNMADD231P = VOP(0x66, 2, 0xbc), VFNMADD231S = VOP(0x66, 2, 0xbd),
    VFNMSUB231P = VOP(0x66, 2, 0xbe), VFNMSUB231S = VOP(0x66, 2, 0xbf),
};
/* AVX-512VL (F, BW, DQ, …) */
enum {
    EPTERNLOGD = VOP(0x66, 3, 0x25) | VOP_EVEX, EPABSQ = VOP(0x66, 2, 0x1f) | VOP_EVEX | VOP_W,
    EPMULLQ = VOP(0x66, 2, 0x40) | VOP_EVEX | VOP_W, EPSRAQ = VOP(0x66, 1, 0xe2) | VOP_EVEX | VOP_W,
    EPSRAVQ = VOP(0x66, 2, 0x46) | VOP_EVEX | VOP_W,
    EPSRAVW = VOP(0x66, 2, 0x11) | VOP_EVEX | VOP_W,
    EPSRLVW = VOP(0x66, 2, 0x10) | VOP_EVEX | VOP_W,
    EPSLLVW = VOP(0x66, 2, 0x12) | VOP_EVEX | VOP_W,
    EPMINSQ = VOP(0x66, 2, 0x39) | VOP_EVEX | VOP_W,
    EPMINUQ = VOP(0x66, 2, 0x3b) | VOP_EVEX | VOP_W,
    EPMAXSQ = VOP(0x66, 2, 0x3d) | VOP_EVEX | VOP_W,
    EPMAXUQ = VOP(0x66, 2, 0x3f) | VOP_EVEX | VOP_W,
    EPLZCNTD = VOP(0x66, 2, 0x44) | VOP_EVEX, EPLZCNTQ = VOP(0x66, 2, 0x44) | VOP_EVEX | VOP_W,
    EPOPCNTB = VOP(0x66, 2, 0x54) | VOP_EVEX,
    EPMOVWB = VOP(0xf3, 2, 0x30) | VOP_EVEX, EPMOVDW = VOP(0xf3, 2, 0x33) | VOP_EVEX,
    EPMOVQD = VOP(0xf3, 2, 0x35) | VOP_EVEX,
    EPMOVSWB = VOP(0xf3, 2, 0x20) | VOP_EVEX, EPMOVSDW = VOP(0xf3, 2, 0x23) | VOP_EVEX,
    EPMOVSQD = VOP(0xf3, 2, 0x25) | VOP_EVEX,
    EPMOVUSWB = VOP(0xf3, 2, 0x10) | VOP_EVEX, EPMOVUSDW = VOP(0xf3, 2, 0x13) | VOP_EVEX,
    EPMOVUSQD = VOP(0xf3, 2, 0x15) | VOP_EVEX,
    ECVTQQ2PD = VOP(0xf3, 1, 0xe6) | VOP_EVEX | VOP_W,
    ECVTUQQ2PD = VOP(0xf3, 1, 0x7a) | VOP_EVEX | VOP_W, ECVTUDQ2PS = VOP(0xf2, 1, 0x7a) | VOP_EVEX,
    ECVTTPS2UDQ = VOP(0, 1, 0x78) | VOP_EVEX, ECVTPS2UDQ = VOP(0, 1, 0x79) | VOP_EVEX,
    ECVTTPD2QQ = VOP(0x66, 1, 0x7a) | VOP_EVEX | VOP_W,
    ECVTPD2QQ = VOP(0x66, 1, 0x7b) | VOP_EVEX | VOP_W,
    ECVTTPD2UQQ = VOP(0x66, 1, 0x78) | VOP_EVEX | VOP_W,
    ECVTPD2UQQ = VOP(0x66, 1, 0x79) | VOP_EVEX | VOP_W,
    ECVTTSS2USI = VOP(0xf3, 1, 0x78) | VOP_EVEX, ECVTTSD2USI = VOP(0xf2, 1, 0x78) | VOP_EVEX,
    ECVTSS2USI = VOP(0xf3, 1, 0x79) | VOP_EVEX, ECVTSD2USI = VOP(0xf2, 1, 0x79) | VOP_EVEX,
    ECVTUSI2SS = VOP(0xf3, 1, 0x7b) | VOP_EVEX, ECVTUSI2SD = VOP(0xf2, 1, 0x7b) | VOP_EVEX,
    ERANGEPS = VOP(0x66, 3, 0x50) | VOP_EVEX, ERANGEPD = VOP(0x66, 3, 0x50) | VOP_EVEX | VOP_W,
    ERANGESS = VOP(0x66, 3, 0x51) | VOP_EVEX, ERANGESD = VOP(0x66, 3, 0x51) | VOP_EVEX | VOP_W,
};
static inline Vop vop_pfx(Vop v, unsigned pfx)
{
    return (v & 0xffff) | (Vop)pfx << VOP_PFX_SHIFT;
}

/* dst = op(a, b). Any of the registers may coincide. */
void emit_vop3(Emit *e, Vop op, Reg dst, Reg a, Operand b);
void emit_vop3i(Emit *e, Vop op, Reg dst, Reg a, Operand b, unsigned imm);
static inline void emit_vrrr(Emit *e, Vop op, Reg dst, Reg a, Reg b)
{ emit_vop3(e, op, dst, a, operand_reg(b)); }
/* dst = op(src): instructions whose SSE form has one source. Scalar ones (sqrtss, cvtss2sd,
 * roundss) merge the upper bits of dst in the SSE form and of src in ours. */
void emit_vop2(Emit *e, Vop op, Reg dst, Operand src);
void emit_vop2i(Emit *e, Vop op, Reg dst, Operand src, unsigned imm);
void emit_vscalar2(Emit *e, Vop op, Reg dst, Reg src);
void emit_vscalar2i(Emit *e, Vop op, Reg dst, Reg src, unsigned imm);
/* Shifts by an immediate: lane bytes 2, 4, 8; 16: whole register by bytes. */
void emit_vshift_i(Emit *e, unsigned lane_bytes, bool left, bool arith, Reg dst, Reg src,
                   unsigned n);

void emit_vmov(Emit *e, Reg dst, Reg src);         /* nothing when they are the same */
void emit_vload(Emit *e, Reg dst, Mem m);          /* 16 bytes, any alignment */
void emit_vstore(Emit *e, Mem m, Reg src);
void emit_vload_scalar(Emit *e, bool dbl, Reg dst, Mem m);  /* the rest 0 */
void emit_vstore_scalar(Emit *e, bool dbl, Mem m, Reg src);
void emit_vzero(Emit *e, Reg dst);
void emit_vones(Emit *e, Reg dst);
void emit_vmovq(Emit *e, Reg dst, Operand src);    /* low 64 bits, the rest 0 */
void emit_vfrom_gpr(Emit *e, bool w, Reg dst, Reg src);     /* the rest 0 */
void emit_vto_gpr(Emit *e, bool w, Reg dst, Reg src);
void emit_vpinsr(Emit *e, unsigned lane_bytes, Reg dst, Reg a, Operand src, unsigned lane);
void emit_vpextr(Emit *e, unsigned lane_bytes, Operand dst, Reg src, unsigned lane);
/* EVEX.128 with an optional mask register (0: none) and zeroing; reg and vvvv as in enc_vex. */
void enc_evex(Emit *e, unsigned pfx, unsigned map, bool w, unsigned opcode, Reg reg, Reg vvvv,
              Operand rm, unsigned imm_bytes, unsigned mask, bool zero);
/* Mask register k = the low byte-granular constant n ones (for zero-masked forms). */
void emit_kmov_from_gpr(Emit *e, unsigned k, Reg src); /* kmovw */
/* cvt(t)ss/sd to and from integers */
void emit_cvt_f2i(Emit *e, bool dbl, bool trunc, bool w, Reg dst, Operand src);
/* Breaks the dependency on dst. */
void emit_cvt_i2f(Emit *e, bool dbl, bool w, Reg dst, Operand src);
void emit_ldmxcsr(Emit *e, Mem m);
void emit_stmxcsr(Emit *e, Mem m);

#endif
