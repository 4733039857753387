/*
 * calque-binfmt: tells the kernel to run foreign programs by calque, and why it doesn't.
 */
#include "config.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <glib.h>

#include "binfmt/doctor.h"
#include "binfmt/emulator.h"
#include "binfmt/export.h"
#include "binfmt/registry.h"

enum { EXIT_PROBLEM = 1, EXIT_USAGE = 2 };

typedef struct Settings {
    char *dir, *root, *emulator_path, *flags, *interpreter, *export_format;
    char *install, *uninstall; /* lists with commas, as images that register are told */
    gboolean json, version, no_credentials;
    char **words;
    Emulator *emulator;
} Settings;

static _Noreturn void fail(int status, const char *message)
{
    fprintf(stderr, "calque-binfmt: %s\n", message);
    exit(status);
}

/* Letters of "FPCO", each once. */
static bool flags_valid(const char *flags)
{
    for (const char *f = flags; *f; f++)
        if (!strchr("FPCO", *f) || strchr(f + 1, *f))
            return false;
    return true;
}

/* The guests that `names` say, or all that the emulator has and this machine doesn't run itself. */
static GPtrArray *chosen_guests(const Settings *s, char **names)
{
    GPtrArray *chosen = g_ptr_array_new();
    bool all = !names[0] || (!strcmp(names[0], "all") && !names[1]);
    g_autofree char *message = NULL;

    for (char **n = all ? s->emulator->guests : names; *n; n++) {
        const BinfmtGuest *g = guest_by_name(*n);
        if (!g)
            message = g_strdup_printf("%s: no such architecture", *n);
        else if (!all && !emulator_has_guest(s->emulator, g->name))
            message = g_strdup_printf("%s: %s has no such guest", g->name, s->emulator->path);
        if (message)
            fail(EXIT_USAGE, message);
        if (!all || !guest_is_host(g))
            g_ptr_array_add(chosen, (void *)g);
    }
    if (all && !chosen->len) {
        message = g_strdup_printf("%s: this emulator doesn't run, or has no guest "
                                  "(--emulator=PATH names another)", s->emulator->path);
        fail(EXIT_PROBLEM, message);
    }
    return chosen;
}

static const char *interpreter_path(const Settings *s)
{
    return s->interpreter ? s->interpreter : s->emulator->path;
}

static int command_install(const Settings *s, char **names)
{
    g_autoptr(GPtrArray) chosen = chosen_guests(s, names);
    GError *error = NULL;
    int status = 0;

    if (!registry_prepare(s->dir, &error))
        fail(EXIT_PROBLEM, error->message);
    for (guint i = 0; i < chosen->len; i++) {
        const BinfmtGuest *g = g_ptr_array_index(chosen, i);
        if (registry_add(s->dir, g, interpreter_path(s), s->flags, &error)) {
            if (!s->json)
                printf("calque-%s: installed (%s, flags %s)\n", g->name, interpreter_path(s),
                       s->flags);
            continue;
        }
        fprintf(stderr, "calque-binfmt: %s\n", error->message);
        g_clear_error(&error);
        status = EXIT_PROBLEM;
    }
    return status;
}

static int command_remove(const Settings *s, char **names)
{
    g_autoptr(Registry) r = registry_read(s->dir);
    bool all = names[0] && !strcmp(names[0], "all");
    GError *error = NULL;
    int status = 0;

    if (!names[0])
        fail(EXIT_USAGE, "remove: which architectures? ('all' removes every entry of calque)");
    for (guint i = 0; all && i < r->entries->len; i++) {
        const RegistryEntry *e = g_ptr_array_index(r->entries, i);
        const char *arch = g_str_has_prefix(e->name, "calque-") ? e->name + strlen("calque-") : "";
        if (!guest_by_name(arch))
            continue;
        if (!registry_remove(s->dir, e->name, &error))
            fail(EXIT_PROBLEM, error->message);
        if (!s->json)
            printf("%s: removed\n", e->name);
    }
    for (char **n = names; !all && *n; n++) {
        const BinfmtGuest *g = guest_by_name(*n);
        g_autofree char *name = g ? registry_name(g) : g_strdup(*n);
        if (!registry_find(r, name)) {
            fprintf(stderr, "calque-binfmt: %s: not registered\n", name);
            status = EXIT_PROBLEM;
        } else if (!registry_remove(s->dir, name, &error)) {
            fail(EXIT_PROBLEM, error->message);
        } else if (!s->json) {
            printf("%s: removed\n", name);
        }
    }
    return status;
}

