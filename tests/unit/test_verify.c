// SPDX-License-Identifier: Apache-2.0
// Each way in which a result can be wrong is found and told in a sentence. So does
// tools/verify_log.py, which shares no code.
#include "test.h"

#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "log/verify.h"
#include "sim/sim_job.h"
#include "storage/storage_url.h"

// A good result in a local directory: entry 0 the job, 1 a claim, 2 and more commits.
struct fixture {
    struct sim_job job;
    char directory[64];
    struct storage *storage;
    struct verify_report report;
};

#define DATA     "part-00000000000000000002-0.avro"
#define DEAD     "_tramline/dead/00000000000000000002-1.jsonl"
#define LOG      "_tramline/log/000000/"
#define SOMEBODY "00000000-0000-4000-8000-00000000000a"
#define NOT_FOLLOWED                                                                  \
    "; nothing of it was followed: put the entry back as it was, or start over with " \
    "tramline init --reset"

static void set_up(struct fixture *fix)
{
    struct err err = {0};
    *fix = (struct fixture){.directory = "/tmp/tramline-verify-XXXXXX"};
    log_set_level(LOG_ERROR);
    assert_non_null(mkdtemp(fix->directory));
    struct storage_config config = {0};
    assert_ok(storage_open(str_of(fix->directory), &config, &fix->storage, &err), &err);
    sim_job_init(&fix->job, 1);
    for (int i = 0; i < 20; i++)
        sim_job_record(&fix->job, 0, i == 0 ? SIM_BAD : SIM_ROWS, 2);
    fix->job.job.settings.commit_rows = 7;
    fix->job.topic.run_offsets = 4;
    assert_ok(sim_job_run(&fix->job, fix->storage, &err), &err);
}

static void run_tool(const char *format, const char *a, const char *b)
{
    char command[512];
    snprintf(command, sizeof(command), format, a, b);
    assert_int_equal(system(command), 0);
}

static void tear_down(struct fixture *fix)
{
    verify_report_release(&fix->report);
    fix->storage->ops->close(fix->storage);
    run_tool("rm -rf '%s'%s", fix->directory, "");
}

static void verify(struct fixture *fix)
{
    struct verify_options options = {.checksums = true};
    struct err err = {0};
    verify_report_release(&fix->report);
    assert_ok(verify_run(fix->storage, &options, &fix->report, &err), &err);
}

// Does something to a file of the result: a shell command, run inside the directory.
static void in_result(struct fixture *fix, const char *command)
{
    run_tool("cd '%s' && %s", fix->directory, command);
}

static int second_opinion(struct fixture *fix)
{
    char command[512];
    snprintf(command, sizeof(command),
             "python3 '%s/tools/verify_log.py' '%s' >/dev/null 2>&1", TRAMLINE_SOURCE_DIR,
             fix->directory);
    return WEXITSTATUS(system(command));
}

static void assert_found(struct fixture *fix, const char *text)
{
    verify(fix);
    for (size_t i = 0; i < fix->report.n_findings; i++)
        if (strcmp(fix->report.findings[i].text.p, text) == 0) {
            assert_true(fix->report.n_errors > 0);
            assert_int_equal(second_opinion(fix), 1);
            return;
        }
    for (size_t i = 0; i < fix->report.n_findings; i++)
        print_message("found: %s\n", fix->report.findings[i].text.p);
    fail_msg("not found: %s", text);
}

static void test_a_good_result_is_good(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    verify(&fix);
    assert_int_equal(fix.report.n_findings, 0);
    assert_int_equal(fix.report.records, 20);
    assert_int_equal(fix.report.rows, 38);
    assert_int_equal(fix.report.rejected, 1);
    assert_int_equal(fix.report.n_partitions, 1);
    assert_int_equal(fix.report.partitions[0].next, 20);
    assert_int_equal(second_opinion(&fix), 0);
    tear_down(&fix);
}

