// Comparisons of managers on the same frames: paired differences with their intervals, and where the regret to the oracle
// comes from.
(function (page) {
  'use strict';

  function differenceOptions(metric) {
    const { charts, colours, format } = page;
    const { rows } = metric;
    const single = rows.flatMap((row, i) => Array.from(page.decode.column(row.values), (value) => [value, i]));
    const rowsWithValue = rows.map((row, i) => ({ ...row, i })).filter(({ delta }) => !Number.isNaN(format.cellValue(delta)));
    const colour = (i) => colours.of('policy', rows[i].policy);
    return {
      grid: { left: 120, right: 20, top: 8, bottom: 44, outerBoundsMode: 'none' },
      xAxis: charts.valueAxis({ scale: false, name: betterName(metric), nameLocation: 'middle', nameGap: 26 }),
      yAxis: charts.categoryAxis(rows.map(({ policy }) => policy), { inverse: true, axisLabel: { width: 108 } }),
      tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ value, seriesName }) => format.tooltip(rows[value[1]].policy,
        [[seriesName, format.withUnit(value[0], metric.unit)], ['95 % interval', format.interval(rows[value[1]].delta)],
          ['p (Holm)', format.missing(rows[value[1]].p_holm) ? '' : format.number(rows[value[1]].p_holm, 3)]].filter(([, text]) => text)) }),
      series: [
        { type: 'scatter', name: 'a replication', data: single, symbolSize: 5, itemStyle: { color: ({ value }) => colour(value[1]), opacity: 0.35 } },
        charts.whiskers({ data: rowsWithValue.filter(({ delta }) => format.hasInterval(delta)).map(({ delta, i }) => [delta.low, delta.high, i, i]), colour, width: 2.5, cap: 6 }),
        { type: 'scatter', name: 'mean difference', data: rowsWithValue.map(({ delta, i }) => [delta.value, i]), symbol: 'diamond', symbolSize: 12, z: 6,
          itemStyle: { color: ({ value }) => colour(value[1]), borderColor: colours.variable('raised'), borderWidth: 1 },
          markLine: { silent: true, symbol: 'none', data: [{ xAxis: 0 }], label: { show: false }, lineStyle: { color: colours.variable('text'), type: 'solid', width: 1 } } },
      ],
    };
  }

  function betterName({ better, unit }) {
    const side = { lower: '← better', higher: 'better →' }[better] ?? '';
    return [unit ? `difference [${unit}]` : 'difference', side].filter(Boolean).join('   ');
  }

  function differenceFigure(metric, nth, baseline) {
    const { cellText, interval } = page.format;
    const words = metric.rows.map(({ policy, delta }) => `${policy} ${cellText(delta)} (${interval(delta) || 'no interval'})`);
    return page.charts.figure({
      id: `paired-${nth}`, caption: page.format.label(metric.name, metric.unit), height: 60 + 30 * metric.rows.length,
      describe: `Differences in ${metric.name} to ${baseline}: ${words.join(', ')}.`, options: () => differenceOptions(metric),
    });
  }

  function pairedTable({ metrics, baseline }) {
    const policies = metrics[0].rows.map(({ policy }) => policy);
    const rows = policies.map((policy) => ({ cells: [policy, ...metrics.map((metric) => {
      const row = metric.rows.find((candidate) => candidate.policy === policy);
      return row ? row.delta : page.format.nothing;
    })] }));
    return page.tables.table({ caption: `Mean difference to ${baseline}, with its 95 % interval`, columns: [{ name: 'manager' }, ...metrics], rows });
  }

  function paired({ paired: given }) {
    const { create, note } = page.elements;
    if (!given || !given.metrics.length) return null;
    return [
      note(`Each manager less ${given.baseline}, on the same arrivals and the same noise: a pale dot is one replication, the diamond their mean with its 95 % interval.`),
      create('div', { class: 'panels' }, given.metrics.map((metric, nth) => differenceFigure(metric, nth, given.baseline))),
      page.tables.behind('Numbers', pairedTable(given)),
    ];
  }

  function regretOptions({ parts, rows, unit }) {
    const { charts, colours, format } = page;
    return {
      grid: { left: 120, right: 24, top: 32, bottom: 44, outerBoundsMode: 'none' }, legend: {},
      xAxis: charts.valueAxis({ scale: false, name: format.label('regret', unit), nameLocation: 'middle', nameGap: 26 }),
      yAxis: charts.categoryAxis(rows.map(({ policy }) => policy), { inverse: true, axisLabel: { width: 108 } }),
      tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ seriesName, dataIndex }) => {
        const row = rows[dataIndex];
        const cell = seriesName === 'total' ? row.total : row.parts[parts.indexOf(seriesName)];
        return format.tooltip(row.policy, [[seriesName, format.cellText(cell)], ['interval', format.interval(cell)]].filter(([, text]) => text));
      } }),
      series: [
        ...parts.map((name, part) => ({
          type: 'bar', name, stack: 'regret', barMaxWidth: 22, data: rows.map((row) => finite(row.parts[part])), itemStyle: { color: colours.of('part', name) },
        })),
        { type: 'scatter', name: 'total', symbol: 'diamond', symbolSize: 12, z: 6, data: rows.map((row, i) => [finite(row.total), i]),
          itemStyle: { color: colours.variable('raised'), borderColor: colours.variable('text'), borderWidth: 2 } },
        charts.whiskers({ data: rows.map((row, i) => [row.total, i]).filter(([total]) => format.hasInterval(total)).map(([total, i]) => [total.low, total.high, i]),
          colour: colours.variable('text'), width: 1.5, cap: 5 }),
      ],
    };
  }

  function finite(cell) {
    const value = page.format.cellValue(cell);
    return Number.isNaN(value) ? null : value;
  }

  function regret({ regret: given }) {
    const { note } = page.elements;
    if (!given || !given.rows.length) return null;
    const columns = [{ name: 'manager' }, { name: 'total', unit: given.unit }, ...given.parts.map((name) => ({ name, unit: given.unit }))];
    const rows = given.rows.map((row) => ({ cells: [row.policy, row.total, ...row.parts] }));
    const words = given.rows.map(({ policy, total }) => `${policy} ${page.format.cellText(total)}`);
    return [page.charts.figure({
      id: 'regret-chart', caption: 'Regret and its parts; the diamond is the total with its 95 % interval', height: 86 + 34 * given.rows.length,
      describe: `Regret by manager: ${words.join(', ')}.`, options: () => regretOptions(given),
    }), note(given.note), page.tables.behind('Numbers', page.tables.table({ caption: 'Regret by manager', columns, rows }))];
  }

  page.comparison = { paired, regret };
})(window.dynasoc = window.dynasoc || {});
