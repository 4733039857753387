/* Kernels as compilers write them: see codegen.py. Each is a loop from its label on, called by
 * _start with x0 = x6 = data, x1 = turns, other registers small numbers, d/v registers 1.0. */
    .arch armv8.2-a+crc+crypto
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
    adrp x28, table
    add x28, x28, :lo12:table
1:  ldr x9, [x28], 8
    cbz x9, 3f
    adrp x0, data
    add x0, x0, :lo12:data
    str xzr, [x0]
    mov x6, x0
    mov x1, 3
    mov x2, 5
    mov x3, 7
    mov x4, 0
    mov x5, 9
    mov x7, 11
    mov x8, 1
    mov x10, 2
    mov x11, 3
    fmov d0, 1.0
    fmov d1, 1.0
    fmov v2.2d, 1.0
    fmov v3.2d, 1.0
    fmov v4.4s, 1.0
    blr x9
    b 1b
3:  mov x0, 0
    mov x8, 93
    svc 0
    ret

    kernel sum
    ldr x3, [x0], 8
    add x2, x2, x3
    subs x1, x1, 1
    b.ne sum
    ret

    kernel sum_indexed
    ldr w3, [x0, x4, lsl 2]
    add x4, x4, 1
    add w2, w2, w3
    cmp x4, x1
    b.ne sum_indexed
    ret

    kernel copy_pairs
    ldp x2, x3, [x6]
    stp x2, x3, [x0], 16
    add x6, x6, 16
    subs x1, x1, 1
    b.ne copy_pairs
    ret

    kernel copy_vectors
    ldp q0, q1, [x6]
    stp q0, q1, [x0], 32
    add x6, x6, 32
    subs x1, x1, 1
    b.ne copy_vectors
    ret

    kernel fill
    strb w2, [x0, x4]
    add x4, x4, 1
    cmp x4, x1
    b.lt fill
    ret

    kernel string_length
    ldrb w3, [x0, x4]
    add x4, x4, 1
    cbnz w3, string_length
    ret

    kernel string_length_vector
    ldr q1, [x0], 16
    cmeq v1.16b, v1.16b, 0
    umaxp v1.16b, v1.16b, v1.16b
    fmov x3, d1
    cbz x3, string_length_vector
    ret

    kernel string_compare
    ldrb w2, [x0], 1
    ldrb w3, [x6], 1
    cmp w2, w3
    b.ne 1f
    cbnz w2, string_compare
