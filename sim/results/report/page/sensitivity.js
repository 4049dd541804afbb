// What mattered: each variable's share of an objective's variance, alone and with its interactions.
(function (page) {
  'use strict';

  const measures = [{ key: 'first', name: 'alone', symbol: 'circle' }, { key: 'total', name: 'with interactions', symbol: 'diamond' }];

  function options({ rows }) {
    const { charts, colours, format } = page;
    const shifted = (i, nth) => i + (nth - 0.5) * 0.3;
    const valued = (key) => rows.map((row, i) => [row[key], i]).filter(([cell]) => !Number.isNaN(format.cellValue(cell)));
    return {
      grid: { left: 150, right: 24, top: 32, bottom: 44, outerBoundsMode: 'none' }, legend: { icon: null },
      xAxis: charts.valueAxis({ min: (value) => Math.min(0, value.min), scale: false, name: 'share of variance', nameLocation: 'middle', nameGap: 26,
        axisLine: { onZero: false, lineStyle: { color: colours.variable('line-strong') } } }),
      yAxis: charts.valueAxis({
        min: -0.5, max: rows.length - 0.5, inverse: true, interval: 1, splitLine: { show: false }, axisTick: { show: false },
        axisLabel: { customValues: rows.map((_, i) => i), formatter: (i) => rows[Math.round(i)]?.name ?? '', color: colours.variable('text'), width: 136, overflow: 'truncate' },
      }),
      tooltip: charts.tooltipStyle({ trigger: 'item', formatter: ({ value, seriesName }) => {
        const row = rows[value[2]];
        const cell = row[measures.find(({ name }) => name === seriesName).key];
        return format.tooltip(row.name, [[seriesName, format.cellText(cell)], ['interval', format.interval(cell)]].filter(([, text]) => text));
      } }),
      series: measures.flatMap(({ key, name, symbol }, nth) => [
        charts.whiskers({ data: valued(key).filter(([cell]) => format.hasInterval(cell)).map(([cell, i]) => [cell.low, cell.high, shifted(i, nth)]), colour: colours.at(nth) }),
        { type: 'scatter', name, symbol, symbolSize: 10, z: 5, data: valued(key).map(([cell, i]) => [cell.value, shifted(i, nth), i]), itemStyle: { color: colours.at(nth) } },
      ]),
    };
  }

  function block(given, nth) {
    const { cellText } = page.format;
    const words = given.rows.map(({ name, total }) => `${name} ${cellText(total)}`);
    const columns = [{ name: 'variable' }, { name: 'alone' }, { name: 'with interactions' }];
    return [page.charts.figure({
      id: `sensitivity-${nth}`, caption: `Share of the variance of ${given.objective} over the whole space`, height: 90 + 34 * given.rows.length,
      describe: `Share of the variance of ${given.objective} that variables explain, with interactions: ${words.join(', ')}.`, options: () => options(given),
    }), page.tables.behind('Numbers', page.tables.table({ caption: `What mattered for ${given.objective}`, columns, rows: given.rows.map((row) => ({ cells: [row.name, row.first, row.total] })) }))];
  }

  function build({ sensitivity: given }) {
    if (!given) return null;
    const all = [given, ...(given.others || [])].filter(({ rows }) => rows.length);
    return all.length ? all.map(block) : null;
  }

  page.sensitivity = { build };
})(window.dynasoc = window.dynasoc || {});
