/* data plane */
#include "linux-user/strace/strace.h"

#include <fcntl.h>
#include <stdatomic.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "linux-user/signal/host-syscall.h"
#include "linux-user/strace/print.h"
#include "linux-user/syscalls/convert.h"
#include "linux-user/syscalls/dispatch.h"

/* Shared with forked children. */
typedef struct Strace {
    atomic_int partial; /* the tid whose line is unfinished, or 0 */
} Strace;

static Strace *strace_state(Process *p)
{
    if (!p->strace) {
        long at = host_raw(HOST_NR_MMAP, 0, sizeof(Strace), PROT_READ | PROT_WRITE,
                           MAP_SHARED | MAP_ANONYMOUS, -1, 0);
        /* Two threads at once would both make one: the first call of a program is one thread's. */
        if (at > 0)
            p->strace = (Strace *)at;
    }
    return p->strace;
}

static void begin_line(StraceText *o, pid_t tid)
{
    text_char(o, '[');
    text_dec(o, tid);
    text_put(o, "] ");
}

/* Ends another's unfinished line. */
static void end_partial(StraceText *o, int who, pid_t tid)
{
    if (who && who != tid)
        text_put(o, " <unfinished ...>\n");
}

static void write_text(const StraceText *o) { log_block(o->buf, o->n); }

static const char *call_name(const TableCall *call)
{
    return table_strings + table_protos[call->proto].name;
}

static bool call_is(const TableCall *call, const char *name)
{
    return call && strcmp(call_name(call), name) == 0;
}

/* Arguments from the first that the call writes on are printed when it returns. */
static unsigned arguments_on_entry(const TableProto *p)
{
    const StraceCall c = { .proto = p };

    if (print_is_wait(&c))
        return p->n_args;
    for (unsigned i = 0; i < p->n_args; i++) {
        const TableArg *a = &table_args[p->args + i];
        if (a->dir == TABLE_OUT || a->dir == TABLE_IO || a->kind == TABLE_IOCTLARG ||
            a->kind == TABLE_FCNTLARG)
            return i;
    }
    return p->n_args;
}

/* A mode counts only where a file is made. */
static bool argument_counts(StraceCall *c, unsigned i)
{
    const TableArg *a = &table_args[c->proto->args + i];

    if (a->kind == TABLE_MODE && a->count_kind == TABLE_BY_ARG)
        return convert_set_to_host(c->table, TABLE_SET_OPEN, c->args[a->count]) &
               (O_CREAT | (O_TMPFILE & ~O_DIRECTORY));
    if (a->kind == TABLE_FCNTLARG) {
        int cmd = c->args[1];
        return cmd != F_GETFD && cmd != F_GETFL && cmd != F_GETOWN && cmd != F_GETSIG &&
               cmd != F_GETLEASE && cmd != F_GETPIPE_SZ && cmd != F_GET_SEALS;
    }
    if (a->kind == TABLE_DEV && a->count_kind == TABLE_BY_ARG)
        return S_ISCHR(c->args[a->count]) || S_ISBLK(c->args[a->count]);
    return a->kind != TABLE_POSHI;
}

/* What futex takes depends on its operation. */
static unsigned argument_total(StraceCall *c)
{
    if (strcmp(table_strings + c->proto->name, "futex") != 0)
        return c->proto->n_args;
    switch (c->args[1] & 0x7f) {
    case 0: return 4;          /* WAIT */
    case 1: return 3;          /* WAKE */
    case 6: case 13: return 4; /* LOCK_PI, LOCK_PI2 */
    case 7: case 8: return 2;  /* UNLOCK_PI, TRYLOCK_PI */
    case 3: return 5;          /* REQUEUE */
    default: return 6;
    }
}

static void print_arguments(StraceCall *c, unsigned first, unsigned end)
{
    unsigned total = argument_total(c);

    for (unsigned i = first; i < end && i < total; i++) {
        if (!argument_counts(c, i))
            continue;
        if (i)
            text_put(c->o, ", ");
        print_argument(c, i);
    }
}

