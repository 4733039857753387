/* RISC-V in the instruction test: x2, x8 and x9 point into the data and are never written; x3 and
 * x4 are the oracle's. x9 is aligned for atomics. */
#include <string.h>

#include "tests/isa/profile.h"
#include "translator/guest/riscv64/cpu.h"

static bool is_one_of(const char *name, const char *const *list)
{
    for (; *list; list++)
        if (strcmp(name, *list) == 0)
            return true;
    return false;
}

/* Not a general register that may be written. */
static bool reserved(int64_t r)
{
    return r == 2 || r == 3 || r == 4 || r == 8 || r == 9;
}

static int64_t random_register(GRand *rand, bool written)
{
    for (;;) {
        int64_t r = g_rand_int_range(rand, 0, 32);
        if (written ? !reserved(r) : r != 3 && r != 4)
            return r;
    }
}

/* Three-bit fields of compressed instructions name x8 to x15. */
static bool is_short(const DecodeRow *row, const char *name)
{
    char text[16];
    g_snprintf(text, sizeof text, "%s=", name);
    const char *p = strstr(row->fields, text);
    const char *end = p ? strchrnul(p, ';') : NULL;
    const char *fn = p ? strstr(p, "!fn=rv_creg") : NULL;
    return fn && fn < end;
}

static void set_register(GRand *rand, const DecodeRow *row, const char *name, bool written,
                         uint64_t *insn)
{
    if (is_short(row, name))
        isa_set_field(row, name, g_rand_int_range(rand, written ? 2 : 0, 8), insn);
    else
        isa_set_field(row, name, random_register(rand, written), insn);
}

/* A base register in the data and a displacement that stays there. */
static void set_address(GRand *rand, const DecodeRow *row, bool aligned, uint64_t *insn)
{
    bool x9 = aligned || g_rand_boolean(rand);
    isa_set_field(row, "rs1", is_short(row, "rs1") ? x9 : x9 ? 9 : 8, insn);
    int64_t imm;
    if (isa_get_field(row, "imm", *insn, &imm) && imm < -256)
        isa_set_field(row, "imm", imm | ~0xff, insn);
    else if (imm > 511)
        isa_set_field(row, "imm", imm & 0xff, insn);
}

static bool encode(GRand *rand, const DecodeRow *row, unsigned width, uint32_t *ret_insn)
{
    static const char *const never[] = {
        "JALR", "ECALL", "EBREAK", "FENCE_I", "CBO_ZERO", "CBO", NULL,
    };
    static const char *const plain_memory[] = {
        "LB", "LH", "LW", "LD", "LBU", "LHU", "LWU", "SB", "SH", "SW", "SD", "FLOAD", "FSTORE",
        NULL,
    };
    /* c.addi16sp writes the base; c.jr is JALR */
    if (row->unimp || is_one_of(row->name, never) || strncmp(row->fields, "rd=2;", 5) == 0)
        return false;
    uint64_t insn = row->value | (g_rand_int(rand) & ~row->mask & ((1ull << width) - 1));
    bool fp = row->name[0] == 'F' && row->features[0];
    bool fp_result = fp && !is_one_of(row->name, (const char *const[]){
        "FEQ", "FLT", "FLE", "FLTQ", "FLEQ", "FCLASS", "FMV_X", "FCVT_INT", "FCVTMOD", NULL });
    if (!fp_result)
        set_register(rand, row, "rd", true, &insn);
    if (strcmp(row->name, "FCVT_FP") == 0 || strcmp(row->name, "FMV_F") == 0 || !fp)
        set_register(rand, row, "rs1", false, &insn);
    if (!fp)
        set_register(rand, row, "rs2", false, &insn);
    /* c.add rd, rs2 and its kin have one field for rd and rs1 */
    if (width == 16 && !fp_result)
        set_register(rand, row, "rd", true, &insn);
    bool atomic = strncmp(row->name, "AMO", 3) == 0 || strcmp(row->name, "LR") == 0 ||
                  strcmp(row->name, "SC") == 0;
    if (atomic || is_one_of(row->name, plain_memory))
        set_address(rand, row, atomic, &insn);
    /* Words by x2, so that no sc.w follows an lr.d of the same place: both answers are allowed. And
     * amocas to x0 makes some emulators forget that x0 is 0. */
    if (strstr(row->assembler, "lr.w") || strstr(row->assembler, "sc.w"))
        isa_set_field(row, "rs1", 2, &insn);
    if (strncmp(row->name, "AMOCAS", 6) == 0 && !(insn >> 7 & 31))
        isa_set_field(row, "rd", 12, &insn);
    if (strncmp(row->name, "CSR", 3) == 0)
        isa_set_field(row, "csr", g_rand_int_range(rand, 1, 4), &insn);
    int64_t rm;
    if (isa_get_field(row, "rm", insn, &rm) && g_rand_int_range(rand, 0, 8))
        isa_set_field(row, "rm", g_rand_boolean(rand) ? 7 : g_rand_int_range(rand, 0, 5), &insn);
    if ((insn & row->mask) != row->value)
        return false;
    if (width == 16 && (insn & 0xe07f) == 0x8002) /* c.mv and c.add of x0 are c.jr and c.jalr */
        return false;
    *ret_insn = (uint32_t)insn;
    return true;
}

