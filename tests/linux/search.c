/*
 * Loops that look for something in memory: the C library's and plain ones, at every alignment and
 * up to the last byte before a page that isn't there; what they leave in variables besides; runs
 * off the end; and memory that another thread changes. The optimizing tier lets such loops get
 * ahead by many turns at once (translator/opt/skip.c), which nothing may show.
 */
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/mman.h>

#include "test.h"

enum { PAGE = 4096, PAGES = 5, SIZE = PAGE * PAGES };
#define LOOP __attribute__((noinline, optimize("no-tree-loop-distribute-patterns")))
typedef unsigned char Byte;
typedef uint32_t Word __attribute__((aligned(1), may_alias));
typedef uint64_t Long __attribute__((aligned(1), may_alias));

static LOOP long plain_length(const Byte *a, const Byte *b, long n, int c)
{
    const Byte *p = a;
    while (*p)
        p++;
    return p - a;
}
static LOOP long plain_find(const Byte *a, const Byte *b, long n, int c)
{
    for (long i = 0; i < n; i++)
        if (a[i] == c)
            return i;
    return -1;
}
static LOOP long plain_compare(const Byte *a, const Byte *b, long n, int c)
{
    while (n > 0 && *a == *b) {
        a++;
        b++;
        n--;
    }
    return n;
}
static LOOP long plain_order(const Byte *a, const Byte *b, long n, int c)
{
    long i = 0;
    while (a[i] && a[i] == b[i])
        i++;
    return i * 1000 + a[i] - b[i];
}
/* Of the byte before, with a counter that goes down by three. */
static LOOP long plain_before(const Byte *a, const Byte *b, long n, int c)
{
    unsigned last = 7;
    long k = 0;
    for (; *a != c && *a; a++) {
        last = *a;
        k -= 3;
    }
    return k * 256 + last;
}
static LOOP long plain_words(const Byte *a, const Byte *b, long n, int c)
{
    const uint64_t *p = (const uint64_t *)((uintptr_t)a & ~7ul), *q = p;
    while (!((*p - 0x0101010101010101) & ~*p & 0x8080808080808080))
        p++;
    return p - q;
}
static LOOP long plain_pairs(const Byte *a, const Byte *b, long n, int c)
{
    long i = 0, end = n & ~7l;
    for (; i < end; i += 8)
        if (*(const uint64_t *)(a + i) != *(const uint64_t *)(b + i))
            break;
    return i;
}
/* The value of the turn before decides. */
static LOOP long plain_twice(const Byte *a, const Byte *b, long n, int c)
{
    Byte was = a[0];
    for (long i = 1; i < n; i++) {
        Byte is = a[i];
        if (was == c || is == 0)
            return i;
        was = is;
    }
    return -1;
}

/* Words of 32 bits, at any alignment: the one that has the 'a' in it, or one that isn't there. */
static LOOP long plain_wide(const Byte *a, const Byte *b, long n, int c)
{
    const Word *p = (const Word *)a;
    Word is = c == 'a' && n >= 4 ? p[n / 4 * 5 / 7] : 0x01010101, other = (Word)c;
    long i = 0;
    for (; i < n / 4; i++)
        if (p[i] == is || p[i] == other)
            break;
    return i;
}
static LOOP long plain_wide_order(const Byte *a, const Byte *b, long n, int c)
{
    const Word *p = (const Word *)a, *q = (const Word *)b;
    for (; n >= 4 && *p && *p == *q; n -= 4)
        p++, q++;
    return n;
}
/* Bytes up to 0x7f, or of 1 to 0x80, eight at once. */
static LOOP long plain_ascii(const Byte *a, const Byte *b, long n, int c)
{
    long i = 0;
    for (; i < n / 8; i++)
        if (((const Long *)a)[i] & 0x8080808080808080)
            break;
    return i;
}
static LOOP long plain_less_ones(const Byte *a, const Byte *b, long n, int c)
{
    long i = 0;
    for (; i < n / 8; i++)
        if ((((const Long *)a)[i] - 0x0101010101010101) & 0x8080808080808080)
            break;
    return i;
}
static LOOP long plain_range(const Byte *a, const Byte *b, long n, int c)
{
    long i = 0;
    while (i < n && (Byte)(a[i] - 'b') < 23)
        i++;
    return i;
}
static LOOP long plain_same(const Byte *a, const Byte *b, long n, int c)
{
    const Byte *p = a;
    while (*p == 'x')
        p++;
    return p - a;
}

#define C_LIBRARY(name, call) \
    static LOOP long name(const Byte *A, const Byte *B, long n, int c) \
    { \
        const char *volatile a = (const char *)A, *volatile b = (const char *)B; \
        return (call); \
    }
static long sign(int n) { return (n > 0) - (n < 0); }
static long where(const void *p, const char *a) { return p ? (const char *)p - a : -1; }
C_LIBRARY(lib_strlen, (long)strlen(a))
C_LIBRARY(lib_strnlen, (long)strnlen(a, (size_t)n))
C_LIBRARY(lib_memchr, where(memchr(a, c, (size_t)n), a))
C_LIBRARY(lib_memrchr, where(memrchr(a, c, (size_t)n), a))
C_LIBRARY(lib_rawmemchr, where(rawmemchr(a, 0), a))
C_LIBRARY(lib_strchr, where(strchr(a, c), a))
C_LIBRARY(lib_strrchr, where(strrchr(a, c), a))
C_LIBRARY(lib_memcmp, sign(memcmp(a, b, (size_t)n)))
C_LIBRARY(lib_strcmp, sign(strcmp(a, b)))
C_LIBRARY(lib_strncmp, sign(strncmp(a, b, (size_t)n)))
C_LIBRARY(lib_strcasecmp, sign(strcasecmp(a, b)))

