// SPDX-License-Identifier: Apache-2.0
// For tests of src/gtfs: a directory of the test's own, and zips.
#ifndef TESTS_GTFS_FIXTURE_H
#define TESTS_GTFS_FIXTURE_H

#include <archive.h>
#include <archive_entry.h>
#include <dirent.h>
#include <limits.h>
#include <unistd.h>

#include "base/buf.h"
#include "gtfs/feed.h"

// Made by Python's zipfile: stm/trips.txt (a header and 50 rows, CR LF), the same name
// deeper in stm/old, __MACOSX/stm/._trips.txt, stm/calendar_dates.txt, stm/LICENSE.pdf.
UNUSED static struct str python_zip(void)
{
    static const char bytes[] =
        "\x50\x4B\x03\x04\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D\x12\x46\x03\x8B\x1A"
        "\x00\x00\x00\x0E\x01\x00\x00\x0D\x00\x00\x00\x73\x74\x6D\x2F\x74\x72\x69\x70"
        "\x73\x2E\x74\x78\x74\x2B\x29\xCA\x2C\x88\xCF\x4C\xD1\x29\x4E\x2D\x2A\xCB\x4C"
        "\x4E\x05\x32\x79\xB9\x0C\x75\x12\x47\x28\x01\x00\x50\x4B\x03\x04\x14\x00\x00"
        "\x00\x08\x00\x00\x00\x76\x5D\xA4\x54\xB7\xAF\x0E\x00\x00\x00\x0C\x00\x00\x00"
        "\x11\x00\x00\x00\x73\x74\x6D\x2F\x6F\x6C\x64\x2F\x74\x72\x69\x70\x73\x2E\x74"
        "\x78\x74\x2B\x29\xCA\x2C\x88\xCF\x4C\xE1\xCA\xCF\x49\xE1\x02\x00\x50\x4B\x03"
        "\x04\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D\x83\x16\xDC\x8C\x03\x00\x00\x00"
        "\x01\x00\x00\x00\x18\x00\x00\x00\x5F\x5F\x4D\x41\x43\x4F\x53\x58\x2F\x73\x74"
        "\x6D\x2F\x2E\x5F\x74\x72\x69\x70\x73\x2E\x74\x78\x74\xAB\x00\x00\x50\x4B\x03"
        "\x04\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D\xE4\x65\xE8\x18\x12\x00\x00\x00"
        "\x10\x00\x00\x00\x16\x00\x00\x00\x73\x74\x6D\x2F\x63\x61\x6C\x65\x6E\x64\x61"
        "\x72\x5F\x64\x61\x74\x65\x73\x2E\x74\x78\x74\x2B\x4E\x2D\x2A\xCB\x4C\x4E\x8D"
        "\xCF\x4C\xD1\x49\x49\x2C\x49\xE5\x02\x00\x50\x4B\x03\x04\x14\x00\x00\x00\x08"
        "\x00\x00\x00\x76\x5D\x83\x16\xDC\x8C\x03\x00\x00\x00\x01\x00\x00\x00\x0F\x00"
        "\x00\x00\x73\x74\x6D\x2F\x4C\x49\x43\x45\x4E\x53\x45\x2E\x70\x64\x66\xAB\x00"
        "\x00\x50\x4B\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D\x12\x46"
        "\x03\x8B\x1A\x00\x00\x00\x0E\x01\x00\x00\x0D\x00\x00\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x80\x01\x00\x00\x00\x00\x73\x74\x6D\x2F\x74\x72\x69\x70\x73\x2E"
        "\x74\x78\x74\x50\x4B\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D"
        "\xA4\x54\xB7\xAF\x0E\x00\x00\x00\x0C\x00\x00\x00\x11\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x80\x01\x45\x00\x00\x00\x73\x74\x6D\x2F\x6F\x6C\x64\x2F"
        "\x74\x72\x69\x70\x73\x2E\x74\x78\x74\x50\x4B\x01\x02\x14\x03\x14\x00\x00\x00"
        "\x08\x00\x00\x00\x76\x5D\x83\x16\xDC\x8C\x03\x00\x00\x00\x01\x00\x00\x00\x18"
        "\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x82\x00\x00\x00\x5F\x5F"
        "\x4D\x41\x43\x4F\x53\x58\x2F\x73\x74\x6D\x2F\x2E\x5F\x74\x72\x69\x70\x73\x2E"
        "\x74\x78\x74\x50\x4B\x01\x02\x14\x03\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D"
        "\xE4\x65\xE8\x18\x12\x00\x00\x00\x10\x00\x00\x00\x16\x00\x00\x00\x00\x00\x00"
        "\x00\x00\x00\x00\x00\x80\x01\xBB\x00\x00\x00\x73\x74\x6D\x2F\x63\x61\x6C\x65"
        "\x6E\x64\x61\x72\x5F\x64\x61\x74\x65\x73\x2E\x74\x78\x74\x50\x4B\x01\x02\x14"
        "\x03\x14\x00\x00\x00\x08\x00\x00\x00\x76\x5D\x83\x16\xDC\x8C\x03\x00\x00\x00"
        "\x01\x00\x00\x00\x0F\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x80\x01\x01"
        "\x01\x00\x00\x73\x74\x6D\x2F\x4C\x49\x43\x45\x4E\x53\x45\x2E\x70\x64\x66\x50"
        "\x4B\x05\x06\x00\x00\x00\x00\x05\x00\x05\x00\x41\x01\x00\x00\x31\x01\x00\x00"
        "\x00\x00";
    return (struct str){bytes, sizeof(bytes) - 1};
}

