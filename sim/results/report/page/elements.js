// Builds elements. Children that are not elements become text, so that no text of the results is ever taken for HTML.
(function (page) {
  'use strict';

  function setAttribute(element, name, value) {
    if (value === null || value === undefined || value === false) return;
    if (name.startsWith('on')) element.addEventListener(name.slice(2), value);
    else if (name === 'style') Object.assign(element.style, value);
    else element.setAttribute(name, value === true ? '' : value);
  }

  /** `create('td', {class: 'number', onclick: f}, 'text', element, [more])`. */
  function create(tag, attributes, ...children) {
    const element = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes || {})) setAttribute(element, name, value);
    element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
    return element;
  }

  /** A name such as apps.camera.latency_ms.p99 that may be broken after its dots and underscores, and nowhere else. */
  function breakable(name) {
    return String(name).split(/(?<=[._/])/).flatMap((part, i) => (i ? [document.createElement('wbr'), part] : [part]));
  }

  let identifiers = 0;
  const unique = (prefix) => `${prefix}-${++identifiers}`;

  /** A labelled `<select>`; `choices` are `{value, text}`; calls `chosen(value)` with the string. */
  function select(label, choices, value, chosen) {
    const list = create('select', { onchange: () => chosen(list.value) },
      choices.map((choice) => create('option', { value: choice.value }, choice.text)));
    list.value = value;
    return create('label', { class: 'choice' }, create('span', null, label), list);
  }

  const button = (text, pressed, attributes) => create('button', { type: 'button', onclick: pressed, ...attributes }, text);

  /** A paragraph of remarks; nothing if there are none. */
  function note(...parts) {
    const said = parts.flat().filter(Boolean);
    return said.length ? create('p', { class: 'note' }, said.join(' ')) : null;
  }

  page.elements = { create, breakable, unique, select, button, note };
})(window.dynasoc = window.dynasoc || {});
