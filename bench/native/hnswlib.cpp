// SPDX-License-Identifier: MIT
/* hnswlib's brute force, with the widest instructions that the compiler may use. */
#include <memory>

/* Its headers compare numbers of unlike signs and leave parameters unused. */
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wsign-compare"
#pragma GCC diagnostic ignored "-Wunused-parameter"
#pragma GCC diagnostic ignored "-Wunused-variable"
#pragma GCC diagnostic ignored "-Wreorder"
#pragma GCC diagnostic ignored "-Wcast-qual"
#include <hnswlib/hnswlib.h>
#pragma GCC diagnostic pop

#include "worker.h"

static std::unique_ptr<hnswlib::L2Space> space;
static std::unique_ptr<hnswlib::BruteforceSearch<float>> store;
static size_t dimension;
static int thread_count = 1;

static void begin(size_t rows, size_t components)
{
	dimension = components;
	space = std::make_unique<hnswlib::L2Space>(dimension);
	store = std::make_unique<hnswlib::BruteforceSearch<float>>(space.get(), rows);
}

static void insert(size_t first, size_t count, const float *rows)
{
	for (size_t i = 0; i < count; i++)
		store->addPoint(rows + i * dimension, first + i);
}

static int threads(int wanted)
{
	return thread_count = wanted;
}

static void search_one(const float *query, uint64_t *ids)
{
	auto hits = store->searchKnn(query, WORKER_K);

	for (size_t i = hits.size(); i-- > 0; hits.pop())
		ids[i] = hits.top().second;
}

static void search(const float *queries, size_t count, uint64_t *ids)
{
#pragma omp parallel for num_threads(thread_count) if (count > 1)
	for (size_t i = 0; i < count; i++)
		search_one(queries + i * dimension, ids + i * WORKER_K);
}

static void drop()
{
	store.reset();
	space.reset();
}

int main()
{
	static const contestant self = {
		HNSWLIB_VERSION, begin, insert, nullptr, nullptr, threads, 0, search, drop,
	};

	return worker_run(&self);
}
