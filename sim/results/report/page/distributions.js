// Latency as a distribution: a histogram with its cumulative curve for each application, ranges by sub-network, and the curves of
// all runs above each other.
(function (page) {
  'use strict';

  const percentiles = ['p50', 'p90', 'p99'];

  /** Cumulative shares at the edges of a histogram, as pairs. */
  function cumulative({ edges_ms: edgesColumn, counts: countsColumn }) {
    const edges = page.decode.column(edgesColumn);
    const counts = page.decode.column(countsColumn);
    const total = counts.reduce((sum, value) => sum + value, 0);
    let sum = 0;
    return Array.from(edges, (edge, i) => {
      if (i > 0) sum += counts[i - 1];
      return [edge, total ? sum / total : 0];
    });
  }

  /** Logarithmic where the bins are: of equal width on the screen. */
  function latencyAxis(edges, logarithmic) {
    const [low, high] = [edges[0], edges[edges.length - 1]];
    return page.charts.valueAxis({ type: logarithmic && low > 0 ? 'log' : 'value', min: low, max: high, name: 'latency [ms]', nameLocation: 'middle', nameGap: 26, splitLine: { show: false },
      axisLabel: { showMinLabel: false, showMaxLabel: false } });
  }

  const shareAxis = (more) => page.charts.valueAxis({
    min: 0, max: 1, scale: false, name: 'share at most', nameLocation: 'middle', nameGap: 40, axisLabel: { formatter: (value) => `${Math.round(value * 100)} %` }, ...more,
  });

  function bars(histogram, colour) {
    const edges = page.decode.column(histogram.edges_ms);
    const counts = page.decode.column(histogram.counts);
    const render = (_, api) => {
      const [left, top] = api.coord([api.value(0), api.value(2)]);
      const [right, bottom] = api.coord([api.value(1), 0]);
      return { type: 'rect', shape: { x: left, y: top, width: Math.max(1, right - left - 0.6), height: bottom - top }, style: { fill: colour, opacity: 0.55 } };
    };
    return {
      type: 'custom', name: 'frames', renderItem: render, encode: { x: [0, 1], y: 2 }, clip: true,
      data: Array.from(counts, (count, i) => [edges[i], edges[i + 1], count]),
    };
  }

  /** Marks of the percentiles, and of the targets while they are few. */
  function marks(app) {
    const { colours, format } = page;
    const points = percentiles.filter((name) => !format.missing(app.histogram[name])).map((name) => ({ xAxis: app.histogram[name], name }));
    const targets = [...new Set(page.decode.column(app.target && app.target.latency_ms))].filter((value) => !Number.isNaN(value));
    if (targets.length <= 3) points.push(...targets.map((value) => ({
      xAxis: value, name: 'target', lineStyle: { type: 'dashed', color: colours.variable('text') }, label: { position: 'insideStartTop', rotate: 90, distance: 3 } })));
    return {
      symbol: 'none', silent: true, data: points, lineStyle: { color: colours.variable('muted'), type: 'solid', width: 1 },
      label: { formatter: ({ name }) => name, color: colours.variable('text'), fontSize: 11, distance: [0, 3], rotate: 0 }, labelLayout: { hideOverlap: true },
    };
  }

  function histogramOptions(app) {
    const { number, percent, tooltip, count } = page.format;
    const edges = page.decode.column(app.histogram.edges_ms);
    const colour = page.colours.of('app', app.name);
    return {
      grid: { left: 64, right: 64, top: 26, bottom: 44, outerBoundsMode: 'none' },
      xAxis: latencyAxis(edges, app.histogram.logarithmic),
      yAxis: [page.charts.valueAxis({ min: 0, name: 'frames', nameLocation: 'middle', nameGap: 44 }), shareAxis({ splitLine: { show: false } })],
      tooltip: page.charts.tooltipStyle({ trigger: 'item', formatter: ({ seriesType, value }) => (seriesType === 'custom'
        ? tooltip(`${number(value[0])} to ${number(value[1])} ms`, [['frames', count(value[2])]])
        : tooltip(`at most ${number(value[0])} ms`, [['share', percent(value[1])]])) }),
      series: [bars(app.histogram, colour), {
        type: 'line', name: 'share', yAxisIndex: 1, data: cumulative(app.histogram), symbol: 'none', lineStyle: { color: colour, width: 2 }, markLine: marks(app),
      }],
    };
  }

  function histogramFigure(app, nth) {
    const { number, count } = page.format;
    const { histogram } = app;
    const frames = page.decode.column(histogram.counts).reduce((sum, value) => sum + value, 0);
    const words = [['median', histogram.p50], ['90th percentile', histogram.p90], ['99th', histogram.p99], ['mean', histogram.mean], ['longest', histogram.max]]
      .filter(([, value]) => !page.format.missing(value)).map(([name, value]) => `${name} ${number(value)} ms`);
    return page.charts.figure({
      id: `histogram-${nth}`, caption: `Latency of ${app.name}: ${words.join(', ')}`, height: 260,
      describe: `Histogram and cumulative distribution of the latency of ${app.name}, ${count(frames)} frames completed after the warm-up: ${words.join(', ')}.`,
      options: () => histogramOptions(app),
    });
  }

  function subnetOptions(app, rows) {
    const { charts, colours, format } = page;
    const colour = (i) => colours.ramp(i, rows.length);
    return {
      grid: { left: 64, right: 24, top: 26, bottom: 44, outerBoundsMode: 'none' },
      xAxis: charts.valueAxis({ name: 'latency [ms], 5th to 95th percentile and mean', nameLocation: 'middle', nameGap: 26 }),
      yAxis: charts.categoryAxis(rows.map(({ subnet }) => subnet), { axisLabel: { width: 54 } }),
      tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ dataIndex }) => {
        const row = rows[dataIndex];
        return format.tooltip(row.subnet, [['frames', format.count(row.count)], ['mean', format.withUnit(row.mean_ms, 'ms')],
          ['5 to 95 %', `${format.number(row.low_ms)} to ${format.number(row.high_ms)} ms`]]);
      } }),
      series: [
        charts.whiskers({ data: rows.map((row, i) => [row.low_ms, row.high_ms, i, i]), colour, width: 6, cap: 0 }),
        {
          type: 'scatter', symbolSize: 9, z: 5, data: rows.map((row, i) => [row.mean_ms, i]),
          itemStyle: { color: colours.variable('raised'), borderColor: colours.variable('text'), borderWidth: 1.5 },
          label: { show: true, position: 'top', formatter: ({ dataIndex }) => format.count(rows[dataIndex].count), color: colours.variable('muted'), fontSize: 10 },
        },
      ],
    };
  }

  function subnetFigure(app, nth) {
    const { table, behind } = page.tables;
    const rows = [...(app.per_subnet || [])].sort((a, b) => page.format.naturally(a.subnet, b.subnet));
    if (!rows.length) return null;
    const columns = [{ name: 'sub-network' }, { name: 'frames' }, { name: 'mean', unit: 'ms' }, { name: '5th percentile', unit: 'ms' }, { name: '95th percentile', unit: 'ms' }];
    const cell = (value) => ({ text: page.format.number(value), value });
    return page.charts.figure({
      id: `subnets-${nth}`, caption: `Latency of ${app.name} by sub-network, with the number of frames`, height: 260,
      describe: `Latency of ${app.name} by sub-network; the table below has the numbers.`, options: () => subnetOptions(app, rows),
      after: behind('Numbers', table({ caption: `${app.name} by sub-network`, columns,
        rows: rows.map((row) => ({ cells: [row.subnet, ...[row.count, row.mean_ms, row.low_ms, row.high_ms].map(cell)] })) })),
    });
  }

  function overlayOptions(entries) {
    const { charts, format } = page;
    const edges = entries.flatMap(({ app }) => Array.from(page.decode.column(app.histogram.edges_ms)));
    return {
      grid: { left: 64, right: 24, top: 34, bottom: 44, outerBoundsMode: 'none' }, legend: {},
      xAxis: latencyAxis([edges.reduce((a, b) => Math.min(a, b)), edges.reduce((a, b) => Math.max(a, b))],
        entries.some(({ app }) => app.histogram.logarithmic)), yAxis: shareAxis(),
      tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ seriesName, value }) => (
        format.tooltip(seriesName, [['at most', `${format.number(value[0])} ms`], ['share', format.percent(value[1])]])) }),
      series: entries.map(({ run, app, current }) => ({
        type: 'line', name: run.label, data: cumulative(app.histogram), symbolSize: 5, symbol: 'circle', showSymbol: false, z: current ? 5 : 3,
        lineStyle: { color: page.colours.of('policy', run.label), width: current ? 3 : 1.5 }, itemStyle: { color: page.colours.of('policy', run.label) },
      })),
    };
  }

  /** The cumulative curves of an application in all runs; nothing if there is one run only. */
  function overlayFigure(name, nth) {
    const entries = page.runs.list.map((run, i) => ({ run, app: run.apps.find((app) => app.name === name), current: i === page.runs.current }))
      .filter(({ app }) => app && app.histogram);
    if (entries.length < 2) return null;
    const medians = entries.map(({ run, app }) => `${run.label} ${page.format.number(app.histogram.p50)} ms`);
    return page.charts.figure({
      id: `overlay-${nth}`, caption: `Latency of ${name} in each run: share of frames at most that long`, height: 280,
      describe: `Cumulative distributions of the latency of ${name}; medians: ${medians.join(', ')}.`, options: () => overlayOptions(entries),
    });
  }

  function build({ run }) {
    const { create, note } = page.elements;
    const blocks = (run.apps || []).map((app, nth) => {
      if (!app.histogram) return note(`${app.name}: no frame was completed, so that there is no distribution.`);
      return [create('div', { class: 'pair' }, histogramFigure(app, nth), subnetFigure(app, nth)), overlayFigure(app.name, nth)];
    });
    return blocks.length ? blocks : [note('This run has no applications.')];
  }

  page.distributions = { build, cumulative };
})(window.dynasoc = window.dynasoc || {});
