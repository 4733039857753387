# The vDSO of the RISC-V guest. README.md says how it becomes part of the emulator; after a change
# here run words.py. The custom-0 instruction with immediate N calls the emulator's own C code for:
# 0, the time of clock x in ns; 1, processor | node << 32; 2, eight random bytes; 3, what hwprobe
# says of key x. It takes and gives a0.
#
# The time is split by multiplication: n / 10^9 = ((n >> 9) * 0x44b82fa09b5a53 >> 64) >> 11 for
# every n below 2^63, and n / 1000 = n * 0x10624dd3 >> 38 for every n below 10^9.
#
# vdso: machine=243 version=LINUX_4.15
.option norvc
.option norelax

# a0 ns: a2 seconds, a3 the ns that are left.
.macro split_time
    li a2, 0x44b82fa09b5a53
    srli a3, a0, 9
    mulhu a2, a3, a2
    srli a2, a2, 11
    li a3, 1000000000
    mul a3, a2, a3
    sub a3, a0, a3
.endm

__vdso_rt_sigreturn:
    li a7, 139
    ecall

# The clocks of the mask 0x8f3 have no need of a system call: REALTIME, MONOTONIC, MONOTONIC_RAW,
# both COARSE, BOOTTIME, TAI.
__vdso_clock_gettime:
    li a2, 11
    bgtu a0, a2, 1f
    li a2, 0x8f3
    srl a2, a2, a0
    andi a2, a2, 1
    beqz a2, 1f
    .insn i 0x0b, 0, a0, a0, 0
    split_time
    sd a2, 0(a1)
    sd a3, 8(a1)
    li a0, 0
    ret
1:
    li a7, 113
    ecall
    ret

# A time zone is asked for by nobody who is in a hurry.
__vdso_gettimeofday:
    bnez a1, 1f
    beqz a0, 2f
    mv a1, a0
    li a0, 0
    .insn i 0x0b, 0, a0, a0, 0
    split_time
    li a4, 0x10624dd3
    mul a3, a3, a4
    srli a3, a3, 38
    sd a2, 0(a1)
    sd a3, 8(a1)
2:
    li a0, 0
    ret
1:
    li a7, 169
    ecall
    ret

__vdso_clock_getres:
    li a7, 114
    ecall
    ret

__vdso_getcpu:
    mv a2, a0
    .insn i 0x0b, 0, a0, a0, 1
    beqz a2, 1f
    sw a0, 0(a2)
1:
    beqz a1, 2f
    srli a0, a0, 32
    sw a0, 0(a1)
2:
    li a0, 0
    ret

__vdso_flush_icache:
    li a7, 259
    ecall
    ret

# (pairs, how many, bytes of the set, set of processors, flags): about all processors without a
# system call. 16 is the last key (syscalls/arch.c).
__vdso_riscv_hwprobe:
    or a5, a2, a3
    or a5, a5, a4
    bnez a5, 4f
    mv a2, a0
    li a4, 16
1:
    beqz a1, 3f
    ld a0, 0(a2)
    bgtu a0, a4, 2f
    .insn i 0x0b, 0, a0, a0, 3
    sd a0, 8(a2)
    j 5f
2:
    li a0, -1
    sd a0, 0(a2)
    sd zero, 8(a2)
5:
    addi a2, a2, 16
    addi a1, a1, -1
    j 1b
3:
    li a0, 0
    ret
4:
    li a7, 258
    ecall
    ret

# (buffer, bytes, flags, state, bytes of state); ~0 bytes of state asks for struct
# vgetrandom_opaque_params: size 16, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS. The state
# stays unused: the random bytes come from the emulator.
__vdso_getrandom:
    li a5, -1
    beq a4, a5, 4f
    bnez a2, 5f
    li a5, 256
    bgtu a1, a5, 5f
    mv a3, a0
    mv a2, a1
    li a5, 8
1:
    bltu a2, a5, 2f
    .insn i 0x0b, 0, a0, a0, 2
    sd a0, 0(a3)
    addi a3, a3, 8
    addi a2, a2, -8
    j 1b
2:
    beqz a2, 3f
    .insn i 0x0b, 0, a0, a0, 2
6:
    sb a0, 0(a3)
    srli a0, a0, 8
    addi a3, a3, 1
    addi a2, a2, -1
    bnez a2, 6b
3:
    mv a0, a1
    ret
4:
    or a5, a0, a1
    or a5, a5, a2
    bnez a5, 5f
    li a0, 16
    li a5, 3
    sw a0, 0(a3)
    sw a5, 4(a3)
    li a5, 0x22
    sw a5, 8(a3)
    sw zero, 12(a3)
    sd zero, 16(a3)
    sd zero, 24(a3)
    sd zero, 32(a3)
    sd zero, 40(a3)
    sd zero, 48(a3)
    sd zero, 56(a3)
    li a0, 0
    ret
5:
    li a7, 278
    ecall
    ret
