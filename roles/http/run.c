/* SPDX-License-Identifier: MIT */
/*
 * Runs of characters: a step of 16 bytes for CPUs that have one, 8 bytes in a register elsewhere. A step
 * may stop at a byte that is of the class after all (a tab, a rare mark): the table has the last word.
 */
#include "roles/http/run.h"

#include <string.h>

#include "roles/http/chars.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#define STEP16 1
#elif defined(__aarch64__) && defined(__ARM_NEON)
#include <arm_neon.h>
#define STEP16 1
#endif

static inline size_t by_table(const unsigned char *p, size_t from, size_t len, unsigned class)
{
	while (from < len && weft_http_is(p[from], class))
		from++;
	return from;
}

/* ---- 8 bytes in a register ---- */

static const uint64_t ones = UINT64_MAX / 255;
static const uint64_t tops = UINT64_MAX / 255 * 128;

static inline uint64_t load8(const unsigned char *p)
{
	uint64_t x;

	memcpy(&x, p, sizeof(x));
	return x;
}

/* Not 0 just where a byte of x is c; which one it is, the table tells. */
static inline uint64_t has(uint64_t x, unsigned char c)
{
	x ^= ones * c;
	return (x - ones) & ~x & tops;
}

/* The same for a byte below c, for c up to 128. */
static inline uint64_t has_below(uint64_t x, unsigned char c)
{
	return (x - ones * c) & ~x & tops;
}

static size_t value_by_8(const unsigned char *p, size_t len)
{
	size_t i = 0, at;

	while (len - i >= 8) {
		uint64_t x = load8(p + i);

		if (has_below(x, ' ') | has(x, 0x7f)) {
			at = by_table(p, i, i + 8, WEFT_HTTP_VALUE);
			if (at < i + 8)
				return at;
		}
		i += 8;
	}
	return by_table(p, i, len, WEFT_HTTP_VALUE);
}

static size_t token_by_table(const unsigned char *p, size_t len)
{
	return by_table(p, 0, len, WEFT_HTTP_TOKEN);
}

static size_t target_by_8(const unsigned char *p, size_t len)
{
	size_t i = 0;

	while (len - i >= 8) {
		uint64_t x = load8(p + i);

		if (has_below(x, '!') | (x & tops) | has(x, 0x7f) | has(x, '"') | has(x, '#') |
			has(x, '<') | has(x, '>'))
			break;
		i += 8;
	}
	return by_table(p, i, len, WEFT_HTTP_TARGET);
}

/* ---- 16 bytes at a step ---- */

#ifdef STEP16

/* The number of leading bytes of p[0, 16) that are surely of the class. */
#ifdef __SSE2__

typedef __m128i block;

static inline block load16(const unsigned char *p)
{
	return _mm_loadu_si128((const __m128i *)(const void *)p);
}

static inline unsigned leading(block good)
{
	unsigned bad = (unsigned)_mm_movemask_epi8(good) ^ 0xffffu;

	return bad ? (unsigned)__builtin_ctz(bad) : 16;
}

static inline block fill(unsigned char c)
{
	return _mm_set1_epi8((char)c);
}

static inline block same(block x, block y)
{
	return _mm_cmpeq_epi8(x, y);
}

static inline block at_least(block x, unsigned char c)
{
	return _mm_cmpeq_epi8(_mm_max_epu8(x, fill(c)), x);
}

/* from <= x < from + 127: both ends by one comparison with sign */
static inline block between(block x, unsigned char from, unsigned char to)
{
	block shifted = _mm_add_epi8(x, fill((unsigned char)(0x80 - from)));

	return _mm_cmplt_epi8(shifted, fill((unsigned char)(0x80 + to - from + 1)));
}

static inline block either(block x, block y)
{
	return _mm_or_si128(x, y);
}

static inline block but_not(block x, block y)
{
	return _mm_andnot_si128(y, x);
}

#else /* NEON */

typedef uint8x16_t block;

