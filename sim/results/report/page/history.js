// A run as a function of time: what was known, decided and shown at an instant. The timeline draws it, the panel beside it tells it.
(function (page) {
  'use strict';

  /** Frames of an application in the order of their ends (those that have none: of their arrivals), and their targets. */
  class AppHistory {
    constructor(app) {
      const { column, texts, ascending } = page.decode;
      const columns = app.jobs.columns;
      this.name = app.name;
      this.thinned = app.jobs.kept < app.jobs.total;
      this.sampled = null;  // times and values of its row of sub-networks in the timeline's samples
      this.arrival = column(columns.arrival_s);
      this.start = column(columns.start_s);
      this.end = column(columns.end_s);
      this.latency = column(columns.latency_ms);
      this.energy = column(columns.energy_mj);
      this.accuracy = column(columns.accuracy);
      this.subnet = texts(columns.subnet);
      this.outcome = texts(columns.outcome);
      this.unit = texts(columns.unit);
      this.targetTime = column(app.target && app.target.t_s);
      this.target = column(app.target && app.target.latency_ms);
      this.known = Float64Array.from(this.arrival, (arrival, i) => (Number.isNaN(this.end[i]) ? arrival : this.end[i]));
      this.order = ascending(this.known);
      this.times = Float64Array.from(this.order, (i) => this.known[i]);
    }

    /** Index of the frame (of those kept) whose end was the last one at `time`; -1 before the first. */
    frameAt(time) {
      const place = page.decode.lastAtMost(this.times, time);
      return place < 0 ? -1 : this.order[place];
    }

    /** Target latency in ms at `time`; NaN without one. */
    targetAt(time) {
      const place = page.decode.lastAtMost(this.targetTime, time);
      return place < 0 ? NaN : this.target[place];
    }

    /** Steps of the sub-network: frames whose sub-network differs from the one before, in order of start. Frames that are thinned
     *  leave gaps: then the samples tell more. */
    levels() {
      if (this.thinned && this.sampled) return this.sampled;
      const steps = [];
      let last = null;
      for (const i of page.decode.ascending(this.start)) {
        if (Number.isNaN(this.start[i])) break;
        const name = this.subnet.at(i);
        if (name === '' || name === last) continue;
        steps.push({ time: this.start[i], name });
        last = name;
      }
      return steps;
    }
  }

  /** What decisions had to choose from; only decoded when a decision is looked at. */
  class Candidates {
    constructor(encoded) {
      this.encoded = encoded;
    }

    /** Candidates of the decision in row `i`. */
    of(i) {
      const { column, texts } = page.decode;
      const { first, count, app, subnet, unit, mhz, latency_ms: latency, accuracy, energy_mj: energy, feasible, chosen } = this.encoded;
      const from = column(first)[i] ?? 0;
      return Array.from({ length: column(count)[i] ?? 0 }, (_, nth) => {
        const at = from + nth;
        return {
          app: texts(app).at(at), subnet: texts(subnet).at(at), unit: texts(unit).at(at), mhz: column(mhz)[at], latency_ms: column(latency)[at],
          accuracy: column(accuracy)[at], energy_mj: column(energy)[at], feasible: column(feasible)[at] === 1, chosen: column(chosen)[at] === 1,
        };
      });
    }
  }

  class DecisionHistory {
    constructor(decisions) {
      const { column, texts } = page.decode;
      const given = decisions || { t_s: [], total: 0, kept: 0 };
      this.total = given.total;
      this.kept = given.kept;
      this.times = column(given.t_s);
      for (const name of ['policy', 'target', 'knob', 'from', 'to', 'reason', 'trigger', 'binding']) this[name] = texts(given[name]);
      for (const name of ['margin', 'slack']) this[name] = column(given[name]);
      this.candidates = given.candidates ? new Candidates(given.candidates) : null;
      this.byKnob = this.groupByKnob();
    }

    groupByKnob() {
      const groups = new Map();
      for (let i = 0; i < this.times.length; ++i) {
        const key = JSON.stringify([this.target.at(i), this.knob.at(i)]);
        if (!groups.has(key)) groups.set(key, { target: this.target.at(i), knob: this.knob.at(i), indices: [], times: [] });
        groups.get(key).indices.push(i);
        groups.get(key).times.push(this.times[i]);
      }
      return [...groups.values()];
    }

    get thinned() {
      return this.kept < this.total;
    }

    get length() {
      return this.times.length;
    }

    /** The last decision at `time`; -1 before the first. */
    at(time) {
      return page.decode.lastAtMost(this.times, time);
    }

    /** For each knob that was ever written: the decision in force at `time`, -1 if it was not written yet. */
    inForce(time) {
      return this.byKnob.map(({ target, knob, indices, times }) => {
        const place = page.decode.lastAtMost(times, time);
        return { target, knob, index: place < 0 ? -1 : indices[place] };
      });
    }

    words(i) {
      return `${this.target.at(i)} ${this.knob.at(i)}: ${this.from.at(i) || '–'} → ${this.to.at(i) || '–'}`;
    }
  }

  /** What the timeline's samples say of an application's sub-network, as steps; null if they do not. */
  function sampledLevels(run, name) {
    const series = (run.series || []).find(({ group, column }) => group === 'level' && column === `${name}_subnet`);
    if (!series) return null;
    const values = page.decode.column(series.value);
    return Array.from(page.decode.column(series.t_s), (time, i) => ({ time, name: `L${values[i]}` }))
      .filter(({ name: level }, i, all) => i === 0 || level !== all[i - 1].name);
  }

  class History {
    constructor(run) {
      const { column } = page.decode;
      this.run = run;
      this.apps = (run.apps || []).map((app) => new AppHistory(app));
      this.decisions = new DecisionHistory(run.decisions);
      for (const app of this.apps) app.sampled = sampledLevels(run, app.name);
      // Sub-networks have their own row, drawn from the frames where all are kept: the samples of the timeline are coarser.
      this.series = (run.series || []).filter(({ group }) => group !== 'level')
        .map((series) => ({ ...series, times: column(series.t_s), values: column(series.value) }));
      this.subnets = [...new Set(this.apps.flatMap((app) => [...app.subnet.values, ...app.levels().map(({ name }) => name)]))].filter(Boolean).sort(page.format.naturally);
      this.policies = [...new Set(this.decisions.policy.values)];
    }

    /** The first (direction 1) or last (-1) end of a frame after or before `time`; NaN if there is none. */
    nextFrame(time, direction) {
      const candidates = this.apps.map(({ times }) => {
        let place = page.decode.lastAtMost(times, time);
        if (direction > 0) return times[place + 1] ?? NaN;
        while (place >= 0 && times[place] >= time) --place;
        return place < 0 ? NaN : times[place];
      }).filter((value) => !Number.isNaN(value));
      if (!candidates.length) return NaN;
      return direction > 0 ? Math.min(...candidates) : Math.max(...candidates);
    }

    /** Where looking begins: at the first decision, or else the first frame, or 0 s. */
    firstEvent() {
      if (this.decisions.length) return this.decisions.times[0];
      const first = this.nextFrame(-1, 1);
      return Number.isNaN(first) ? 0 : first;
    }

    /** The same, but not before the board's values are known: all that begin early, or else the first of them. */
    firstReading() {
      const firsts = this.series.filter(({ times }) => times.length).map(({ times }) => times[0]);
      if (!firsts.length) return this.firstEvent();
      const early = firsts.filter((time) => time <= this.run.duration_s / 20);
      return Math.max(this.firstEvent(), Math.min(...firsts), ...early);
    }

    seriesAt(series, time) {
      const place = page.decode.lastAtMost(series.times, time);
      return place < 0 ? NaN : series.values[place];
    }
  }

  page.history = { History };
})(window.dynasoc = window.dynasoc || {});
