/* data plane */
/*
 * The operation `move`: copies, or fills, in whole turns of a loop. Called from translated code
 * with rsp on the private return stack.
 *
 * in: rdi destination, rsi source or eight bytes, rdx limit, cl the byte that ends it, r10 a turn's
 * bytes, negated (a power of two, at most 64), r11 how many bytes a turn reads ahead. out: rax.
 * Changes rax, rcx, r8, r9, flags; k1 to k3 and zmm16 to zmm18 (AVX-512), or xmm0 to xmm3.
 *
 * Memory is stored in pieces that end with a turn and lie within a page of both sides, and a turn
 * that doesn't is one access; so when a fault comes, rax is what has been stored and no byte beyond
 * it has, and the signal handler goes on at move_stop. What a piece reads ahead is looked at before
 * it. No byte is stored twice: another thread may have stored there meanwhile. Guests' words are
 * stored as wholes, since words are aligned within a turn if they are at all.
 */
#include "translator/host/x86_64/routine.inc"

        .text
        .globl  move_start, move_end, move_stop
        .hidden move_start, move_end, move_stop

/* r8: the bytes at rax that can be done as a piece, whole turns; to 5 if none, to move_stop at the
 * limit. */
        .macro  piece fill
        movq    %rdx, %r8
        subq    %rax, %r8
        jbe     move_stop
        leaq    (%rdi,%rax), %r9
        orq     $-4096, %r9
        negq    %r9
        cmpq    %r9, %r8
        cmova   %r9, %r8
        .if     !\fill
        leaq    (%rsi,%rax), %r9
        addq    %r11, %r9
        cmpb    $0, (%r9)
        orq     $-4096, %r9
        negq    %r9
        cmpq    %r9, %r8
        cmova   %r9, %r8
        .endif
        andq    %r10, %r8
        jz      5f
        .endm

/* What a turn at rax reads last. */
        .macro  look_ahead fill
        .if     !\fill
        leaq    -1(%rsi,%rax), %r9
        addq    %r11, %r9
        subq    %r10, %r9
        cmpb    $0, (%r9)
        .endif
        .endm

move_start:

/* -- AVX-512BW, BMI2 --------------------------------------------------------------------------- */
        .macro  move512 name, fill, until
        begin   \name
        xorl    %eax, %eax
        .if     \fill
        vpbroadcastq %rsi, %zmm16
        .endif
        .if     \until
        vpbroadcastb %ecx, %zmm17
        .endif
1:      piece   \fill
        addq    %rax, %r8
2:      leaq    64(%rax), %r9
        cmpq    %r8, %r9
        ja      3f
        .if     !\fill
        vmovdqu64 (%rsi,%rax), %zmm16
        .endif
        .if     \until
        leaq    (%rsi,%rax), %rcx
        vpcmpeqb %zmm16, %zmm17, %k1
        vpcmpeqb (%rcx,%r11), %zmm17, %k2
        kortestq %k1, %k2
        jnz     6f
        .endif
        vmovdqu64 %zmm16, (%rdi,%rax)
        movq    %r9, %rax
        jmp     2b
3:      movq    %r8, %r9
        subq    %rax, %r9
        jz      1b
4:      bzhiq   %r9, all_ones(%rip), %rcx /* r9 bytes, up to r8 */
        kmovq   %rcx, %k2
        .if     !\fill
        vmovdqu8 (%rsi,%rax), %zmm16{%k2}{z}
        .endif
        .if     \until
        leaq    (%rsi,%rax), %rcx
        vmovdqu8 (%rcx,%r11), %zmm18{%k2}{z}
        vpcmpeqb %zmm16, %zmm17, %k1{%k2}
        vpcmpeqb %zmm18, %zmm17, %k3{%k2}
        korq    %k3, %k1, %k1
        kortestq %k1, %k1
        jnz     7f
        .endif
        vmovdqu8 %zmm16, (%rdi,%rax){%k2}
        movq    %r8, %rax
        jmp     1b
5:      look_ahead \fill /* a turn on two pages */
        movq    %rax, %r8
        subq    %r10, %r8
        movq    %r10, %r9
        negq    %r9
        jmp     4b
        .if     \until
6:      korq    %k1, %k2, %k1
7:      kmovq   %k1, %rcx
        bsfq    %rcx, %r9
        andq    %r10, %r9
        jz      move_stop
        bzhiq   %r9, all_ones(%rip), %rcx
        kmovq   %rcx, %k2
        vmovdqu8 %zmm16, (%rdi,%rax){%k2}
        addq    %r9, %rax
        ret
        .endif
        finish  \name
        .endm

        move512 move512_copy, 0, 0
        move512 move512_until, 0, 1
        move512 move512_fill, 1, 0

