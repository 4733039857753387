/* Loops that copy and fill memory: overlapping, at all alignments, into and out of pages that
 * aren't there, into pages that translated code came from. Volatile accesses are made one by one,
 * in order, so a fault finds the same memory everywhere. */
#include <setjmp.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

typedef volatile uint8_t V8;
typedef volatile uint32_t V32;
typedef volatile uint64_t V64;
#define BIG 65536
#define PAGE 65536 /* of any guest */

/* -- the loops: n bytes, whole words ----------------------------------------------------------- */
static void copy_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
    for (size_t k = 0; k < n; k++)
        ((V8 *)to)[k] = ((V8 *)from)[k];
}

static void copy_pointers(uint8_t *to, const uint8_t *from, size_t n)
{
    V32 *t = (V32 *)to, *f = (V32 *)from;
    for (V32 *end = (V32 *)(to + n); t < end;)
        *t++ = *f++;
}

/* Loads a word before the one before it is stored. */
static void copy_ahead(uint8_t *to, const uint8_t *from, size_t n)
{
    V64 *t = (V64 *)to, *f = (V64 *)from;
    size_t words = n / 8;
    if (!words)
        return;
    uint64_t a = *f++;
    for (; words > 2; words -= 2) {
        uint64_t b = f[0];
        t[0] = a;
        a = f[1];
        t[1] = b;
        f += 2;
        t += 2;
    }
    if (words == 2)
        *t++ = a, a = *f;
    *t = a;
}

/* Puts words together of aligned ones. */
static void copy_shifted(uint8_t *to, const uint8_t *from, size_t n)
{
    uint64_t right = ((uintptr_t)from & 7) * 8, left = 64 - right;
    if (!right) {
        copy_ahead(to, from, n);
        return;
    }
    V64 *t = (V64 *)to, *f = (V64 *)((uintptr_t)from & -8ul);
    uint64_t a = *f++;
    for (size_t words = n / 8; words; words--) {
        uint64_t b = *f++;
        *t++ = a >> right | b << left;
        a = b;
    }
}

static void copy_string(uint8_t *to, const uint8_t *from, size_t n)
{
    V8 *t = to;
    const V8 *f = from;
    (void)n;
    while ((*t++ = *f++))
        ;
}

/* Words that have no 0, each stored when the next one has been looked at. */
static void copy_words(uint8_t *to, const uint8_t *from, size_t n)
{
    const uint64_t ones = 0x0101010101010101, tops = ones << 7;
    V64 *t = (V64 *)to;
    const V64 *f = (const V64 *)from;
    uint64_t a = *f++;
    (void)n;
    if ((a - ones) & ~a & tops)
        return;
    do {
        *t++ = a;
        a = *f++;
    } while (!((a - ones) & ~a & tops));
}

static void copy_to_slash(uint8_t *to, const uint8_t *from, size_t n)
{
    V8 *t = to;
    const V8 *f = from, *end = from + n;
    for (; f < end; f++) {
        uint8_t c = *f;
        if (c == '/')
            break;
        *t++ = c;
    }
}

static void fill_bytes(uint8_t *to, const uint8_t *from, size_t n)
{
    for (V8 *t = to, *end = to + n; t != end; t++)
        *t = (uint8_t)n;
    (void)from;
}

static void fill_words(uint8_t *to, const uint8_t *from, size_t n)
{
    V32 *t = (V32 *)to;
    uint32_t v = (uint32_t)(n * 0x01234567);
    for (size_t k = 0; k < n / 16; k++) {
        t[0] = v;
        t[1] = v;
        t[2] = v;
        t[3] = v;
        t += 4;
    }
    (void)from;
}

/* Two values in turn, and a gap: these aren't fills. */
static void fill_pairs(uint8_t *to, const uint8_t *from, size_t n)
{
    V64 *t = (V64 *)to;
    for (size_t k = 0; k < n / 16; k++, t += 2) {
        t[0] = n;
        t[1] = ~n;
    }
    (void)from;
}

static void fill_every_other(uint8_t *to, const uint8_t *from, size_t n)
{
    V64 *t = (V64 *)to;
    for (size_t k = 0; k < n / 16; k++, t += 2)
        t[0] = n;
    (void)from;
}

typedef void Loop(uint8_t *, const uint8_t *, size_t);
static const struct { const char *name; Loop *run; unsigned word, skew; } loop[] = {
    { "bytes", copy_bytes, 1, 0 }, { "pointers", copy_pointers, 4, 0 },
    { "ahead", copy_ahead, 8, 0 }, { "shifted", copy_shifted, 8, 3 },
    { "string", copy_string, 1, 0 }, { "to slash", copy_to_slash, 1, 0 },
    { "words", copy_words, 8, 0 },
    { "fill bytes", fill_bytes, 1, 0 }, { "fill words", fill_words, 16, 0 },
    { "pairs", fill_pairs, 16, 0 }, { "every other", fill_every_other, 16, 0 },
};
enum { N_LOOPS = sizeof loop / sizeof *loop };

/* -- memory ------------------------------------------------------------------------------------ */
static uint8_t *left, *right; /* BIG bytes each, with nothing before and behind */

static uint8_t *map_between(void)
{
    uint8_t *p = mmap(NULL, BIG + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED || mprotect(p + PAGE, BIG, PROT_READ | PROT_WRITE))
        exit(1);
    return p + PAGE;
}

static void prepare(void)
{
    for (size_t k = 0; k < BIG; k++) {
        left[k] = (uint8_t)(k * 7 + (k >> 8) + 1) | 1; /* neither 0 nor '/' */
        if (left[k] == '/')
            left[k] = 3;
        right[k] = 0;
    }
}

