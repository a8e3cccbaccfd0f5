#include "parquet/profile.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buffer.h"
#include "base/error.h"
#include "codec/split.h"

typedef struct candidate {
    int encoding;
    ak_codec codec;
    int level;
    double gain; /* it must make the sample smaller than so many times the best one before it */
} candidate;

enum { PLAIN = AK_ENCODING_PLAIN, SPLIT = AK_ENCODING_BYTE_STREAM_SPLIT, CANDIDATES_MAX = 6 };

typedef struct plan {
    ak_codec codec; /* of the other columns */
    int level;
    size_t count;
    candidate candidates[CANDIDATES_MAX];
} plan;

/* docs/profiles.md has the measurements behind these. High levels of zstd find nothing in floats
 * that differ, and much in vectors that repeat or have few digits. */
static const plan plans[] = {
    [AKIDB_PROFILE_FAST] = {AK_CODEC_UNCOMPRESSED,
                            0,
                            2,
                            {{PLAIN, AK_CODEC_UNCOMPRESSED, 0, 1},
                             {PLAIN, AK_CODEC_SNAPPY, 0, 0.5}}},
    [AKIDB_PROFILE_COMPATIBLE] = {AK_CODEC_SNAPPY,
                                  0,
                                  2,
                                  {{PLAIN, AK_CODEC_UNCOMPRESSED, 0, 1},
                                   {PLAIN, AK_CODEC_SNAPPY, 0, 0.98}}},
    [AKIDB_PROFILE_BALANCED] = {AK_CODEC_ZSTD,
                                1,
                                3,
                                {{PLAIN, AK_CODEC_UNCOMPRESSED, 0, 1},
                                 {SPLIT, AK_CODEC_ZSTD, 1, 0.98},
                                 {PLAIN, AK_CODEC_ZSTD, 1, 0.98}}},
    [AKIDB_PROFILE_SMALL] = {AK_CODEC_ZSTD,
                             9,
                             6,
                             {{PLAIN, AK_CODEC_UNCOMPRESSED, 0, 1},
                              {SPLIT, AK_CODEC_ZSTD, 1, 1},
                              {PLAIN, AK_CODEC_ZSTD, 1, 1},
                              {SPLIT, AK_CODEC_ZSTD, 9, 0.98},
                              {PLAIN, AK_CODEC_ZSTD, 9, 0.98},
                              {PLAIN, AK_CODEC_ZSTD, 19, 0.97}}},
};

void ak_profile_set_codec(ak_writer_settings *settings)
{
    settings->codec = plans[settings->profile].codec;
    settings->level = plans[settings->profile].level;
}

/* ---- the sample ------------------------------------------------------------------------------ */

enum { PIECES = 2, PIECE_BYTES_MAX = 1 << 20 };

typedef struct sample {
    const float *pieces[PIECES];
    size_t floats[PIECES];
    size_t count;
    uint64_t bytes;
} sample;

static sample take_sample(const akidb_batch *batch, size_t first, size_t rows, uint32_t page_bytes)
{
    size_t dimension = batch->dimension, row_bytes = dimension * sizeof(float);
    size_t piece_bytes = page_bytes < PIECE_BYTES_MAX ? page_bytes : PIECE_BYTES_MAX;
    size_t piece = piece_bytes > row_bytes ? piece_bytes / row_bytes : 1; /* in rows */
    sample s = {0};
    if (rows <= piece * PIECES) /* all of them */
        piece = (rows + PIECES - 1) / PIECES;
    for (size_t i = 0; i < PIECES; i++) {
        size_t from = rows <= piece * PIECES ? i * piece : (rows - piece) / (PIECES - 1) * i;
        if (from >= rows)
            break;
        size_t count = rows - from < piece ? rows - from : piece;
        s.pieces[s.count] = batch->vectors + (first + from) * dimension;
        s.floats[s.count++] = count * dimension;
        s.bytes += count * dimension * sizeof(float);
    }
    return s;
}

/* ---- trying candidates ----------------------------------------------------------------------- */

