/* Many functions that call one by its name, which is changed meanwhile; prints what they give. A
 * store keeps them in several chunks (calque-cache warm) whose links lead to each other's units. */
#include <stdio.h>
#include <sys/mman.h>

/* mov w0, #1; ret — li a0, 1; ret */
#ifdef __aarch64__
#define SECOND 0x52800040u
__asm__(".text\n.balign 4096\n.globl patched\npatched: .word 0x52800020\n.word 0xd65f03c0\n"
        ".balign 4096\n");
#else
#define SECOND 0x00200513u
__asm__(".text\n.balign 4096\n.globl patched\npatched: .word 0x00100513\n.word 0x00008067\n"
        ".balign 4096\n");
#endif
int patched(void);

#define ONE(n) \
    __attribute__((noinline)) static int f##n(int x) \
    { \
        return x % (n##1 + 2) ? patched() + x : x / 3 + patched(); \
    }
#define TEN(n) ONE(n##0) ONE(n##1) ONE(n##2) ONE(n##3) ONE(n##4) ONE(n##5) ONE(n##6) ONE(n##7) \
    ONE(n##8) ONE(n##9)
TEN(1) TEN(2) TEN(3) TEN(4) TEN(5) TEN(6) TEN(7) TEN(8) TEN(9)
#define CALL(n) sum = f##n(sum);
#define CALL_TEN(n) CALL(n##0) CALL(n##1) CALL(n##2) CALL(n##3) CALL(n##4) CALL(n##5) CALL(n##6) \
    CALL(n##7) CALL(n##8) CALL(n##9)

static int call_all(int sum)
{
    CALL_TEN(1) CALL_TEN(2) CALL_TEN(3) CALL_TEN(4) CALL_TEN(5) CALL_TEN(6) CALL_TEN(7)
    CALL_TEN(8) CALL_TEN(9)
    return sum;
}

int main(void)
{
    unsigned *code = (unsigned *)(unsigned long)patched;
    int before = call_all(1000);
    mprotect(code, 4096, PROT_READ | PROT_WRITE | PROT_EXEC);
    *(volatile unsigned *)code = SECOND;
    __builtin___clear_cache((char *)code, (char *)code + 8);
    printf("%d %d\n", before, call_all(1000));
    return 0;
}