1:  ret

    kernel sieve
    strb wzr, [x0, x4]
    add x4, x4, x2
    cmp x4, 64
    b.le sieve
    ret

    kernel histogram
    ldrb w2, [x0], 1
    ldr w3, [x6, x2, lsl 2]
    add w3, w3, 1
    str w3, [x6, x2, lsl 2]
    subs x1, x1, 1
    b.ne histogram
    ret

    kernel maximum
    ldr w3, [x0], 4
    cmp w3, w2
    csel w2, w3, w2, gt
    subs x1, x1, 1
    b.ne maximum
    ret

    kernel absolute
    ldr w3, [x0]
    cmp w3, 0
    cneg w3, w3, lt
    str w3, [x0], 4
    subs x1, x1, 1
    b.ne absolute
    ret

    kernel clamp
    ldr w3, [x0]
    cmp w3, 0
    csel w3, w3, wzr, ge
    mov w4, 255
    cmp w3, w4
    csel w3, w3, w4, le
    strb w3, [x0], 1
    subs x1, x1, 1
    b.ne clamp
    ret

    kernel list_walk
    ldr x0, [x0]
    add x2, x2, 1
    cbnz x0, list_walk
    ret

    kernel fnv_hash
    ldrb w3, [x0], 1
    eor x2, x2, x3
    mul x2, x2, x5
    subs x1, x1, 1
    b.ne fnv_hash
    ret

    kernel xorshift
    eor x2, x2, x2, lsl 13
    eor x2, x2, x2, lsr 7
    eor x2, x2, x2, lsl 17
    add x4, x4, x2
    subs x1, x1, 1
    b.ne xorshift
    ret

    kernel rotates
    ror w3, w2, 6
    eor w3, w3, w2, ror 11
    eor w3, w3, w2, ror 25
    and w4, w2, w5
    bic w7, w8, w2
    eor w4, w4, w7
    add w3, w3, w4
    add w2, w2, w3
    subs x1, x1, 1
    b.ne rotates
    ret

    kernel crc
    ldr x3, [x0], 8
    crc32cx w2, w2, x3
    subs x1, x1, 1
    b.ne crc
    ret

    kernel long_multiply
    ldr x3, [x0, x4]
    ldr x7, [x6, x4]
    mul x8, x3, x5
    umulh x3, x3, x5
    adds x8, x8, x7
    cinc x3, x3, cs
    adds x8, x8, x2
    cinc x2, x3, cs
    str x8, [x6, x4]
    add x4, x4, 8
    cmp x4, 64
    b.ne long_multiply
    ret

    kernel carry_chain
    ldp x2, x3, [x0]
    ldp x4, x5, [x6], 16
    adds x2, x2, x4
    adc x3, x3, x5
    stp x2, x3, [x0], 16
    subs x1, x1, 1
    b.ne carry_chain
    ret

    kernel gcd
    udiv x4, x2, x3
    msub x4, x4, x3, x2
    mov x2, x3
    mov x3, x4
    cbnz x4, gcd
    ret

    kernel bit_fields
    ldr x2, [x0], 8
    ubfx x3, x2, 12, 9
    sbfx w4, w2, 3, 5
    bfi x2, x4, 20, 8
    add x5, x5, x3
    eor x5, x5, x2
    subs x1, x1, 1
    b.ne bit_fields
    ret

    kernel swap_bytes
    ldr x2, [x0]
    rev x2, x2
    str x2, [x0], 8
    subs x1, x1, 1
    b.ne swap_bytes
    ret

    kernel count_zeros
    rbit x3, x2
    clz x3, x3
    sub x4, x2, 1
    and x2, x2, x4
    add x5, x5, x3
    cbnz x2, count_zeros
    ret

    kernel collatz
    tbz w2, 0, 1f
    add x2, x2, x2, lsl 1
    add x2, x2, 1
    b 2f
1:  lsr x2, x2, 1
2:  add x4, x4, 1
    cmp x2, 1
    b.ne collatz
    ret

    kernel binary_search
    add x5, x2, x3
    lsr x5, x5, 1
    ldr x7, [x0, x5, lsl 3]
    cmp x7, x8
    add x10, x5, 1
    csel x2, x10, x2, lo
    csel x3, x3, x5, lo
    cmp x2, x3
    b.lo binary_search
    ret

    kernel transpose
    mov x4, 0
1:  ldr w5, [x0, x4, lsl 2]
    str w5, [x6], 4
    add x4, x4, 1
    cmp x4, 4
    b.ne 1b
    add x0, x0, 16
    subs x1, x1, 1
    b.ne transpose
    ret

    kernel two_ways
    tbz w1, 0, 1f
    eor w20, w2, w3
    and w20, w20, 7
    ldr w21, [x0, w20, uxtw 2]
    add w5, w5, w21
    b 2f
1:  orn w22, w2, w3
    ldr w23, [x0, 8]
    add w24, w22, w23
    eor w5, w5, w24
2:  ror w5, w5, 7
    add w3, w3, w5
    eor w2, w2, w3
    subs x1, x1, 1
    b.ne two_ways
    ret

    kernel compare_and_swap
    ldaxr w3, [x0]
    cbnz w3, 1f
    stxr w4, w8, [x0]
    cbnz w4, compare_and_swap
