/* Kernels as compilers write them: see codegen.py. Each is a loop from its label on, called by
 * _start with a0 = a6 = data, a1 = turns, other registers small numbers, fa0 … fa2 1.0. */
    .option norvc
    .option arch, rv64gc_zba_zbb_zbs
    .macro kernel name
    .pushsection .table, "a"
    .quad \name
    .popsection
    .balign 64
    .globl \name
\name:
    .endm

    .section .table, "a"
table:
    .text
    .globl _start
_start:
    la s0, table
1:  ld t0, 0(s0)
    addi s0, s0, 8
    beqz t0, 3f
    la a0, data
    sd zero, 0(a0)
    mv a6, a0
    li a1, 3
    li a2, 5
    li a3, 7
    li a4, 0
    li a5, 9
    li a7, 11
    li t1, 1
    li t3, 3
    fcvt.d.l fa0, t1
    fmv.d fa1, fa0
    fmv.d fa2, fa0
    jalr ra, t0
    j 1b
3:  li a0, 0
    li a7, 93
    ecall
    ret

    kernel sum
    ld a3, 0(a0)
    addi a0, a0, 8
    add a2, a2, a3
    addi a1, a1, -1
    bnez a1, sum
    ret

    kernel sum_words
    lw a3, 0(a0)
    addi a0, a0, 4
    addw a2, a2, a3
    addiw a1, a1, -1
    bnez a1, sum_words
    ret

    kernel sum_indexed
    sh2add a3, a4, a0
    lw a3, 0(a3)
    addi a4, a4, 1
    addw a2, a2, a3
    bne a4, a1, sum_indexed
    ret

    kernel copy
    ld a2, 0(a6)
    ld a3, 8(a6)
    sd a2, 0(a0)
    sd a3, 8(a0)
    addi a6, a6, 16
    addi a0, a0, 16
    addi a1, a1, -1
    bnez a1, copy
    ret

    kernel fill
    add a3, a0, a4
    sb a2, 0(a3)
    addi a4, a4, 1
    blt a4, a1, fill
    ret

    kernel string_length
    add a3, a0, a4
    lbu a3, 0(a3)
    addi a4, a4, 1
    bnez a3, string_length
    ret

    kernel string_compare
    lbu a2, 0(a0)
    lbu a3, 0(a6)
    addi a0, a0, 1
    addi a6, a6, 1
    bne a2, a3, 1f
    bnez a2, string_compare
1:  ret

    kernel histogram
    lbu a2, 0(a0)
    addi a0, a0, 1
    sh2add a3, a2, a6
    lw a5, 0(a3)
    addiw a5, a5, 1
    sw a5, 0(a3)
    addi a1, a1, -1
    bnez a1, histogram
    ret

    kernel maximum
    lw a3, 0(a0)
    addi a0, a0, 4
    max a2, a2, a3
    addi a1, a1, -1
    bnez a1, maximum
    ret

    kernel branchy_maximum
    lw a3, 0(a0)
    addi a0, a0, 4
    bge a2, a3, 1f
    mv a2, a3
