/*
 * What a file is, by its first bytes.
 */
#include <elf.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>

#include <glib.h>

#include "linux-user/load/load.h"

static const GuestAbi *const abis[] = {&abi_aarch64, &abi_riscv64};

static GQuark load_quark(void) { return g_quark_from_static_string("calque-load"); }

void load_set_error(GError **error, LoadError code, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    GError *e = g_error_new_valist(load_quark(), (int)code, format, args);
    va_end(args);
    g_propagate_error(error, e);
}

int load_exit_status(const GError *error)
{
    return g_error_matches(error, load_quark(), LOAD_NOT_FOUND) ? 127 : 126;
}

bool load_read_head(int fd, LoadHead *ret)
{
    memset(ret, 0, sizeof *ret);
    /* One byte less: a script's line gets its NUL. */
    ssize_t n = pread(fd, ret->bytes, sizeof ret->bytes - 1, 0);
    if (n < 0)
        return false;
    load_classify(ret, (size_t)n);
    return true;
}

void load_classify(LoadHead *ret, size_t n)
{
    ret->n = (size_t)n;
    ret->kind = LOAD_UNKNOWN;
    if (n >= 20 && !memcmp(ret->bytes, ELFMAG, SELFMAG)) {
        ret->kind = LOAD_ELF;
        ret->elf_class = ret->bytes[EI_CLASS];
        ret->elf_data = ret->bytes[EI_DATA];
        ret->machine = ret->elf_data == ELFDATA2MSB
                           ? (uint16_t)(ret->bytes[18] << 8 | ret->bytes[19])
                           : (uint16_t)(ret->bytes[19] << 8 | ret->bytes[18]);
    } else if (n >= 2 && ret->bytes[0] == '#' && ret->bytes[1] == '!') {
        ret->kind = LOAD_SCRIPT;
    }
}

const GuestAbi *load_find_abi(const LoadHead *head)
{
    for (size_t i = 0; head->kind == LOAD_ELF && i < G_N_ELEMENTS(abis); i++)
        if (abis[i]->elf_machine == head->machine &&
            head->elf_class == (abis[i]->word_bytes == 8 ? ELFCLASS64 : ELFCLASS32) &&
            head->elf_data == (abis[i]->big_endian ? ELFDATA2MSB : ELFDATA2LSB))
            return abis[i];
    return NULL;
}

const GuestAbi *load_abi_by_name(const char *name)
{
    for (size_t i = 0; i < G_N_ELEMENTS(abis); i++)
        if (!strcmp(abis[i]->name, name))
            return abis[i];
    return NULL;
}

bool load_is_host(const LoadHead *head)
{
#if defined __x86_64__
    return head->kind == LOAD_ELF && head->elf_data == ELFDATA2LSB &&
           (head->machine == EM_X86_64 || head->machine == EM_386);
#elif defined __aarch64__
    return head->kind == LOAD_ELF && head->elf_data == ELFDATA2LSB && head->machine == EM_AARCH64;
#else
#error "what ELF files does this host run?"
#endif
}

/* As fs/binfmt_script.c: blanks around, one argument with its inner blanks, cut at the end of what
 * was read only if the interpreter's name ended before. */
bool load_parse_script(LoadHead *head, char **ret_interpreter, char **ret_argument)
{
    char *line = (char *)head->bytes + 2, *end = memchr(line, '\n', head->n - 2);
    char *limit = (char *)head->bytes + head->n;
    bool cut = !end;
    if (!end)
        end = limit;
    *end = 0;
    while (end > line && (end[-1] == ' ' || end[-1] == '\t'))
        *--end = 0;
    line += strspn(line, " \t");
    size_t n = strcspn(line, " \t");
    if (!n || (cut && line + n >= limit && head->n == sizeof head->bytes - 1))
        return false;
    *ret_interpreter = line;
    *ret_argument = NULL;
    if (line[n]) {
        line[n] = 0;
        line += n + 1;
        line += strspn(line, " \t");
        if (*line)
            *ret_argument = line;
    }
    return true;
}
