// The vDSO of the AArch64 guest. README.md says how it becomes part of the emulator; after a change
// here run words.py. `udf #N` in this page calls the emulator's own C code for: 0, the
// time of clock x in ns; 1, processor | node << 32; 2, eight random bytes. It takes and gives x0.
//
// The time is split by multiplication: n / 10^9 = ((n >> 9) * 0x44b82fa09b5a53 >> 64) >> 11 for
// every n below 2^63, and n / 1000 = n * 0x10624dd3 >> 38 for every n below 10^9.
//
// vdso: machine=183 version=LINUX_2.6.39

// x0 ns: x2 seconds, x3 the ns that are left.
.macro split_time
    mov x2, #0x5a53
    movk x2, #0xa09b, lsl #16
    movk x2, #0xb82f, lsl #32
    movk x2, #0x44, lsl #48
    lsr x3, x0, #9
    umulh x2, x3, x2
    lsr x2, x2, #11
    mov w3, #0xca00
    movk w3, #0x3b9a, lsl #16
    msub x3, x2, x3, x0
.endm

__kernel_rt_sigreturn:
    mov x8, #139
    svc #0

// The clocks of the mask 0x8f3 have no need of a system call: REALTIME, MONOTONIC, MONOTONIC_RAW,
// both COARSE, BOOTTIME, TAI.
__kernel_clock_gettime:
    cmp w0, #11
    b.hi 1f
    mov w2, #0x8f3
    lsr w2, w2, w0
    tbz w2, #0, 1f
    udf #0
    split_time
    stp x2, x3, [x1]
    mov w0, #0
    ret
1:
    mov x8, #113
    svc #0
    ret

// A time zone is asked for by nobody who is in a hurry.
__kernel_gettimeofday:
    cbnz x1, 1f
    cbz x0, 2f
    mov x1, x0
    mov w0, #0
    udf #0
    split_time
    mov w4, #0x4dd3
    movk w4, #0x1062, lsl #16
    umull x3, w3, w4
    lsr x3, x3, #38
    stp x2, x3, [x1]
2:
    mov w0, #0
    ret
1:
    mov x8, #169
    svc #0
    ret

__kernel_clock_getres:
    mov x8, #114
    svc #0
    ret

// (buffer, bytes, flags, state, bytes of state); ~0 bytes of state asks for struct
// vgetrandom_opaque_params: size 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS. The state
// stays unused: the random bytes come from the emulator.
__kernel_getrandom:
    cmn x4, #1
    b.eq 4f
    cbnz w2, 5f
    cmp x1, #256
    b.hi 5f
    mov x3, x0
    mov x2, x1
1:
    cmp x2, #8
    b.lo 2f
    udf #2
    str x0, [x3], #8
    sub x2, x2, #8
    b 1b
2:
    cbz x2, 3f
    udf #2
6:
    strb w0, [x3], #1
    lsr x0, x0, #8
    subs x2, x2, #1
    b.ne 6b
3:
    mov x0, x1
    ret
4:
    orr x5, x0, x1
    cbnz x5, 5f
    cbnz w2, 5f
    mov w0, #16
    mov w5, #3
    stp w0, w5, [x3]
    mov w5, #0x22
    stp w5, wzr, [x3, #8]
    stp xzr, xzr, [x3, #16]
    stp xzr, xzr, [x3, #32]
    stp xzr, xzr, [x3, #48]
    mov w0, #0
    ret
5:
    mov x8, #278
    svc #0
    ret
