/* class: start; start and end of a static program; args: */
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
