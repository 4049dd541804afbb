// The Pareto front: every configuration tried, those that nothing beats joined by a line. Pointing at one tells its
// configuration; choosing it opens its run, where the page has it.
(function (page) {
  'use strict';

  const droppedName = 'dropped early (estimated)';

  class Front {
    constructor(front) {
      Object.assign(this, front);
      this.x = 0;
      this.y = Math.min(1, front.objectives.length - 1);
      this.shown = front.points.findIndex((point) => point.on_front);
      this.details = page.elements.create('div', { class: 'configuration', id: 'front-configuration', 'aria-live': 'polite' });
    }

    objective(i) {
      return page.format.label(this.objectives[i].name, this.objectives[i].unit);
    }

    /** What a tooltip and the panel tell: objectives with intervals, then the configuration. */
    facts(point) {
      const { number, withUnit } = page.format;
      const values = this.objectives.map(({ name, unit }, i) => {
        const range = this.hasInterval(point, i) && point.low[i] !== point.high[i] ? ` (${number(point.low[i])} to ${number(point.high[i])})` : '';
        return [name, withUnit(point.values[i], unit) + range];
      });
      return [...values, ...point.configuration];
    }

    hasInterval({ low, high }, i) {
      return Boolean(low && high) && !page.format.missing(low[i]) && !page.format.missing(high[i]);
    }

    show(i) {
      const { create, button, breakable } = page.elements;
      const point = this.points[i];
      if (!point) return;
      this.shown = i;
      const opens = this.hasRun(point) ? button('Show its run', () => page.runs.open(point.run)) : null;
      this.details.replaceChildren(create('h3', null, point.name), create('p', { class: 'muted' }, this.standing(point)),
        create('dl', null, this.facts(point).map(([name, value]) => create('div', null, create('dt', null, breakable(name)), create('dd', null, value)))), opens || '');
    }

    standing(point) {
      if (point.estimated) return 'dropped before all of its replications were made: its place is an estimate';
      return point.on_front ? 'on the front' : 'beaten by another';
    }

    hasRun(point) {
      return point.run !== null && point.run !== undefined && page.runs.list.length > point.run;
    }

    open(i) {
      this.show(i);
      if (this.hasRun(this.points[i])) page.runs.open(this.points[i].run);
    }

    places(wanted) {
      return this.points.map((_, i) => i).filter((i) => wanted(this.points[i]));
    }

    get on() {
      return this.places((point) => point.on_front);
    }

    /** Names beside the points, while they are few. */
    labels() {
      if (this.points.length > 12) return {};
      return {
        // Above the interval's bar, which goes through the point; with a border, for other points' bars.
        label: {
          show: true, position: 'right', offset: [0, -9], formatter: ({ value }) => page.format.shortened(this.points[value[2]].name), color: page.colours.variable('text'),
          fontSize: 11, textBorderColor: page.colours.variable('background'), textBorderWidth: 3,
        },
        labelLayout: { hideOverlap: true },
      };
    }

    scatter(name, places, more) {
      return { type: 'scatter', name, data: places.map((i) => [this.points[i].values[this.x], this.points[i].values[this.y], i]), z: 4, ...more };
    }

    intervals(places, colour) {
      const along = (axis, other, vertical) => page.charts.whiskers({
        vertical, colour, width: 1, cap: 3, data: places.filter((i) => this.hasInterval(this.points[i], axis)).map((i) => {
          const point = this.points[i];
          return [point.low[axis], point.high[axis], point.values[other]];
        }),
      });
      return [along(this.x, this.y, false), along(this.y, this.x, true)];
    }

    /** The front as stairs, if there are two objectives: between its points nothing was found. */
    stairs(places, colour) {
      if (this.objectives.length !== 2 || this.x === this.y) return [];
      const data = places.map((i) => [this.points[i].values[this.x], this.points[i].values[this.y]]).sort((a, b) => a[0] - b[0]);
      const step = this.objectives[this.x].direction === 'max' ? 'start' : 'end';
      return [{ type: 'line', data, step, symbol: 'none', silent: true, lineStyle: { color: colour, width: 1.2, opacity: 0.6 }, z: 2 }];
    }

    boundSeries() {
      if (!this.bound) return [];
      const colour = page.colours.variable('muted');
      return [{ type: 'scatter', name: 'bound', data: [[this.bound[this.x], this.bound[this.y]]], symbol: 'diamond', symbolSize: 12, silent: true,
        itemStyle: { color: 'transparent', borderColor: colour, borderWidth: 2 } }];
    }

    axis(i, more) {
      const { name, direction } = this.objectives[i];
      const better = { x: { min: '← better', max: 'better →' }, y: { min: '↓ better', max: '↑ better' } }[more.side][direction] ?? '';
      return page.charts.valueAxis({ name: `${page.format.label(name, this.objectives[i].unit)}   ${better}`, nameLocation: 'middle', ...more });
    }

    /** Each kind with the symbol that its points have. */
    legend(off, dropped) {
      return [{ name: 'on the front', icon: 'circle' }, ...(off.length ? [{ name: 'beaten', icon: 'circle' }] : []),
        ...(dropped.length ? [{ name: droppedName, icon: 'emptyCircle' }] : []), ...(this.bound ? [{ name: 'bound', icon: 'emptyDiamond' }] : [])];
    }

    options() {
      const { colours, charts, format } = page;
      const { on } = this;
      const off = this.places((point) => !point.on_front && !point.estimated);
      const dropped = this.places((point) => point.estimated);
      const colour = colours.at(0);
      return {
        grid: { left: 70, right: 24, top: 34, bottom: 48, outerBoundsMode: 'none' },
        legend: { itemWidth: 10, itemHeight: 10, data: this.legend(off, dropped) },
        xAxis: this.axis(this.x, { side: 'x', nameGap: 30 }), yAxis: this.axis(this.y, { side: 'y', nameGap: 50 }),
        tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ value }) => format.tooltip(this.points[value[2]].name, this.facts(this.points[value[2]])) }),
        series: [
          this.scatter('beaten', off, { symbol: 'circle', symbolSize: 6, itemStyle: { color: colours.variable('muted'), opacity: 0.55 }, ...this.labels() }),
          this.scatter(droppedName, dropped, { symbol: 'emptyCircle', symbolSize: 5, itemStyle: { color: colours.variable('muted'), opacity: 0.55 }, ...this.labels() }),
          this.scatter('on the front', on, { symbol: 'circle', symbolSize: 11, itemStyle: { color: colour, borderColor: colours.variable('raised'), borderWidth: 1 },
            emphasis: { scale: 1.4 }, z: 6, ...this.labels() }),
          ...this.stairs(on, colour), ...this.intervals(on, colour), ...this.boundSeries(),
        ],
      };
    }

    ready(instance) {
      instance.on('mouseover', ({ value, componentType }) => componentType === 'series' && value && value.length === 3 && this.show(value[2]));
      instance.on('click', ({ value, componentType }) => componentType === 'series' && value && value.length === 3 && this.open(value[2]));
    }

    controls() {
      const { create, select } = page.elements;
      if (this.objectives.length < 3) return null;
      const choices = this.objectives.map((_, i) => ({ value: String(i), text: this.objective(i) }));
      const choose = (side) => (value) => {
        this[side] = Number(value);
        page.charts.update(document.getElementById('front-chart'));
      };
      return create('div', { class: 'controls' }, select('Across', choices, String(this.x), choose('x')), select('Up', choices, String(this.y), choose('y')));
    }

    cell(point, i) {
      return { text: page.format.number(point.values[i]), value: point.values[i], low: point.low ? point.low[i] : null, high: point.high ? point.high[i] : null };
    }

    table() {
      const { button } = page.elements;
      const { on } = this;
      const names = [...new Set(on.flatMap((i) => this.points[i].configuration.map(([name]) => name)))];
      const rows = on.map((i) => {
        const point = this.points[i];
        const configured = new Map(point.configuration);
        const name = button(point.name, () => this.open(i), { class: 'link', onfocus: () => this.show(i), 'data-run': this.hasRun(point) ? point.run : null });
        return { cells: [name, ...this.objectives.map((_, at) => this.cell(point, at)), ...names.map((key) => configured.get(key) ?? page.format.nothing)] };
      });
      const columns = [{ name: 'configuration' }, ...this.objectives, ...names.map((name) => ({ name }))];
      return page.tables.table({ caption: 'On the front', columns, rows });
    }
  }

  function build({ front: given }) {
    const { create, note } = page.elements;
    if (!given || !given.points.length) return null;
    const front = new Front(given);
    const { count } = page.format;
    const [shown, total] = [given.points.length, given.points_total ?? given.points.length];
    const share = `${count(given.front_total ?? front.on.length)} of ${count(total)} configurations`;
    const thinned = shown < total ? `The plot and its table have ${count(shown)} of the ${count(total)} configurations, ${count(front.on.length)} of them on the front.` : '';
    front.show(front.shown < 0 ? 0 : front.shown);
    const figure = page.charts.figure({
      id: 'front-chart', caption: `${share} on the front; 95 % intervals`, height: 420, controls: front.controls(),
      describe: `${share} are on the front of ${front.objectives.map(({ name }) => name).join(', ')}; the table folded below lists them.`,
      options: () => front.options(), ready: (instance) => front.ready(instance),
    });
    return [create('div', { class: 'beside' }, figure, create('aside', { 'aria-label': 'Configuration' }, front.details)), note(thinned), note(given.hypervolume),
      page.tables.behind('Configurations on the front', front.table())];
  }

  page.front = { build };
})(window.dynasoc = window.dynasoc || {});