struct workplace {
    char directory[64];
};

UNUSED static void make_workplace(struct workplace *w)
{
    snprintf(w->directory, sizeof(w->directory), "/tmp/tramline-test-XXXXXX");
    assert_non_null(mkdtemp(w->directory));
}

UNUSED static void place(const struct workplace *w, const char *name, char ret[PATH_MAX])
{
    snprintf(ret, PATH_MAX, "%s/%s", w->directory, name);
}

UNUSED static void put_file(const struct workplace *w, const char *name, struct str bytes)
{
    char path[PATH_MAX];
    place(w, name, path);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes.p, 1, bytes.n, file), bytes.n);
    assert_int_equal(fclose(file), 0);
}

UNUSED static void get_file(const char *path, struct buf *ret)
{
    FILE *file = fopen(path, "r");
    if (file == NULL)
        fail_msg("%s cannot be read", path);
    char piece[4096];
    size_t n;
    while ((n = fread(piece, 1, sizeof(piece), file)) > 0)
        buf_append(ret, piece, n);
    fclose(file);
}

// Removes the files in it, which has no directories.
UNUSED static void remove_workplace(struct workplace *w)
{
    DIR *dir = opendir(w->directory);
    const struct dirent *entry;
    while ((entry = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), entry->d_name, 0);
    closedir(dir);
    assert_int_equal(rmdir(w->directory), 0);
}

struct zip_file {
    const char *path, *text;
};

UNUSED static void put_zip(const struct workplace *w, const char *name,
                           const struct zip_file *files, size_t n)
{
    char path[PATH_MAX];
    place(w, name, path);
    struct archive *archive = archive_write_new();
    archive_write_set_format_zip(archive);
    assert_int_equal(archive_write_open_filename(archive, path), ARCHIVE_OK);
    for (size_t i = 0; i < n; i++) {
        struct archive_entry *entry = archive_entry_new();
        archive_entry_set_pathname(entry, files[i].path);
        archive_entry_set_size(entry, (la_int64_t)strlen(files[i].text));
        archive_entry_set_filetype(entry, AE_IFREG);
        archive_entry_set_perm(entry, 0644);
        assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
        assert_int_equal(
            archive_write_data(archive, files[i].text, strlen(files[i].text)),
            (la_ssize_t)strlen(files[i].text));
        archive_entry_free(entry);
    }
    assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
    archive_write_free(archive);
}

// True when the feed or its member gives an error; its text else must be as before.
UNUSED static bool check_unchanged(const char *path, const char *name, const char *text)
{
    struct feed *feed;
    struct feed_member *member;
    struct err err;
    if (feed_open(path, NULL, &feed, &err) != ST_OK)
        return true;
    enum status rc = feed_member_open(feed, name, &member, &err);
    if (rc == ST_OK) {
        char bytes[4096];
        size_t n = 1;
        size_t n_all = 0;
        while (rc == ST_OK && n > 0) {
            rc = member->reader.read(&member->reader, bytes + n_all,
                                     sizeof(bytes) - n_all, &n, &err);
            n_all += rc == ST_OK ? n : 0;
        }
        if (rc == ST_OK)
            assert_str(((struct str){bytes, n_all}), text);
        feed_member_close(member);
    }
    feed_close(feed);
    return rc != ST_OK;
}

#endif
