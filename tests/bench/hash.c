/* class: int; a hash table of strings: hashing, chains, comparisons; args: 25 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <stdint.h>
typedef struct Node { struct Node *next; uint32_t hash; int count; char key[16]; } Node;
static Node *table[1 << 15], pool[60000]; static int used;
static Node *find(const char *k) {
    uint32_t h = 2166136261u; for (const char *p = k; *p; p++) h = (h ^ (unsigned char)*p) * 16777619u;
    Node **b = &table[h & 32767]; for (Node *n = *b; n; n = n->next) if (n->hash == h && !strcmp(n->key, k)) return n;
    Node *n = &pool[used++]; n->next = *b; *b = n; n->hash = h; strcpy(n->key, k); return n;
}
int main(int c, char **v) {
    unsigned s = 3; long sum = 0;
    for (int r = atoi(v[1]) * 100000; r--;) { s = s * 1664525 + 1013904223; char k[16]; unsigned x = s >> 12 & 0x7fff; int i = 0; do k[i++] = 'a' + x % 26; while (x /= 26); k[i] = 0; sum += ++find(k)->count; }
    printf("%ld %d\n", sum, used); return 0;
}
