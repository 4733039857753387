/*
 * Runs fragments of code on the processor, or emulator, that runs this program: reads IsaRecords
 * from standard input, writes the IsaState after each. Built for the guest, statically. The whole
 * state is loaded and taken through signal frames: each fragment ends in a trap, whose handler
 * saves the state, puts the next fragment's into its frame and returns into it.
 *
 * Fragments must leave alone what the handler needs: the thread pointer, and RISC-V's gp.
 */
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>
#include <unistd.h>

#include "record.h"

static IsaRecord record;
static bool running;
static uint64_t number;
static uint8_t *const code = (uint8_t *)ISA_CODE_ADDR;
static uint8_t *const data = (uint8_t *)ISA_DATA_ADDR;

static bool transfer(int fd, void *buffer, size_t bytes, bool out)
{
    for (size_t done = 0; done < bytes;) {
        ssize_t n = out ? write(fd, (char *)buffer + done, bytes - done)
                        : read(fd, (char *)buffer + done, bytes - done);
        if (n <= 0)
            return false;
        done += (size_t)n;
    }
    return true;
}

#if defined(__riscv)
static void take_state(const ucontext_t *uc, IsaState *s)
{
    s->pc = uc->uc_mcontext.__gregs[0];
    for (int r = 1; r < 32; r++)
        if (r != 3 && r != 4)
            s->x[r] = uc->uc_mcontext.__gregs[r];
    for (int r = 0; r < 32; r++)
        s->v[r][0] = uc->uc_mcontext.__fpregs.__d.__f[r];
    s->fp_control = uc->uc_mcontext.__fpregs.__d.__fcsr;
}

static void give_state(ucontext_t *uc, const IsaState *s)
{
    uc->uc_mcontext.__gregs[0] = s->pc;
    for (int r = 1; r < 32; r++)
        if (r != 3 && r != 4)
            uc->uc_mcontext.__gregs[r] = s->x[r];
    for (int r = 0; r < 32; r++)
        uc->uc_mcontext.__fpregs.__d.__f[r] = s->v[r][0];
    uc->uc_mcontext.__fpregs.__d.__fcsr = (uint32_t)s->fp_control;
}
#elif defined(__aarch64__)
static struct fpsimd_context *find_fpsimd(ucontext_t *uc)
{
    struct _aarch64_ctx *head = (void *)uc->uc_mcontext.__reserved;
    while (head->magic && head->magic != FPSIMD_MAGIC)
        head = (void *)((char *)head + head->size);
    return (void *)head;
}

static void take_state(ucontext_t *uc, IsaState *s)
{
    struct fpsimd_context *fp = find_fpsimd(uc);
    for (int r = 0; r < 31; r++)
        s->x[r] = uc->uc_mcontext.regs[r];
    s->sp = uc->uc_mcontext.sp;
    s->pc = uc->uc_mcontext.pc;
    s->flags = uc->uc_mcontext.pstate & 0xf0000000;
    memcpy(s->v, fp->vregs, sizeof s->v);
    s->fp_control = fp->fpcr;
    s->fp_status = fp->fpsr;
}

static void give_state(ucontext_t *uc, const IsaState *s)
{
    struct fpsimd_context *fp = find_fpsimd(uc);
    for (int r = 0; r < 31; r++)
        uc->uc_mcontext.regs[r] = s->x[r];
    uc->uc_mcontext.sp = s->sp;
    uc->uc_mcontext.pc = s->pc;
    uc->uc_mcontext.pstate = (uc->uc_mcontext.pstate & ~0xf0000000ull) | s->flags;
    memcpy(fp->vregs, s->v, sizeof s->v);
    fp->fpcr = (uint32_t)s->fp_control;
    fp->fpsr = (uint32_t)s->fp_status;
}
#endif

static void on_stop(int sig, siginfo_t *info, void *context)
{
    ucontext_t *uc = context;
    (void)info;
    if (running) {
        take_state(uc, &record.state);
        memcpy(record.state.mem, data, ISA_MEM_BYTES);
        record.state.stop = (uint32_t)sig;
        if (!transfer(1, &record.state, sizeof record.state, true))
            _exit(2);
    }
    if (!transfer(0, &record, sizeof record, false))
        _exit(0);
    if (!running) {
        size_t bytes = (size_t)record.state.n_code * ISA_CODE_BYTES;
        if (mmap(code, bytes, PROT_READ | PROT_WRITE | PROT_EXEC,
                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
            _exit(3);
        running = true;
    }
    uint8_t *place = code + number++ * ISA_CODE_BYTES;
    memcpy(place, record.code, ISA_CODE_BYTES);
    __builtin___clear_cache((char *)place, (char *)place + ISA_CODE_BYTES);
    memcpy(data, record.state.mem, ISA_MEM_BYTES);
    give_state(uc, &record.state);
}

int main(void)
{
    static uint8_t stack[64 * 1024] __attribute__((aligned(16)));
    stack_t alternative = { .ss_sp = stack, .ss_size = sizeof stack };
    struct sigaction action = { .sa_sigaction = on_stop, .sa_flags = SA_SIGINFO | SA_ONSTACK };
    static const int signals[] = { SIGTRAP, SIGILL, SIGSEGV, SIGBUS, SIGFPE };
    if (mmap(data, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
        MAP_FAILED)
        return 3;
    sigaltstack(&alternative, NULL);
    for (unsigned i = 0; i < sizeof signals / sizeof *signals; i++)
        sigaction(signals[i], &action, NULL);
#if defined(__riscv)
    __asm__ volatile("ebreak");
#else
    __asm__ volatile("brk #0");
#endif
    return 1;
}
