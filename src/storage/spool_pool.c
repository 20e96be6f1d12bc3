// SPDX-License-Identifier: Apache-2.0
#include "storage/spool_pool.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/mem.h"

enum {
    FILES = 8,
};

#define FILE_BYTES_MAX (INT64_C(256) << 20)

struct spool_pool {
    pthread_mutex_t mutex;
    int n_owners;
    int fds[FILES]; // the last one was used last
    int n;
};

struct spool_pool *spool_pool_open(void)
{
    struct spool_pool *pool = mem_zalloc(sizeof(*pool));
    pthread_mutex_init(&pool->mutex, NULL);
    pool->n_owners = 1;
    return pool;
}

struct spool_pool *spool_pool_ref(struct spool_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    pool->n_owners++;
    pthread_mutex_unlock(&pool->mutex);
    return pool;
}

void spool_pool_unref(struct spool_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int n_left = --pool->n_owners;
    pthread_mutex_unlock(&pool->mutex);
    if (n_left > 0)
        return;
    while (pool->n > 0)
        close(pool->fds[--pool->n]);
    pthread_mutex_destroy(&pool->mutex);
    free(pool);
}

int spool_pool_take(struct spool_pool *pool)
{
    pthread_mutex_lock(&pool->mutex);
    int fd = pool->n > 0 ? pool->fds[--pool->n] : -1;
    pthread_mutex_unlock(&pool->mutex);
    if (fd >= 0 && lseek(fd, 0, SEEK_SET) != 0) {
        close(fd);
        fd = -1;
    }
    return fd;
}

void spool_pool_give(struct spool_pool *pool, int fd, int64_t size_bytes)
{
    pthread_mutex_lock(&pool->mutex);
    bool is_kept = pool->n < FILES && size_bytes > 0 && size_bytes <= FILE_BYTES_MAX;
    if (is_kept)
        pool->fds[pool->n++] = fd;
    pthread_mutex_unlock(&pool->mutex);
    if (!is_kept)
        close(fd);
}
