// The life of a chart: a place of fixed height at once, the chart itself when it comes into view (or before printing), drawn
// again when the colours change, resized with its place. What a chart shows is a function that returns ECharts options.
(function (page) {
  'use strict';

  const charts = new Map();  // of the element to {element, options, ready, instance}
  const printWidth = 690;    // px of an A4 page between 1.2 cm margins
  const state = { printing: false };
  let observer = null;

  /** A figure with a caption and a chart. `options()` is called at every drawing; `ready(instance)` once, after the first.
   *  `describe` is what the chart says, for those who do not see it; `printHeight` is for a chart taller than a sheet. */
  function figure({ id, caption, describe, height, printHeight = height, options, ready, controls, after }) {
    const { create } = page.elements;
    const element = create('div', { class: 'chart', id, role: 'img', 'aria-label': describe, style: { height: `${height}px` } });
    charts.set(element, { element, options, ready, height, printHeight, instance: null });
    if (observer) observer.observe(element);
    return create('figure', null, create('figcaption', null, caption), controls, element, after);
  }

  function draw(chart) {
    if (chart.instance || !chart.element.isConnected || typeof echarts === 'undefined') return;
    chart.instance = echarts.init(chart.element, null, { renderer: 'canvas', devicePixelRatio: Math.max(2, window.devicePixelRatio) });
    chart.instance.setOption(base(chart.options(chart.instance)));
    if (chart.ready) chart.ready(chart.instance);
    performance.mark('chart');
  }

  /** Draws what shows something else now; `element` is the chart's or one around it. */
  function update(element) {
    for (const chart of charts.values()) {
      if (chart.instance && element.contains(chart.element)) {
        chart.instance.setOption(base(chart.options(chart.instance)), { notMerge: true });
      }
    }
  }

  /** Forgets the charts inside an element that is about to be emptied. */
  function discard(element) {
    for (const [key, chart] of charts) {
      if (!element.contains(key)) continue;
      if (chart.instance) chart.instance.dispose();
      if (observer) observer.unobserve(key);
      charts.delete(key);
    }
  }

  const drawAll = () => charts.forEach(draw);
  const redraw = () => update(document.body);
  const resizeAll = () => charts.forEach((chart) => chart.instance && chart.instance.resize());

  /** From now on charts are drawn when they come near the window. Call when the library is there. */
  function watch() {
    observer = new IntersectionObserver((entries) => {
      for (const entry of entries) {
        if (!entry.isIntersecting) continue;
        observer.unobserve(entry.target);
        const chart = charts.get(entry.target);
        if (chart) draw(chart);
      }
    }, { rootMargin: '200px' });
    charts.forEach((chart) => observer.observe(chart.element));
    let pending = 0;
    new ResizeObserver(() => {
      cancelAnimationFrame(pending);
      pending = requestAnimationFrame(() => state.printing || resizeAll());
    }).observe(document.getElementById('sections'));
  }

  function base(option) {
    const { variable } = page.colours;
    const text = variable('text');
    return {
      animation: false,
      textStyle: { fontFamily: getComputedStyle(document.body).fontFamily, color: text, fontSize: 12 },
      tooltip: tooltipStyle(),
      ...option,
      ...(option.legend ? { legend: legend(option.legend) } : {}),
    };
  }

  function tooltipStyle(more) {
    const { variable } = page.colours;
    return {
      confine: true, transitionDuration: 0, backgroundColor: variable('raised'), borderColor: variable('line-strong'),
      textStyle: { color: variable('text'), fontSize: 12 }, ...more,
    };
  }

  function legend(more) {
    const { variable } = page.colours;
    return {
      type: 'scroll', top: 0, left: 0, itemWidth: 14, itemHeight: 9, itemGap: 16, icon: 'roundRect',
      textStyle: { color: variable('text') }, pageTextStyle: { color: variable('muted') },
      pageIconColor: variable('text'), pageIconInactiveColor: variable('line'), formatter: (name) => page.format.shortened(name), ...more,
    };
  }

  function axis(more) {
    const { variable } = page.colours;
    return {
      nameTextStyle: { color: variable('muted') }, axisLine: { show: true, lineStyle: { color: variable('line-strong') } },
      axisTick: { show: true, lineStyle: { color: variable('line-strong') } },
      splitLine: { show: true, lineStyle: { color: variable('line') } }, ...more,
      axisLabel: { color: variable('muted'), hideOverlap: true, ...more.axisLabel },
    };
  }

  const plainNumber = (value) => page.format.number(value, 4).replace(/(\.\d*?)0+$/, '$1').replace(/\.$/, '');
  const valueAxis = (more) => axis({ type: 'value', scale: true, ...more, axisLabel: { formatter: plainNumber, ...more.axisLabel } });
  const categoryAxis = (data, more) => axis({
    type: 'category', data, ...more, splitLine: { show: false }, axisTick: { show: false },
    axisLabel: { color: page.colours.variable('text'), width: 150, overflow: 'truncate', ...(more && more.axisLabel) },
  });

  /** Whiskers: data rows are `[low, high, place]` along x, or along y with `vertical`. */
  function whiskers({ data, colour, vertical = false, width = 1.5, cap = 4, ...more }) {
    const render = (_, api) => {
      const place = api.value(2);
      const [from, to] = [0, 1].map((i) => api.coord(vertical ? [place, api.value(i)] : [api.value(i), place]));
      const stroke = typeof colour === 'function' ? colour(api.value(3)) : colour;
      const [dx, dy] = vertical ? [cap, 0] : [0, cap];
      const line = (x1, y1, x2, y2) => ({ type: 'line', shape: { x1, y1, x2, y2 }, style: { stroke, lineWidth: width } });
      return { type: 'group', children: [line(...from, ...to), ...[from, to].map(([x, y]) => line(x - dx, y - dy, x + dx, y + dy))] };
    };
    return {
      type: 'custom', renderItem: render, data, silent: true, clip: true, z: 3,
      encode: vertical ? { x: 2, y: [0, 1] } : { x: [0, 1], y: 2 }, ...more,
    };
  }

  /** All charts at the size of the sheet, drawn at once: the browser takes its picture before there is another frame. */
  function beforePrint(recolour) {
    state.printing = true;
    drawAll();
    charts.forEach((chart) => fit(chart, { width: printWidth, height: chart.printHeight }, recolour));
    for (const { instance, element } of charts.values()) {
      if (!instance) continue;
      instance.getZr().flush();
      const canvases = element.querySelectorAll('canvas');
      if (canvases.length > 1) flatten(canvases);
    }
  }

  /** Chromium prints only the topmost of a chart's canvases, of which there are several where marks are many: they become one. */
  function flatten(canvases) {
    const top = canvases[canvases.length - 1];
    const copy = document.createElement('canvas');
    copy.width = top.width;
    copy.height = top.height;
    const picture = copy.getContext('2d');
    for (const canvas of canvases) {
      picture.drawImage(canvas, 0, 0);
      replacePicture(canvas, null);
    }
    replacePicture(top, copy);
  }

  function replacePicture(canvas, picture) {
    const context = canvas.getContext('2d');
    context.save();
    context.setTransform(1, 0, 0, 1, 0, 0);
    context.clearRect(0, 0, canvas.width, canvas.height);
    if (picture) context.drawImage(picture, 0, 0);
    context.restore();
  }

  function afterPrint(recolour) {
    state.printing = false;
    charts.forEach((chart) => fit(chart, { width: 'auto', height: chart.height }, recolour));
  }

  function fit({ element, instance, options, height, printHeight }, size, recolour) {
    element.style.height = `${size.height}px`;
    if (!instance) return;
    instance.resize(size);
    if (recolour || height !== printHeight) instance.setOption(base(options(instance)), { notMerge: true });
  }

  /** A chart's instance, drawn now if it was not yet; null if there is no such chart. */
  function instance(id) {
    const chart = charts.get(document.getElementById(id));
    if (!chart) return null;
    draw(chart);
    return chart.instance;
  }

  page.charts = {
    figure, update, discard, drawAll, redraw, watch, axis, valueAxis, categoryAxis, plainNumber, tooltipStyle, whiskers,
    beforePrint, afterPrint, instance, get printing() { return state.printing; },
  };
})(window.dynasoc = window.dynasoc || {});