1:  swpl wzr, w3, [x0]
    add x5, x5, x3
    subs x1, x1, #1
    b.ne compare_and_swap
    ret

    kernel atomic_add
    ldaxr w3, [x0]
    add w4, w3, 1
    stlxr w5, w4, [x0]
    cbnz w5, atomic_add
    subs x1, x1, 1
    b.ne atomic_add
    ret

    kernel dot_product
    ldr d2, [x0], 8
    ldr d3, [x6], 8
    fmadd d0, d2, d3, d0
    subs x1, x1, 1
    b.ne dot_product
    ret

    kernel axpy
    ldr d2, [x0, x4]
    ldr d3, [x6, x4]
    fmul d2, d2, d1
    fadd d2, d2, d3
    str d2, [x6, x4]
    add x4, x4, 8
    cmp x4, 32
    b.ne axpy
    ret

    kernel float_maximum
    ldr d2, [x0], 8
    fcmpe d2, d0
    fcsel d0, d2, d0, gt
    subs x1, x1, 1
    b.ne float_maximum
    ret

    kernel conversions
    ldr w2, [x0], 4
    scvtf d2, w2
    fmul d2, d2, d1
    fcvtzs w3, d2
    add w4, w4, w3
    subs x1, x1, 1
    b.ne conversions
    ret

    kernel vector_fma
    ldr q5, [x0], 16
    ldr q6, [x6], 16
    fmla v4.4s, v5.4s, v6.4s
    subs x1, x1, 1
    b.ne vector_fma
    ret

    kernel vector_bytes
    ldr q0, [x0]
    ldr q1, [x6], 16
    uqadd v0.16b, v0.16b, v1.16b
    umax v2.16b, v2.16b, v0.16b
    str q0, [x0], 16
    subs x1, x1, 1
    b.ne vector_bytes
    ret

    kernel vector_widen
    ld1 {v0.8b}, [x0], 8
    ushll v0.8h, v0.8b, 0
    umlal v2.4s, v0.4h, v3.4h
    umlal2 v2.4s, v0.8h, v3.8h
    subs x1, x1, 1
    b.ne vector_widen
    ret

    kernel vector_table
    ldr q0, [x0]
    tbl v0.16b, {v4.16b}, v0.16b
    str q0, [x0], 16
    subs x1, x1, 1
    b.ne vector_table
    ret

    kernel rounds
    ldr w9, [x0], 4
    lsr w10, w2, 6
    lsl w11, w2, 26
    orr w10, w10, w11
    lsr w12, w2, 11
    lsl w13, w2, 21
    orr w12, w12, w13
    eor w10, w10, w12
    lsr w14, w5, 2
    lsl w15, w5, 30
    orr w14, w14, w15
    lsr w16, w5, 13
    lsl w17, w5, 19
    orr w16, w16, w17
    eor w14, w14, w16
    and w19, w2, w3
    bic w20, w4, w2
    eor w19, w19, w20
    add w9, w9, w10
    add w9, w9, w19
    add w14, w14, w9
    mov w4, w3
    mov w3, w2
    add w2, w8, w9
    mov w8, w7
    mov w7, w5
    add w5, w14, w9
    subs x1, x1, 1
    b.ne rounds
    ret

    kernel prefetch
    ldr x3, [x0], 8
    prfm pldl1keep, [x0, 512]
    add x2, x2, x3
    subs x1, x1, 1
    b.ne prefetch
    ret

    kernel call_leaf
    stp x29, x30, [sp, -32]!
    str x1, [sp, 16]
    bl leaf
    ldr x1, [sp, 16]
    ldp x29, x30, [sp], 32
    subs x1, x1, 1
    b.ne call_leaf
    ret

    kernel call_signed
    stp x29, x30, [sp, -32]!
    str x1, [sp, 16]
    bl signed
    ldr x1, [sp, 16]
    ldp x29, x30, [sp], 32
    subs x1, x1, 1
    b.ne call_signed
    ret

    .globl signed
signed:
    paciasp
    stp x29, x30, [sp, -16]!
    bl leaf
    ldp x29, x30, [sp], 16
    autiasp
    ret

    .globl leaf
leaf:
    add x2, x2, 1
    ret

    .section .table, "a"
    .quad 0
    .data
    .balign 64
data:
    .quad 0, 2, 3, 4, 5, 6, 7, 8
    .skip 4096
