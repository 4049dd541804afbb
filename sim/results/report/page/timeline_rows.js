// The rows of the timeline: latency of each application, sub-networks, one row for each group of series, decisions. A row is
// {title, legend, height, axis, series}; timeline.js stacks them on one time axis.
(function (page) {
  'use strict';

  const groupTitles = {
    frequency: 'Frequency', power: 'Power', temperature: 'Temperature', utilisation: 'Utilisation', queue: 'Queue',
  };
  const reading = ' (reading)';
  const outcomeOrder = ['met', 'missed', 'dropped', 'rejected', 'unfinished'];
  const markSizes = { met: 4, missed: 7, dropped: 8, rejected: 7, unfinished: 6 };

  /** Pairs x, y, x, y, … of the frames with an outcome. Those without a latency lie at the foot of the plot. */
  function framePoints(app, outcome) {
    const chosen = [];
    const place = app.outcome.values.indexOf(outcome);
    for (let i = 0; i < app.known.length; ++i) if (app.outcome.index[i] === place) chosen.push(i);
    const points = new Float64Array(2 * chosen.length);
    chosen.forEach((i, at) => {
      points[2 * at] = app.known[i];
      points[2 * at + 1] = Number.isNaN(app.latency[i]) ? 0 : app.latency[i];
    });
    return points;
  }

  /** A step function's corners, up to the end of the run. */
  function steps(times, values, duration) {
    const points = new Float64Array(2 * (times.length + 1));
    for (let i = 0; i < times.length; ++i) {
      points[2 * i] = times[i];
      points[2 * i + 1] = values[i];
    }
    points[points.length - 2] = duration;
    points[points.length - 1] = times.length ? values[times.length - 1] : NaN;
    return points;
  }

  function outcomeSeries(app, outcome) {
    return {
      type: 'scatter', name: outcome, data: framePoints(app, outcome), dimensions: ['x', 'y'], symbol: page.colours.outcomeSymbol(outcome),
      symbolSize: markSizes[outcome] ?? 5, itemStyle: { color: page.colours.outcome(outcome), opacity: 0.85 },
      large: true, largeThreshold: 2000, progressive: 0, silent: true, clip: true,
    };
  }

  function latencyRow(app, duration) {
    const { colours } = page;
    const outcomes = outcomeOrder.filter((outcome) => app.outcome.values.includes(outcome));
    const series = outcomes.map((outcome) => outcomeSeries(app, outcome));
    const legend = outcomes.map((name) => ({ name, colour: colours.outcome(name), mark: marks[colours.outcomeSymbol(name)] }));
    if (app.targetTime.length) {
      legend.push({ name: 'target', colour: colours.variable('text'), mark: '╌' });
      series.push({
        type: 'line', name: 'target', step: 'end', symbol: 'none', data: steps(app.targetTime, app.target, duration), silent: true,
        dimensions: ['x', 'y'], lineStyle: { color: colours.variable('text'), width: 1.2, type: 'dashed' }, z: 4,
      });
    }
    return { title: `Latency of ${app.name} [ms]`, legend, height: 150, axis: { min: 0 }, series };
  }

  const marks = { circle: '●', triangle: '▲', diamond: '◆', rect: '■' };

  function levelRow(history, duration) {
    const { subnets, apps } = history;
    if (!subnets.length) return null;
    const series = apps.map((app, nth) => {
      const levels = app.levels();
      const shift = (nth - (apps.length - 1) / 2) * 0.14;  // so that applications at one level do not hide each other
      const places = levels.map(({ name }) => subnets.indexOf(name) + shift);
      return {
        type: 'line', name: app.name, step: 'end', symbol: 'none', silent: true, dimensions: ['x', 'y'],
        data: steps(levels.map(({ time }) => time), places, duration), lineStyle: { color: page.colours.of('app', app.name), width: 2 },
      };
    });
    return {
      title: apps.some((app) => app.thinned && app.sampled) ? 'Sub-network, as sampled' : 'Sub-network', height: Math.max(60, Math.min(130, 17 * subnets.length)), series,
      legend: apps.map((app) => ({ name: app.name, colour: page.colours.of('app', app.name), mark: '▬' })),
      axis: {
        min: -0.5, max: subnets.length - 0.5, interval: 1, splitLine: { show: false }, axisTick: { show: false },
        axisLabel: { customValues: subnets.map((_, i) => i), formatter: (value) => subnets[Math.round(value)] ?? '' },
      },
    };
  }

  const isReading = ({ name }) => name.endsWith(reading);
  /** A meter's reading has the colour of what it reads, and is dotted. */
  const baseName = ({ name }) => (name.endsWith(reading) ? name.slice(0, -reading.length) : name);

  function seriesColour(series, history) {
    const name = baseName(series);
    return page.colours.of(history.apps.some((app) => app.name === name) ? 'app' : 'series', name);
  }

  /** Names that are in several rows come first, so that those are told apart as long as there are colours. */
  function registerSeries(history) {
    const counts = new Map();
    for (const series of history.series) counts.set(baseName(series), (counts.get(baseName(series)) ?? 0) + 1);
    page.colours.register('series', [...counts.keys()].sort((a, b) => counts.get(b) - counts.get(a)));
  }

  const rowAxes = { temperature: {}, queue: { min: 0, minInterval: 1 } };

  function seriesLegend(members, history) {
    const named = members.filter((member) => !isReading(member))
      .map((member) => ({ name: member.name, colour: seriesColour(member, history), mark: '▬' }));
    return named.length < members.length ? [...named, { name: 'as its meter reads', colour: page.colours.variable('muted'), mark: '┄' }] : named;
  }

  function seriesRow(title, members, history, duration) {
    const shares = members.every(({ group, values }) => group === 'utilisation' && values.every((value) => !(value > 1)));
    return {
      title, height: 78, legend: seriesLegend(members, history),
      axis: shares ? { min: 0, max: 1, interval: 0.5 } : rowAxes[members[0].group] ?? { min: 0 },
      series: members.map((member) => ({
        type: 'line', name: member.name, step: member.step ? 'end' : false, symbol: 'none', silent: true, dimensions: ['x', 'y'],
        data: steps(member.times, member.values, member.step ? duration : member.times[member.times.length - 1]),
        lineStyle: { color: seriesColour(member, history), width: isReading(member) ? 1 : 1.4, type: isReading(member) ? 'dotted' : 'solid' },
      })),
    };
  }

  /** The row that a series belongs to. Rails, which have meters, have their own. */
  function rowTitle(series, metered) {
    const what = groupTitles[series.group] ?? series.group;
    return page.format.label(metered.has(baseName(series)) ? `${what} of rails` : what, series.unit);
  }

  function seriesRows(history, duration) {
    registerSeries(history);
    const metered = new Set(history.series.filter(isReading).map(baseName));
    const order = Object.keys(groupTitles);
    const rows = new Map();
    const inOrder = [...history.series].sort((a, b) => order.indexOf(a.group) - order.indexOf(b.group));
    for (const series of inOrder) {
      const title = rowTitle(series, metered);
      if (!rows.has(title)) rows.set(title, []);
      rows.get(title).push(series);
    }
    return [...rows].map(([title, members]) => seriesRow(title, members, history, duration));
  }

  function decisionRow(decisions) {
    if (!decisions.length) return null;
    const knobs = decisions.knob.values;
    const points = new Float64Array(2 * decisions.length);
    for (let i = 0; i < decisions.length; ++i) {
      points[2 * i] = decisions.times[i];
      points[2 * i + 1] = decisions.knob.index[i];
    }
    return {
      title: 'Decisions', legend: [], height: Math.max(24, 16 * knobs.length),
      axis: {
        min: -0.5, max: knobs.length - 0.5, interval: 1, splitLine: { show: false }, axisTick: { show: false },
        axisLabel: { customValues: knobs.map((_, i) => i), formatter: (value) => knobs[Math.round(value)] ?? '' },
      },
      series: [{
        type: 'scatter', name: 'decisions', data: points, dimensions: ['x', 'y'], symbol: 'rect', symbolSize: [2, 11], silent: true,
        itemStyle: { color: page.colours.variable('accent') }, large: true, largeThreshold: 2000, progressive: 0, clip: true,
      }],
    };
  }

  /** All rows of a run, from the top. */
  function rows({ run, history }) {
    return [
      ...history.apps.filter((app) => app.known.length).map((app) => latencyRow(app, run.duration_s)), levelRow(history, run.duration_s),
      ...seriesRows(history, run.duration_s), decisionRow(history.decisions),
    ].filter(Boolean);
  }

  page.timelineRows = { rows };
})(window.dynasoc = window.dynasoc || {});
