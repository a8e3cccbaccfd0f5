/* Frames around noise: what a decoder makes of them, and that the noise is stored as it is. */
#include "codec/zstd_around.h"

#include <stdlib.h>
#include <string.h>

#include "base/buffer.h"
#include "test.h"

enum { WINDOW = AK_ZSTD_AROUND_WINDOW, PAGE_MAX = 12 * WINDOW };

typedef struct fixture {
    ZSTD_CCtx *zstd;
    uint8_t *page, *back;
    akidb_buffer frame;
} fixture;

static void open_fixture(fixture *f)
{
    *f = (fixture){.zstd = ZSTD_createCCtx(), .page = malloc(PAGE_MAX), .back = malloc(PAGE_MAX)};
    assert_true(f->zstd != NULL && f->page != NULL && f->back != NULL);
    ZSTD_CCtx_setParameter(f->zstd, ZSTD_c_compressionLevel, 1);
}

static void close_fixture(fixture *f)
{
    ZSTD_freeCCtx(f->zstd);
    free(f->page);
    free(f->back);
    akidb_buffer_free(&f->frame);
}

/* Bytes that repeat, near and far: what refers back, to where it must not. */
static void fill_repeating(uint8_t *bytes, size_t size, uint64_t seed)
{
    uint64_t random = seed;
    for (size_t i = 0; i < size; i++) {
        size_t back = test_random(&random) % 9;
        bytes[i] = i % 700 < 400 && i >= 9 ? bytes[i - 1 - back] : (uint8_t)(i % 5);
    }
}

/* head | noise | rest; the rest begins with the very bytes of the head. */
static size_t make_page(uint8_t *page, size_t head, size_t noise, size_t rest, uint64_t seed)
{
    fill_repeating(page, head, seed);
    test_random_bytes(seed, page + head, noise);
    fill_repeating(page + head + noise, rest, seed);
    return head + noise + rest;
}

static bool compress_around(fixture *f, size_t size, size_t head, size_t noise)
{
    akidb_error err;
    bool done;
    f->frame.size = 0;
    assert_ok(err, ak_buffer_append(&f->frame, "before", 6, &err));
    assert_ok(err, ak_zstd_compress_around(f->zstd, (akidb_slice){f->page, size}, head, noise,
                                           &f->frame, &done, &err));
    assert_memory_equal(f->frame.data, "before", 6);
    if (!done)
        assert_int_equal(f->frame.size, 6);
    return done;
}

/* By the library at once, with the sizes that the frame itself tells. */
static void assert_decodes(fixture *f, size_t size)
{
    const uint8_t *frame = f->frame.data + 6;
    size_t length = f->frame.size - 6;
    assert_int_equal(ZSTD_getFrameContentSize(frame, length), size);
    assert_int_equal(ZSTD_findFrameCompressedSize(frame, length), length);
    memset(f->back, 0, size);
    assert_int_equal(ZSTD_decompress(f->back, size, frame, length), size);
    assert_memory_equal(f->back, f->page, size);
}

/* In helpings, with no more of a window than the frame claims: a decoder that keeps only so much
 * finds every reference. */
static void assert_decodes_in_a_small_window(fixture *f, size_t size)
{
    ZSTD_DCtx *decoder = ZSTD_createDCtx();
    assert_non_null(decoder);
    assert_false(ZSTD_isError(
        ZSTD_DCtx_setParameter(decoder, ZSTD_d_windowLogMax, AK_ZSTD_AROUND_WINDOW_LOG)));
    ZSTD_inBuffer in = {f->frame.data + 6, f->frame.size - 6, 0};
    size_t result = 1, at = 0;
    uint8_t piece[1000];
    while (result != 0) {
        ZSTD_outBuffer out = {piece, sizeof piece, 0};
        result = ZSTD_decompressStream(decoder, &out, &in);
        assert_false(ZSTD_isError(result));
        assert_true(out.pos <= size - at && out.pos + in.pos > 0);
        assert_memory_equal(piece, f->page + at, out.pos);
        at += out.pos;
    }
    assert_int_equal(at, size);
    assert_int_equal(in.pos, in.size);
    ZSTD_freeDCtx(decoder);
}

