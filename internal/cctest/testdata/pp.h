/* SPDX-License-Identifier: MIT */
#ifndef PP_H
#define PP_H
int from_header = 11;
#endif