typedef long Fn(const Byte *a, const Byte *b, long n, int c);
static const struct Case { const char *name; Fn *fn; bool endless; } cases[] = {
#define CASE(f, endless) { #f, f, endless }
    CASE(plain_length, true), CASE(plain_find, false), CASE(plain_compare, false),
    CASE(plain_order, true), CASE(plain_before, true), CASE(plain_words, true),
    CASE(plain_pairs, false), CASE(plain_twice, false), CASE(plain_wide, true),
    CASE(plain_wide_order, true), CASE(plain_ascii, true), CASE(plain_less_ones, true),
    CASE(plain_range, true), CASE(plain_same, true), CASE(lib_strlen, true),
    CASE(lib_strnlen, false), CASE(lib_memchr, false), CASE(lib_memrchr, false),
    CASE(lib_rawmemchr, true), CASE(lib_strchr, true), CASE(lib_strrchr, true),
    CASE(lib_memcmp, false), CASE(lib_strcmp, true), CASE(lib_strncmp, false),
    CASE(lib_strcasecmp, true),
};
enum { N_CASES = sizeof cases / sizeof *cases };

static sigjmp_buf off;
static volatile uintptr_t fault;

static void on_fault(int sig, siginfo_t *info, void *context)
{
    fault = (uintptr_t)info->si_addr;
    siglongjmp(off, 1);
}

/* Pages with nothing behind them. */
static Byte *make_pages(void)
{
    Byte *p = mmap(NULL, SIZE + PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    mprotect(p + SIZE, PAGE, PROT_NONE);
    return p;
}

static uint64_t mix(uint64_t h, uint64_t x) { return (h ^ x) * 0x9e3779b97f4a7c15 + (h >> 29); }

/* Text that ends with a 0 in the last byte; from there back, at each length and offset. */
static uint64_t run(Fn *fn, Byte *a, Byte *b, bool high)
{
    uint64_t h = 1;
    for (long i = 0; i < SIZE; i++)
        a[i] = b[i] = (Byte)((high ? 128 : 'b') + i % 20);
    a[SIZE - 1] = b[SIZE - 1] = 0;
    for (long n = 2; n < 2 * PAGE; n += n < 150 ? 1 : n / 5 + 3)
        for (long d = 0; d < 9; d += n < 40 ? 1 : 3) {
            Byte *x = a + SIZE - n, *y = b + SIZE - n - d;
            long at = (n - 1) * 5 / 7;
            memmove(y, x, (size_t)n);
            h = mix(h, (uint64_t)fn(x, y, n, 'a')); /* isn't there */
            h = mix(h, (uint64_t)fn(x, y, n, 'c'));
            Byte was = x[at];
            x[at] = 'a';
            h = mix(h, (uint64_t)fn(x, y, n, 'a'));
            h = mix(h, (uint64_t)fn(y, x, n - at, 'a'));
            x[at] = was;
        }
    return h;
}

static void run_off(const struct Case *t, Byte *a, Byte *b)
{
    memset(a, 'x', SIZE);
    memset(b, 'x', SIZE);
    for (long n = 1; n < 3 * PAGE; n = n * 3 + 16) {
        fault = 0;
        if (!sigsetjmp(off, 1))
            printf("%s returns %ld\n", t->name, t->fn(a + SIZE - n, b + SIZE - n, n + PAGE, 'q'));
        else if (fault != (uintptr_t)(a + SIZE) && fault != (uintptr_t)(b + SIZE))
            printf("%s faults somewhere\n", t->name);
    }
    printf("%s: ran off\n", t->name);
}

static Byte *shared;
static atomic_bool stop;

static void *change(void *arg)
{
    for (unsigned n = 0; !atomic_load_explicit(&stop, memory_order_relaxed); n++) {
        __atomic_store_n(&shared[3000], n & 1 ? 'q' : 'x', __ATOMIC_RELAXED);
        __atomic_store_n(&shared[3001], n & 1 ? 'q' : 'x', __ATOMIC_RELAXED);
    }
    return NULL;
}

/* What a loop says of the byte before the one at which it stops must be what is there, always. */
static void run_with_changes(Byte *a)
{
    pthread_t t;
    shared = a;
    for (long i = 0; i < SIZE; i++)
        a[i] = (Byte)('a' + i % 11);
    memset(a + 3000, 'x', 2);
    a[2999] = 'k';
    a[3002] = 0;
    pthread_create(&t, NULL, change, NULL);
    long wrong = 0;
    for (int r = 0; r < 20000; r++) {
        long v = plain_before(a + r % 50, NULL, 0, 'q'), n = -(v >> 8) / 3 + r % 50, last = v & 255;
        wrong += n == 3000 ? last != 'k' : n == 3001 || n == 3002 ? last != 'x' : 1;
    }
    atomic_store(&stop, true);
    pthread_join(t, NULL);
    printf("wrong with changes: %ld\n", wrong);
}

int main(void)
{
    Byte *a = make_pages(), *b = make_pages();
    struct sigaction act = { .sa_sigaction = on_fault, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &act, NULL);
    for (unsigned n = 0; n < N_CASES; n++)
        for (int high = 0; high < 2; high++)
            printf("%s: %016lx\n", cases[n].name, run(cases[n].fn, a, b, high));
    for (unsigned n = 0; n < N_CASES; n++)
        if (cases[n].endless)
            run_off(&cases[n], a, b);
    run_with_changes(a);
    return 0;
}
