// The time that the timeline and the Gantt chart show: a window and a cursor. Both charts, the scrubber and the list of
// decisions change it and follow it.
(function (page) {
  'use strict';

  const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

  class TimeView {
    constructor(duration) {
      this.duration = duration > 0 ? duration : 1;
      this.from = 0;
      this.to = this.duration;
      this.cursor = 0;
      this.decision = null;  // chosen in the list; null: whichever was last at the cursor
      this.listeners = { window: [], cursor: [] };
    }

    on(event, listener) {
      this.listeners[event].push(listener);
    }

    emit(event) {
      for (const listener of this.listeners[event]) listener(this);
    }

    get span() {
      return this.to - this.from;
    }

    /** Shows [from, to], at least a microsecond of it; the cursor stays where it is. */
    setWindow(from, to) {
      const span = clamp(to - from, 1e-6, this.duration);
      const start = clamp(from, 0, this.duration - span);
      if (start === this.from && start + span === this.to) return;
      this.from = start;
      this.to = start + span;
      this.emit('window');
    }

    /** Moves the cursor; the window follows if it would leave it. */
    setCursor(time, decision = null) {
      this.cursor = clamp(time, 0, this.duration);
      this.decision = decision;
      if (this.cursor < this.from || this.cursor > this.to) this.setWindow(this.cursor - this.span / 2, this.cursor + this.span / 2);
      this.emit('cursor');
    }

    /** Enlarges (factor < 1) around the cursor. */
    zoom(factor) {
      const share = (this.cursor - this.from) / this.span;
      const span = clamp(this.span * factor, 1e-6, this.duration);
      this.setWindow(this.cursor - share * span, this.cursor + (1 - share) * span);
    }
  }

  const left = 80;    // px from a chart's edges to its time axis: the same in every chart, so that times stand above each other
  const right = 18;

  /** The window's slider, and zooming with the mouse, for a chart's time axes. */
  function zooms(view, axes, slider) {
    const { variable } = page.colours;
    const common = { xAxisIndex: axes, filterMode: 'none', startValue: view.from, endValue: view.to };
    const inside = { ...common, id: 'inside', type: 'inside', zoomOnMouseWheel: 'ctrl', moveOnMouseMove: 'shift' };
    if (!slider) return [inside];
    return [inside, {
      ...common, id: 'slider', type: 'slider', left, right, bottom: 6, height: 18, showDataShadow: false, brushSelect: true,
      labelFormatter: (value) => `${page.format.number(value)} s`, textStyle: { color: variable('text') },
      borderColor: variable('line-strong'), fillerColor: variable('window'), handleStyle: { borderColor: variable('accent') },
      moveHandleStyle: { color: variable('line-strong') }, dataBackground: {},
    }];
  }

  function followWindow(instance, view) {
    let own = false;
    instance.on('datazoom', () => {
      const { startValue, endValue } = instance.getOption().dataZoom[0];
      own = true;
      view.setWindow(startValue, endValue);
      own = false;
    });
    view.on('window', () => {
      if (own || instance.isDisposed()) return;
      instance.dispatchAction({ type: 'dataZoom', dataZoomIndex: 0, startValue: view.from, endValue: view.to });
    });
  }

  function followCursor(instance, view) {
    const line = page.elements.create('div', { class: 'cursor', 'aria-hidden': 'true' });
    instance.getDom().append(line);
    const place = () => {
      if (instance.isDisposed()) return;
      const x = instance.convertToPixel({ xAxisIndex: 0 }, view.cursor);
      line.hidden = !(view.cursor >= view.from && view.cursor <= view.to);
      line.style.transform = `translateX(${x}px)`;
    };
    view.on('cursor', place);
    view.on('window', place);
    instance.on('finished', place);  // after resizing, too
    place();
  }

  function dragCursor(instance, view) {
    const surface = instance.getZr();
    let dragging = false;
    const move = (event) => {
      if (event.event.shiftKey || event.event.ctrlKey) return;
      view.setCursor(instance.convertFromPixel({ xAxisIndex: 0 }, event.offsetX));
    };
    const within = (event) => {
      const inner = instance.getWidth() - right;
      return event.offsetX >= left - 2 && event.offsetX <= inner + 2 && instance.containPixel({ gridIndex: 'all' }, [
        clamp(event.offsetX, left + 1, inner - 1), event.offsetY]);
    };
    surface.on('mousedown', (event) => {
      dragging = within(event);
      if (dragging) move(event);
    });
    surface.on('mousemove', (event) => dragging && move(event));
    surface.on('mouseup', () => { dragging = false; });
    surface.on('globalout', () => { dragging = false; });
  }

  /** Makes a drawn chart with a time axis follow the view, and change it. */
  function link(instance, view) {
    followWindow(instance, view);
    followCursor(instance, view);
    dragCursor(instance, view);
  }

  page.timeview = { TimeView, link, zooms, left, right };
})(window.dynasoc = window.dynasoc || {});