static const char *json_bool(bool b) { return b ? "true" : "false"; }

static void print_json(const Settings *s, const Registry *r)
{
    const char *comma = "";

    printf("{\n  \"version\": \"" PACKAGE_VERSION "\",\n  \"emulator\": ");
    json_print_string(s->emulator->path);
    printf(",\n  \"binfmt_misc\": {\"dir\": ");
    json_print_string(r->dir);
    printf(", \"mounted\": %s, \"enabled\": %s},\n  \"supported\": [", json_bool(r->mounted),
           json_bool(r->enabled));
    for (char **n = s->emulator->guests; *n; n++) {
        const BinfmtGuest *g = guest_by_name(*n);
        if (g && g->platform) {
            printf("%s\"%s\"", comma, g->platform);
            comma = ", ";
        }
    }
    printf("],\n  \"emulators\": [");
    comma = "\n    ";
    for (guint i = 0; i < r->entries->len; i++) {
        const RegistryEntry *e = g_ptr_array_index(r->entries, i);
        printf("%s{\"name\": ", comma);
        json_print_string(e->name);
        printf(", \"interpreter\": ");
        json_print_string(e->interpreter ? e->interpreter : "");
        printf(", \"flags\": \"%s\", \"enabled\": %s}", e->flags, json_bool(e->enabled));
        comma = ",\n    ";
    }
    printf("%s]\n}\n", r->entries->len ? "\n  " : "");
}

static int command_list(const Settings *s)
{
    g_autoptr(Registry) r = registry_read(s->dir);

    if (s->json) {
        print_json(s, r);
        return 0;
    }
    if (!r->mounted)
        printf("binfmt_misc isn't mounted on %s\n", r->dir);
    else if (!r->enabled)
        printf("binfmt_misc is disabled as a whole\n");
    for (guint i = 0; i < r->entries->len; i++) {
        const RegistryEntry *e = g_ptr_array_index(r->entries, i);
        printf("%-22s %-8s %-5s %s\n", e->name, e->enabled ? "enabled" : "disabled",
               e->flags[0] ? e->flags : "-", e->interpreter ? e->interpreter : "");
    }
    for (char **n = s->emulator->guests; *n; n++) {
        g_autofree char *name = g_strconcat("calque-", *n, NULL);
        if (!registry_find(r, name))
            printf("%-22s not registered\n", name);
    }
    return 0;
}

static int command_doctor(const Settings *s, char **names)
{
    g_autoptr(Registry) r = registry_read(s->dir);
    DoctorCase c = {.root = s->root, .binary = names[0], .emulator = s->emulator, .registry = r};
    Report report;

    if (names[0] && names[1])
        fail(EXIT_USAGE, "doctor: one program at a time");
    report_begin(&report, s->json);
    doctor(&c, &report);
    report_end(&report);
    return report.problems ? EXIT_PROBLEM : 0;
}

static int command_export(const Settings *s, char **names)
{
    GError *error = NULL;

    if (strcmp(s->export_format, "systemd") && strcmp(s->export_format, "debian"))
        fail(EXIT_USAGE, "--export=systemd or --export=debian");
    if (!names[0])
        fail(EXIT_USAGE, "--export: into which folder?");
    g_autofree char *dir = g_build_filename(s->root, names[0], NULL);
    g_autoptr(GPtrArray) chosen = chosen_guests(s, names + 1);
    for (guint i = 0; i < chosen->len; i++)
        if (!export_guest(s->export_format, dir, g_ptr_array_index(chosen, i),
                          interpreter_path(s), s->flags, &error))
            fail(EXIT_PROBLEM, error->message);
    return 0;
}

