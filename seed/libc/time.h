/* SPDX-License-Identifier: MIT */
#ifndef TIME_H
#define TIME_H
/* It is always the first second of 1970: no output depends on the day. */
typedef long time_t;
struct tm {
	int tm_sec, tm_min, tm_hour, tm_mday, tm_mon, tm_year, tm_wday, tm_yday,
		tm_isdst;
};
time_t time(time_t *now);
struct tm *localtime(const time_t *when);
#endif
