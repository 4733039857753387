/*
 * The RISC-V guest's -cpu models: which extensions there are. A model is named by a base and
 * switches: "rv64" or "max" (all that is implemented), "rv64gc", "rv64i", "rva22u64", "rva20u64";
 * then ",zba=false", ",-zba", ",zacas=true" … . Its caller frees a model.
 */
#include "translator/guest/riscv64/cpu.h"

#include <glib.h>
#include <string.h>

#include "translator/guest/riscv64/model.h"

#define E(name) (1ull << RISCV_EXT_##name)

static const char *const extension_names[] = {
#define X(name) #name,
    RISCV_EXTENSIONS(X)
#undef X
};

#define EXT_G (E(i) | E(m) | E(zmmul) | E(a) | E(zaamo) | E(zalrsc) | E(f) | E(d) | E(zicsr) | \
               E(zifencei))
#define EXT_GC (EXT_G | E(c) | E(zca) | E(zcd) | E(zicntr))
/* RISC-V profiles 1.0: RVA20U64 and RVA22U64, what of them is implemented. */
#define EXT_RVA22 (EXT_GC | E(zihintpause) | E(zba) | E(zbb) | E(zbs) | E(zic64b) | E(zicbom) | \
                   E(zicbop) | E(zicboz) | E(zfhmin) | E(zkt) | E(za64rs))
#define EXT_ALL ((1ull << RISCV_N_EXTENSIONS) - 1)

/* Each complete: with what its extensions imply. */
static const RiscvModel bases[] = {
    { "rv64", EXT_ALL },
    { "max", EXT_ALL },
    { "rv64i", E(i) | E(zicsr) | E(zifencei) },
    { "rv64g", EXT_G },
    { "rv64gc", EXT_GC },
    { "rva20u64", EXT_GC },
    { "rva22u64", EXT_RVA22 },
};

static const char *const model_names[] = {
    "rv64", "max", "rv64i", "rv64g", "rv64gc", "rva20u64", "rva22u64", NULL,
};

const char *const *riscv_models(void)
{
    return model_names;
}

/* What an extension consists of, and what it needs. */
static const struct { uint64_t of, parts; } implications[] = {
    { E(d), E(f) }, { E(f), E(zicsr) }, { E(zfh), E(zfhmin) }, { E(zfhmin), E(f) },
    { E(zfa), E(f) },
    { E(zcb), E(zca) }, { E(zcmop), E(zca) | E(zimop) }, { E(c), E(zca) },
    { E(m), E(zmmul) }, { E(a), E(zaamo) | E(zalrsc) }, { E(zacas), E(zaamo) },
    { E(zabha), E(zaamo) }, { E(zbc), E(zbkc) },
};

static uint64_t add_implied(uint64_t extensions)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < G_N_ELEMENTS(implications); i++)
            if ((extensions & implications[i].of) && (implications[i].parts & ~extensions)) {
                extensions |= implications[i].parts;
                again = true;
            }
    }
    if ((extensions & E(c)) && (extensions & E(d)))
        extensions |= E(zcd);
    return extensions;
}

/* Takes away whatever needs an extension that isn't there any more. */
static uint64_t drop_dependents(uint64_t extensions)
{
    for (bool again = true; again;) {
        again = false;
        for (size_t i = 0; i < G_N_ELEMENTS(implications); i++)
            if ((extensions & implications[i].of) && (implications[i].parts & ~extensions)) {
                extensions &= ~implications[i].of;
                again = true;
            }
    }
    if (!(extensions & E(c)) || !(extensions & E(d)))
        extensions &= ~E(zcd);
    return extensions;
}

/* One switch: "zba=true", "zba=off", "+zba", "-zba". */
static bool parse_switch(const char *text, uint64_t *extensions, GError **error)
{
    g_autofree char *name = NULL;
    bool on = true;
    const char *equals = strchr(text, '=');
    if (equals) {
        const char *value = equals + 1;
        name = g_strndup(text, (gsize)(equals - text));
        on = g_str_equal(value, "true") || g_str_equal(value, "on");
        if (!on && !g_str_equal(value, "false") && !g_str_equal(value, "off")) {
            g_set_error(error, g_quark_from_static_string("riscv-model"), 0,
                        "cpu property %s: must be true or false, not %s", name, value);
            return false;
        }
    } else {
        on = *text != '-';
        name = g_strdup(text + (*text == '-' || *text == '+'));
    }
    for (unsigned e = 0; e < RISCV_N_EXTENSIONS; e++)
        if (g_ascii_strcasecmp(name, extension_names[e]) == 0) {
            *extensions = on ? add_implied(*extensions | 1ull << e)
                             : drop_dependents(*extensions & ~(1ull << e));
            return true;
        }
    if (!on) /* not to have what is not implemented is what there is: v=false */
        return true;
    g_set_error(error, g_quark_from_static_string("riscv-model"), 0,
                "cpu property %s: no such extension is implemented", name);
    return false;
}

const void *riscv_model(const char *name, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(name ? name : "rv64", ",", -1);
    for (size_t i = 0; i < G_N_ELEMENTS(bases); i++) {
        if (!parts[0] || !g_str_equal(parts[0], bases[i].name))
            continue;
        uint64_t extensions = bases[i].extensions;
        for (char **part = parts + 1; *part; part++)
            if (!parse_switch(*part, &extensions, error))
                return NULL;
        RiscvModel *model = g_new0(RiscvModel, 1);
        model->name = bases[i].name;
        model->extensions = extensions | E(i);
        return model;
    }
    g_set_error(error, g_quark_from_static_string("riscv-model"), 0,
                "%s: no such RISC-V cpu model", parts[0] ? parts[0] : "");
    return NULL;
}

void riscv_model_isa_string(const RiscvModel *m, char *buffer, size_t size)
{
    g_strlcpy(buffer, "rv64", size);
    for (unsigned e = 0; e < RISCV_N_EXTENSIONS; e++) {
        if (!riscv_model_has(m, (RiscvExtension)e))
            continue;
        if (extension_names[e][1])
            g_strlcat(buffer, "_", size);
        g_strlcat(buffer, extension_names[e], size);
    }
}

uint64_t riscv_model_hwcap(const RiscvModel *m)
{
    uint64_t bits = 0;
    for (unsigned e = 0; e < RISCV_N_EXTENSIONS; e++)
        if (!extension_names[e][1] && riscv_model_has(m, (RiscvExtension)e))
            bits |= 1ull << (extension_names[e][0] - 'a');
    return bits;
}
