/*
 * The first stack: strings, auxiliary vector, environment, arguments, as every Linux program
 * finds them (Linux, fs/binfmt_elf.c, create_elf_tables; System V ABI).
 */
#include <elf.h>
#include <inttypes.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/resource.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/load/load.h"
#include "linux-user/load/random.h"
#include "linux-user/mem/map.h"
#include "linux-user/options.h"

enum { MAX_AUX = 32 };
#define STACK_DEFAULT_BYTES (UINT64_C(8) << 20)
#ifndef AT_RSEQ_FEATURE_SIZE
#define AT_RSEQ_FEATURE_SIZE 27
#define AT_RSEQ_ALIGN 28
#endif
#ifndef AT_MINSIGSTKSZ
#define AT_MINSIGSTKSZ 51
#endif

typedef struct AuxPair {
    uint64_t type, value;
} AuxPair;

typedef struct StackWriter {
    GuestAddr at; /* grows downwards */
    bool failed;
} StackWriter;

static GuestAddr push(StackWriter *w, const void *bytes, size_t n)
{
    w->at -= n;
    if (!mem_write(w->at, bytes, n))
        w->failed = true;
    return w->at;
}

static GuestAddr push_string(StackWriter *w, const char *s) { return push(w, s, strlen(s) + 1); }

/* Strings in order, so that they are contiguous for /proc/self/cmdline; their addresses. */
static GuestAddr *push_strings(StackWriter *w, char **strings, size_t *ret_n)
{
    size_t n = g_strv_length(strings);
    GuestAddr *at = g_new(GuestAddr, n + 1);
    for (size_t i = n; i-- > 0;)
        at[i] = push_string(w, strings[i]);
    at[n] = 0;
    *ret_n = n;
    return at;
}

static size_t make_auxv(Process *p, const ElfImage *image, GuestAddr random, GuestAddr platform,
                        GuestAddr execfn, AuxPair *aux)
{
    const void *model = translator_cpu_model(p->translator);
    size_t n = 0;
#define AUX(t, v) aux[n++] = (AuxPair){(t), (v)}
    if (p->abi->min_sigstack_bytes)
        AUX(AT_MINSIGSTKSZ, p->abi->min_sigstack_bytes);
    AUX(AT_SYSINFO_EHDR, p->vdso);
    AUX(AT_HWCAP, p->abi->hwcap(model, 0));
    AUX(AT_PAGESZ, p->mem->page);
    AUX(AT_CLKTCK, 100);
    AUX(AT_PHDR, image->phdr);
    AUX(AT_PHENT, sizeof(Elf64_Phdr));
    AUX(AT_PHNUM, image->phnum);
    AUX(AT_BASE, p->interp_base);
    AUX(AT_FLAGS, 0);
    AUX(AT_ENTRY, image->entry);
    AUX(AT_UID, getuid());
    AUX(AT_EUID, geteuid());
    AUX(AT_GID, getgid());
    AUX(AT_EGID, getegid());
    AUX(AT_SECURE, getauxval(AT_SECURE));
    AUX(AT_RANDOM, random);
    AUX(AT_HWCAP2, p->abi->hwcap(model, 1));
    AUX(AT_EXECFN, execfn);
    if (getauxval(AT_RSEQ_FEATURE_SIZE)) {
        AUX(AT_RSEQ_FEATURE_SIZE, getauxval(AT_RSEQ_FEATURE_SIZE));
        AUX(AT_RSEQ_ALIGN, getauxval(AT_RSEQ_ALIGN));
    }
    if (platform)
        AUX(AT_PLATFORM, platform);
    AUX(AT_NULL, 0);
#undef AUX
    return n;
}

static bool map_stack(Process *p, GuestAddr *ret_top, GError **error)
{
    struct rlimit limit;
    uint64_t bytes = STACK_DEFAULT_BYTES;
    if (p->options->stack_bytes)
        bytes = p->options->stack_bytes;
    else if (getrlimit(RLIMIT_STACK, &limit) == 0)
        bytes = limit.rlim_cur;
    int prot = PROT_READ | PROT_WRITE | (p->stack_exec ? PROT_EXEC : 0);
    return mem_stack_reserve(p, bytes, prot, ret_top) ||
           load_error(error, LOAD_FAILED, "no room for a stack of %" PRIu64 " bytes", bytes);
}

bool load_stack(Process *p, const LoadProgram *program, const ElfImage *image, GError **error)
{
    StackWriter w;
    AuxPair aux[MAX_AUX];
    uint8_t random[16];
    if (!map_stack(p, &w.at, error))
        return false;
    p->stack_top = w.at;
    w.failed = false;
    push(&w, &(uint64_t){0}, 8);
    GuestAddr execfn = push_string(&w, program->path);
    size_t argc, envc;
    p->env_end = w.at;
    GuestAddr *env = push_strings(&w, program->envp, &envc);
    p->env_start = p->arg_end = w.at;
    GuestAddr *arg = push_strings(&w, program->argv, &argc);
    p->arg_start = w.at;
    GuestAddr platform = p->abi->platform ? push_string(&w, p->abi->platform) : 0;
    load_random_bytes(p, random, sizeof random);
    GuestAddr random_at = push(&w, random, sizeof random);
    size_t n_aux = make_auxv(p, image, random_at, platform, execfn, aux);
    size_t below = n_aux * sizeof *aux + (envc + 1 + argc + 1 + 1) * sizeof(GuestAddr);
    w.at = ((w.at - below) & ~UINT64_C(15)) + below;
    p->auxv_start = push(&w, aux, n_aux * sizeof *aux);
    p->auxv_bytes = (uint32_t)(n_aux * sizeof *aux);
    push(&w, env, (envc + 1) * sizeof *env);
    push(&w, arg, (argc + 1) * sizeof *arg);
    push(&w, &(uint64_t){argc}, 8);
    p->start_sp = w.at;
    g_free(env);
    g_free(arg);
    return !w.failed || load_error(error, LOAD_FAILED, "%s: arguments and environment don't fit "
                                   "on the stack", program->path);
}
