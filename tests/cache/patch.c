/* Changes its own code on its file's page, makes code in fresh memory; prints what they give. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

/* mov w0, #1; ret — li a0, 1; ret */
#ifdef __aarch64__
#define FIRST 0x52800020u
#define SECOND 0x52800040u
static const unsigned made[] = {0x52800060u, 0xd65f03c0u};
__asm__(".balign 4\n.globl patched\npatched: .word 0x52800020\n.word 0xd65f03c0\n");
#else
#define FIRST 0x00100513u
#define SECOND 0x00200513u
static const unsigned made[] = {0x00300513u, 0x00008067u};
__asm__(".balign 4\n.globl patched\npatched: .word 0x00100513\n.word 0x00008067\n");
#endif
extern unsigned patched[];

static int call(const void *code)
{
    return ((int (*)(void))code)();
}

int main(void)
{
    char *page = (char *)((unsigned long)patched & ~4095ul);
    int before = call(patched);
    mprotect(page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC);
    *(volatile unsigned *)patched = SECOND;
    __builtin___clear_cache((char *)patched, (char *)patched + 8);
    int after = call(patched);
    unsigned *fresh = mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    memcpy(fresh, made, sizeof made);
    __builtin___clear_cache((char *)fresh, (char *)fresh + 8);
    printf("%d %d %d\n", before, after, call(fresh));
    return 0;
}