/* --install=LIST and --uninstall=LIST: both, and then the state in JSON. */
static int command_as_image(Settings *s)
{
    int status = 0;

    s->json = true;
    if (s->uninstall) {
        g_auto(GStrv) names = g_strsplit(s->uninstall, ",", -1);
        status |= command_remove(s, names);
    }
    if (s->install) {
        g_auto(GStrv) names = g_strsplit(s->install, ",", -1);
        status |= command_install(s, names);
    }
    command_list(s);
    return status;
}

static int run_command(Settings *s)
{
    char **words = s->words, *none[] = {NULL};
    const char *command = words && words[0] ? words[0] : "list";
    char **rest = words && words[0] ? words + 1 : none;
    int status;

    if (s->install || s->uninstall)
        return command_as_image(s);
    if (s->export_format)
        return command_export(s, words ? words : none);
    if (!strcmp(command, "install"))
        status = command_install(s, rest);
    else if (!strcmp(command, "remove"))
        status = command_remove(s, rest);
    else if (!strcmp(command, "list") || !strcmp(command, "status"))
        return command_list(s);
    else if (!strcmp(command, "doctor"))
        return command_doctor(s, rest);
    else
        fail(EXIT_USAGE, "commands are install, remove, list and doctor; --help tells more");
    if (s->json)
        command_list(s);
    return status;
}

int main(int argc, char **argv)
{
    Settings s = {0};
    GError *error = NULL;
    const GOptionEntry entries[] = {
        {"flags", 0, 0, G_OPTION_ARG_STRING, &s.flags,
         "letters of FPCO: F open the emulator now, P keep argv[0], C credentials of set-uid "
         "programs, O pass the file open (default: FPC)", "FLAGS"},
        {"no-credentials", 0, 0, G_OPTION_ARG_NONE, &s.no_credentials,
         "the default flags without C", NULL},
        {"emulator", 0, 0, G_OPTION_ARG_FILENAME, &s.emulator_path,
         "the emulator (default: calque beside this program)", "PATH"},
        {"interpreter", 0, 0, G_OPTION_ARG_FILENAME, &s.interpreter,
         "the path to register, if the emulator will be found by another", "PATH"},
        {"export", 0, 0, G_OPTION_ARG_STRING, &s.export_format,
         "write files for systemd or debian into the folder DIR instead", "FORMAT"},
        {"install", 0, 0, G_OPTION_ARG_STRING, &s.install,
         "register these, and print the state in JSON", "ARCH,…|all"},
        {"uninstall", 0, 0, G_OPTION_ARG_STRING, &s.uninstall,
         "take these away, and print the state in JSON", "ARCH,…|all"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &s.json, "answer in JSON", NULL},
        {"root", 0, 0, G_OPTION_ARG_FILENAME, &s.root,
         "where a program's absolute paths begin (doctor), or DIR (--export)", "FOLDER"},
        {"binfmt-dir", 0, 0, G_OPTION_ARG_FILENAME, &s.dir,
         "another mount of binfmt_misc than " REGISTRY_DEFAULT_DIR, "FOLDER"},
        {"version", 0, 0, G_OPTION_ARG_NONE, &s.version, "print the version", NULL},
        {G_OPTION_REMAINING, 0, 0, G_OPTION_ARG_FILENAME_ARRAY, &s.words, NULL, NULL},
        {NULL},
    };
    GOptionContext *context = g_option_context_new(
        "install [ARCH…] | remove ARCH…|all | list | doctor [PROGRAM] | --export=FORMAT DIR "
        "[ARCH…]");
    g_option_context_set_summary(context, "Registers calque with the kernel for foreign programs.");
    g_option_context_add_main_entries(context, entries, NULL);
    if (!g_option_context_parse(context, &argc, &argv, &error))
        fail(EXIT_USAGE, error->message);
    if (s.version) {
        puts("calque-binfmt " PACKAGE_VERSION);
        return 0;
    }
    if (!s.flags)
        s.flags = g_strdup(s.no_credentials ? "FP" : "FPC");
    if (!flags_valid(s.flags))
        fail(EXIT_USAGE, "--flags: letters of FPCO, each once");
    if (!s.dir)
        s.dir = g_strdup(REGISTRY_DEFAULT_DIR);
    s.root = g_canonicalize_filename(s.root ? s.root : "/", NULL);
    s.emulator = emulator_find(s.emulator_path);
    return run_command(&s);
}
