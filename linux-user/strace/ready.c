/* data plane */
/* poll and select: what they wait for is printed when they are entered, what they found behind the
 * result, as strace(1) does. */
#include <string.h>

#include "linux-user/mem/map.h"
#include "linux-user/strace/print.h"
#include "linux-user/syscalls/convert.h"

static bool is_named(const StraceCall *c, const char *a, const char *b)
{
    const char *name = table_strings + c->proto->name;
    return strcmp(name, a) == 0 || strcmp(name, b) == 0;
}

static bool is_poll(const StraceCall *c) { return is_named(c, "poll", "ppoll"); }
static bool is_select(const StraceCall *c) { return is_named(c, "pselect6", "pselect6_time64"); }
bool print_is_wait(const StraceCall *c) { return is_poll(c) || is_select(c); }

enum { POLLFD_BYTES = 8 }; /* i32 fd, i16 events, i16 revents, everywhere */

/* [{fd=3, events=POLLIN}, …]; when leaving, those with revents only. */
void print_pollfds(StraceCall *c, GuestAddr a, uint64_t n)
{
    uint64_t fd, events, revents;
    unsigned shown = 0;

    if (!a || (n && !print_load(c, a, 4, true, &fd))) {
        print_address(c, a);
        return;
    }
    text_char(c->o, '[');
    for (uint64_t i = 0; i < n; i++, a += POLLFD_BYTES) {
        if (!print_load(c, a, 4, true, &fd) || !print_load(c, a + 4, 2, false, &events) ||
            !print_load(c, a + 6, 2, false, &revents) || shown == STRACE_ELEMENTS) {
            text_put(c->o, shown ? ", ..." : "...");
            break;
        }
        if (c->leaving && !revents)
            continue;
        text_put(c->o, shown++ ? ", {fd=" : "{fd=");
        text_dec(c->o, fd);
        text_put(c->o, c->leaving ? ", revents=" : ", events=");
        print_flags(c, TABLE_SET_POLL, c->leaving ? revents : events);
        text_char(c->o, '}');
    }
    text_char(c->o, ']');
}

/* A separator: the first opens the bracket. */
static void part(StraceCall *c, bool *open, const char *name)
{
    text_put(c->o, *open ? ", " : " (");
    *open = true;
    text_put(c->o, name);
}

void print_ready(StraceCall *c)
{
    static const char *const names[] = { "in ", "out ", "except " };
    GuestAddr timeout = c->args[is_poll(c) ? 2 : 4];
    bool open = false;

    if (c->ret < 0)
        return;
    if (c->ret == 0)
        part(c, &open, "Timeout");
    else if (is_poll(c)) {
        part(c, &open, "");
        print_pollfds(c, c->args[0], (uint32_t)c->args[1]);
    } else {
        for (unsigned i = 0; i < 3; i++) {
            if (!c->args[1 + i])
                continue;
            size_t before = c->o->n;
            bool was_open = open;
            part(c, &open, names[i]);
            size_t at = c->o->n;
            print_fdset(c, c->args[1 + i], (uint32_t)c->args[0]);
            /* An empty set isn't told. */
            if (c->o->n == at + 2) {
                c->o->n = before;
                open = was_open;
            }
        }
    }
    /* poll's own timeout is a number. */
    if (c->ret > 0 && timeout && strcmp(table_strings + c->proto->name, "poll") != 0) {
        part(c, &open, "left ");
        print_struct(c, TABLE_STRUCT_TIMESPEC, timeout);
    }
    if (open)
        text_char(c->o, ')');
}