1:  addi a1, a1, -1
    bnez a1, branchy_maximum
    ret

    kernel absolute
    lw a3, 0(a0)
    sraiw a5, a3, 31
    xor a3, a3, a5
    subw a3, a3, a5
    sw a3, 0(a0)
    addi a0, a0, 4
    addi a1, a1, -1
    bnez a1, absolute
    ret

    kernel list_walk
    ld a0, 0(a0)
    addi a2, a2, 1
    bnez a0, list_walk
    ret

    kernel fnv_hash
    lbu a3, 0(a0)
    addi a0, a0, 1
    xor a2, a2, a3
    mul a2, a2, a5
    addi a1, a1, -1
    bnez a1, fnv_hash
    ret

    kernel xorshift
    slli a3, a2, 13
    xor a2, a2, a3
    srli a3, a2, 7
    xor a2, a2, a3
    slli a3, a2, 17
    xor a2, a2, a3
    add a4, a4, a2
    addi a1, a1, -1
    bnez a1, xorshift
    ret

    kernel rotates
    slliw a3, a2, 26
    srliw a4, a2, 6
    or a3, a3, a4
    slliw a4, a2, 21
    srliw a5, a2, 11
    or a4, a4, a5
    xor a3, a3, a4
    and a5, a2, a7
    xor a3, a3, a5
    addw a2, a2, a3
    addi a1, a1, -1
    bnez a1, rotates
    ret

    kernel rotates_zbb
    roriw a3, a2, 6
    roriw a4, a2, 11
    xor a3, a3, a4
    andn a5, a7, a2
    xor a3, a3, a5
    addw a2, a2, a3
    addi a1, a1, -1
    bnez a1, rotates_zbb
    ret

    kernel long_multiply
    ld a3, 0(a0)
    ld a4, 0(a6)
    mul t3, a3, a5
    mulhu a3, a3, a5
    add t3, t3, a4
    sltu a4, t3, a4
    add t3, t3, a2
    sltu a2, t3, a2
    add a3, a3, a4
    add a2, a3, a2
    sd t3, 0(a6)
    addi a0, a0, 8
    addi a6, a6, 8
    addi a1, a1, -1
    bnez a1, long_multiply
    ret

    kernel carry_chain
    ld a2, 0(a0)
    ld a3, 8(a0)
    ld a4, 0(a6)
    ld a5, 8(a6)
    add a2, a2, a4
    sltu a4, a2, a4
    add a3, a3, a5
    add a3, a3, a4
    sd a2, 0(a0)
    sd a3, 8(a0)
    addi a0, a0, 16
    addi a6, a6, 16
    addi a1, a1, -1
    bnez a1, carry_chain
    ret

    kernel gcd
    remu a4, a2, a3
    mv a2, a3
    mv a3, a4
    bnez a4, gcd
    ret

    kernel bit_fields
    lwu a2, 0(a0)
    addi a0, a0, 4
    srli a3, a2, 12
    andi a3, a3, 511
    slli a4, a2, 56
    srai a4, a4, 59
    add a5, a5, a3
    xor a5, a5, a4
    addi a1, a1, -1
    bnez a1, bit_fields
    ret

    kernel swap_bytes
    ld a2, 0(a0)
    rev8 a2, a2
    sd a2, 0(a0)
    addi a0, a0, 8
    addi a1, a1, -1
    bnez a1, swap_bytes
    ret

    kernel count_zeros
    ctz a3, a2
    addi a4, a2, -1
    and a2, a2, a4
    add a5, a5, a3
    bnez a2, count_zeros
    ret

    kernel collatz
    andi a3, a2, 1
    beqz a3, 1f
    sh1add a2, a2, a2
    addi a2, a2, 1
    j 2f
1:  srli a2, a2, 1
2:  addi a4, a4, 1
    bne a2, t1, collatz
    ret

    kernel transpose
    li a4, 0
1:  sh2add a3, a4, a0
    lw a5, 0(a3)
    sw a5, 0(a6)
    addi a6, a6, 4
    addi a4, a4, 1
    bne a4, t3, 1b
    addi a0, a0, 16
    addi a1, a1, -1
    bnez a1, transpose
    ret

    kernel atomic_add
    lr.w.aq a3, (a0)
    addw a4, a3, t1
    sc.w.rl a5, a4, (a0)
    bnez a5, atomic_add
    addi a1, a1, -1
    bnez a1, atomic_add
    ret

    kernel two_ways
    andi t2, a1, 1
    beqz t2, 1f
    xor s2, a2, a3
    andi s2, s2, 7
    slli s3, s2, 2
    add s3, s3, a0
    lw s4, 0(s3)
    addw a5, a5, s4
    j 2f
1:  not s5, a3
    or s5, s5, a2
    lw s6, 8(a0)
    addw s7, s5, s6
    xor a5, a5, s7