static inline block load16(const unsigned char *p)
{
	return vld1q_u8(p);
}

/* Four bits a byte: the narrowing shift is what NEON has for a mask. */
static inline unsigned leading(block good)
{
	uint8x8_t nibbles = vshrn_n_u16(vreinterpretq_u16_u8(good), 4);
	uint64_t bad = ~vget_lane_u64(vreinterpret_u64_u8(nibbles), 0);

	return bad ? (unsigned)__builtin_ctzll(bad) / 4 : 16;
}

static inline block fill(unsigned char c)
{
	return vdupq_n_u8(c);
}

static inline block same(block x, block y)
{
	return vceqq_u8(x, y);
}

static inline block at_least(block x, unsigned char c)
{
	return vcgeq_u8(x, fill(c));
}

static inline block between(block x, unsigned char from, unsigned char to)
{
	return vandq_u8(vcgeq_u8(x, fill(from)), vcleq_u8(x, fill(to)));
}

static inline block either(block x, block y)
{
	return vorrq_u8(x, y);
}

static inline block but_not(block x, block y)
{
	return vbicq_u8(x, y);
}

#endif

/* All but tabs. */
static inline block values(block x)
{
	return but_not(at_least(x, ' '), same(x, fill(0x7f)));
}

/* Letters and hyphens, as which fields are named. */
static inline block names(block x)
{
	return either(between(either(x, fill(0x20)), 'a', 'z'), same(x, fill('-')));
}

static inline block targets(block x)
{
	/* '<' and '>' differ in one bit, and so do '"' and '#' */
	block angle = same(either(x, fill(2)), fill('>'));
	block mark = same(either(x, fill(1)), fill('#'));

	return but_not(between(x, '!', '~'), either(angle, mark));
}

static size_t value_by_16(const unsigned char *p, size_t len)
{
	size_t i = 0;
	unsigned n;

	while (len - i >= 16) {
		n = leading(values(load16(p + i)));
		i += n;
		if (n == 16)
			continue;
		if (p[i] != '\t')
			return i;
		i++;
	}
	return i + value_by_8(p + i, len - i);
}

static size_t token_by_16(const unsigned char *p, size_t len)
{
	size_t i = 0;

	if (len >= 16)
		i = leading(names(load16(p)));
	return by_table(p, i, len, WEFT_HTTP_TOKEN);
}

static size_t target_by_16(const unsigned char *p, size_t len)
{
	size_t i = 0;
	unsigned n;

	while (len - i >= 16) {
		n = leading(targets(load16(p + i)));
		i += n;
		if (n < 16)
			return i;
	}
	return by_table(p, i, len, WEFT_HTTP_TARGET);
}

#endif

/* ---- the choice ---- */

static size_t value_by_table(const unsigned char *p, size_t len)
{
	return by_table(p, 0, len, WEFT_HTTP_VALUE);
}

static size_t target_by_table(const unsigned char *p, size_t len)
{
	return by_table(p, 0, len, WEFT_HTTP_TARGET);
}

static const struct weft_http_runner by_bytes = { "the table", value_by_table, token_by_table,
	target_by_table };
static const struct weft_http_runner by_8 = { "8 bytes in a register", value_by_8, token_by_table,
	target_by_8 };
#ifdef STEP16
static const struct weft_http_runner by_16 = { "16 bytes at a step", value_by_16, token_by_16,
	target_by_16 };
#define best by_16
#else
#define best by_8
#endif

const struct weft_http_runner *const weft_http_runners[] = {
#ifdef STEP16
	&by_16,
#endif
	&by_8,
	&by_bytes,
};
const size_t weft_http_runner_count = sizeof(weft_http_runners) / sizeof(*weft_http_runners);

size_t weft_http_run(const unsigned char *p, size_t len)
{
	return best.value(p, len);
}

size_t weft_http_run_token(const unsigned char *p, size_t len)
{
	return best.token(p, len);
}

size_t weft_http_run_target(const unsigned char *p, size_t len)
{
	return best.target(p, len);
}