static void test_no_log_is_an_answer(UNUSED void **state)
{
    struct fixture fix;
    struct verify_options options = {0};
    struct err err;
    char text[256];
    set_up(&fix);
    in_result(&fix, "rm -r _tramline");
    assert_status(verify_run(fix.storage, &options, &fix.report, &err), ST_NOT_FOUND);
    snprintf(text, sizeof(text), "%s holds no commit log: nothing has been written there",
             fix.storage->url);
    assert_string_equal(err.text, text);
    tear_down(&fix);
}

static void test_a_missing_file_is_found(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "cp " DEAD " _keep && rm " DEAD);
    assert_found(&fix, "entry 2: " DEAD " is missing, and with it 1 row");
    in_result(&fix, "cp _keep " DEAD);
    verify(&fix);
    assert_int_equal(fix.report.n_errors, 0);
    tear_down(&fix);
}

static void test_a_changed_file_is_found(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "sed -i s/END/FIN/ " DATA);
    verify(&fix);
    assert_int_equal(fix.report.n_errors, 1);
    assert_string_equal(fix.report.findings[0].text.p,
                        "entry 2: " DATA " was changed: its checksum is not the log's");
    in_result(&fix, "echo >> " DATA);
    verify(&fix);
    assert_int_equal(fix.report.n_errors, 2);
    assert_int_equal(second_opinion(&fix), 1);
    tear_down(&fix);
}

static void test_a_file_too_many_is_found(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "cp " DATA " part-00000000000000000002-9.avro");
    assert_found(&fix,
                 "part-00000000000000000002-9.avro is not named by any entry of the "
                 "log");
    in_result(&fix,
              "mv part-00000000000000000002-9.avro part-00000000000000000099-0.avro");
    assert_found(&fix,
                 "part-00000000000000000099-0.avro is not named by any entry of the "
                 "log");
    tear_down(&fix);
}

static void test_a_changed_entry_is_found(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix,
              "sed -i 's/\"matched\":/\"matched\":1/' " LOG "00000000000000000002.json");
    char text[512];
    snprintf(
        text, sizeof(text),
        "entry 2: %s/" LOG
        "00000000000000000002.json: its checksum is not that of its bytes" NOT_FOLLOWED,
        fix.storage->url);
    assert_found(&fix, text);
    tear_down(&fix);
}

// Somebody who knows how to make checksums: only the chain tells.
// Changes entry `number` by a statement of Python about `e`, with a checksum that holds;
// with `chained` also in the entries behind it.
static void forge(struct fixture *fix, int number, bool chained, const char *change)
{
    FILE *file;
    char command[256];
    snprintf(command, sizeof(command), "cd '%s' && python3 -", fix->directory);
    file = popen(command, "w");
    assert_non_null(file);
    fprintf(file,
            "import glob, hashlib, json\n"
            "prev = None\n"
            "for n, p in enumerate(sorted(glob.glob('" LOG "*.json'))):\n"
            "    e = json.load(open(p))\n"
            "    if n == %d:\n"
            "        %s\n"
            "    elif n < %d or not %d:\n"
            "        continue\n"
            "    else:\n"
            "        e['prev'] = prev\n"
            "    e['checksum'] = '@'\n"
            "    t = json.dumps(e)\n"
            "    prev = hashlib.sha256(t.replace('@', '0' * 64).encode()).hexdigest()\n"
            "    open(p, 'w').write(t.replace('@', prev))\n",
            number, change, number, chained);
    assert_int_equal(pclose(file), 0);
}

// Somebody who knows how to make checksums: only the chain tells.
static void test_a_forged_entry_is_found(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    forge(&fix, 2, false, "e['matched'] += 1");
    assert_found(&fix, "entry 3 does not follow on the entry before it: one of them was "
                       "changed");
    tear_down(&fix);
}

