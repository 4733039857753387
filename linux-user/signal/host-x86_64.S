/* data plane */
/*
 * The host's system call instruction and the copies to and from guest memory, as code whose
 * addresses the signal handler knows (signal/host-syscall.c). x86-64, System V ABI.
 */
        .text

/* long host_syscall_asm(const void *pending, long nr, a0, a1, a2, a3, a4, a5)
 * rcx is not the address behind the instruction until the kernel has put it there: that tells a
 * call that was made and wound back from one that was never entered. */
        .globl  host_syscall_asm
        .hidden host_syscall_asm
        .type   host_syscall_asm, @function
host_syscall_asm:
        .cfi_startproc
        movq    %rdi, %r11
        movq    %rsi, %rax
        movq    %rdx, %rdi
        movq    %rcx, %rsi
        movq    %r8, %rdx
        movq    %r9, %r10
        movq    8(%rsp), %r8
        movq    16(%rsp), %r9
        xorl    %ecx, %ecx
        .globl  host_syscall_check
        .hidden host_syscall_check
host_syscall_check:
        cmpl    $0, (%r11)
        jne     host_syscall_not_entered
        .globl  host_syscall_insn
        .hidden host_syscall_insn
host_syscall_insn:
        syscall
        .globl  host_syscall_behind
        .hidden host_syscall_behind
host_syscall_behind:
        ret
        .globl  host_syscall_not_entered
        .hidden host_syscall_not_entered
host_syscall_not_entered:
        movq    $-513, %rax             /* SYSCALL_RESTARTNOINTR */
        ret
        .globl  host_syscall_wound_back
        .hidden host_syscall_wound_back
host_syscall_wound_back:
        movq    $-512, %rax             /* SYSCALL_RESTARTSYS */
        ret
        .cfi_endproc
        .size   host_syscall_asm, . - host_syscall_asm

/* long host_syscall_raw_asm(long nr, a0, a1, a2, a3, a4, a5) */
        .globl  host_syscall_raw_asm
        .hidden host_syscall_raw_asm
        .type   host_syscall_raw_asm, @function
host_syscall_raw_asm:
        .cfi_startproc
        movq    %rdi, %rax
        movq    %rsi, %rdi
        movq    %rdx, %rsi
        movq    %rcx, %rdx
        movq    %r8, %r10
        movq    %r9, %r8
        movq    8(%rsp), %r9
        syscall
        ret
        .cfi_endproc
        .size   host_syscall_raw_asm, . - host_syscall_raw_asm

/* long host_clone_asm(flags, stack, ptid, ctid, void (*f)(void *), void *arg, tls): clone with a
 * stack of its own for the child, which calls f(arg) and never returns. */
        .globl  host_clone_asm
        .hidden host_clone_asm
        .type   host_clone_asm, @function
host_clone_asm:
        .cfi_startproc
        movq    %rcx, %r10              /* ctid */
        andq    $-16, %rsi
        subq    $16, %rsi
        movq    %r8, (%rsi)             /* f and arg wait on the child's stack */
        movq    %r9, 8(%rsi)
        movq    8(%rsp), %r8            /* tls */
        movl    $56, %eax               /* clone */
        syscall
        testq   %rax, %rax
        jz      1f
        ret
        .cfi_undefined rip
1:      xorl    %ebp, %ebp
        popq    %rax
        popq    %rdi
        call    *%rax
        ud2
        .cfi_endproc
        .size   host_clone_asm, . - host_clone_asm

/* void host_trace_stop_asm(TraceBlock *): a breakpoint that the tracer knows by the address behind
 * it and by rax (TRACE_STOP_RAX of ptrace/block.h); the block stays in rdi. */
        .globl  host_trace_stop_asm
        .hidden host_trace_stop_asm
        .type   host_trace_stop_asm, @function
host_trace_stop_asm:
        .cfi_startproc
        movl    $0x43615374, %eax
        int3
        .globl  host_trace_stop_behind
        .hidden host_trace_stop_behind
