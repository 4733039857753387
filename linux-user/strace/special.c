/* data plane */
/* Kinds whose meaning another argument tells, and lists. */
#include <fcntl.h>
#include <linux/futex.h>
#include <sys/wait.h>

#include "linux-user/ioctl/ioctl.h"
#include "linux-user/mem/map.h"
#include "linux-user/strace/print.h"
#include "linux-user/syscalls/convert.h"

void print_ioctl(StraceCall *c, uint64_t nr)
{
    const TableIoctl *io = ioctl_find(c->table, nr);

    if (io) {
        text_put(c->o, table_strings + io->name);
        return;
    }
    /* include/uapi/asm-generic/ioctl.h: direction, size, type, number */
    uint32_t v = nr;
    static const char *const dirs[] = { "_IOC_NONE", "_IOC_WRITE", "_IOC_READ",
                                        "_IOC_READ|_IOC_WRITE" };
    text_put(c->o, "_IOC(");
    text_put(c->o, dirs[v >> 30]);
    text_put(c->o, ", ");
    text_hex(c->o, v >> 8 & 0xff);
    text_put(c->o, ", ");
    text_hex(c->o, v & 0xff);
    text_put(c->o, ", ");
    text_hex(c->o, v >> 16 & 0x3fff);
    text_char(c->o, ')');
}

void print_ioctl_argument(StraceCall *c, uint64_t nr, uint64_t arg)
{
    const TableIoctl *io = ioctl_find(c->table, nr);

    if (!io || io->kind == TABLE_NONE) {
        text_hex(c->o, arg);
    } else if (io->dir == TABLE_VALUE) {
        if (io->kind == TABLE_STR)
            print_string(c, arg);
        else
            print_value(c, io->kind, io->ref, arg);
    } else if (io->dir == TABLE_OUT && c->leaving && c->ret < 0) {
        print_address(c, arg);
    } else if (io->kind == TABLE_STRUCT) {
        print_struct(c, io->ref, arg);
    } else {
        bool is_signed = io->kind == TABLE_I32 || io->kind == TABLE_I64 || io->kind == TABLE_LONG;
        unsigned bytes = io->kind <= TABLE_U8    ? 1
                         : io->kind <= TABLE_U16 ? 2
                         : io->kind <= TABLE_U32 ? 4
                         : io->kind <= TABLE_U64 ? 8
                                                 : c->table->word_bytes;
        uint64_t v;
        for (unsigned i = 0; i < io->count; i++) {
            if (!print_load(c, arg + i * bytes, bytes, is_signed, &v)) {
                print_address(c, arg);
                return;
            }
            text_put(c->o, i ? ", " : "[");
            text_dec(c->o, v);
        }
        text_char(c->o, ']');
    }
}

void print_fcntl_argument(StraceCall *c, uint64_t cmd, uint64_t arg)
{
    switch (convert_set_to_host(c->table, TABLE_SET_FCNTL, (uint32_t)cmd)) {
    case F_SETFL: print_flags(c, TABLE_SET_OPEN, (uint32_t)arg); break;
    case F_SETFD: print_flags(c, TABLE_SET_FD_FLAGS, (uint32_t)arg); break;
    case F_GETLK:
    case F_SETLK:
    case F_SETLKW:
    case F_OFD_GETLK:
    case F_OFD_SETLK:
    case F_OFD_SETLKW: print_struct(c, TABLE_STRUCT_FLOCK, arg); break;
    case F_SETOWN_EX:
    case F_GETOWN_EX: print_struct(c, TABLE_STRUCT_F_OWNER_EX, arg); break;
    case F_ADD_SEALS: print_flags(c, TABLE_SET_SEALS, (uint32_t)arg); break;
    case F_SETSIG: print_signal(c, arg); break;
    case F_SETLEASE:
        if (!print_value_name(c, TABLE_SET_LOCK_TYPE, arg))
            text_hex(c->o, arg);
        break;
    default: text_dec(c->o, (int32_t)arg);
    }
}

