/* A loop that is entered 400 times with what regions guess that it is, or with something else: on
 * RISC-V a bound that is a word, on AArch64 a scalar with zeroes above. */
#include <stdio.h>
#include <stdlib.h>

unsigned long turns(unsigned long what, long limit);

#if defined __riscv
__asm__(".text\n.globl turns\n.type turns, @function\n"
        "turns: li a2, 0\n"
        "li a3, 0\n"
        "1: addiw a2, a2, 1\n"
        "addw a3, a3, a2\n"
        "beq a2, a1, 2f\n"
        "blt a2, a0, 1b\n"
        "2: mv a0, a3\n"
        "ret\n");
enum { GUESSED = 1 << 30 };
static const unsigned long other = 10ul << 32 | 10;
#elif defined __aarch64__
__asm__(".text\n.globl turns\n.type turns, @function\n"
        "turns: mov x9, x30\n"
        "fmov d1, #1.0\n"
        "movi v0.2d, #0\n"
        "mov v0.d[1], x0\n"
        "bl 1f\n"
        "fcvtzs x0, d0\n"
        "mov x1, v0.d[1]\n"
        "add x0, x0, x1\n"
        "ret x9\n"
        "1: fadd d0, d0, d1\n"
        "subs x1, x1, #1\n"
        "b.ne 1b\n"
        "ret\n");
enum { GUESSED = 0 };
static const unsigned long other = 10ul << 32 | 10;
#endif

int main(int argc, char **argv)
{
    unsigned long what = argc > 1 ? other : GUESSED, sum = 0;
    for (int n = 0; n < 400; n++)
        sum += turns(what, 4000 + n);
    printf("%lu\n", sum);
    return 0;
}
