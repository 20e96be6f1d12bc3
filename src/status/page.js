// SPDX-License-Identifier: Apache-2.0
// Asks for status.json every two seconds and shows it. All text from outside is set as
// text, never as markup.
"use strict";

const EVERY_MS = 2000;
const SVG = "http://www.w3.org/2000/svg";
const PLOT = { height: 110, left: 48, right: 8, top: 8, bottom: 18 };
const WORDS = { ok: "✓ All is well", warn: "! Look at this", bad: "✗ Something is wrong" };
const $ = (id) => document.getElementById(id);

// Words.

const count = (n) => (n === null ? "–" : Math.round(n).toLocaleString("en-US"));
const percent = (part, all) => (all > 0 ? `${(Math.floor((part / all) * 1000) / 10).toFixed(1)} %` : "–");

function duration(seconds) {
  if (seconds === null) return "unknown";
  if (seconds < 10) return `${seconds.toFixed(1).replace(/\.0$/, "")} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min ${Math.floor(seconds % 60)} s`;
  if (seconds < 172800) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} min`;
  return `${Math.floor(seconds / 86400)} days`;
}

function rate(n) {
  return n >= 100 ? count(n) : n.toFixed(1).replace(/\.0$/, "");
}

function clock(ms) {
  return new Date(ms).toLocaleTimeString("en-GB");
}

function ago(ms, now) {
  return ms === null ? "never" : `${duration(Math.max(0, (now - ms) / 1000))} ago`;
}

// Elements.

function make(name, options = {}, ...children) {
  const element = document.createElement(name);
  if (options.className) element.className = options.className;
  if (options.text !== undefined) element.textContent = options.text;
  element.append(...children);
  return element;
}

function say(id, text) {
  const element = $(id);
  if (element.textContent !== text) element.textContent = text;
}

function table(label, heads, rows) {
  const row = (cells, name) =>
    make("tr", {}, ...cells.map((cell, i) => {
      const element = make(name, { className: heads[i].isNumber ? "number" : "text" });
      if (name === "th") element.scope = "col";
      element.append(cell instanceof Node ? cell : String(cell));
      return element;
    }));
  const all = make("table", {}, make("thead", {}, row(heads.map((head) => head.name), "th")),
    make("tbody", {}, ...rows.map((cells) => row(cells, "td"))));
  const scroll = make("div", { className: "scroll" }, all);
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", label);
  return scroll;
}

const text = (name) => ({ name });
const number = (name) => ({ name, isNumber: true });

// What did not change stays as it is; the focus stays where it was.
const shown = new Map();

function show(id, data, build) {
  const key = JSON.stringify(data);
  const place = $(id);
  if (shown.get(id) === key) return;
  shown.set(id, key);
  const regions = () => [...place.querySelectorAll(".scroll")];
  const at = regions().indexOf(document.activeElement);
  place.replaceChildren(...build());
  if (at >= 0) regions()[at]?.focus({ preventScroll: true });
}

// Plots of the last hour.

function svg(name, attributes, ...children) {
  const element = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children);
  return element;
}

function niceTop(value) {
  if (!(value > 0)) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((n) => n * power).find((n) => n >= value * 0.999);
}

class Plot {
  // `lines`: { name, className, value(point), say(value) }; `top`: of the axis, or 0: by what is shown.
  constructor(place, label, lines, top = 0) {
    this.lines = lines;
    this.top = top;
    this.at = null;
    this.paths = lines.map((line) => svg("path", { class: line.className }));
    this.cursor = svg("line", { class: "cursor", y1: PLOT.top, y2: PLOT.height - PLOT.bottom, visibility: "hidden" });
    this.topText = svg("text", { x: PLOT.left - 6, y: PLOT.top + 8, "text-anchor": "end" });
    const zero = svg("text", { x: PLOT.left - 6, y: PLOT.height - PLOT.bottom, "text-anchor": "end" });
    zero.append("0");
    const floor = PLOT.height - PLOT.bottom;
    const hour = svg("text", { x: PLOT.left, y: PLOT.height - 4 });
    hour.append("1 h ago");
    this.nowText = svg("text", { y: PLOT.height - 4, "text-anchor": "end" });
    this.nowText.append("now");
    this.axis = svg("line", { class: "axis", x1: PLOT.left, y1: floor, y2: floor });
    this.element = svg("svg", { tabindex: 0, role: "img", "aria-label": label },
      this.axis, this.topText, zero, hour, this.nowText, ...this.paths, this.cursor);
    this.label = label;
    this.legend = make("div", { className: "legend" });
    place.replaceChildren(this.element, this.legend);
    this.element.addEventListener("keydown", (event) => this.key(event));
    this.element.addEventListener("pointermove", (event) => this.point(event));
    for (const end of ["pointerleave", "blur"]) this.element.addEventListener(end, () => this.move(null));
    this.points = [];
    this.resize();
    new ResizeObserver(() => this.resize()).observe(place);
  }

  resize() {
    this.width = Math.max(160, this.element.parentElement.clientWidth);
    this.element.setAttribute("viewBox", `0 0 ${this.width} ${PLOT.height}`);
    this.axis.setAttribute("x2", this.width - PLOT.right);
    this.nowText.setAttribute("x", this.width - PLOT.right);
    this.draw();
  }

  x(time) {
    const room = this.width - PLOT.left - PLOT.right;
    return PLOT.left + room * Math.min(1, Math.max(0, 1 - (this.now - time) / 3600000));
  }

  set(points, now) {
    this.points = points;
    this.now = now;
    this.draw();
  }

  draw() {
    const values = this.points.flatMap((point) => this.lines.map((line) => line.value(point) ?? 0));
    const top = this.top || niceTop(Math.max(0, ...values));
    const room = PLOT.height - PLOT.top - PLOT.bottom;
    this.topText.textContent = this.lines[0].say(top);
    this.lines.forEach((line, i) => {
      let path = "", isOn = false;
      for (const point of this.points) {
        const value = line.value(point);
        if (value === null) { isOn = false; continue; }
        path += `${isOn ? "L" : "M"}${this.x(point.time_ms).toFixed(1)} ` +
          `${(PLOT.top + room * (1 - Math.min(1, value / top))).toFixed(1)}`;
        isOn = true;
      }
      this.paths[i].setAttribute("d", path);
    });
    this.tell();
  }

  move(at) {
    this.at = at;
    this.tell();
  }

  tell() {
    const last = this.points.length - 1;
    const at = this.at === null ? last : Math.min(Math.max(0, this.at), last);
    const point = this.points[at];
    this.cursor.setAttribute("visibility", this.at === null || !point ? "hidden" : "visible");
    if (!point) {
      this.legend.replaceChildren("the first point comes after ten seconds");
      return;
    }
    this.cursor.setAttribute("x1", this.x(point.time_ms));
    this.cursor.setAttribute("x2", this.x(point.time_ms));
    const values = this.lines.map((line) => {
      const value = line.value(point);
      return make("span", { className: line.className }, make("b", { text: line.name }),
        ` ${value === null ? "–" : line.say(value)}`);
    });
    this.legend.replaceChildren(...values, make("span", { text: clock(point.time_ms) }));
    this.element.setAttribute("aria-label", `${this.label}: ${this.legend.textContent}`);
  }

  key(event) {
    const last = this.points.length - 1;
    const at = this.at ?? last;
    const to = { ArrowLeft: at - 1, ArrowRight: at + 1, Home: 0, End: last, PageUp: at - 30, PageDown: at + 30 }[event.key];
    if (event.key === "Escape") this.move(null);
    if (to === undefined) return;
    event.preventDefault();
    this.move(Math.min(Math.max(0, to), last));
  }

  point(event) {
    const box = this.element.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * this.width;
    let best = null;
    this.points.forEach((point, i) => {
      if (best === null || Math.abs(this.x(point.time_ms) - x) < Math.abs(this.x(this.points[best].time_ms) - x)) best = i;
    });
    this.move(best);
  }
}

const tried = (point) => point.matched + point.unmatched;
const plots = {
  lag: new Plot($("plot-lag"), "Lag in seconds, last hour",
    [{ name: "lag", className: "first", value: (p) => p.lag_seconds, say: duration }]),
  rate: new Plot($("plot-rate"), "Records in and rows out a second, last hour", [
    { name: "records/s", className: "first", value: (p) => p.records_per_second, say: rate },
    { name: "rows/s", className: "second", value: (p) => p.rows_per_second, say: rate },
  ]),
  match: new Plot($("plot-match"), "Match rate, last hour",
    [{ name: "match", className: "first", value: (p) => (tried(p) ? (100 * p.matched) / tried(p) : null), say: (v) => `${rate(v)} %` }], 100),
};

// Parts of the page.

function showVerdict(status) {
  $("verdict").className = `verdict ${status.verdict}`;
  say("verdict-word", `${WORDS[status.verdict]} (${status.state})`);
  show("reasons", status.reasons, () => status.reasons.map((reason) => make("li", { text: reason.text })));
}

function trend(points) {
  const last = points.length - 1, before = points[Math.max(0, last - 30)];
  if (last < 3) return "";
  const change = points[last].lag_seconds - before.lag_seconds;
  const since = duration((points[last].time_ms - before.time_ms) / 1000);
  if (Math.abs(change) < Math.max(1, before.lag_seconds * 0.1)) return `→ steady for ${since}`;
  return change > 0 ? `↑ ${duration(change)} more than ${since} ago` : `↓ ${duration(-change)} less than ${since} ago`;
}

function showNumbers(status, points) {
  const { lag, records, rates } = status;
  const read = Object.values(records).reduce((a, b) => a + b, 0);
  say("lag", duration(lag.seconds));
  say("lag-trend", trend(points));
  say("lag-more", lag.records === null ? "the topic's ends are not known yet"
    : `${count(lag.records)} records in the topic are not committed` +
      (lag.committed_ms === null ? "" : `; up to ${new Date(lag.committed_ms).toLocaleString("en-GB")} all are`));
  say("records-in", rate(rates.records_per_second));
  say("rows-out", rate(rates.rows_per_second));
  say("rate-more", `${count(read)} records in, ${count(status.rows)} rows out since ${clock(status.started_ms)}`);
  say("match", percent(records.matched, records.matched + records.unmatched));
  say("match-more", `${count(records.matched)} matched, ${count(records.unmatched)} without a row of a table, ` +
    `${count(records.filtered)} left out by WHERE, ${count(records.rejected)} rejected, ${count(records.ignored)} ignored`);
  plots.lag.set(points, status.time_ms);
  plots.rate.set(points, status.time_ms);
  plots.match.set(points, status.time_ms);
}

function joinPart(join) {
  const all = join.hits + join.misses;
  const bar = make("div", { className: "bar" }, make("div"));
  bar.firstChild.style.width = `${all ? (100 * join.hits) / all : 0}%`;
  const fan = join.fan_out;
  const most = fan.most === null ? "" : `; at most ${count(fan.most)}, for key ${fan.most_key}`;
  const part = make("div", { className: "join" }, make("h3", { text: join.table }), bar,
    make("p", { text: `${percent(join.hits, all)} of ${count(all)} look-ups found a row` }),
    make("p", { className: "muted", text: `fan-out: ${fan.mean === null ? "–" : fan.mean} rows a match${most}` }));
  if (join.unmatched_keys.length)
    part.append(table(`Keys without a row in ${join.table}`, [text("most frequent keys without a row"), number("records")],
      join.unmatched_keys.map((item) => [make("code", { text: item.key + (item.is_cut ? "…" : "") }),
        (item.over ? "≤ " : "") + count(item.count)])));
  return part;
}

function showTables(status) {
  const rows = status.tables.map((one) => [one.name, count(one.rows), one.version.slice(0, 12), ago(one.loaded_ms, status.time_ms),
    one.expires_ms === null ? "–" : `${Math.floor((one.expires_ms - status.time_ms) / 86400000)}`]);
  show("tables", rows, () => rows.length
    ? [table("Tables", [text("table"), number("rows"), text("version"), number("read"), number("days to expiry")], rows)]
    : [make("p", { className: "muted", text: "being read" })]);
}

function showCommits(status) {
  const { commits } = status;
  const phases = Object.entries(commits.phases).map(([name, phase]) =>
    [name, count(phase.count), ...[phase.last_seconds, phase.seconds / phase.count].map((s) => (phase.count ? s.toFixed(3) : "–"))]);
  const lines = [
    `last commit: ${ago(commits.last_ms, status.time_ms)}` + (commits.last_entry === null ? "" : ` (entry ${commits.last_entry})`),
    `${count(commits.by_result.done)} done, ${count(commits.by_result.conflict)} in conflict, ${count(commits.by_result.failed)} failed; ` +
      `${count(commits.storage_retries)} calls to the storage made again`,
    commits.last_failure === null ? "no failure so far" : `last failure ${ago(commits.last_failure.time_ms, status.time_ms)}: ${commits.last_failure.text}`,
  ];
  show("commits", [lines, phases], () => [...lines.map((line) => make("p", { className: "text", text: line })),
    table("Seconds by phase", [text("phase"), number("commits"), number("last s"), number("mean s")], phases)]);
}

function showRejects(status) {
  const { by_reason: reasons, last } = status.rejects;
  const rows = Object.entries(reasons).map(([name, n]) => [name.replace("_", " "), count(n)]);
  show("rejects", [rows, last], () => {
    const parts = [table("Dead letters by reason", [text("reason"), number("records")], rows)];
    if (last !== null)
      parts.push(make("h3", { text: "The last one" }),
        make("p", { className: "text", text: `${clock(last.time_ms)}, partition ${last.partition}, offset ${last.offset}: ${last.text}` }),
        make("code", { text: last.sample }));
    return parts;
  });
}

function showPartitions(status) {
  const rows = status.partitions.map((one) => [one.partition, one.is_ours ? "this worker" : "another", count(one.committed),
    count(one.read), count(one.end), count(one.lag_records), duration(one.lag_seconds)]);
  show("partitions", rows, () => rows.length
    ? [table("Partitions", [text("partition"), text("read by"), number("committed"), number("read"), number("end"),
      number("lag in records"), number("lag in time")], rows)]
    : [make("p", { className: "muted", text: "none yet" })]);
}

function showAll(status) {
  const { columns, points } = status.history;
  const named = points.map((point) => Object.fromEntries(point.map((value, i) => [columns[i], value])));
  const { job } = status;
  document.title = `${status.verdict === "ok" ? "" : "! "}${job.name || "Tramline"}`;
  say("job", job.name || "Tramline");
  say("about", [job.script, job.topic && `${job.topic} → ${job.result}`, job.executor && `${job.executor} executor`,
    job.worker && `worker ${job.worker}`, `tramline ${status.program}`].filter(Boolean).join(" · "));
  showVerdict(status);
  showNumbers(status, named);
  show("joins", status.joins, () => (status.joins.length ? status.joins.map(joinPart)
    : [make("p", { className: "muted", text: "none" })]));
  showTables(status);
  showCommits(status);
  showRejects(status);
  showPartitions(status);
}

// The loop.

let answered = null;

async function ask() {
  try {
    const answer = await fetch("status.json", { signal: AbortSignal.timeout(5000) });
    if (!answer.ok) throw new Error(answer.status);
    showAll(await answer.json());
    answered = Date.now();
    document.body.classList.remove("stale");
    say("updated", `as of ${clock(answered)}; again every ${EVERY_MS / 1000} s`);
  } catch {
    document.body.classList.add("stale");
    $("verdict").className = "verdict bad";
    say("verdict-word", "✗ No answer");
    shown.delete("reasons");
    $("reasons").replaceChildren(make("li", { text: answered === null ? "the program does not answer"
      : `the program has not answered since ${clock(answered)}; what stands below is as of then` }));
  }
  setTimeout(ask, EVERY_MS);
}

ask();