/* The size of the sample when it is stored so. `split` and `packed` are kept for the next. */
static akidb_status try_candidate(const sample *s, const candidate *c, akidb_buffer *split,
                                  akidb_buffer *packed, uint64_t *size_out, akidb_error *err)
{
    *size_out = s->bytes;
    if (c->codec == AK_CODEC_UNCOMPRESSED)
        return AKIDB_OK;
    ak_compressor *compressor;
    akidb_status status = ak_compressor_new(c->codec, c->level, &compressor, err);
    packed->size = 0;
    for (size_t i = 0; i < s->count && status == AKIDB_OK; i++) {
        akidb_slice bytes = {s->pieces[i], s->floats[i] * sizeof(float)};
        if (c->encoding == SPLIT) {
            status = ak_buffer_reserve(split, bytes.size, err);
            if (status != AKIDB_OK)
                break;
            ak_split_encode(s->pieces[i], s->floats[i], sizeof(float), split->data);
            bytes.data = split->data;
            status = ak_compress_split_floats(compressor, bytes, 0, packed, err);
        } else {
            status = ak_compress(compressor, &bytes, 1, packed, err);
        }
    }
    ak_compressor_free(compressor);
    *size_out = packed->size;
    return status;
}

/* Appends to the choice as far as there is room. */
__attribute__((format(printf, 2, 3))) static void say(ak_writer_settings *settings,
                                                      const char *format, ...)
{
    size_t used = 0;
    while (settings->choice[used] != '\0')
        used++;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(settings->choice + used, sizeof settings->choice - used, format, arguments);
    va_end(arguments);
}

static void say_candidate(ak_writer_settings *settings, const candidate *c, uint64_t size,
                          const sample *s)
{
    const char *encoding = c->encoding == SPLIT ? "BYTE_STREAM_SPLIT" : "PLAIN";
    say(settings, "%s, %s", encoding, ak_codec_name((int)c->codec));
    if (c->level > 0)
        say(settings, " %d", c->level);
    say(settings, ": %.1f %%", 100 * (double)size / (double)s->bytes);
}

/* The candidate as the caller's own options leave it. */
static candidate constrained(const ak_writer_settings *settings, candidate c)
{
    if (settings->codec_is_given) {
        c.codec = settings->codec;
        c.level = settings->level;
    }
    if (settings->encoding_is_given)
        c.encoding = settings->vector_encoding;
    return c;
}

static bool is_same(const candidate *a, const candidate *b)
{
    return a->encoding == b->encoding && a->codec == b->codec && a->level == b->level;
}

typedef struct trial {
    candidate candidate;
    uint64_t size;
} trial;

/* Tries all candidates of the plan, those that the options make equal once. *best_out is the index
 * of the one to keep to. */
static akidb_status try_all(const ak_writer_settings *settings, const sample *s,
                            trial trials[CANDIDATES_MAX], size_t *count_out, size_t *best_out,
                            akidb_error *err)
{
    const plan *p = &plans[settings->profile];
    akidb_buffer split = {0}, packed = {0};
    akidb_status status = AKIDB_OK;
    *count_out = *best_out = 0;
    for (size_t i = 0; i < p->count && status == AKIDB_OK; i++) {
        trial *t = &trials[*count_out];
        t->candidate = constrained(settings, p->candidates[i]);
        bool seen = false;
        for (size_t j = 0; j < *count_out && !seen; j++)
            seen = is_same(&trials[j].candidate, &t->candidate);
        if (seen)
            continue;
        status = try_candidate(s, &t->candidate, &split, &packed, &t->size, err);
        if (status == AKIDB_OK &&
            (double)t->size < t->candidate.gain * (double)trials[*best_out].size)
            *best_out = *count_out;
        (*count_out)++;
    }
    akidb_buffer_free(&split);
    akidb_buffer_free(&packed);
    return status;
}

akidb_status ak_profile_decide(ak_writer_settings *settings, const akidb_batch *batch, size_t first,
                               size_t rows, akidb_error *err)
{
    const sample s = take_sample(batch, first, rows, settings->page_bytes);
    trial trials[CANDIDATES_MAX] = {0};
    size_t count, best;
    akidb_status status = try_all(settings, &s, trials, &count, &best, err);
    if (status != AKIDB_OK)
        return status;
    const candidate *chosen = &trials[best].candidate;
    settings->vector_encoding = chosen->encoding;
    settings->vector_codec = chosen->codec;
    settings->vector_level = chosen->level;
    settings->is_undecided = false;
    settings->choice[0] = '\0';
    say_candidate(settings, chosen, trials[best].size, &s);
    say(settings, " of a sample of %llu KiB", (unsigned long long)((s.bytes + 1023) / 1024));
    for (size_t i = 0, told = 0; i < count; i++) {
        if (i == best || trials[i].candidate.codec == AK_CODEC_UNCOMPRESSED)
            continue;
        say(settings, told++ == 0 ? "; other ways: " : "; ");
        say_candidate(settings, &trials[i].candidate, trials[i].size, &s);
    }
    return AKIDB_OK;
}
