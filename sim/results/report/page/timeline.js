// The timeline: rows on one time axis with a cursor, the scrubber below it, what holds at the cursor beside it, the decisions
// under it.
(function (page) {
  'use strict';

  const top = 6;
  const titleHeight = 22;
  const lineHeight = 16;  // of a title's further lines
  const gap = 8;
  const foot = 58;  // labels of the time axis and the window's slider

  const sheet = 860;  // px of height that a printed chart may take

  /** The rows, flatter on paper if they would not fit on a sheet. */
  function fittedRows(context) {
    const rows = titledRows(context);
    const fixed = heightOf(rows.map((row) => ({ ...row, height: 0 })));
    const scale = page.charts.printing ? Math.min(1, (sheet - fixed) / (heightOf(rows) - fixed)) : 1;
    return rows.map((row) => ({ ...row, height: Math.floor(row.height * scale) }));
  }

  const headOf = (row) => titleHeight + lineHeight * (row.lines.length - 1);
  const rowTops = (rows) => {
    let y = top;
    return rows.map((row) => {
      const at = y + headOf(row);
      y = at + row.height + gap;
      return at;
    });
  };
  const heightOf = (rows) => rows.reduce((sum, row) => sum + headOf(row) + row.height + gap, top) + foot;

  const between = '    ';  // parts of a title

  /** The rows with their titles and legends in `lines` that are not wider than there is room. */
  function titledRows(context) {
    const brush = document.createElement('canvas').getContext('2d');
    const family = getComputedStyle(document.body).fontFamily;
    const width = (text, weight) => {
      brush.font = `${weight} 12px ${family}`;
      return brush.measureText(text).width;
    };
    return page.timelineRows.rows(context).map((row) => {
      const title = shown(row.title, titleMost(context));
      const lines = [[{ text: `{title|${title}}` }]];
      let used = width(title, 600);
      for (const { name, colour, mark } of row.legend) {
        const text = shown(name, 40);
        const own = width(`${between}${mark} ${text}`, 400);
        if (used + own > context.room) {
          lines.push([]);
          used = 0;
        }
        lines[lines.length - 1].push({ text, colour, mark });
        used += own;
      }
      return { ...row, lines };
    });
  }

  /** Letters of a title that surely fit beside the axis. */
  const titleMost = ({ room }) => Math.max(12, Math.floor(room / 8));

  /** Braces and bars would be markup of the chart library. */
  const shown = (text, most) => page.format.shortened(String(text).replace(/[{}|]/g, ' '), most);

  /** A row's title with its legend in colour. */
  function rowTitle(row, y) {
    const rich = { title: { fontWeight: 600, color: page.colours.variable('text') } };
    let marks = 0;
    const written = ({ text, colour, mark }) => {
      if (!mark) return text;
      rich[`mark${marks}`] = { color: colour };
      return `{mark${marks++}|${mark}} ${text}`;
    };
    return {
      text: row.lines.map((line) => line.map(written).join(between)).join('\n'), left: page.timeview.left - 6, top: y - headOf(row) + 2, padding: [2, 6],
      textStyle: { fontSize: 12, fontWeight: 400, lineHeight, color: page.colours.variable('muted'), rich },
    };
  }

  /** px that titles have: what a chart has on the screen now, but not more than on paper. */
  function roomForTitles() {
    const place = document.getElementById('sections');
    const style = getComputedStyle(place);
    const inside = place.clientWidth - parseFloat(style.paddingLeft) - parseFloat(style.paddingRight);
    const beside = window.innerWidth > 900 ? 310 : 0;  // the panel, as the style sheet has it
    return Math.min(inside - beside, 690) - page.timeview.left - 8;
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
    context.room = roomForTitles();
    const rows = titledRows(context);
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