/* -- SSE2 -------------------------------------------------------------------------------------- */
/* To `found` if one of `bytes` bytes of xmm0, or of those ahead, is the one. */
        .macro  until128 until, bytes, found
        .if     \until
        leaq    (%rsi,%r11), %rcx
        .if     \bytes == 16
        movdqu  (%rcx,%rax), %xmm3
        .elseif \bytes == 8
        movq    (%rcx,%rax), %xmm3
        .elseif \bytes == 4
        movd    (%rcx,%rax), %xmm3
        .elseif \bytes == 2
        movzwl  (%rcx,%rax), %ecx
        movd    %ecx, %xmm3
        .else
        movzbl  (%rcx,%rax), %ecx
        movd    %ecx, %xmm3
        .endif
        movdqa  %xmm0, %xmm2
        pcmpeqb %xmm1, %xmm2
        pcmpeqb %xmm1, %xmm3
        por     %xmm3, %xmm2
        pmovmskb %xmm2, %ecx
        .if     \bytes < 16
        andl    $(1 << \bytes) - 1, %ecx
        .endif
        testl   %ecx, %ecx
        jnz     \found
        .endif
        .endm

        .macro  move128 name, fill, until
        begin   \name
        xorl    %eax, %eax
        .if     \fill
        movq    %rsi, %xmm0
        punpcklqdq %xmm0, %xmm0
        .endif
        .if     \until
        movd    %ecx, %xmm1
        punpcklbw %xmm1, %xmm1
        pshuflw $0, %xmm1, %xmm1
        pshufd  $0, %xmm1, %xmm1
        .endif
1:      piece   \fill
        addq    %rax, %r8
2:      leaq    16(%rax), %r9
        cmpq    %r8, %r9
        ja      3f
        .if     !\fill
        movdqu  (%rsi,%rax), %xmm0
        .endif
        until128 \until, 16, 6f
        movdqu  %xmm0, (%rdi,%rax)
        movq    %r9, %rax
        jmp     2b
3:      movq    %r8, %r9
        subq    %rax, %r9
        jz      1b
        testl   $8, %r9d
        jz      31f
        .if     !\fill
        movq    (%rsi,%rax), %xmm0
        .endif
        until128 \until, 8, 6f
        movq    %xmm0, (%rdi,%rax)
        addq    $8, %rax
        jmp     3b
31:     testl   $4, %r9d
        jz      32f
        .if     !\fill
        movd    (%rsi,%rax), %xmm0
        .endif
        until128 \until, 4, 6f
        movd    %xmm0, (%rdi,%rax)
        addq    $4, %rax
        jmp     3b
32:     testl   $2, %r9d
        jz      33f
        .if     \fill
        movl    %esi, %ecx
        .else
        movzwl  (%rsi,%rax), %ecx
        movd    %ecx, %xmm0
        .endif
        until128 \until, 2, 6f
        .if     !\fill
        movd    %xmm0, %ecx
        .endif
        movw    %cx, (%rdi,%rax)
        addq    $2, %rax
        jmp     3b
33:     .if     \fill
        movl    %esi, %ecx
        .else
        movzbl  (%rsi,%rax), %ecx
        movd    %ecx, %xmm0
        .endif
        until128 \until, 1, 6f
        .if     !\fill
        movd    %xmm0, %ecx
        .endif
        movb    %cl, (%rdi,%rax)
        incq    %rax
        jmp     3b
5:      look_ahead \fill /* a turn on two pages, if it is one access */
        movq    %rax, %r8
        subq    %r10, %r8
        cmpq    $-16, %r10
        jl      move_stop
        je      2b
        jmp     3b
        .if     \until
6:      bsfl    %ecx, %ecx
        movslq  %ecx, %r8
        andq    %r10, %r8
        jz      move_stop
        addq    %rax, %r8
        /* whole turns of xmm0 to r8, less than 16 bytes */
7:      movq    %r8, %r9
        subq    %rax, %r9
        jz      move_stop
        testl   $8, %r9d
        jz      71f
        movq    %xmm0, (%rdi,%rax)
        psrldq  $8, %xmm0
        addq    $8, %rax
        jmp     7b
71:     testl   $4, %r9d
        jz      72f
        movd    %xmm0, (%rdi,%rax)
        psrldq  $4, %xmm0
        addq    $4, %rax
        jmp     7b
72:     movd    %xmm0, %ecx
        testl   $2, %r9d
        jz      73f
        movw    %cx, (%rdi,%rax)
        psrldq  $2, %xmm0
        addq    $2, %rax
        jmp     7b
73:     movb    %cl, (%rdi,%rax)
        psrldq  $1, %xmm0
        incq    %rax
        jmp     7b
        .endif
        finish  \name
        .endm

        move128 move128_copy, 0, 0
        move128 move128_until, 0, 1
        move128 move128_fill, 1, 0
move_end:

move_stop:
        andq    %r10, %rax
        ret

        .section .rodata
        .p2align 3
all_ones:
        .quad   -1
        .section .note.GNU-stack, "", @progbits
