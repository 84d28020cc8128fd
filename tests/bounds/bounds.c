// SPDX-License-Identifier: MIT
/*
 * No row is ruled out that is near enough: kernel/distance/, compiled for a
 * program, is asked for the distances of rows from a query, and then, with each
 * of these as the limit, which rows their codes rule out. For every metric,
 * dimension and instruction set that this processor has, and for vectors that
 * rounding is likely to be wrong for.
 *
 * `bounds [SECONDS [SEED]]`: all of it once, and on until the time is over.
 */
#include <float.h>
#include <math.h>
#include <time.h>

#include <linux/vss.h>

#include "../../kernel/distance/distance.h"
#include "../kernel/ktap.h"

#define ROWS 64
#define STRIPES (ROWS / VSS_STRIPE)

/* Of them, inner loops take several at a time, and one where not as many are left. */
#define PROBES (VSS_TILE_QUERIES - 1)

#define MOST VSS_MAX_DIMENSION

extern char **const bounds_simd;

static uint64_t state;

static uint64_t draw(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

static uint32_t below(uint32_t limit)
{
	return (draw() >> 32) % limit;
}

static float uniform(void)
{
	return (float)((double)(draw() >> 11) / 4503599627370496.0 - 1);
}

enum data {
	UNIFORM, EQUAL, NEARLY_EQUAL, CONSTANT, ONE_HOT, TINY, DENORMAL, HUGE_ONES,
	WILD, FAR_AWAY, LEVELS, SIGNS, BITS, GREATEST, NR_DATA
};

/* Any float that is finite and whose square, added up, is so too. */
static float any_float(void)
{
	uint32_t bits = draw();
	float value;

	memcpy(&value, &bits, sizeof(value));
	return isfinite(value) && fabsf(value) < 1e17f ? value : 1;
}

static float component(enum data data, u32 i, u32 hot, const float *model)
{
	switch (data) {
	case UNIFORM:
		return uniform();
	case EQUAL:
		return model[i];
	case NEARLY_EQUAL:
		return below(4) ? model[i] : nextafterf(model[i], below(2) ? 9 : -9);
	case CONSTANT:
		return model[0];
	case ONE_HOT:
		return i == hot ? model[0] : 0;
	case TINY:
		return ldexpf(uniform(), -60 - (int)below(70));
	case DENORMAL:
		return ldexpf(uniform(), -127 - (int)below(22));
	case HUGE_ONES:
		return ldexpf(uniform(), 40 + (int)below(16));
	case WILD:
		return ldexpf(uniform(), (int)below(60) - 30);
	case FAR_AWAY:
		return 10000 + uniform();
	case LEVELS:
		/* Where codes are exact, and the ties between them. */
		return (float)((int)below(33) - 16) / 2;
	case SIGNS:
		return below(2) ? 1 : -1;
	case GREATEST:
		return below(2) ? FLT_MAX : uniform();
	default:
		return any_float();
	}
}

static void make(float *vector, u32 dimension, enum data data, const float *model)
{
	u32 i, hot = below(dimension);

	for (i = 0; i < dimension; i++)
		vector[i] = component(data, i, hot, model);
}

static float rows[ROWS * MOST] __attribute__((aligned(64)));
static float packed[ROWS * MOST] __attribute__((aligned(64)));
static float query[MOST] __attribute__((aligned(64)));
static float model[MOST];
static u32 scratch[2 * VSS_ENCODE_ROWS * MOST] __attribute__((aligned(64)));
static u32 codes[ROWS * VSS_PLANES * (MOST / VSS_LANES + 2)];
static u32 planes[VSS_PLANES][ROWS * (MOST / VSS_LANES + 2)] __attribute__((aligned(64)));
static u32 norms[ROWS] __attribute__((aligned(64)));
static float distances[VSS_TILE_ROWS] __attribute__((aligned(64)));
static u32 sums[PROBES * VSS_TILE_ROWS] __attribute__((aligned(64)));
static s8 rounded[PROBES][MOST + MOST / VSS_LANES * VSS_TABLE_BYTES] __attribute__((aligned(64)));

static unsigned long long bounds, ruled_out, wrong;

/* Puts the codes of rows side by side, as a block has them. */
static void stripe(u32 words)
{
	u32 row, plane;

	for (row = 0; row < ROWS; row++)
		for (plane = 0; plane < VSS_PLANES; plane++)
			vss_distance_deal(planes[plane] + row / VSS_STRIPE * VSS_STRIPE * words,
					  row % VSS_STRIPE,
					  codes + (row * VSS_PLANES + plane) * words, words);
}

static bool is_normal(u32 bits)
{
	float value;

	memcpy(&value, &bits, sizeof(value));
	return isnormal(value);
}

/* Makes rows and a query; returns whether the metric takes them. */
static bool make_all(u32 metric, u32 dimension, u32 lanes, enum data data)
{
	u32 i, norm;

	make(model, dimension, below(3) ? UNIFORM : BITS, model);
	memset(rows, 0, sizeof(*rows) * ROWS * lanes);
	memset(query, 0, sizeof(*query) * lanes);
	for (i = 0; i < ROWS; i++) {
		make(packed + i * dimension, dimension, data, model);
		memcpy(rows + i * lanes, packed + i * dimension,
		       dimension * sizeof(*rows));
	}
	/* A query like the rows, one of them, or another altogether. */
	make(query, dimension, below(4) ? data : below(NR_DATA), model);
	if (!below(4))
		memcpy(query, rows + below(ROWS) * lanes, lanes * sizeof(*rows));
	vss_distance_norms((u32 *)packed, ROWS, dimension, norms);
	if (metric != VSS_METRIC_COS)
		return true;
	for (i = 0; i < ROWS; i++)
		if (!is_normal(norms[i]))
			return false;
	vss_distance_norms((u32 *)query, 1, dimension, &norm);
	if (!is_normal(norm))
		return false;
	vss_distance_normalize((u32 *)query, dimension, norm);
	return true;
}

static void measure(u32 metric, u32 lanes)
{
	const u32 *queries[] = { (u32 *)query };
	u32 first, piece = vss_distance_piece(lanes, 1);

	/* As the driver does, no more at a time than a section takes. */
	for (first = 0; first < ROWS; first += piece) {
		static u32 out[VSS_TILE_ROWS] __attribute__((aligned(64)));
		struct vss_measured measured = { .distances = out };
		struct vss_rows some = {
			.rows = (u32 *)rows + first * lanes, .norms = norms + first,
			.lanes = lanes, .count = min(piece, ROWS - first),
		};

		vss_distance_rows(metric, queries, 1, &some, &measured);
		memcpy(distances + first, out, some.count * sizeof(*out));
	}
}

/* Looks at what a probe has ruled out, of which no row may be as near as @limit. */
static void judge(const struct vss_probe *probe, float limit, const char *what)
{
	u32 row;

	for (row = 0; row < ROWS; row++) {
		bool out = !(probe->masks[row / VSS_STRIPE] >> row % VSS_STRIPE & 1);

		bounds++;
		ruled_out += out;
		if (out && distances[row] <= limit && !wrong++)
			printf("# %s: row %u at %a is ruled out by %a\n", what, row,
			       distances[row], limit);
	}
}

static void check(u32 metric, u32 dimension, enum data data)
{
	static u16 masks[PROBES][STRIPES] __attribute__((aligned(64)));
	u32 lanes = ALIGN(dimension, VSS_LANES), words = vss_code_words(lanes);
	struct vss_stripes stripes = {
		.planes = { planes[0], planes[1], planes[2], planes[3] },
		.norms = norms, .words = words, .count = STRIPES, .sums = sums,
	};
	struct vss_probe made[PROBES], *probes[PROBES];
	const u32 *queries[PROBES];
	float limits[PROBES];
	char what[80];
	u32 i, count, at;

	if (!make_all(metric, dimension, lanes, data))
		return;
	measure(metric, lanes);
	vss_distance_encode(metric, (u32 *)packed, norms, ROWS, dimension, scratch,
			    codes);
	stripe(words);
	snprintf(what, sizeof(what), "metric %u, dimension %u, data %d", metric,
		 dimension, data);
	/* The same query with several limits. */
	for (at = 0; at < ROWS; at += count) {
		count = min(1 + below(PROBES), ROWS - at);
		for (i = 0; i < count; i++) {
			limits[i] = distances[at + i];
			made[i] = (struct vss_probe){
				.code = rounded[i], .masks = masks[i],
			};
			memcpy(&made[i].limit, &limits[i], sizeof(made[i].limit));
			memset(masks[i], 255, sizeof(masks[i]));
			probes[i] = &made[i];
			queries[i] = (u32 *)query;
		}
		vss_distance_sift(metric, probes, queries, count, &stripes, lanes);
		for (i = 0; i < count; i++)
			judge(&made[i], limits[i], what);
	}
}

static void check_all(const char *level)
{
	static const u32 dimensions[] = { 33, 40, 64, 100, 128, 255, 384, 768, 1536, 8192 };
	u32 metric, i, times;

	*bounds_simd = (char *)level;
	if (vss_distance_init())
		return;
	for (metric = 0; metric < 3; metric++)
		for (i = 0; i < ARRAY_SIZE(dimensions); i++) {
			enum data data;

			for (data = 0; data < NR_DATA; data++)
				for (times = dimensions[i] > 2000 ? 1 : 2; times; times--)
					check(metric, dimensions[i] > 1000 || below(2) ?
					      dimensions[i] : 33 + below(500), data);
		}
}

/* The driver asks the processor in its own way. */
#ifdef __aarch64__

static const char *const levels[] = { "neon" };

bool vss_cpu_has_neon(void)
{
	return true;
}

static bool has(u32 level)
{
	return vss_cpu_has_neon();
}

#else

static const char *const levels[] = { "avx512", "avx2", "sse2" };

bool vss_cpu_has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
	       __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
	       __builtin_cpu_supports("avx512vnni");
}

