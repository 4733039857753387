#include "tests/isa/tables.h"

extern const DecodeRow a64_rows[], a64_fp_rows[], a64_simd_rows[], a64_simd_imm_rows[],
    a64_ldst_simd_rows[], rv_rows[], rvc_rows[];
extern const unsigned a64_n_rows, a64_fp_n_rows, a64_simd_n_rows, a64_simd_imm_n_rows,
    a64_ldst_simd_n_rows, rv_n_rows, rvc_n_rows;

const TestTable test_tables[] = {
    { &guest_aarch64, a64_rows, &a64_n_rows, 32, 1 },
    { &guest_aarch64, a64_fp_rows, &a64_fp_n_rows, 32, 1 },
    { &guest_aarch64, a64_simd_rows, &a64_simd_n_rows, 32, 1 },
    { &guest_aarch64, a64_simd_imm_rows, &a64_simd_imm_n_rows, 32, 1 },
    { &guest_aarch64, a64_ldst_simd_rows, &a64_ldst_simd_n_rows, 32, 1 },
    { &guest_riscv64, rv_rows, &rv_n_rows, 32, 3 },
    { &guest_riscv64, rvc_rows, &rvc_n_rows, 16, 3 },
    { 0 },
};
