/* SPDX-License-Identifier: MIT */
#include <stdio.h>

int main(void)
{
	printf("hello: from hex digits to C, and every byte made from text\n");
	return 0;
}