static void assert_told(const struct fixture *fix, const char *text)
{
    for (size_t i = 0; i < fix->report.n_findings; i++)
        if (strcmp(fix->report.findings[i].text.p, text) == 0)
            return;
    for (size_t i = 0; i < fix->report.n_findings; i++)
        print_message("found: %s\n", fix->report.findings[i].text.p);
    fail_msg("not found: %s", text);
}

// Even the chain was made to fit: the entries must still make sense together.
static void test_entries_that_make_no_sense_are_found(UNUSED void **state)
{
    static const struct {
        int number;
        const char *change, *text;
    } cases[] = {
        {2, "e['partitions'][0]['data'] += 1",
         "entry 2: partition 0: the offsets from 0 to 8 do not add up with its records"},
        {2, "e['partitions'][0]['last']['offset'] = 77",
         "entry 2: partition 0: its last record 77 is not among the offsets from 0 to 8"},
        {3, "e['partitions'][0]['first'] += 1",
         "entry 3: partition 0 begins at 9, but the entries before end at 8: a gap"},
        {3, "e['partitions'][0]['first'] -= 1",
         "entry 3: partition 0 begins at 7, but the entries before end at 8: duplicates"},
        {2,
         "e['writer'] = '" SOMEBODY "'; "
         "e['files'][0]['tmp'] = e['files'][1]['tmp'] = "
         "'_tramline/tmp/" SOMEBODY "/" SOMEBODY "'",
         "entry 2: partition 0 was claimed by another writer before"},
        {2, "e['kind'] = 'claim'", "entry 2 is a claim and has data all the same"},
        {1, "e['kind'] = 'job'", "entry 1 is of kind 'job'"},
        {2, "e['job']['topic'] = 'other'",
         "entry 2 is of another job: topic 'other', group 'g'"},
        {2, "e['rows'] += 1",
         "entry 2: its files hold 14 rows and 1 dead letter, but it counts 15 and 1"},
        {2, "e['files'][0]['bytes'] += 1",
         "entry 2: " DATA " has 94 bytes, the log says 95"},
        {3,
         "e['snapshot'] = {'partitions': [{'partition': 0, 'next': 9, 'writer': ''}], "
         "'pending': [], 'writers': []}",
         "entry 3: its snapshot has partition 0 at 9, the entries before end at 8"},
    };
    for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
        struct fixture fix;
        set_up(&fix);
        forge(&fix, cases[i].number, true, cases[i].change);
        verify(&fix);
        assert_told(&fix, cases[i].text);
        assert_true(fix.report.n_errors > 0);
        tear_down(&fix);
    }
}

static void test_a_log_of_two_topics_is_found(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    forge(&fix, 2, true, "e['topic_id'] = 'AAAAAAAAAAAAAAAAAAAAAQ'");
    verify(&fix);
    assert_int_equal(fix.report.n_errors, 0);
    assert_str(fix.report.topic_id, "AAAAAAAAAAAAAAAAAAAAAQ");
    forge(&fix, 3, true, "e['topic_id'] = 'AAAAAAAAAAAAAAAAAAAAAg'");
    assert_found(&fix, "entry 3 was read from a topic with the id "
                       "AAAAAAAAAAAAAAAAAAAAAg, those before it from one with the id "
                       "AAAAAAAAAAAAAAAAAAAAAQ: the topic was recreated");
    tear_down(&fix);
}

static void assert_told_of_nobodys(const struct fixture *fix, const char *folders)
{
    char text[256];
    snprintf(
        text, sizeof(text),
        "_tramline/tmp holds %s of writers that own no partition: left over, or about "
        "to claim; the next claim removes those that it may, the rest can go when no "
        "worker is running",
        folders);
    assert_told(fix, text);
}

static void test_folders_of_nobody_are_told(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "mkdir _tramline/tmp/one");
    verify(&fix);
    assert_told_of_nobodys(&fix, "1 folder");
    in_result(&fix, "mkdir _tramline/tmp/two");
    verify(&fix);
    assert_told_of_nobodys(&fix, "2 folders");
    assert_int_equal(fix.report.n_errors, 0);
    tear_down(&fix);
}

