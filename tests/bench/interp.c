/* class: int; a bytecode interpreter with a switch; args: 120 */
#include <stdio.h>
#include <stdlib.h>
enum { PUSH, ADD, SUB, MUL, DUP, SWAP, JNZ, LOAD, STORE, AND, SHR, HALT };
int main(int c, char **v) {
    static const int prog[] = { PUSH, 100000, STORE, 0, PUSH, 1, STORE, 1, /* 8: */ LOAD, 1, PUSH, 1103515245, MUL, PUSH, 12345, ADD, STORE, 1, LOAD, 1, PUSH, 7, SHR, PUSH, 255, AND,
        LOAD, 2, ADD, STORE, 2, LOAD, 0, PUSH, 1, SUB, DUP, STORE, 0, JNZ, 8, HALT };
    unsigned st[64], mem[8] = { 0 };
    for (int r = atoi(v[1]); r--;) {
        int pc = 0, sp = 0;
        for (;;) {
            switch (prog[pc++]) {
            case PUSH: st[sp++] = prog[pc++]; break;
            case ADD: sp--; st[sp - 1] += st[sp]; break;
            case SUB: sp--; st[sp - 1] -= st[sp]; break;
            case MUL: sp--; st[sp - 1] *= st[sp]; break;
            case AND: sp--; st[sp - 1] &= st[sp]; break;
            case SHR: sp--; st[sp - 1] >>= st[sp]; break;
            case DUP: st[sp] = st[sp - 1]; sp++; break;
            case SWAP: { unsigned t = st[sp - 1]; st[sp - 1] = st[sp - 2]; st[sp - 2] = t; break; }
            case JNZ: if (st[--sp]) pc = prog[pc]; else pc++; break;
            case LOAD: st[sp++] = mem[prog[pc++]]; break;
            case STORE: mem[prog[pc++]] = st[--sp]; break;
            case HALT: goto done;
            }
        }
    done:;
    }
    printf("%u %u\n", mem[1], mem[2]); return 0;
}
