/* SPDX-License-Identifier: MIT */
/* Threads: mutexes, conditions, keys, errno, barriers, cancellation, semaphores. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "check.h"

#define THREADS 8

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static long counter;

static void together(void *(*work)(void *), void *shared)
{
	pthread_t t[THREADS];
	long i;
	void *result;

	for (i = 0; i < THREADS; i++)
		CHECK(pthread_create(&t[i], NULL, work, shared ? shared : (void *)i) == 0);
	for (i = 0; i < THREADS; i++) {
		CHECK(pthread_join(t[i], &result) == 0);
		CHECK(result == (shared ? shared : (void *)(i + 100)));
	}
}

static void *count(void *number)
{
	int i;

	for (i = 0; i < 5000; i++) {
		pthread_mutex_lock(&mutex);
		counter++;
		pthread_mutex_unlock(&mutex);
	}
	return (void *)((long)number + 100);
}

static void *own_errno(void *number)
{
	int i;

	for (i = 0; i < 200; i++) {
		if ((long)number % 2) {
			close(-1);
			if (errno != EBADF)
				return NULL;
		} else {
			open("/nonexistent/file", O_RDONLY);
			if (errno != ENOENT)
				return NULL;
		}
	}
	return (void *)((long)number + 100);
}

/* A queue of one place, between producers and a consumer. */
static int place, full;

static void *produce(void *shared)
{
	int i;

	for (i = 1; i <= 200; i++) {
		pthread_mutex_lock(&mutex);
		while (full)
			pthread_cond_wait(&changed, &mutex);
		place = i;
		full = 1;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return shared;
}

static void *consume(void *unused)
{
	long i, sum = 0;

	for (i = 0; i < THREADS * 200; i++) {
		pthread_mutex_lock(&mutex);
		while (!full)
			pthread_cond_wait(&changed, &mutex);
		sum += place;
		full = 0;
		pthread_cond_broadcast(&changed);
		pthread_mutex_unlock(&mutex);
	}
	return (void *)sum;
}

static void queue(void)
{
	pthread_t consumer;
	void *sum;

	CHECK(pthread_create(&consumer, NULL, consume, NULL) == 0);
	together(produce, &place);
	CHECK(pthread_join(consumer, &sum) == 0);
	CHECK((long)sum == THREADS * 200L * 201 / 2);
}

static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int destroyed, made;

static void destroy(void *value)
{
	pthread_mutex_lock(&mutex);
	destroyed += *(int *)value;
	pthread_mutex_unlock(&mutex);
	free(value);
}

static void make_key(void)
{
	made++;
	pthread_key_create(&key, destroy);
}

static void *keep(void *number)
{
	int *value = malloc(sizeof(int));

	pthread_once(&once, make_key);
	*value = (long)number;
	pthread_setspecific(key, value);
	usleep(1000);
	return pthread_getspecific(key) == value ? (void *)((long)number + 100) : NULL;
}

static pthread_barrier_t barrier;
static int serial;

static void *meet(void *number)
{
	int i;

	for (i = 0; i < 50; i++)
		if (pthread_barrier_wait(&barrier) == PTHREAD_BARRIER_SERIAL_THREAD) {
			pthread_mutex_lock(&mutex);
			serial++;
			pthread_mutex_unlock(&mutex);
		}
	return (void *)((long)number + 100);
}

static int cleaned;

static void clean(void *what)
{
	cleaned += (long)what;
}

static void *wait_for_ever(void *fds)
{
	char byte;

	pthread_cleanup_push(clean, (void *)3);
	read(*(int *)fds, &byte, 1);
	pthread_cleanup_pop(0);
	return NULL;
}

static void cancel(void)
{
	pthread_t t;
	void *result = NULL;
	int fds[2];

	CHECK(pipe(fds) == 0);
	CHECK(pthread_create(&t, NULL, wait_for_ever, fds) == 0);
	usleep(2000);
	CHECK(pthread_cancel(t) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == PTHREAD_CANCELED);
	CHECK(cleaned == 3);
}

static void kinds_of_mutex(void)
{
	pthread_mutexattr_t a;
	pthread_mutex_t m;
	struct timespec when;

	pthread_mutexattr_init(&a);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&m, &a);
	CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == 0);
	CHECK(pthread_mutex_unlock(&m) == 0 && pthread_mutex_unlock(&m) == 0);
	CHECK(pthread_mutex_unlock(&m) == EPERM);
	pthread_mutexattr_settype(&a, PTHREAD_MUTEX_ERRORCHECK);
	pthread_mutex_init(&m, &a);
	CHECK(pthread_mutex_lock(&m) == 0 && pthread_mutex_lock(&m) == EDEADLK);
	CHECK(pthread_mutex_trylock(&m) == EBUSY);
	CHECK(pthread_mutex_unlock(&m) == 0);
	pthread_mutex_lock(&mutex);
	clock_gettime(CLOCK_REALTIME, &when);
	CHECK(pthread_cond_timedwait(&changed, &mutex, &when) == ETIMEDOUT);
	pthread_mutex_unlock(&mutex);
}

static pthread_rwlock_t rw = PTHREAD_RWLOCK_INITIALIZER;
static sem_t sem;

static void *post(void *shared)
{
	pthread_rwlock_rdlock(&rw);
	pthread_rwlock_unlock(&rw);
	sem_post(&sem);
	return shared;
}

static void others(void)
{
	int value;

	CHECK(sem_init(&sem, 0, 0) == 0);
	CHECK(pthread_rwlock_wrlock(&rw) == 0 && pthread_rwlock_trywrlock(&rw) == EBUSY);
	pthread_rwlock_unlock(&rw);
	together(post, &rw);
	CHECK(sem_getvalue(&sem, &value) == 0 && value == THREADS);
	CHECK(sem_trywait(&sem) == 0);
}

static void *deep(void *shared)
{
	volatile char big[600000];

	memset((char *)big, 1, sizeof(big));
	return big[599999] == 1 ? shared : NULL;
}

static void attributes(void)
{
	pthread_attr_t a;
	pthread_t t;
	void *result;

	CHECK(pthread_attr_init(&a) == 0);
	CHECK(pthread_attr_setstacksize(&a, 1 << 20) == 0);
	CHECK(pthread_create(&t, &a, deep, &sem) == 0);
	CHECK(pthread_join(t, &result) == 0 && result == &sem);
	CHECK(pthread_equal(pthread_self(), pthread_self()));
}

int main(void)
{
	together(count, NULL);
	CHECK(counter == THREADS * 5000);
	together(own_errno, NULL);
	queue();
	together(keep, NULL);
	CHECK(made == 1 && destroyed == THREADS * (THREADS - 1) / 2);
	CHECK(pthread_barrier_init(&barrier, NULL, THREADS) == 0);
	together(meet, NULL);
	CHECK(serial == 50);
	cancel();
	kinds_of_mutex();
	others();
	attributes();
	DONE;
}