// Whole buckets may go, below a snapshot: tests/sim/test_sim_removal.c has such logs.
static void test_a_beginning_that_nothing_covers_is_missed(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "rm " LOG "00000000000000000000.json");
    assert_found(&fix, "the log begins at entry 1: those before it are gone, and no "
                       "snapshot covers them");
    tear_down(&fix);
}

static void test_a_missing_entry_is_found_wherever_it_stood(UNUSED void **state)
{
    for (int number = 1; number < 3; number++) {
        struct fixture fix;
        char command[128], text[64];
        set_up(&fix);
        snprintf(command, sizeof(command), "rm " LOG "%020d.json", number);
        in_result(&fix, command);
        snprintf(text, sizeof(text), "entry %d is not there", number);
        assert_found(&fix, text);
        tear_down(&fix);
    }
}

static void test_what_is_no_entry_is_passed_over(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "touch " LOG "20261126.json " LOG ".notes " LOG "-1.json");
    in_result(&fix, "mkdir _tramline/log/000007 && cp " LOG
                    "00000000000000000001.json _tramline/log/000007");
    verify(&fix);
    assert_int_equal(fix.report.n_findings, 0);
    assert_int_equal(fix.report.records, 20);
    assert_int_equal(second_opinion(&fix), 0);
    tear_down(&fix);
}

static void test_a_file_still_in_tmp_is_told(UNUSED void **state)
{
    struct fixture fix;
    set_up(&fix);
    in_result(&fix, "d=$(ls -d _tramline/tmp/*) && "
                    "t=$(grep -o '_tramline/tmp/[^\"]*' " LOG
                    "00000000000000000002.json | head -1) && mv " DATA " $t && test $d");
    verify(&fix);
    assert_int_equal(fix.report.n_errors, 0);
    assert_int_equal(fix.report.n_unmoved, 1);
    assert_string_equal(fix.report.findings[0].text.p,
                        "entry 2: " DATA " still lies in tmp; a running worker, or the "
                        "next one that starts, moves it");
    tear_down(&fix);
}

static enum status count_too_few(UNUSED void *context,
                                 UNUSED const struct verify_file *file, int64_t *ret,
                                 UNUSED struct err *err)
{
    *ret = 1;
    return ST_OK;
}

static void test_deep_counts_rows(UNUSED void **state)
{
    struct fixture fix;
    struct verify_options options = {.count_rows = count_too_few};
    struct err err;
    set_up(&fix);
    assert_ok(verify_run(fix.storage, &options, &fix.report, &err), &err);
    assert_int_equal(fix.report.n_errors, fix.report.n_data_files);
    assert_told(&fix, "entry 2: " DATA " has 1 row, the log says 14");
    tear_down(&fix);
}

TEST_MAIN(cmocka_unit_test(test_a_good_result_is_good),
          cmocka_unit_test(test_no_log_is_an_answer),
          cmocka_unit_test(test_a_missing_file_is_found),
          cmocka_unit_test(test_a_changed_file_is_found),
          cmocka_unit_test(test_a_file_too_many_is_found),
          cmocka_unit_test(test_a_changed_entry_is_found),
          cmocka_unit_test(test_a_forged_entry_is_found),
          cmocka_unit_test(test_a_log_of_two_topics_is_found),
          cmocka_unit_test(test_entries_that_make_no_sense_are_found),
          cmocka_unit_test(test_folders_of_nobody_are_told),
          cmocka_unit_test(test_a_beginning_that_nothing_covers_is_missed),
          cmocka_unit_test(test_a_missing_entry_is_found_wherever_it_stood),
          cmocka_unit_test(test_what_is_no_entry_is_passed_over),
          cmocka_unit_test(test_a_file_still_in_tmp_is_told),
          cmocka_unit_test(test_deep_counts_rows))
