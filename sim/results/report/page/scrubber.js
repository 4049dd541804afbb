// The cursor and the window of the timeline, by keyboard: a slider, two fields and a few buttons.
(function (page) {
  'use strict';

  const farSteps = 20;  // to cross the window with Page Up and Page Down

  /** Where a key moves the cursor; null if it is not one of the scrubber's. */
  function target(key, shift, { view, history }) {
    const byFrame = (direction) => {
      const time = history.nextFrame(view.cursor, direction);
      return Number.isNaN(time) ? view.cursor + (direction * view.span) / 200 : time;
    };
    const far = view.span / farSteps;
    switch (key) {
      case 'ArrowRight': case 'ArrowUp': return shift ? view.cursor + far / 4 : byFrame(1);
      case 'ArrowLeft': case 'ArrowDown': return shift ? view.cursor - far / 4 : byFrame(-1);
      case 'PageUp': return view.cursor + far;
      case 'PageDown': return view.cursor - far;
      case 'Home': return view.from;
      case 'End': return view.to;
      default: return null;
    }
  }

  function slider(context) {
    const { view } = context;
    const element = page.elements.create('input', {
      type: 'range', id: 'scrubber', step: 'any', 'aria-label': 'Cursor', 'aria-describedby': 'scrubber-help',
      oninput: () => view.setCursor(Number(element.value)),
      onkeydown: (event) => {
        const time = event.ctrlKey || event.altKey || event.metaKey ? null : target(event.key, event.shiftKey, context);
        if (time === null) return;
        event.preventDefault();
        view.setCursor(time);
      },
    });
    const follow = () => {
      element.min = view.from;
      element.max = view.to;
      element.value = view.cursor;
      element.setAttribute('aria-valuetext', page.format.seconds(view.cursor));
    };
    view.on('window', follow);
    view.on('cursor', follow);
    follow();
    return element;
  }

  function windowField(view, label, get, set) {
    const { create } = page.elements;
    const field = create('input', { type: 'number', step: 'any', min: 0, max: view.duration, onchange: () => {
      const value = Number(field.value);
      if (field.value !== '' && Number.isFinite(value)) set(value);
      follow();
    } });
    const follow = () => { field.value = Number(get().toPrecision(7)); };
    view.on('window', follow);
    follow();
    return create('label', { class: 'choice' }, create('span', null, label), field, create('span', null, 's'));
  }

  function build(context) {
    const { create, button } = page.elements;
    const { view } = context;
    return create('div', { class: 'scrubber' }, slider(context), create('div', { class: 'controls' },
      windowField(view, 'Window from', () => view.from, (value) => view.setWindow(Math.min(value, view.to), view.to)),
      windowField(view, 'to', () => view.to, (value) => view.setWindow(view.from, Math.max(value, view.from))),
      button('Zoom in', () => view.zoom(0.5)), button('Zoom out', () => view.zoom(2)), button('Whole run', () => view.setWindow(0, view.duration)),
      create('span', { class: 'help', id: 'scrubber-help' }, 'Click or drag in the chart, or use ', create('kbd', null, '←'), ' ',
        create('kbd', null, '→'), ' on the slider: frame by frame')));
  }

  page.scrubber = { build };
})(window.dynasoc = window.dynasoc || {});