host_trace_stop_behind:
        ret
        .cfi_endproc
        .size   host_trace_stop_asm, . - host_trace_stop_asm

/* long host_clone3_asm(args, size, void (*f)(void *), void *arg): the same by clone3, whose args
 * have the stack; the child finds f and arg in its copy of the registers. */
        .globl  host_clone3_asm
        .hidden host_clone3_asm
        .type   host_clone3_asm, @function
host_clone3_asm:
        .cfi_startproc
        movq    %rdx, %r8
        movq    %rcx, %r9
        movl    $435, %eax              /* clone3 */
        syscall
        testq   %rax, %rax
        jz      1f
        ret
        .cfi_undefined rip
1:      xorl    %ebp, %ebp
        movq    %r9, %rdi
        call    *%r8
        ud2
        .cfi_endproc
        .size   host_clone3_asm, . - host_clone3_asm

/* rt_sigreturn for the host's handlers. */
        .globl  host_restorer
        .hidden host_restorer
        .type   host_restorer, @function
        nop                             /* unwinders look one byte before */
host_restorer:
        movl    $15, %eax
        syscall
        .size   host_restorer, . - host_restorer

/* Copies that a fault ends: each returns 0, or 1 from host_copy_failed. */
        .globl  host_copy_start
        .hidden host_copy_start
host_copy_start:
/* long mem_copy_asm(void *dst, const void *src, size_t n) */
        .globl  mem_copy_asm
        .hidden mem_copy_asm
        .type   mem_copy_asm, @function
mem_copy_asm:
        .cfi_startproc
        movq    %rdx, %rcx
        cmpq    $8, %rdx
        jne     1f
        movq    (%rsi), %rax
        movq    %rax, (%rdi)
        xorl    %eax, %eax
        ret
1:      rep movsb
        xorl    %eax, %eax
        ret
        .cfi_endproc
        .size   mem_copy_asm, . - mem_copy_asm
/* long mem_clear_asm(void *dst, size_t n) */
        .globl  mem_clear_asm
        .hidden mem_clear_asm
        .type   mem_clear_asm, @function
mem_clear_asm:
        .cfi_startproc
        movq    %rsi, %rcx
        xorl    %eax, %eax
        rep stosb
        ret
        .cfi_endproc
        .size   mem_clear_asm, . - mem_clear_asm
/* long mem_string_asm(char *dst or NULL, const char *src, size_t size): the length, or `size` if
 * there's no NUL within it, or -1 from the fault's label. */
        .globl  mem_string_asm
        .hidden mem_string_asm
        .type   mem_string_asm, @function
mem_string_asm:
        .cfi_startproc
        xorl    %eax, %eax
1:      cmpq    %rdx, %rax
        jae     3f
        movzbl  (%rsi,%rax), %ecx
        testq   %rdi, %rdi
        jz      2f
        movb    %cl, (%rdi,%rax)
2:      testb   %cl, %cl
        jz      3f
        incq    %rax
        jmp     1b
3:      ret
        .cfi_endproc
        .size   mem_string_asm, . - mem_string_asm
/* Atomics on guest words: long mem_word_load_asm(const uint32_t *, uint32_t *ret);
 * mem_word_cas_asm(uint32_t *, uint32_t *expected_and_ret, uint32_t desired). */
        .globl  mem_word_cas_asm
        .hidden mem_word_cas_asm
        .type   mem_word_cas_asm, @function
mem_word_cas_asm:
        .cfi_startproc
        movl    (%rsi), %eax
        lock cmpxchgl %edx, (%rdi)
        movl    %eax, (%rsi)
        movl    $0, %eax
        ret
        .cfi_endproc
        .size   mem_word_cas_asm, . - mem_word_cas_asm
        .globl  host_copy_end
        .hidden host_copy_end
host_copy_end:
        .globl  host_copy_failed
        .hidden host_copy_failed
host_copy_failed:
        movq    $-1, %rax
        ret

        .section .note.GNU-stack, "", @progbits
