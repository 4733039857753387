#include "binfmt/report.h"

#include <stdarg.h>
#include <stdio.h>

void json_print_string(const char *s)
{
    putchar('"');
    for (; *s; s++) {
        if (*s == '"' || *s == '\\')
            printf("\\%c", *s);
        else if ((unsigned char)*s < 0x20)
            printf("\\u%04x", (unsigned char)*s);
        else
            putchar(*s);
    }
    putchar('"');
}

static void add(Report *r, const char *grade, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);

    if (r->json) {
        printf("%s{\"grade\": \"%s\", \"text\": ", r->lines ? ",\n  " : "\n  ", grade);
        json_print_string(text);
        putchar('}');
    } else {
        printf("%s: %s\n", grade, text);
    }
    r->lines++;
}

#define REPORT_GRADE(grade)                                                                        \
    void report_##grade(Report *r, const char *format, ...)                                        \
    {                                                                                              \
        va_list args;                                                                              \
        va_start(args, format);                                                                    \
        add(r, #grade, format, args);                                                              \
        va_end(args);                                                                              \
        r->problems += !g_strcmp0(#grade, "problem");                                              \
    }
REPORT_GRADE(ok)
REPORT_GRADE(note)
REPORT_GRADE(problem)

void report_begin(Report *r, bool json)
{
    *r = (Report){.json = json};
    if (json)
        printf("{\"findings\": [");
}

void report_end(Report *r)
{
    if (r->json)
        printf("\n], \"problems\": %u}\n", r->problems);
    else if (r->problems)
        printf("%u problem%s found\n", r->problems, r->problems == 1 ? "" : "s");
    else
        printf("no problem found\n");
}
