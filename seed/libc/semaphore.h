/* SPDX-License-Identifier: MIT */
#ifndef SEMAPHORE_H
#define SEMAPHORE_H
/* There is one thread: a semaphore is a number that is never waited for. */
typedef int sem_t;
int sem_init(sem_t *s, int shared, unsigned int value);
int sem_wait(sem_t *s);
int sem_post(sem_t *s);
#endif