/* Commands of fcntl that give flags. */
static bool print_fcntl_result(StraceCall *c)
{
    static const struct { int cmd; uint16_t set; const char *what; } rows[] = {
        { F_GETFL, TABLE_SET_OPEN, " (flags " },
        { F_GETFD, TABLE_SET_FD_FLAGS, " (flags " },
        { F_GET_SEALS, TABLE_SET_SEALS, " (seals " },
    };

    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (rows[i].cmd != (int)c->args[1])
            continue;
        text_hex(c->o, c->ret);
        if (c->ret || rows[i].cmd == F_GETFL) {
            text_put(c->o, rows[i].what);
            print_flags(c, rows[i].set, c->ret);
            text_char(c->o, ')');
        }
        return true;
    }
    return false;
}

static void print_result(StraceCall *c, const TableCall *call)
{
    static const struct { long code; const char *name; } restarts[] = {
        { -SYSCALL_RESTARTSYS, "ERESTARTSYS (To be restarted if SA_RESTART is set)" },
        { -SYSCALL_RESTARTNOINTR, "ERESTARTNOINTR (To be restarted)" },
        { -SYSCALL_RESTARTNOHAND, "ERESTARTNOHAND (To be restarted if no handler)" },
        { -SYSCALL_RESTART_BLOCK, "ERESTART_RESTARTBLOCK (Interrupted by signal)" },
        { -SYSCALL_NO_RESULT, "(registers restored)" },
    };
    const TableProto *p = c->proto;

    for (unsigned i = 0; i < sizeof restarts / sizeof *restarts; i++) {
        if (c->ret == restarts[i].code) {
            text_put(c->o, "? ");
            text_put(c->o, restarts[i].name);
            return;
        }
    }
    if (c->ret < 0 && c->ret > -4096) {
        text_put(c->o, "-1 ");
        if (!print_value_name(c, TABLE_SET_ERRNO, -c->ret))
            text_dec(c->o, -c->ret);
        const char *text = strerrordesc_np(
            convert_set_to_host(c->table, TABLE_SET_ERRNO, -c->ret));
        if (text) {
            text_put(c->o, " (");
            text_put(c->o, text);
            text_char(c->o, ')');
        }
    } else if (call_is(call, "fcntl") && print_fcntl_result(c)) {
        return;
    } else if (p && (p->ret == TABLE_ADDR || p->ret == TABLE_HEX || p->ret == TABLE_OCTAL)) {
        print_value(c, p->ret, p->ret_ref, c->ret);
    } else {
        text_dec(c->o, c->ret);
    }
}

static void print_unknown(StraceText *o, uint64_t nr, const uint64_t *args)
{
    text_put(o, "syscall_");
    text_hex(o, nr);
    for (unsigned i = 0; i < 6; i++) {
        text_put(o, i ? ", " : "(");
        text_hex(o, args[i]);
    }
}

static void strace_enter(Thread *t, const TableCall *call, uint64_t nr, const uint64_t *args,
                  StraceOld *old)
{
    StraceText o = { 0 };
    StraceCall c = { .o = &o, .thread = t, .table = t->process->abi->syscalls, .args = args };
    Strace *s = strace_state(t->process);
    /* These don't come back, or not here: their line ends now. */
    bool exec = call_is(call, "execve") || call_is(call, "execveat");
    bool end = call_is(call, "exit") || call_is(call, "exit_group");
    int who = s ? atomic_exchange_explicit(&s->partial, exec || end ? 0 : t->tid,
                                           memory_order_relaxed)
                : 0;

    end_partial(&o, who, t->tid);
    begin_line(&o, t->tid);
    if (!call || call->how == TABLE_UNKNOWN) {
        print_unknown(&o, nr, args);
    } else {
        c.proto = &table_protos[call->proto];
        print_remember(&c, old);
        text_put(&o, call_name(call));
        text_char(&o, '(');
        print_arguments(&c, 0, arguments_on_entry(c.proto));
        if (exec)
            text_put(&o, " <unfinished ...>\n");
        else if (end)
            text_put(&o, ") = ?\n");
    }
    write_text(&o);
}

