// A sweep: pick what goes across, what is measured and what makes a line; the other axes are fixed or averaged over. Below, the
// same points as a table.
(function (page) {
  'use strict';

  const all = '';         // a select's value: averaged over
  const pageRows = 50;

  class Sweep {
    constructor(sweep) {
      const { column, texts } = page.decode;
      this.axes = sweep.axes.map((axis) => ({
        ...axis, values: isNumeric(axis) ? [...axis.values].sort((a, b) => a - b) : axis.values, column: texts(sweep.columns[axis.name]) }));
      this.metrics = sweep.metrics.map((metric) => ({ ...metric, values: column(sweep.columns[metric.name]) }));
      this.total = sweep.rows_total;
      this.rows = this.metrics.length ? this.metrics[0].values.length : 0;
      this.fixed = this.axes.map(() => all);
      this.across = this.firstNumeric();
      this.metric = 0;
      this.lines = this.axes.findIndex((_, i) => i !== this.across && this.axes[i].values.length <= 12);
      this.from = 0;
    }

    /** The axis to start with: the first of several numbers, or the first. */
    firstNumeric() {
      const place = this.axes.findIndex((axis) => axis.values.length > 1 && isNumeric(axis));
      return Math.max(0, place);
    }

    chosen(row) {
      return this.fixed.every((value, i) => value === all || i === this.across || i === this.lines || this.axes[i].column.at(row) === value);
    }

    /** Mean and range of the metric for each value across and each line: `[{name, points: [{x, mean, low, high, count}]}]`. */
    groups() {
      const groups = new Map();
      const { values } = this.metrics[this.metric];
      for (let row = 0; row < this.rows; ++row) {
        if (Number.isNaN(values[row]) || !this.chosen(row)) continue;
        const line = this.lines < 0 ? '' : this.axes[this.lines].column.at(row);
        const x = this.axes[this.across].column.at(row);
        if (!groups.has(line)) groups.set(line, new Map());
        add(groups.get(line), x, values[row]);
      }
      const names = this.lines < 0 ? [''] : this.axes[this.lines].values;
      return names.filter((name) => groups.has(name)).map((name) => ({ name, points: this.inOrder(groups.get(name)) }));
    }

    inOrder(points) {
      return this.axes[this.across].values.filter((x) => points.has(x)).map((x) => {
        const { sum, count, low, high } = points.get(x);
        return { x, mean: sum / count, low, high, count };
      });
    }

    options() {
      const { charts, format } = page;
      const axis = this.axes[this.across];
      const metric = this.metrics[this.metric];
      const groups = this.groups();
      const numeric = isNumeric(axis);
      const place = (x) => (numeric ? Number(x) : axis.values.indexOf(x));
      const colour = (i) => this.colour(groups[i].name);
      const named = { name: axis.name, nameLocation: 'middle', nameGap: 28 };
      return {
        grid: { left: 70, right: 24, top: 34, bottom: 50, outerBoundsMode: 'none' },
        legend: this.lines < 0 ? { show: false } : {},
        xAxis: numeric ? charts.valueAxis({ ...named, splitLine: { show: false }, type: isLogarithmic(axis) ? 'log' : 'value' })
          : charts.categoryAxis(axis.values, { ...named, axisLabel: { width: 110 } }),
        yAxis: charts.valueAxis({ name: format.label(metric.name, metric.unit), nameLocation: 'middle', nameGap: 52 }),
        tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ seriesIndex, dataIndex }) => this.tip(groups[seriesIndex], dataIndex) }),
        series: [
          ...groups.map(({ name, points }, i) => ({
            type: 'line', name: name || metric.name, data: points.map(({ x, mean }) => [place(x), mean]), symbol: 'circle', symbolSize: 7,
            showAllSymbol: true, lineStyle: { color: colour(i), width: 1.8 }, itemStyle: { color: colour(i) }, z: 4,
          })),
          ...groups.map(({ points }, i) => charts.whiskers({
            vertical: true, colour: colour(i), width: 1, cap: 3, data: points.filter(({ count }) => count > 1).map(({ x, low, high }) => [low, high, place(x)]),
          })),
        ],
      };
    }

    colour(name) {
      return page.colours.of(this.lines < 0 ? 'sweep' : `sweep ${this.axes[this.lines].name}`, name);
    }

    tip(group, i) {
      const { withUnit, number, tooltip } = page.format;
      if (!group) return '';
      const { unit, name } = this.metrics[this.metric];
      const { x, mean, low, high, count } = group.points[i];
      const pairs = [[this.axes[this.across].name, x], [name, withUnit(mean, unit)]];
      if (count > 1) pairs.push(['range', `${number(low)} to ${number(high)}`], ['points', String(count)]);
      return tooltip(group.name || name, pairs);
    }

    describe() {
      return `Means of ${this.metrics.length} metrics over ${this.axes.map(({ name, values }) => `${name} (${values.length} values)`).join(', ')}; the table below has the points.`;
    }
  }

  const isNumeric = (axis) => axis.values.length > 0 && axis.values.every((value) => value !== '' && Number.isFinite(Number(value)));

  /** Axes of equal ratios, such as 0.1, 1, 10, are drawn so. */
  function isLogarithmic(axis) {
    const values = axis.values.map(Number).sort((a, b) => a - b);
    if (values.length < 3 || values[0] <= 0) return false;
    return values[values.length - 1] / values[0] >= 30 && values[1] / values[0] > 1.5 && values[2] - values[1] > 1.5 * (values[1] - values[0]);
  }

  function add(points, x, value) {
    const known = points.get(x);
    if (!known) {
      points.set(x, { sum: value, count: 1, low: value, high: value });
      return;
    }
    known.sum += value;
    known.count += 1;
    known.low = Math.min(known.low, value);
    known.high = Math.max(known.high, value);
  }

  /** The selects above the chart. They are built anew after each choice: which axes can be fixed depends on the others. */
  function controls(sweep, changed) {
    const { create, select } = page.elements;
    const axes = sweep.axes.map(({ name }, i) => ({ value: String(i), text: name }));
    const element = create('div', { class: 'controls' });
    const choose = (name) => (value) => {
      sweep[name] = Number(value);
      if (name === 'across' && sweep.lines === sweep.across) sweep.lines = -1;
      fill(name);
      changed();
    };
    const fill = (focused) => {
      const fixed = sweep.axes.map((axis, i) => (i === sweep.across || i === sweep.lines || axis.values.length < 2 ? null
        : select(axis.name, [{ value: all, text: 'mean over all' }, ...axis.values.map((value) => ({ value, text: value }))], sweep.fixed[i], (value) => {
          sweep.fixed[i] = value;
          changed();
        })));
      const main = {
        metric: select('Metric', sweep.metrics.map((metric, i) => ({ value: String(i), text: page.format.label(metric.name, metric.unit) })), String(sweep.metric), choose('metric')),
        across: select('Across', axes, String(sweep.across), choose('across')),
        lines: select('Lines', [{ value: '-1', text: 'one' }, ...axes.filter((_, i) => i !== sweep.across)], String(sweep.lines), choose('lines')),
      };
      element.replaceChildren(...Object.values(main), ...fixed.filter(Boolean));
      if (focused) main[focused].querySelector('select').focus();
    };
    fill();
    return element;
  }

  /** A page of the table, with buttons for the next ones. */
  function points(sweep) {
    const { create, button } = page.elements;
    const { number, count } = page.format;
    const place = create('div');
    const columns = [...sweep.axes.map(({ name }) => ({ name, number: false })), ...sweep.metrics.map((metric) => ({ ...metric, number: true }))];
    const show = (from) => {
      const rows = [];
      for (let row = from; row < Math.min(from + pageRows, sweep.rows); ++row) {
        rows.push({ cells: [...sweep.axes.map(({ column }) => column.at(row)), ...sweep.metrics.map(({ values }) => ({ text: number(values[row]), value: values[row] }))] });
      }
      const said = `Points ${count(Math.min(from + 1, sweep.rows))} to ${count(Math.min(from + pageRows, sweep.rows))} of ${count(sweep.rows)}`;
      const pages = create('div', { class: 'controls' },
        button('‹ Before', () => show(from - pageRows), { disabled: from <= 0 }), button('Next ›', () => show(from + pageRows), { disabled: from + pageRows >= sweep.rows }));
      place.replaceChildren(page.tables.table({ caption: said, columns, rows }), sweep.rows > pageRows ? pages : '');
    };
    show(0);
    return place;
  }

  function build({ sweep: given }) {
    const { note } = page.elements;
    if (!given || !given.axes.length || !given.metrics.length) return null;
    const sweep = new Sweep(given);
    if (!sweep.rows) return [note('The sweep has no points yet.')];
    const { count } = page.format;
    const held = sweep.rows < sweep.total ? `The page holds ${count(sweep.rows)} of ${count(sweep.total)} points, drawn at random: means and ranges here are of these, results.csv has all.` : '';
    const changed = () => page.charts.update(document.getElementById('sweep-chart'));
    return [note(held), page.charts.figure({
      id: 'sweep-chart', caption: 'Mean over the points that have the same value; whiskers from the least to the greatest', height: 380,
      controls: controls(sweep, changed), describe: sweep.describe(), options: () => sweep.options(),
    }), points(sweep)];
  }

  page.sweep = { build, Sweep };
})(window.dynasoc = window.dynasoc || {});
