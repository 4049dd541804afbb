// What ran on each unit, and when. A unit that several frames share has a lane for each of them. What is too small to be told apart
// on the screen is drawn as one, for each window anew.
(function (page) {
  'use strict';

  const rowHeight = 34;
  const mostLanes = 6;
  const rounding = 1e-9;  // s: a frame that begins when another ends is after it

  /** Spans of a unit that a window of [from, to] shows at `pixel` seconds a pixel: `{start, end, app, subnet, lane, count}`. Spans
   *  of a lane become one as long as that is less than a pixel wide. */
  function visible(unit, from, to, pixel) {
    const drawn = [];
    const lasts = [];  // of each lane
    for (let i = unit.firstReaching(from); i < unit.start.length && unit.start[i] <= to; ++i) {
      const [start, end, lane] = [unit.start[i], unit.end[i], unit.lane[i]];
      if (end < from) continue;
      const last = lasts[lane];
      if (last && Math.max(end, last.end) - last.start < pixel) {
        last.end = Math.max(last.end, end);
        last.count += 1;
      } else {
        lasts[lane] = { start, end, app: unit.app.at(i), subnet: unit.subnet.at(i), lane, count: 1 };
        drawn.push(lasts[lane]);
      }
    }
    return drawn;
  }

  /** For spans in order of start, the first lane that is free; where all are taken, the one that is free first. */
  function laneOf(start, end) {
    const free = [];  // when each lane is
    return Uint8Array.from(start, (begin, i) => {
      let lane = free.findIndex((time) => time <= begin + rounding);
      if (lane < 0) lane = free.length < mostLanes ? free.length : free.indexOf(Math.min(...free));
      free[lane] = Math.max(free[lane] ?? 0, end[i]);
      return lane;
    });
  }

  function decodeUnit(unit) {
    const { column, texts, ascending, lastAtMost } = page.decode;
    const start = column(unit.spans.start_s);
    const end = column(unit.spans.end_s);
    const [app, subnet] = [texts(unit.spans.app), texts(unit.spans.subnet)];
    const order = ascending(start);
    const [starts, ends] = [start, end].map((times) => Float64Array.from(order, (i) => times[i]));
    let latest = -Infinity;
    const reach = ends.map((time) => { latest = Math.max(latest, time); return latest; });  // the latest end of the spans so far
    const lane = laneOf(starts, ends);
    return {
      name: unit.name, start: starts, end: ends, lane, lanes: lane.reduce((most, one) => Math.max(most, one + 1), 1),
      // A long span may reach into a window that many that began after it do not.
      firstReaching: (time) => lastAtMost(reach, time) + 1,
      app: { at: (i) => app.at(order[i]) }, subnet: { at: (i) => subnet.at(order[i]) }, apps: app.values, subnets: subnet.values,
    };
  }

  class Gantt {
    constructor({ run, view, history }) {
      this.view = view;
      this.units = run.units.map(decodeUnit);
      this.apps = [...new Set(this.units.flatMap((unit) => unit.apps))].filter(Boolean);
      this.subnets = history.subnets.length ? history.subnets : [...new Set(this.units.flatMap((unit) => unit.subnets))].filter(Boolean);
      this.colourBy = this.apps.length > 1 || this.subnets.length < 2 ? 'app' : 'subnet';
      this.spans = [];
    }

    get height() {
      return 30 + this.units.length * rowHeight + 34;
    }

    colour(span) {
      if (this.colourBy === 'app') return page.colours.of('app', span.app);
      const place = this.subnets.indexOf(span.subnet);
      return place < 0 ? page.colours.variable('muted') : page.colours.ramp(place, this.subnets.length);
    }

    /** Fills `this.spans`, which the series' data index, for the window shown. */
    data(width) {
      const { from, to, span } = this.view;
      const pixel = span / Math.max(100, width - page.timeview.left - page.timeview.right);
      this.spans = this.units.flatMap((unit, place) => visible(unit, from, to, pixel).map((drawn) => ({ ...drawn, place })));
      return this.spans.map(({ start, end, place }, i) => [start, end, place, i]);
    }

    render(api) {
      const span = this.spans[api.value(3)];
      if (!span) return null;
      const [left, middle] = api.coord([span.start, span.place]);
      const [right] = api.coord([span.end, span.place]);
      const height = api.size([0, 1])[1] * 0.62;
      const each = height / this.units[span.place].lanes;
      const gap = right - left > 3 ? 0.6 : 0;  // between frames that follow each other
      return {
        type: 'rect', shape: { x: left, y: middle - height / 2 + span.lane * each, width: Math.max(right - left - gap, 0.7), height: each },
        style: { fill: this.colour(span) },
      };
    }

    tip(i) {
      const { seconds, number, tooltip } = page.format;
      const { start, end, app, subnet, count } = this.spans[i];
      const length = ['length', `${number((end - start) * 1e3)} ms`];
      if (count > 1) return tooltip(`${count} spans, too close to be told apart`, [['from', seconds(start)], ['to', seconds(end)], length]);
      return tooltip(app, [['sub-network', subnet || page.format.nothing], ['from', seconds(start)], ['to', seconds(end)], length]);
    }

    legendSeries() {
      const names = this.colourBy === 'app' ? this.apps : this.subnets;
      return names.map((name, i) => ({
        type: 'bar', name, data: [],
        itemStyle: { color: this.colourBy === 'app' ? page.colours.of('app', name) : page.colours.ramp(i, names.length) },
      }));
    }

    options(width) {
      const { left, right, zooms } = page.timeview;
      return {
        grid: { left, right, top: 30, bottom: 30, outerBoundsMode: 'none' },
        legend: { left, selectedMode: false },
        tooltip: page.charts.tooltipStyle({ trigger: 'item', formatter: ({ value }) => (value ? this.tip(value[3]) : '') }),
        xAxis: page.charts.valueAxis({ min: 0, max: this.view.duration, scale: false, name: 's', nameGap: 4, axisLabel: { showMinLabel: false, showMaxLabel: false } }),
        yAxis: page.charts.categoryAxis(this.units.map((unit) => unit.name), { inverse: true, axisLabel: { width: left - 12 } }),
        dataZoom: zooms(this.view, [0], false),
        series: [{
          id: 'spans', type: 'custom', renderItem: (_, api) => this.render(api), data: this.data(width), clip: true,
          encode: { x: [0, 1], y: 2 }, progressive: 2000,
        }, ...this.legendSeries()],
      };
    }

    follow(instance) {
      let pending = 0;
      this.view.on('window', () => {
        cancelAnimationFrame(pending);
        pending = requestAnimationFrame(() => {
          if (!instance.isDisposed()) instance.setOption({ series: [{ id: 'spans', data: this.data(instance.getWidth()) }] });
        });
      });
    }
  }

  function decimated(units) {
    const { count } = page.format;
    const parts = units.filter(({ spans }) => spans.kept < spans.total).map(({ name, spans }) => `${count(spans.kept)} of ${count(spans.total)} on ${name}`);
    return parts.length ? `Shown are ${parts.join(', ')}: of every stretch of time the longest and the shortest spans, and those of missed frames.` : '';
  }

  function describe(units) {
    return `Spans of work by unit: ${units.map(({ name, spans }) => `${name} ${page.format.count(spans.total)}`).join(', ')}.`;
  }

  function build(context) {
    const { note, select, create } = page.elements;
    const units = context.run.units || [];
    if (!units.some(({ spans }) => spans.kept > 0)) return [note('Nothing ran on any unit.')];
    const gantt = new Gantt(context);
    const both = gantt.apps.length > 0 && gantt.subnets.length > 1;
    const recolour = (value) => {
      gantt.colourBy = value;
      page.charts.update(document.getElementById('gantt-chart'));
    };
    const controls = both ? create('div', { class: 'controls' }, select('Colour', [
      { value: 'app', text: 'application' }, { value: 'subnet', text: 'sub-network' }], gantt.colourBy, recolour)) : null;
    // Beside nothing: as wide as the timeline, so that the same time is at the same place.
    return [note(decimated(units)), create('div', { class: 'beside' }, page.charts.figure({
      id: 'gantt-chart', caption: 'What ran on each unit; window and cursor are those of the timeline', describe: describe(units),
      height: gantt.height, controls, options: (instance) => gantt.options(instance.getWidth()),
      ready: (instance) => {
        page.timeview.link(instance, context.view);
        gantt.follow(instance);
      },
    }))];
  }

  page.gantt = { build, visible, decodeUnit };
})(window.dynasoc = window.dynasoc || {});