static uint64_t sum(const uint8_t *p)
{
    uint64_t s = 0;
    for (size_t k = 0; k < BIG; k += 8) {
        uint64_t v;
        memcpy(&v, p + k, 8);
        s = (s ^ v) * 0x9e3779b97f4a7c15;
        s ^= s >> 29;
    }
    return s;
}

/* -- faults ------------------------------------------------------------------------------------ */
static sigjmp_buf back;
static uint8_t *volatile fault;

static void handler(int sig, siginfo_t *info, void *context)
{
    (void)sig, (void)context;
    fault = info->si_addr;
    siglongjmp(back, 1);
}

static void run(unsigned k, uint8_t *to, const uint8_t *from, size_t n)
{
    fault = NULL;
    if (!sigsetjmp(back, 1))
        loop[k].run(to, from - loop[k].skew, n);
}

static long place(void)
{
    uint8_t *p = fault;
    return !p ? -1 : p >= left - PAGE && p < left + BIG + PAGE ? p - left : p - right + 1000000;
}

static uint64_t mix(uint64_t s, uint64_t v)
{
    return (s ^ v) * 0x9e3779b97f4a7c15 + (s >> 31);
}

/* What a fault leaves differs where reads aren't done alike: the address is that of the access. */
static void check_faults(unsigned k)
{
    uint64_t s = 1;
    unsigned word = loop[k].word;
    for (unsigned align = 0; align < 16; align += word > 8 ? 8 : word)
        for (unsigned kind = 0; kind < 4; kind++) {
            size_t n = 9000 + 16 * align;
            prepare();
            /* the end of the destination, of the source, of both; and none */
            uint8_t *to = kind == 0 || kind == 2 ? right + BIG - n + 64 + align * 3 / word * word
                                                 : right + align;
            uint8_t *from = kind == 1 || kind == 2 ? left + BIG - n + 32 + align
                                                   : left + 16 + align;
            if (kind == 3)
                from[n - 1] = 0;
            run(k, to, from, n);
            s = mix(mix(s, (uint64_t)place()), mix(sum(left), sum(right)));
        }
    printf("%s: faults %016llx\n", loop[k].name, (unsigned long long)s);
}

/* -- overlap ----------------------------------------------------------------------------------- */
static void check_overlap(unsigned k)
{
    static const int distances[] = { 1, 2, 4, 8, 12, 16, 24, 32, 40, 64, 72, 100, 128, 200, 1000,
                                     4096, 5000 };
    uint64_t s = 1;
    for (unsigned n = 0; n < 2 * sizeof distances / sizeof *distances; n++) {
        int distance = n & 1 ? -distances[n / 2] : distances[n / 2];
        if (distance % (loop[k].word > 8 ? 8 : (int)loop[k].word))
            continue;
        for (unsigned at = 0; at < 16; at += 8) {
            prepare();
            left[20000] = 0;
            left[20001] = '/';
            run(k, left + 8192 + distance + at, left + 8192 + at, 14000);
            s = mix(mix(s, (uint64_t)place()), sum(left));
        }
    }
    printf("%s: overlap %016llx\n", loop[k].name, (unsigned long long)s);
}

static void check_sizes(unsigned k)
{
    uint64_t s = 1;
    for (size_t n = 0; n < 3000; n = n < 300 ? n + 16 : n * 2 - 80) {
        size_t whole = n / loop[k].word * loop[k].word;
        for (unsigned align = 0; align < 16; align += loop[k].word > 8 ? 8 : loop[k].word) {
            prepare();
            left[16 + align + n] = n & 32 ? 0 : '/';
            left[16 + align + n + 64] = 0;
            run(k, right + 4096 - 16 * align - align, left + 16 + align, whole);
            s = mix(mix(s, (uint64_t)place()), sum(right));
        }
    }
    printf("%s: sizes %016llx\n", loop[k].name, (unsigned long long)s);
}

/* -- code -------------------------------------------------------------------------------------- */
__attribute__((noinline, aligned(64))) static int one(int x) { return x + 1; }
__attribute__((noinline, aligned(64))) static int two(int x) { return x + 2; }

static void check_code(void)
{
    uint8_t *code = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE | PROT_EXEC,
                         MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    static uint8_t image[2][8192];
    memcpy(image[0] + 4096, (void *)(uintptr_t)one, 32);
    memcpy(image[1] + 4096, (void *)(uintptr_t)two, 32);
    int s = 0;
    for (int n = 0; n < 40; n++) {
        (n & 2 ? copy_bytes : copy_pointers)(code + 1024, image[n & 1], 8192);
        __builtin___clear_cache((char *)code, (char *)code + 2 * PAGE);
        s = s * 3 + ((int (*)(int))(uintptr_t)(code + 1024 + 4096))(n & 7);
        s &= 0xffffff;
    }
    printf("code %d\n", s);
}

int main(void)
{
    struct sigaction act = { .sa_sigaction = handler, .sa_flags = SA_SIGINFO };
    sigaction(SIGSEGV, &act, NULL);
    sigaction(SIGBUS, &act, NULL);
    left = map_between();
    right = map_between();
    for (unsigned k = 0; k < N_LOOPS; k++) {
        prepare(); /* until it is hot */
        left[BIG - 32] = 0;
        for (int n = 0; n < 60; n++)
            run(k, right, left + 16, BIG - 32);
        check_sizes(k);
        check_overlap(k);
        check_faults(k);
    }
    check_code();
    return 0;
}
