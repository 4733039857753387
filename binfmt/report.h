/*
 * What `doctor` found: lines with a grade, printed as text or JSON.
 */
#ifndef BINFMT_REPORT_H
#define BINFMT_REPORT_H

#include <stdbool.h>

#include <glib.h>

typedef struct Report {
    bool json;
    unsigned problems, lines;
} Report;

void report_begin(Report *r, bool json);
/* It works; something to know; it doesn't work, and what to do. */
void report_ok(Report *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
void report_note(Report *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
void report_problem(Report *r, const char *format, ...) G_GNUC_PRINTF(2, 3);
void report_end(Report *r);

/* A string of JSON, quotes included. */
void json_print_string(const char *s);

#endif