static bool is_jump(const DecodeRow *row)
{
    static const char *const jumps[] = { "JAL", "BEQ", "BNE", "BLT", "BGE", "BLTU", "BGEU", NULL };
    return is_one_of(row->name, jumps);
}

static uint64_t random_fp(GRand *rand)
{
    switch (g_rand_int_range(rand, 0, 8)) {
    case 0: case 1: case 2:
        return isa_random_double(rand);
    case 3: case 4: case 5:
        return 0xffffffff00000000 | isa_random_single(rand);
    case 6:
        return 0xffffffffffff0000 | isa_random_half(rand);
    default:
        return isa_random_int(rand);
    }
}

static void random_state(GRand *rand, IsaState *s)
{
    memset(s, 0, sizeof *s);
    for (int r = 1; r < 32; r++)
        s->x[r] = isa_random_int(rand);
    s->x[3] = s->x[4] = 0;
    for (int r = 0; r < 32; r++)
        s->v[r][0] = random_fp(rand);
    s->x[2] = ISA_DATA_ADDR + 256 + (uint64_t)g_rand_int_range(rand, 0, 4) * 8;
    s->x[8] = ISA_DATA_ADDR + 384 + (uint64_t)g_rand_int_range(rand, 0, 16);
    s->x[9] = ISA_DATA_ADDR + 384 + (uint64_t)g_rand_int_range(rand, 0, 8) * 16;
    s->fp_control = (uint64_t)(g_rand_int_range(rand, 0, 4) ? g_rand_int_range(rand, 0, 5)
                                                           : g_rand_int_range(rand, 0, 8)) << 5 |
                    (g_rand_boolean(rand) ? 0 : g_rand_int(rand) & 31);
    for (int i = 0; i < ISA_MEM_BYTES; i += 8) {
        uint64_t value = g_rand_boolean(rand) ? isa_random_int(rand) : random_fp(rand);
        memcpy(s->mem + i, &value, 8);
    }
}

static void load(Vcpu *v, const IsaState *s)
{
    RiscvCpu *cpu = vcpu_cpu(v);
    memcpy(cpu->x, s->x, sizeof cpu->x);
    for (int r = 0; r < 32; r++)
        cpu->f[r] = s->v[r][0];
    /* The reservation stays: signal frames, which is what the oracle has, don't know it. */
    riscv_set_fcsr(v, (uint32_t)s->fp_control);
    vcpu_set_pc(v, s->pc);
}

static void store(Vcpu *v, IsaState *s)
{
    const RiscvCpu *cpu = vcpu_cpu(v);
    memcpy(s->x, cpu->x, sizeof cpu->x);
    for (int r = 0; r < 32; r++)
        s->v[r][0] = cpu->f[r];
    s->fp_control = riscv_fcsr(v);
    s->pc = vcpu_pc(v);
}

#define OLD_CPU "rv64,Zfh=true,zbkb=true,zbkc=true,zknd=true,zkne=true,zknh=true"
static const IsaOracle oracles[] = {
    /* 10.0: a froundnx whose result isn't used raises no flag */
    { "qemu-riscv64 -cpu max", NULL, "froundnx" },
    { "qemu-riscv64-static -cpu max", NULL, "froundnx" },
    { "qemu-riscv64-static -cpu " OLD_CPU, /* 7.2 */
      "rv64,zicond=false,zimop=false,zcb=false,zacas=false,zabha=false,zawrs=false,zfa=false",
      "ctzw" }, /* gives more than 32 for a word of zeros */
    { NULL, NULL, NULL },
};

const IsaProfile isa_profile_riscv64 = {
    .guest = "riscv64",
    .oracles = oracles,
    .encode = encode,
    .is_jump = is_jump,
    .random_state = random_state,
    .load = load,
    .store = store,
    .trap_insn = 0x9002, /* c.ebreak */
    .trap_bytes = 2,
};
