# SPDX-License-Identifier: Apache-2.0
"""Feeds for bench/queries.py, in STM's shape: 177,086 trips of about 36 stops at scale 1, 216 routes, 8,897 stops, 60 services,
exceptions of type 2 only, metro trips with frequencies. The same arguments give the same bytes."""
import csv
import random

METRO = "26M-GLOBAUX-00-S"
N_METRO_TRIPS = 96
N_STOPS = 8897
HEADSIGNS = ["Station Honoré-Beaugrand", "Station Côte-Vertu", "Est", "Ouest", "Nord", "Sud", "Station Angrignon",
             "Terminus Montmorency", "Place-D'Armes / Vieux-Port"]
SERVICES = [f"26J-H{10 + i}N000S-{i:02d}-{'SDL'[i % 3]}" for i in range(60)]


def write_csv(folder, table, header, rows):
    with open(folder / f"{table}.txt", "w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(header.split(","))
        writer.writerows(rows)


def trip(i):
    """Its id, route and service."""
    if i < N_METRO_TRIPS:
        return f"{METRO}_{1 + i % 4}_{i}", 1 + i % 4, METRO
    return str(281000000 + i * 17), 10 + i % 212, SERVICES[i % 60]


def trips(n_trips):
    for i in range(n_trips):
        trip_id, route, service = trip(i)
        notes = ("Service spécial", "Special service") if i % 97 == 0 else ("", "")
        yield [route, service, trip_id, HEADSIGNS[i % len(HEADSIGNS)], i & 1, f"{route}{10000 + i % 431}",
               1 + (i % 23 == 0), *notes]


def dates(n_dates):
    """Each service has n_dates days; with None 18 services have five each, as STM's have."""
    if n_dates is None:
        return ([SERVICES[i % 18], f"202611{i // 18 + 1:02d}", 2] for i in range(90))
    return ([service, f"202611{day + 1:02d}", 1 + day % 2] for service in [*SERVICES, METRO] for day in range(n_dates))


def frequencies(n_trips):
    for i in range(min(n_trips, N_METRO_TRIPS)):
        for k in range(9):
            yield [trip(i)[0], f"{5 + 2 * k:02d}:30:00", f"{7 + 2 * k:02d}:30:00", 180 + 60 * (k % 5)]


def stop_times(n_trips):
    """Trips go on after midnight: 25:10:00."""
    chance = random.Random(20261122)
    for i in range(n_trips):
        trip_id, seconds = trip(i)[0], chance.randrange(4 * 3600, 26 * 3600)
        for sequence in range(1, chance.randrange(20, 53)):
            time = f"{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
            yield [trip_id, time, time, 50000 + chance.randrange(N_STOPS), sequence]
            seconds += chance.randrange(20, 150)


def make(folder, n_trips, n_dates):
    write_csv(folder, "trips", "route_id,service_id,trip_id,trip_headsign,direction_id,shape_id,wheelchair_accessible,"
              "note_fr,note_en", trips(n_trips))
    write_csv(folder, "calendar_dates", "service_id,date,exception_type", dates(n_dates))
    write_csv(folder, "frequencies", "trip_id,start_time,end_time,headway_secs", frequencies(n_trips))
    write_csv(folder, "routes", "route_id,route_short_name,route_long_name,route_type",
              ([route, route, f"Ligne {route}", 1 if route < 5 else 3] for route in [*range(1, 5), *range(10, 222)]))
    write_csv(folder, "stops", "stop_id,stop_name,stop_lat,stop_lon",
              ([50000 + i, f"Arrêt / Stop No. {i}", 45.4 + i * 0.00003, -73.7 + i * 0.00003] for i in range(N_STOPS)))
    write_csv(folder, "stop_times", "trip_id,arrival_time,departure_time,stop_id,stop_sequence", stop_times(n_trips))
