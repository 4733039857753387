/* A callee that changes what is behind its call: who returns finds the new code, however hot the
 * old one was. */
#include <stdint.h>
#include <sys/mman.h>

#include "test.h"

enum { CALLS = 200000, EVERY = 37000 };

static char *code;
static int calls, number;

/* A function that calls its argument, by a call and a jump, and returns n. */
static void write_code(unsigned n)
{
#if defined __aarch64__
    uint32_t insn[] = {
        0xa9bf7bfd,          /* stp x29, x30, [sp, #-16]! */
        0x94000004,          /* bl 1f */
        0x52800000 | n << 5, /* mov w0, #n */
        0xa8c17bfd,          /* ldp x29, x30, [sp], #16 */
        0xd65f03c0,          /* ret */
        0xd61f0000,          /* 1: br x0 */
    };
#elif defined __riscv
    uint32_t insn[] = {
        0xff010113,           /* addi sp, sp, -16 */
        0x00113423,           /* sd ra, 8(sp) */
        0x014000ef,           /* jal ra, 1f */
        0x00000513 | n << 20, /* addi a0, zero, n */
        0x00813083,           /* ld ra, 8(sp) */
        0x01010113,           /* addi sp, sp, 16 */
        0x00008067,           /* ret */
        0x00050067,           /* 1: jr a0 */
    };
#else
    uint8_t insn[] = {
        0x48, 0x83, 0xec, 8, 0xe8, 10, 0, 0, 0, /* sub rsp, 8; call 1f */
        0xb8, n, n >> 8, 0, 0, 0x48, 0x83, 0xc4, 8, 0xc3, /* mov eax, n; add rsp, 8; ret */
        0xff, 0xe7, /* 1: jmp rdi */
    };
#endif
    memcpy(code, insn, sizeof insn);
    __builtin___clear_cache(code, code + sizeof insn);
}

static void callee(void)
{
    if (++calls % EVERY == 0)
        write_code(++number);
}

int main(void)
{
    int good = 0;
    code = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    write_code(0);
    for (int i = 0; i < CALLS; i++)
        good += ((int (*)(void (*)(void)))code)(callee) == number;
    printf("%d of %d, %d versions\n", good, CALLS, number + 1);
    return 0;
}
