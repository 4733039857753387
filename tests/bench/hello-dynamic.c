/* class: start; start and end of a dynamic program; link: dynamic; args: */
#include <stdio.h>
int main(void) { puts("hello"); return 0; }
