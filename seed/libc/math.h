/* SPDX-License-Identifier: MIT */
#ifndef MATH_H
#define MATH_H
double ldexp(double value, int exponent);
#endif
