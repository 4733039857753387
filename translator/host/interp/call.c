/* data plane */
/*
 * Helper calls by libffi: fn(Vcpu *, [V128 *result,] arguments …). Integers and the bits of floats
 * go as integers of their width, vectors by address. The call interfaces are prepared once, since
 * preparing may allocate.
 */
#include <string.h>

#include "translator/host/interp/interp.h"

static ffi_type *type_of(char letter)
{
    switch (letter) {
    case 'V': return &ffi_type_pointer;
    case 'L': case 'D': return &ffi_type_uint64;
    case '-': return &ffi_type_void;
    default: return &ffi_type_uint32;
    }
}

bool interp_calls_init(Translator *t)
{
    InterpData *d = t->backend_data;
    for (unsigned n = 0; n < t->isa->n_helpers; n++) {
        const char *sig = t->isa->helpers[n].sig;
        InterpCall *c = &d->calls[n];
        unsigned n_args = 0;
        c->types[n_args++] = &ffi_type_pointer;
        if (sig[0] == 'V')
            c->types[n_args++] = &ffi_type_pointer;
        for (const char *s = sig + 2; *s && n_args < 8; s++)
            c->types[n_args++] = type_of(*s);
        ffi_type *result = sig[0] == 'V' ? &ffi_type_void : type_of(sig[0]);
        if (ffi_prep_cif(&c->cif, FFI_DEFAULT_ABI, n_args, result, c->types) != FFI_OK)
            return false;
    }
    return true;
}

void interp_call(Vcpu *v, const IrInsn *i, const Val *value, Val *ret)
{
    InterpData *d = v->translator->backend_data;
    const IrHelper *h = &v->translator->isa->helpers[i->imm];
    void *argv[8];
    void *vcpu = v, *result_at = &v->vec_arg[5];
    const void *vec_at[4];
    uint64_t word[4];
    unsigned n = 0;
    argv[n++] = &vcpu;
    if (h->sig[0] == 'V')
        argv[n++] = &result_at;
    for (unsigned a = 0; h->sig[2 + a]; a++) {
        const Val *x = &value[i->arg[a]];
        if (h->sig[2 + a] == 'V') {
            v->vec_arg[a] = x->v;
            vec_at[a] = &v->vec_arg[a];
            argv[n++] = &vec_at[a];
        } else {
            word[a] = x->u;
            argv[n++] = &word[a];
        }
    }
    /* libffi widens small integer results to a whole register. */
    union { ffi_arg word; uint64_t u; } result = { .u = 0 };
    ffi_call(&d->calls[i->imm].cif, h->fn, &result, argv);
    switch (h->sig[0]) {
    case 'V': ret->v = v->vec_arg[5]; break;
    case 'L': case 'D': ret->u = result.u; break;
    case 'B': ret->u = result.u & 1; break;
    default: ret->u = (uint32_t)result.u; break;
    }
}
