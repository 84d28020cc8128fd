// SPDX-License-Identifier: MIT
/* FAISS's flat index; batches of 20 queries and more are OpenBLAS's matrix products. */
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <memory>
#include <string>

#include "worker.h"

/* OpenBLAS has them, Debian's header for it is not the one that FAISS is built with. */
extern "C" char *openblas_get_config(void);
extern "C" void openblas_set_num_threads(int count);

static std::unique_ptr<faiss::IndexFlatL2> store;

static void begin(size_t rows, size_t dimension)
{
	store = std::make_unique<faiss::IndexFlatL2>(dimension);
	store->codes.reserve(rows * dimension * sizeof(float));
}

static void insert(size_t, size_t count, const float *rows)
{
	store->add(count, rows);
}

static int threads(int wanted)
{
	omp_set_num_threads(wanted);
	openblas_set_num_threads(wanted);
	return wanted;
}

static void search(const float *queries, size_t count, uint64_t *ids)
{
	float distances[WORKER_QUERIES * WORKER_K];

	store->search(count, queries, WORKER_K, distances, reinterpret_cast<int64_t *>(ids));
}

static void drop()
{
	store.reset();
}

int main()
{
	static const std::string version = std::to_string(FAISS_VERSION_MAJOR) + "." +
		std::to_string(FAISS_VERSION_MINOR) + "." + std::to_string(FAISS_VERSION_PATCH) +
		" with " + openblas_get_config();
	static const contestant self = {
		version.c_str(), begin, insert, nullptr, nullptr, threads, 0, search, drop,
	};

	threads(1);
	return worker_run(&self);
}
