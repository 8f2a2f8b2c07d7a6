// A parallel loop: the caller and the workers take indices from one counter until none is left.
//
// `left` counts the indices not taken yet. Whoever lowers it owns an index, and the loop cannot end before that index
// is reported in `finished`; so `task`, `context` and `count` may be read after taking an index and at no other time,
// and a worker that wakes late does no harm: it finds nothing left.
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "wan_kernels.h"

/// Looks at a condition this often before sleeping: about 30 microseconds.
enum { SPINS = 2000 };

typedef struct {
  wan_pool_t *pool;
  size_t index;
  pthread_t thread;
} worker_t;

struct wan_pool {
  _Alignas(64) _Atomic size_t left;
  _Alignas(64) _Atomic size_t finished;
  _Alignas(64) _Atomic int sleepers;
  _Atomic int caller_sleeps, stop;
  wan_task_t task;
  void *context;
  size_t count, threads;
  void (*on_start)(void);
  pthread_mutex_t turn, lock;
  pthread_cond_t work, done;
  worker_t *workers;
};

static void relax(void) {
#if defined(__x86_64__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/// Reports finished indices; the last one wakes the caller. Nothing of the loop may be touched afterwards.
static void report(wan_pool_t *pool, size_t done, size_t count) {
  if (atomic_fetch_add(&pool->finished, done) + done != count || !atomic_load(&pool->caller_sleeps)) return;
  pthread_mutex_lock(&pool->lock);
  pthread_cond_signal(&pool->done);
  pthread_mutex_unlock(&pool->lock);
}

static void work(wan_pool_t *pool, size_t worker) {
  size_t done = 0, count = 0, left = atomic_load(&pool->left);
  while (left > 0) {
    if (!atomic_compare_exchange_weak(&pool->left, &left, left - 1)) continue;
    count = pool->count;
    pool->task(pool->context, count - left, worker);
    done += 1;
    left = atomic_load(&pool->left);
  }
  if (done > 0) report(pool, done, count);
}

/// Waits for indices or the end; false at the end.
static int wait_for_work(wan_pool_t *pool) {
  for (int i = 0; i < SPINS; ++i) {
    if (atomic_load(&pool->left) > 0) return 1;
    if (atomic_load(&pool->stop)) return 0;
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_fetch_add(&pool->sleepers, 1);
  while (atomic_load(&pool->left) == 0 && !atomic_load(&pool->stop)) pthread_cond_wait(&pool->work, &pool->lock);
  atomic_fetch_sub(&pool->sleepers, 1);
  pthread_mutex_unlock(&pool->lock);
  return !atomic_load(&pool->stop);
}

static void *worker_main(void *argument) {
  worker_t *self = argument;
  if (self->pool->on_start) self->pool->on_start();
  while (wait_for_work(self->pool)) work(self->pool, self->index);
  return NULL;
}

static void wait_for_end(wan_pool_t *pool, size_t count) {
  for (int i = 0; i < SPINS; ++i) {
    if (atomic_load(&pool->finished) == count) return;
    relax();
  }
  pthread_mutex_lock(&pool->lock);
  atomic_store(&pool->caller_sleeps, 1);
  while (atomic_load(&pool->finished) != count) pthread_cond_wait(&pool->done, &pool->lock);
  atomic_store(&pool->caller_sleeps, 0);
  pthread_mutex_unlock(&pool->lock);
}

static void wake_workers(wan_pool_t *pool) {
  if (!atomic_load(&pool->sleepers)) return;
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
}

void wan_pool_run(wan_pool_t *pool, size_t count, wan_task_t task, void *context) {
  if (count == 0) return;
  pthread_mutex_lock(&pool->turn);
  if (pool->threads == 1 || count == 1) {
    for (size_t i = 0; i < count; ++i) task(context, i, 0);
  } else {
    pool->task = task;
    pool->context = context;
    pool->count = count;
    atomic_store(&pool->finished, 0);
    atomic_store(&pool->left, count);
    wake_workers(pool);
    work(pool, 0);
    wait_for_end(pool, count);
  }
  pthread_mutex_unlock(&pool->turn);
}

size_t wan_pool_threads(const wan_pool_t *pool) { return pool->threads; }

/// Ends and joins the workers that run, and frees the pool.
static void tear_down(wan_pool_t *pool, size_t running) {
  atomic_store(&pool->stop, 1);
  pthread_mutex_lock(&pool->lock);
  pthread_cond_broadcast(&pool->work);
  pthread_mutex_unlock(&pool->lock);
  for (size_t i = 0; i < running; ++i) pthread_join(pool->workers[i].thread, NULL);
  pthread_cond_destroy(&pool->done);
  pthread_cond_destroy(&pool->work);
  pthread_mutex_destroy(&pool->lock);
  pthread_mutex_destroy(&pool->turn);
  free(pool->workers);
  free(pool);
}

wan_pool_t *wan_pool_create(size_t threads, void (*on_start)(void)) {
  if (threads == 0) threads = 1;
  wan_pool_t *pool = NULL;
  if (posix_memalign((void **)&pool, _Alignof(wan_pool_t), sizeof *pool) != 0) return NULL;
  *pool = (wan_pool_t){.threads = threads, .on_start = on_start};
  pthread_mutex_init(&pool->turn, NULL);
  pthread_mutex_init(&pool->lock, NULL);
  pthread_cond_init(&pool->work, NULL);
  pthread_cond_init(&pool->done, NULL);
  pool->workers = calloc(threads, sizeof *pool->workers);
  size_t running = 0;
  for (; pool->workers && running + 1 < threads; ++running) {
    worker_t *worker = &pool->workers[running];
    *worker = (worker_t){.pool = pool, .index = running + 1};
    if (pthread_create(&worker->thread, NULL, worker_main, worker) != 0) break;
  }
  if (pool->workers) {
    pool->threads = running + 1;
    return pool;
  }
  tear_down(pool, 0);
  return NULL;
}

void wan_pool_destroy(wan_pool_t *pool) {
  if (pool) tear_down(pool, pool->threads - 1);
}