static void strace_exit(Thread *t, const TableCall *call, uint64_t nr, const uint64_t *args,
                 const StraceOld *old, long ret)
{
    StraceText o = { 0 };
    StraceCall c = { .o = &o, .thread = t, .table = t->process->abi->syscalls, .args = args,
                     .ret = ret, .leaving = true, .old = old };
    Strace *s = strace_state(t->process);
    bool known = call && call->how != TABLE_UNKNOWN;

    /* Their lines have ended. */
    if (call_is(call, "exit") || call_is(call, "exit_group"))
        return;
    /* A new process's way out of clone() belongs to the parent's line. */
    if (ret == 0 && (call_is(call, "clone") || call_is(call, "clone3") || call_is(call, "fork") ||
                     call_is(call, "vfork")))
        return;
    int who = s ? atomic_exchange_explicit(&s->partial, 0, memory_order_relaxed) : t->tid;
    if (who != t->tid) {
        end_partial(&o, who, t->tid);
        begin_line(&o, t->tid);
        text_put(&o, "<... ");
        text_put(&o, known ? call_name(call) : "syscall");
        text_put(&o, " resumed>");
    }
    if (known) {
        c.proto = &table_protos[call->proto];
        unsigned first = arguments_on_entry(c.proto);
        if (who != t->tid && first == 0)
            text_char(&o, ' ');
        print_arguments(&c, first, c.proto->n_args);
    }
    text_put(&o, ") = ");
    print_result(&c, call);
    if (known && print_is_wait(&c))
        print_ready(&c);
    text_char(&o, '\n');
    write_text(&o);
}

long strace_call(Thread *t, const TableCall *call, uint64_t nr,
                 long (*run)(Thread *t, const TableCall *call, uint64_t nr))
{
    StraceOld old = { 0 };
    uint64_t args[6]; /* a signal's handler may make calls before this one's line is done */

    memcpy(args, t->syscall_args, sizeof args);
    strace_enter(t, call, nr, args, &old);
    long ret = run(t, call, nr);
    strace_exit(t, call, nr, args, &old, ret);
    return ret;
}

void strace_signal(Thread *t, const siginfo_t *info)
{
    StraceText o = { 0 };
    StraceCall c = { .o = &o, .thread = t, .table = t->process->abi->syscalls };
    Strace *s = strace_state(t->process);
    int who = s ? atomic_exchange_explicit(&s->partial, 0, memory_order_relaxed) : 0;

    end_partial(&o, who, 0);
    begin_line(&o, t->tid);
    text_put(&o, "--- ");
    print_signal(&c, info->si_signo);
    text_put(&o, " {si_signo=");
    print_signal(&c, info->si_signo);
    text_put(&o, ", si_code=");
    bool child = info->si_signo == SIGCHLD && info->si_code > 0;
    print_si_code(&c, info->si_signo, info->si_code);
    if (info->si_code <= 0 || child) {
        text_put(&o, ", si_pid=");
        text_dec(&o, info->si_pid);
        text_put(&o, ", si_uid=");
        text_udec(&o, info->si_uid);
    }
    if (child) {
        text_put(&o, ", si_status=");
        if (info->si_code == CLD_EXITED)
            text_dec(&o, info->si_status);
        else
            print_signal(&c, info->si_status);
        text_put(&o, ", si_utime=");
        text_dec(&o, info->si_utime);
        text_put(&o, ", si_stime=");
        text_dec(&o, info->si_stime);
    } else if (info->si_code > 0) {
        text_put(&o, ", si_addr=");
        print_address(&c, (uintptr_t)info->si_addr);
    }
    text_put(&o, "} ---\n");
    write_text(&o);
}

void strace_end(Thread *t, int status, int sig)
{
    StraceText o = { 0 };
    StraceCall c = { .o = &o, .thread = t, .table = t->process->abi->syscalls };

    begin_line(&o, t->tid);
    if (sig) {
        text_put(&o, "+++ killed by ");
        print_signal(&c, sig);
    } else {
        text_put(&o, "+++ exited with ");
        text_dec(&o, status);
    }
    text_put(&o, " +++\n");
    write_text(&o);
}
