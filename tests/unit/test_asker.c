// SPDX-License-Identifier: Apache-2.0
// Questions that are asked by somebody else: in which order, in how many pieces, and what
// becomes of those that are never asked.
#include "test.h"

#include <stdatomic.h>
#include <time.h>

#include "base/asker.h"

enum {
    N_MANY = 1000,
    N_PIECES = 3
};

// What happened, a letter each: a piece in lower case, the end of a question in upper
// case, '-' one that was dropped.
struct told {
    char text[64];
    size_t n;
};

struct spoken {
    struct question question; // first member
    struct told *told;
    char letter;
    int n_pieces;
    struct asker *asker; // asks `next` within its first piece
    struct spoken *next;
};

static bool speak(struct question *question)
{
    struct spoken *spoken = (struct spoken *)question;
    spoken->told->text[spoken->told->n++] = spoken->letter;
    if (spoken->next != NULL)
        asker_ask(spoken->asker, &spoken->next->question);
    spoken->next = NULL;
    return --spoken->n_pieces == 0;
}

static void end(struct question *question)
{
    struct spoken *spoken = (struct spoken *)question;
    spoken->told->text[spoken->told->n++] = (char)(spoken->letter - 'a' + 'A');
}

static void drop(struct question *question)
{
    struct spoken *spoken = (struct spoken *)question;
    spoken->told->text[spoken->told->n++] = '-';
}

static const struct question_ops spoken_ops = {
    .ask = speak, .answered = end, .dropped = drop};

static struct spoken spoken(struct told *told, char letter, int rank, int n_pieces)
{
    return (struct spoken){.question = {.ops = &spoken_ops, .rank = rank},
                           .told = told,
                           .letter = letter,
                           .n_pieces = n_pieces};
}

static void step_to_the_end(struct asker *asker)
{
    while (asker_step(asker))
        continue;
}

static void test_the_most_urgent_goes_first_then_the_oldest(UNUSED void **state)
{
    struct told told = {0};
    struct asker *asker = asker_open();
    struct spoken a = spoken(&told, 'a', 2, 1), b = spoken(&told, 'b', 1, 2),
                  c = spoken(&told, 'c', 1, 1), d = spoken(&told, 'd', 0, 1);
    assert_true(asker_is_idle(asker));
    asker_ask(asker, &a.question);
    asker_ask(asker, &b.question);
    asker_ask(asker, &c.question);
    asker_ask(asker, &d.question);
    assert_false(asker_is_idle(asker));
    step_to_the_end(asker);
    assert_string_equal(told.text, "dDbbBcCaA");
    assert_true(asker_is_idle(asker));
    asker_close(asker);
}

// Whatever is more urgent does not wait for the end of a question, only of a piece.
static void test_an_urgent_one_comes_between_two_pieces(UNUSED void **state)
{
    struct told told = {0};
    struct asker *asker = asker_open();
    struct spoken urgent = spoken(&told, 'u', 0, 2);
    struct spoken slow = spoken(&told, 's', 1, 3);
    slow.asker = asker;
    slow.next = &urgent;
    asker_ask(asker, &slow.question);
    step_to_the_end(asker);
    assert_string_equal(told.text, "suuUssS");
    asker_close(asker);
}

static void test_what_is_not_asked_by_the_end_is_dropped(UNUSED void **state)
{
    struct told told = {0};
    struct asker *asker = asker_open();
    struct spoken a = spoken(&told, 'a', 0, 2), b = spoken(&told, 'b', 0, 1),
                  late = spoken(&told, 'l', 0, 1);
    asker_ask(asker, &a.question);
    asker_ask(asker, &b.question);
    assert_true(asker_step(asker));
    asker_end(asker);
    assert_true(asker_has_ended(asker));
    assert_false(asker_step(asker));
    asker_join(asker);
    assert_string_equal(told.text, "a--");
    asker_ask(asker, &late.question); // too late
    assert_string_equal(told.text, "a---");
    asker_close(asker);
    asker_close(NULL);
}

// On a thread: each question comes back once, answered or dropped, whenever it ends.
struct counted {
    struct question question; // first member
    atomic_int n_pieces, n_answered, n_dropped;
};

static bool count_piece(struct question *question)
{
    return atomic_fetch_add(&((struct counted *)question)->n_pieces, 1) + 1 == N_PIECES;
}

static void count_answer(struct question *question)
{
    atomic_fetch_add(&((struct counted *)question)->n_answered, 1);
}

static void count_drop(struct question *question)
{
    atomic_fetch_add(&((struct counted *)question)->n_dropped, 1);
}

static const struct question_ops counted_ops = {
    .ask = count_piece, .answered = count_answer, .dropped = count_drop};

static void test_each_comes_back_once(UNUSED void **state)
{
    static struct counted many[N_MANY];
    for (int round = 0; round < 20; round++) {
        struct asker *asker = asker_open();
        int n_answered = 0;
        memset(many, 0, sizeof(many));
        asker_start(asker);
        for (int i = 0; i < N_MANY; i++) {
            many[i].question = (struct question){.ops = &counted_ops, .rank = i % 7};
            asker_ask(asker, &many[i].question);
            if (i == round * N_MANY / 19)
                asker_end(asker);
        }
        asker_join(asker);
        for (int i = 0; i < N_MANY; i++) {
            assert_int_equal(many[i].n_answered + many[i].n_dropped, 1);
            assert_true(!many[i].n_answered || many[i].n_pieces == N_PIECES);
            n_answered += many[i].n_answered;
        }
        assert_true(round > 0 || n_answered <= 1);
        asker_close(asker);
    }
}

// An asker that nobody asks sleeps, and wakes for a question.
static void test_a_thread_wakes_for_a_question(UNUSED void **state)
{
    struct asker *asker = asker_open();
    struct counted question = {.question = {.ops = &counted_ops}};
    const struct timespec moment = {.tv_nsec = 1000000};
    asker_start(asker);
    for (int i = 0; i < 20; i++)
        nanosleep(&moment, NULL);
    asker_ask(asker, &question.question);
    for (int i = 0; i < 20000 && atomic_load(&question.n_answered) == 0; i++)
        nanosleep(&moment, NULL);
    assert_int_equal(atomic_load(&question.n_answered), 1);
    asker_close(asker);
}

TEST_MAIN(cmocka_unit_test(test_the_most_urgent_goes_first_then_the_oldest),
          cmocka_unit_test(test_an_urgent_one_comes_between_two_pieces),
          cmocka_unit_test(test_what_is_not_asked_by_the_end_is_dropped),
          cmocka_unit_test(test_each_comes_back_once),
          cmocka_unit_test(test_a_thread_wakes_for_a_question))
