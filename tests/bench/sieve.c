/* class: int; sieve of Eratosthenes over bytes; args: 30 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
enum { N = 4000000 };
static unsigned char s[N + 1];
int main(int c, char **v) {
    int rounds = atoi(v[1]), count = 0;
    for (int r = 0; r < rounds; r++) {
        memset(s, 1, sizeof s); count = 0;
        for (int i = 2; i <= N; i++) if (s[i]) { count++; for (long j = (long)i * i; j <= N; j += i) s[j] = 0; }
    }
    printf("%d\n", count); return 0;
}