void print_futex_op(StraceCall *c, uint64_t op)
{
    uint64_t base = (uint32_t)op & ~(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

    if (!print_value_name(c, TABLE_SET_FUTEX, base))
        text_hex(c->o, base);
    if (op & FUTEX_PRIVATE_FLAG)
        text_put(c->o, "_PRIVATE");
    if (op & FUTEX_CLOCK_REALTIME)
        text_put(c->o, "|FUTEX_CLOCK_REALTIME");
}

void print_futex_argument(StraceCall *c, uint64_t op, uint64_t arg)
{
    switch (op & FUTEX_CMD_MASK) {
    case FUTEX_WAIT:
    case FUTEX_LOCK_PI:
    case FUTEX_LOCK_PI2:
    case FUTEX_WAIT_BITSET:
    case FUTEX_WAIT_REQUEUE_PI: print_struct(c, TABLE_STRUCT_TIMESPEC, arg); break;
    default: text_hex(c->o, arg);
    }
}

void print_sigaction(StraceCall *c, GuestAddr a)
{
    const TableLayout *l = &c->table->layouts[TABLE_STRUCT_SIGACTION];
    uint8_t guest[64];

    if (!a || l->guest_bytes > sizeof guest || !mem_read(guest, a, l->guest_bytes)) {
        print_address(c, a);
        return;
    }
    /* The fields are handler, flags, maybe a restorer, mask; strace's order is another. */
    const TableField *f = &table_fields[l->first], *mask = f + l->n - 1;
    uint64_t handler = convert_load(c->table, guest, f->guest_bytes, false);
    uint64_t flags = convert_load(c->table, guest + f[1].guest_offset, f[1].guest_bytes, false);
    text_put(c->o, "{sa_handler=");
    if (handler <= 1)
        text_put(c->o, handler ? "SIG_IGN" : "SIG_DFL");
    else
        print_address(c, handler);
    text_put(c->o, ", sa_mask=");
    print_sigset(c, a + mask->guest_offset, 8);
    text_put(c->o, ", sa_flags=");
    print_flags(c, f[1].ref, flags);
    if (l->n == 4 && flags & 0x04000000) { /* SA_RESTORER */
        text_put(c->o, ", sa_restorer=");
        print_address(c,
                      convert_load(c->table, guest + f[2].guest_offset, f[2].guest_bytes, false));
    }
    text_char(c->o, '}');
}

/* pselect6's last argument: { sigset *, size } */
void print_sigarg(StraceCall *c, GuestAddr a)
{
    unsigned word = c->table->word_bytes;
    uint64_t set, bytes;

    if (!a || !print_load(c, a, word, false, &set) ||
        !print_load(c, a + word, word, false, &bytes)) {
        print_address(c, a);
        return;
    }
    text_put(c->o, "{sigmask=");
    print_sigset(c, set, bytes);
    text_put(c->o, ", sigsetsize=");
    text_udec(c->o, bytes);
    text_char(c->o, '}');
}

/* struct sigevent: { union sigval (a word), int signo, int notify, union } */
void print_sigevent(StraceCall *c, GuestAddr a)
{
    unsigned word = c->table->word_bytes;
    uint64_t value, signo, notify;

    if (!a || !print_load(c, a, word, false, &value) || !print_load(c, a + word, 4, true, &signo) ||
        !print_load(c, a + word + 4, 4, true, &notify)) {
        print_address(c, a);
        return;
    }
    text_put(c->o, "{sigev_value={sival_int=");
    text_dec(c->o, (int32_t)value);
    text_put(c->o, ", sival_ptr=");
    print_address(c, value);
    text_put(c->o, "}, sigev_signo=");
    print_signal(c, signo);
    text_put(c->o, ", sigev_notify=");
    print_value(c, TABLE_VALUES, TABLE_SET_SIGEV_NOTIFY, notify);
    text_char(c->o, '}');
}

void print_strings(StraceCall *c, GuestAddr a, bool count_only)
{
    unsigned word = c->table->word_bytes;
    uint64_t s = 0;
    unsigned n = 0;

    if (!a || !print_load(c, a, word, false, &s)) {
        print_address(c, a);
        return;
    }
    if (count_only) {
        while (n < 1 << 20 && print_load(c, a + (uint64_t)n * word, word, false, &s) && s)
            n++;
        print_address(c, a);
        text_put(c->o, " /* ");
        text_udec(c->o, n);
        text_put(c->o, n == 1 ? " var */" : " vars */");
        return;
    }
    text_char(c->o, '[');
    for (; print_load(c, a, word, false, &s) && s; a += word, n++) {
        if (n)
            text_put(c->o, ", ");
        if (n == STRACE_ELEMENTS) {
            text_put(c->o, "...");
            break;
        }
        print_string(c, s);
    }
    text_char(c->o, ']');
}

void print_wstatus(StraceCall *c, GuestAddr a)
{
    uint64_t v;

    if (!a || c->ret == 0 || !print_load(c, a, 4, true, &v)) {
        print_address(c, a);
        return;
    }
    int s = v;
    if (WIFEXITED(s)) {
        text_put(c->o, "[{WIFEXITED(s) && WEXITSTATUS(s) == ");
        text_dec(c->o, WEXITSTATUS(s));
    } else if (WIFSTOPPED(s)) {
        text_put(c->o, "[{WIFSTOPPED(s) && WSTOPSIG(s) == ");
        print_signal(c, WSTOPSIG(s));
    } else if (WIFCONTINUED(s)) {
        text_put(c->o, "[{WIFCONTINUED(s)");
    } else {
        text_put(c->o, "[{WIFSIGNALED(s) && WTERMSIG(s) == ");
        print_signal(c, WTERMSIG(s));
        if (WCOREDUMP(s))
            text_put(c->o, " && WCOREDUMP(s)");
    }
    text_put(c->o, "}]");
}

/* struct linux_dirent64: { u64 ino; i64 off; u16 reclen; u8 type; name } */
void print_dirents(StraceCall *c, GuestAddr a, uint64_t bytes)
{
    uint64_t reclen;
    unsigned n = 0;

    for (uint64_t at = 0;
         at + 19 <= bytes && print_load(c, a + at + 16, 2, false, &reclen) && reclen; at += reclen)
        n++;
    print_address(c, a);
    text_put(c->o, " /* ");
    text_udec(c->o, n);
    text_put(c->o, n == 1 ? " entry */" : " entries */");
}

/* Bit numbers of a set kept in words of the guest's order. */
static void print_bits(StraceCall *c, GuestAddr a, uint64_t n)
{
    unsigned word = c->table->word_bytes;
    uint64_t v = 0;
    bool any = false;

    if (!a || !print_load(c, a, word, false, &v)) {
        print_address(c, a);
        return;
    }
    text_char(c->o, '[');
    for (uint64_t i = 0; i < n && i < 65536; i++) {
        if (i % (8 * word) == 0 && !print_load(c, a + i / 8, word, false, &v))
            break;
        if (!(v >> i % (8 * word) & 1))
            continue;
        if (any)
            text_char(c->o, ' ');
        any = true;
        text_udec(c->o, i);
    }
    text_char(c->o, ']');
}

void print_fdset(StraceCall *c, GuestAddr a, uint64_t n)
{
    print_bits(c, a, (int32_t)n < 0 ? 0 : n);
}
void print_cpuset(StraceCall *c, GuestAddr a, uint64_t bytes) { print_bits(c, a, bytes * 8); }