2:  srliw t3, a5, 7
    slliw t4, a5, 25
    or a5, t3, t4
    addw a3, a3, a5
    xor a2, a2, a3
    addi a1, a1, -1
    bnez a1, two_ways
    ret

    kernel compare_and_swap
    lr.w a3, (a0)
    bnez a3, 1f
    sc.w.aq a4, t1, (a0)
    bnez a4, compare_and_swap
1:  amoswap.w.rl a3, zero, (a0)
    addw a5, a5, a3
    addi a1, a1, -1
    bnez a1, compare_and_swap
    ret

    kernel atomic_add_amo
    amoadd.w.aqrl zero, t1, (a0)
    addi a1, a1, -1
    bnez a1, atomic_add_amo
    ret

    kernel dot_product
    fld fa1, 0(a0)
    fld fa2, 0(a6)
    fmadd.d fa0, fa1, fa2, fa0
    addi a0, a0, 8
    addi a6, a6, 8
    addi a1, a1, -1
    bnez a1, dot_product
    ret

    kernel axpy
    fld fa2, 0(a0)
    fld fa3, 0(a6)
    fmul.d fa2, fa2, fa1
    fadd.d fa2, fa2, fa3
    fsd fa2, 0(a6)
    addi a0, a0, 8
    addi a6, a6, 8
    addi a1, a1, -1
    bnez a1, axpy
    ret

    kernel float_maximum
    fld fa2, 0(a0)
    addi a0, a0, 8
    flt.d a3, fa0, fa2
    beqz a3, 1f
    fmv.d fa0, fa2
1:  addi a1, a1, -1
    bnez a1, float_maximum
    ret

    kernel single_precision
    flw fa2, 0(a0)
    flw fa3, 4(a0)
    fmul.s fa2, fa2, fa3
    fsw fa2, 0(a0)
    addi a0, a0, 4
    addi a1, a1, -1
    bnez a1, single_precision
    ret

    kernel conversions
    lw a2, 0(a0)
    fcvt.d.w fa2, a2
    fmul.d fa2, fa2, fa1
    fcvt.w.d a3, fa2, rtz
    addw a4, a4, a3
    addi a0, a0, 4
    addi a1, a1, -1
    bnez a1, conversions
    ret

    kernel rounds
    lw t0, 0(a0)
    srliw t1, a2, 6
    slliw t2, a2, 26
    or t1, t1, t2
    srliw t3, a2, 11
    slliw t4, a2, 21
    or t3, t3, t4
    xor t1, t1, t3
    srliw s2, a5, 2
    slliw s3, a5, 30
    or s2, s2, s3
    srliw s4, a5, 13
    slliw s5, a5, 19
    or s4, s4, s5
    xor s2, s2, s4
    and s6, a2, a3
    not s7, a2
    and s7, s7, a4
    xor s6, s6, s7
    addw t0, t0, t1
    addw t0, t0, s6
    addw s2, s2, t0
    mv a4, a3
    mv a3, a2
    addw a2, a7, t0
    mv a7, a6
    mv a6, a5
    addw a5, s2, t0
    addi a0, a0, 4
    addi a1, a1, -1
    bnez a1, rounds
    ret

    kernel prefetch
    ld a3, 0(a0)
    ori zero, a0, 512 + 1       # prefetch.r 512(a0)
    addi a0, a0, 8
    add a2, a2, a3
    addi a1, a1, -1
    bnez a1, prefetch
    ret

    kernel call_leaf
    addi sp, sp, -32
    sd ra, 24(sp)
    sd a1, 8(sp)
    jal ra, leaf
    ld a1, 8(sp)
    ld ra, 24(sp)
    addi sp, sp, 32
    addi a1, a1, -1
    bnez a1, call_leaf
    ret

    .globl leaf
leaf:
    addi a2, a2, 1
    ret

    .section .table, "a"
    .quad 0
    .data
    .balign 64
data:
    .quad 0, 2, 3, 4, 5, 6, 7, 8
    .skip 4096