static void a_frame_around_noise_is_what_it_was(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    static const size_t heads[] = {1, 37, 2600, 3 * WINDOW + 5};
    static const size_t noises[] = {2 * WINDOW, 2 * WINDOW + 1, 6 * WINDOW - 3};
    static const size_t rests[] = {0, 1, 1000, WINDOW, 2 * WINDOW + 77};
    for (size_t h = 0; h < 4; h++)
        for (size_t n = 0; n < 3; n++)
            for (size_t r = 0; r < 5; r++) {
                size_t size = make_page(f.page, heads[h], noises[n], rests[r], h + n + r + 1);
                assert_true(compress_around(&f, size, heads[h], noises[n]));
                assert_decodes(&f, size);
                assert_decodes_in_a_small_window(&f, size);
                assert_true(f.frame.size < noises[n] + (heads[h] + rests[r]) / 2 + 200);
            }
    close_fixture(&f);
}

static void what_only_looks_like_noise_is_left_to_the_library(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    size_t size = make_page(f.page, 100, 4 * WINDOW, 1000, 9);
    uint8_t *last = f.page + 100 + 3 * WINDOW; /* the part that the library sees */
    memcpy(last + 5000, last, 5000);
    assert_false(compress_around(&f, size, 100, 4 * WINDOW));
    close_fixture(&f);
}

static void without_a_head_or_with_little_noise_there_is_no_such_frame(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    size_t size = make_page(f.page, 100, 2 * WINDOW, 1000, 10);
    assert_true(compress_around(&f, size, 100, 2 * WINDOW));
    assert_false(compress_around(&f, size, 100, 2 * WINDOW - 1));
    assert_false(compress_around(&f, size, 100, 0));
    size = make_page(f.page, 0, 2 * WINDOW, 1000, 10);
    assert_false(compress_around(&f, size, 0, 2 * WINDOW));
    close_fixture(&f);
}

static void other_frames_of_the_same_context_are_as_ever(void **state)
{
    (void)state;
    fixture f;
    open_fixture(&f);
    size_t size = make_page(f.page, 100, 4 * WINDOW, WINDOW, 11), room = ZSTD_compressBound(size);
    uint8_t *before = malloc(room), *after = malloc(room);
    assert_true(before != NULL && after != NULL);
    size_t length = ZSTD_compress2(f.zstd, before, room, f.page, size);
    assert_true(compress_around(&f, size, 100, 4 * WINDOW));
    assert_int_equal(ZSTD_compress2(f.zstd, after, room, f.page, size), length);
    assert_memory_equal(after, before, length);
    free(before);
    free(after);
    close_fixture(&f);
}

static void noise_is_told_by_planes(void **state)
{
    (void)state;
    enum { HEAD = 7, PLANE = 10000, SIZE = HEAD + 4 * PLANE };
    static uint8_t page[SIZE];
    const akidb_slice whole = {page, SIZE};
    for (size_t planes = 0; planes <= 4; planes++) {
        memset(page, 0, sizeof page);
        test_random_bytes(planes + 1, page + HEAD, planes * PLANE);
        assert_int_equal(ak_zstd_noise(whole, HEAD), planes * PLANE);
        if (planes < 3) { /* the planes before the first that is not */
            test_random_bytes(8, page + HEAD + 3 * PLANE, PLANE);
            assert_int_equal(ak_zstd_noise(whole, HEAD), planes * PLANE);
        }
    }
    /* One value in every tenth byte is enough. */
    for (size_t i = 0; i < SIZE; i += 10)
        page[i] = 17;
    assert_int_equal(ak_zstd_noise(whole, HEAD), 0);
    for (size_t size = 0; size < 4 * 4096; size += 1000)
        assert_int_equal(ak_zstd_noise((akidb_slice){page, size}, 0), 0);
}

/* Rows of which only the first dimensions are noise: the sample must not see just those. */
static void noise_of_some_dimensions_is_none(void **state)
{
    (void)state;
    enum { DIMENSION = 512, NOISY = 64, PLANE = 1 << 18 };
    uint8_t *page = calloc(4, PLANE);
    assert_non_null(page);
    for (size_t row = 0; row < PLANE; row += DIMENSION)
        test_random_bytes(row + 1, page + row, NOISY);
    assert_int_equal(ak_zstd_noise((akidb_slice){page, (size_t)4 * PLANE}, 0), 0);
    free(page);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_around_noise_is_what_it_was),
        cmocka_unit_test(what_only_looks_like_noise_is_left_to_the_library),
        cmocka_unit_test(without_a_head_or_with_little_noise_there_is_no_such_frame),
        cmocka_unit_test(other_frames_of_the_same_context_are_as_ever),
        cmocka_unit_test(noise_is_told_by_planes),
        cmocka_unit_test(noise_of_some_dimensions_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
