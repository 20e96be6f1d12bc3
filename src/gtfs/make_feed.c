// SPDX-License-Identifier: Apache-2.0
#include "gtfs/make_feed.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/mem.h"

enum {
    N_SERVICES = 60,
    N_METRO_TRIPS = 96, // those with frequencies
    N_STOPS = 8897,
    N_DATES = 90
};

#define METRO_SERVICE "26M-GLOBAUX-00-S"

// SplitMix64: the same numbers on every machine.
struct chance {
    uint64_t state;
};

static unsigned chance_range(struct chance *chance, unsigned from, unsigned to)
{
    uint64_t z = chance->state += 0x9E3779B97F4A7C15;
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
    return from + (unsigned)((z ^ (z >> 31)) % (to - from));
}

static void print_service(FILE *out, unsigned i)
{
    fprintf(out, "26J-H%uN000S-%02u-%c", 10 + i, i % 90, "SDL"[i % 3]);
}

static void print_trip_id(FILE *out, unsigned i)
{
    if (i < N_METRO_TRIPS)
        fprintf(out, METRO_SERVICE "_%u_%u", 1 + i % 4, i);
    else
        fprintf(out, "%u", 281000000 + i * 17);
}

// These return the number of rows.

static int64_t print_calendar_dates(FILE *out, UNUSED unsigned n_trips)
{
    fputs("service_id,date,exception_type\n", out);
    for (unsigned i = 0; i < N_DATES; i++) {
        print_service(out, i % 18);
        fprintf(out, ",202611%02u,2\n", i / 18 + 1);
    }
    return N_DATES;
}

static void print_trip(FILE *out, unsigned i)
{
    static const char *const headsigns[] = {
        "Station Honoré-Beaugrand",
        "Station Côte-Vertu",
        "Est",
        "Ouest",
        "Nord",
        "Sud",
        "Station Angrignon",
        "Terminus Montmorency",
        "Place-D'Armes / Vieux-Port",
    };
    bool is_metro = i < N_METRO_TRIPS;
    unsigned route = is_metro ? 1 + i % 4 : 10 + i % 212;
    fprintf(out, "%u,", route);
    if (is_metro)
        fputs(METRO_SERVICE, out);
    else
        print_service(out, i % N_SERVICES);
    fputc(',', out);
    print_trip_id(out, i);
    fprintf(out, ",%s,%u,%u%u,%d,%s\n", headsigns[i % ARRAY_LEN(headsigns)], i & 1, route,
            10000 + i % 431, 1 + (i % 23 == 0),
            i % 97 == 0 ? "Service spécial,Special service" : ",");
}

static int64_t print_trips(FILE *out, unsigned n_trips)
{
    fputs("route_id,service_id,trip_id,trip_headsign,direction_id,shape_id,"
          "wheelchair_accessible,note_fr,note_en\n",
          out);
    for (unsigned i = 0; i < n_trips; i++)
        print_trip(out, i);
    return n_trips;
}

static int64_t print_stop_times(FILE *out, unsigned n_trips)
{
    struct chance chance = {20261122};
    int64_t n = 0;
    fputs("trip_id,arrival_time,departure_time,stop_id,stop_sequence\n", out);
    for (unsigned i = 0; i < n_trips; i++) {
        unsigned second = chance_range(&chance, 4 * 3600, 26 * 3600);
        unsigned n_stops = chance_range(&chance, 20, 53);
        n += n_stops;
        for (unsigned sequence = 1; sequence <= n_stops; sequence++) {
            char time[16];
            snprintf(time, sizeof(time), "%02u:%02u:%02u", second / 3600 % 100,
                     second / 60 % 60, second % 60);
            print_trip_id(out, i);
            fprintf(out, ",%s,%s,%u,%u\n", time, time,
                    50000 + chance_range(&chance, 0, N_STOPS), sequence);
            second += chance_range(&chance, 20, 150);
        }
    }
    return n;
}

static int64_t print_frequencies(FILE *out, unsigned n_trips)
{
    unsigned n = n_trips < N_METRO_TRIPS ? n_trips : N_METRO_TRIPS;
    fputs("trip_id,start_time,end_time,headway_secs\n", out);
    for (unsigned i = 0; i < n; i++) {
        for (unsigned hour = 0; hour < 9; hour++) {
            print_trip_id(out, i);
            fprintf(out, ",%02u:30:00,%02u:30:00,%u\n", 5 + 2 * hour, 7 + 2 * hour,
                    180 + 60 * (hour % 5));
        }
    }
    return 9 * n;
}

static enum status write_table(const char *directory, const char *name,
                               int64_t (*print)(FILE *out, unsigned n_trips),
                               unsigned n_trips, int64_t *ret_rows, struct err *err)
{
    AUTO(mem_auto_free) char *path = mem_printf("%s/%s.txt", directory, name);
    FILE *out = fopen(path, "w");
    if (out == NULL)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    *ret_rows = print(out, n_trips);
    bool is_bad = ferror(out);
    if (fclose(out) != 0 || is_bad)
        return err_set(err, ST_FAIL, "cannot write %s: %s", path, strerror(errno));
    return ST_OK;
}

enum status gtfs_make_feed(const char *directory, unsigned n_trips, int64_t *ret,
                           struct err *err)
{
    int64_t n;
    if (n_trips == 0)
        n_trips = MAKE_FEED_TRIPS;
    if (mkdir(directory, 0777) != 0 && errno != EEXIST)
        return err_set(err, ST_FAIL, "cannot make the directory %s: %s", directory,
                       strerror(errno));
    TRY(write_table(directory, "calendar_dates", print_calendar_dates, n_trips, &n, err));
    TRY(write_table(directory, "trips", print_trips, n_trips, &n, err));
    TRY(write_table(directory, "frequencies", print_frequencies, n_trips, &n, err));
    return write_table(directory, "stop_times", print_stop_times, n_trips, ret, err);
}
