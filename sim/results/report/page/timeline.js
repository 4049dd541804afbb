// The timeline: rows on one time axis with a cursor, the scrubber below it, what holds at the cursor beside it, the decisions
// under it.
(function (page) {
  'use strict';

  const top = 6;
  const titleHeight = 22;
  const gap = 8;
  const foot = 58;  // labels of the time axis and the window's slider

  const sheet = 860;  // px of height that a printed chart may take

  /** The rows, flatter on paper if they would not fit on a sheet. */
  function fittedRows(context) {
    const rows = page.timelineRows.rows(context);
    const fixed = heightOf(rows.map((row) => ({ ...row, height: 0 })));
    const scale = page.charts.printing ? Math.min(1, (sheet - fixed) / (heightOf(rows) - fixed)) : 1;
    return rows.map((row) => ({ ...row, height: Math.floor(row.height * scale) }));
  }

  const rowTops = (rows) => {
    let y = top;
    return rows.map((row) => {
      const at = y + titleHeight;
      y = at + row.height + gap;
      return at;
    });
  };
  const heightOf = (rows) => rows.reduce((sum, row) => sum + titleHeight + row.height + gap, top) + foot;

  /** A row's title with its legend in colour. Braces and bars would be markup of the chart library. */
  function rowTitle(row, y) {
    const clean = (text) => String(text).replace(/[{}|]/g, ' ');
    const rich = { title: { fontWeight: 600, color: page.colours.variable('text') } };
    const parts = row.legend.map(({ name, colour, mark }, i) => {
      rich[`mark${i}`] = { color: colour };
      return `{mark${i}|${mark}} ${clean(name)}`;
    });
    return {
      text: [`{title|${clean(row.title)}}`, ...parts].join('    '), left: page.timeview.left - 6, top: y - titleHeight + 2, padding: [2, 6],
      textStyle: { fontSize: 12, fontWeight: 400, color: page.colours.variable('muted'), rich },
    };
  }

  function timeAxis(index, last, view) {
    return page.charts.valueAxis({
      gridIndex: index, min: 0, max: view.duration, scale: false, axisLine: { onZero: false, lineStyle: { color: page.colours.variable('line-strong') } }, axisTick: { show: last }, splitLine: { show: false },
      name: last ? 's' : '', nameLocation: 'end', nameGap: 4,
      axisLabel: { show: last, formatter: page.charts.plainNumber, showMinLabel: false, showMaxLabel: false },
    });
  }

  function options(context) {
    const rows = fittedRows(context);
    const tops = rowTops(rows);
    const { left, right, zooms } = page.timeview;
    return {
      tooltip: { show: false },
      title: rows.map((row, i) => rowTitle(row, tops[i])),
      grid: rows.map((row, i) => ({ left, right, top: tops[i], height: row.height, outerBoundsMode: 'none' })),
      xAxis: rows.map((_, i) => timeAxis(i, i === rows.length - 1, context.view)),
      yAxis: rows.map((row, i) => page.charts.valueAxis({
        gridIndex: i, splitNumber: 3, ...row.axis, axisLabel: { width: left - 14, overflow: 'truncate', ...row.axis.axisLabel } })),
      series: rows.flatMap((row, i) => row.series.map((series) => ({ ...series, xAxisIndex: i, yAxisIndex: i }))),
      dataZoom: zooms(context.view, rows.map((_, i) => i), true),
    };
  }

  function decimated(run) {
    const { count } = page.format;
    const parts = (run.apps || []).filter(({ jobs }) => jobs.kept < jobs.total).map(({ name, jobs }) => (
      `${count(jobs.kept)} of ${count(jobs.total)} frames of ${name}`));
    const { decisions } = run;
    if (decisions && decisions.kept < decisions.total) parts.push(`${count(decisions.kept)} of ${count(decisions.total)} knobs written`);
    const candidates = decisions && decisions.candidates;
    if (candidates && candidates.kept < candidates.total) parts.push(`${count(candidates.kept)} of ${count(candidates.total)} candidates that decisions looked at`);
    const thinned = (run.series || []).filter(({ kept, total }) => kept < total);
    const sum = (name) => count(thinned.reduce((all, series) => all + series[name], 0));
    if (thinned.length) parts.push(`${sum('kept')} of ${sum('total')} points of ${thinned.length} series`);
    return parts.length ? `Shown are ${parts.join(', ')}: of every stretch of time the slowest and the fastest frames, those late or lost, and the extremes of series.` : '';
  }

  function caption(run) {
    const { withUnit } = page.format;
    const warmUp = run.warmup_s > 0 ? `, of which the first ${withUnit(run.warmup_s, 's')} are the warm-up and count nowhere else` : '';
    return `${page.runs.title(run)}: ${withUnit(run.duration_s, 's')} simulated${warmUp}`;
  }

  function describe({ run, history }) {
    const { number, count } = page.format;
    const apps = run.apps.map((app) => {
      const shape = app.histogram ? `, median ${number(app.histogram.p50)} ms, 99th percentile ${number(app.histogram.p99)} ms` : '';
      return `${app.name}: ${count(app.jobs.total)} frames${shape}`;
    });
    return `Over ${number(run.duration_s)} s: ${apps.join('; ')}; ${count(history.decisions.total)} knobs written. `
      + 'The scrubber below moves the cursor; the panel beside it tells the values.';
  }

  /** The section of a run in time. */
  function build(context) {
    const { create, note } = page.elements;
    const rows = page.timelineRows.rows(context);
    if (!rows.length) return [note('Nothing happened in this run that could be drawn: no frame arrived, and no series was kept.')];
    const figure = page.charts.figure({
      id: 'timeline-chart', caption: caption(context.run),
      describe: describe(context), height: heightOf(rows), printHeight: Math.min(sheet, heightOf(rows)), options: () => options(context),
      ready: (instance) => page.timeview.link(instance, context.view), after: page.scrubber.build(context),
    });
    return [
      note(decimated(context.run)),
      create('div', { class: 'beside' }, figure, page.instant.build(context)),
      page.decisions.build(context),
    ];
  }

  page.timeline = { build };
})(window.dynasoc = window.dynasoc || {});