bool vss_cpu_likes_avx512(void)
{
	return vss_cpu_has_avx512();
}

bool vss_cpu_has_avx2(void)
{
	return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
}

bool vss_cpu_has_sse2(void)
{
	return true;
}

static bool has(u32 level)
{
	return level == 0 ? vss_cpu_has_avx512() : level > 1 || vss_cpu_has_avx2();
}

#endif

int main(int count, char **words)
{
	time_t end = time(NULL) + (count > 1 ? atoi(words[1]) : 0);
	uint64_t seed = count > 2 ? strtoull(words[2], NULL, 0) : (uint64_t)time(NULL);
	u32 i;

	printf("# seed %llu\n", (unsigned long long)seed);
	state = seed * 0x9e3779b97f4a7c15ULL | 1;
	for (i = 0; i < ARRAY_SIZE(levels); i++) {
		if (!has(i)) {
			ktap_skip(levels[i], "this processor does not have it");
			continue;
		}
		bounds = ruled_out = wrong = 0;
		do
			check_all(levels[i]);
		while (time(NULL) < end - (time_t)(ARRAY_SIZE(levels) - 1 - i) *
		       (count > 1 ? atoi(words[1]) : 0) / (time_t)ARRAY_SIZE(levels));
		printf("# %s: %llu bounds, %llu rows ruled out\n", levels[i], bounds,
		       ruled_out);
		/* Where products are looked up, a tenth; else a seventh. */
		ktap_ok(bounds > 100000 && ruled_out > bounds / 11 && !wrong,
			"%s rules out rows, and none that is near enough", levels[i]);
	}
	return ktap_done();
}
