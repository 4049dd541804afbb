// The decisions of a run in a list: one steps through it with the arrow keys, or from anywhere with comma and full stop, and the
// cursor goes along. Only the rows in sight are in the document.
(function (page) {
  'use strict';

  const rowHeight = 26;
  const visibleRows = 9;

  class DecisionList {
    constructor({ view, history: { decisions } }) {
      this.view = view;
      this.decisions = decisions;
      this.shown = Array.from({ length: decisions.length }, (_, i) => i);
      this.build();
      view.on('cursor', () => this.follow());
      this.follow();
    }

    build() {
      const { create, unique } = page.elements;
      this.prefix = unique('decision');
      this.rows = create('div', { class: 'decision-rows' });
      this.list = create('div', {
        class: 'decision-list', id: 'decision-list', role: 'listbox', tabindex: 0, 'aria-label': 'Decisions',
        onscroll: () => this.render(), onkeydown: (event) => this.key(event),
        onclick: (event) => this.clicked(event), style: { maxHeight: `${visibleRows * rowHeight + 2}px` },
      }, this.rows);
    }

    /** Place in the list of the decision in force; -1 if there is none (or it is filtered out). */
    get place() {
      const current = this.view.decision ?? this.decisions.at(this.view.cursor);
      return page.decode.lastAtMost(this.shown, current);
    }

    filter(target) {
      this.shown = [];
      for (let i = 0; i < this.decisions.length; ++i) {
        if (target === '' || target === this.keyOf(i)) this.shown.push(i);
      }
      this.follow();
    }

    keyOf(i) {
      return JSON.stringify([this.decisions.target.at(i), this.decisions.knob.at(i)]);
    }

    go(place) {
      if (!this.shown.length) return;
      const index = this.shown[Math.min(Math.max(place, 0), this.shown.length - 1)];
      this.view.setCursor(this.decisions.times[index], index);
    }

    step(direction) {
      this.go(this.place + direction);
    }

    key(event) {
      const moves = { ArrowDown: 1, ArrowUp: -1, PageDown: visibleRows, PageUp: -visibleRows, Home: -Infinity, End: Infinity };
      if (!(event.key in moves)) return;
      event.preventDefault();
      this.go(this.place + moves[event.key]);
    }

    clicked(event) {
      const row = event.target.closest('[role=option]');
      if (row) this.go(Number(row.dataset.place));
    }

    /** Brings the decision in force into the list's window. */
    follow() {
      const { place } = this;
      const y = Math.max(place, 0) * rowHeight;
      const height = this.list.clientHeight || visibleRows * rowHeight;
      if (y < this.list.scrollTop) this.list.scrollTop = y;
      else if (y + rowHeight > this.list.scrollTop + height) this.list.scrollTop = y + rowHeight - height;
      this.render();
    }

    render() {
      const first = Math.max(0, Math.floor(this.list.scrollTop / rowHeight) - 3);
      const last = Math.min(this.shown.length, first + visibleRows + 8);
      const { place } = this;
      this.rows.style.height = `${this.shown.length * rowHeight}px`;
      const rows = [];
      for (let at = first; at < last; ++at) rows.push(this.row(at, at === place));
      this.rows.replaceChildren(...rows);
      if (place >= first && place < last) this.list.setAttribute('aria-activedescendant', `${this.prefix}-${place}`);
      else this.list.removeAttribute('aria-activedescendant');
    }

    row(place, selected) {
      const { create } = page.elements;
      const { decisions } = this;
      const i = this.shown[place];
      const cell = (name, text) => create('span', { class: name }, text);
      return create('div', {
        role: 'option', id: `${this.prefix}-${place}`, 'data-place': place, 'data-decision': i, 'aria-selected': String(selected),
        'aria-posinset': place + 1, 'aria-setsize': this.shown.length,
        style: { transform: `translateY(${place * rowHeight}px)`, height: `${rowHeight}px` },
      }, cell('time', page.format.seconds(decisions.times[i])), cell('what', decisions.words(i)), cell('why', decisions.reason.at(i)));
    }
  }

  let current = null;

  function filterChoice(list, decisions) {
    const choices = [{ value: '', text: 'all' }, ...decisions.byKnob.map(({ target, knob }) => ({
      value: JSON.stringify([target, knob]), text: `${target} ${knob}` }))];
    return choices.length > 2 ? page.elements.select('Knob', choices, '', (value) => list.filter(value)) : null;
  }

  function build(context) {
    const { create, button } = page.elements;
    const { decisions } = context.history;
    current = null;
    if (!decisions.length) return null;
    const list = new DecisionList(context);
    current = list;
    const block = create('div', { class: 'decisions' }, create('h3', null, 'Decisions'), create('div', { class: 'controls' },
      button('‹ Previous', () => list.step(-1), { 'aria-keyshortcuts': ',' }), button('Next ›', () => list.step(1), { 'aria-keyshortcuts': '.' }),
      filterChoice(list, decisions), create('span', { class: 'help' }, create('kbd', null, ','), ' ', create('kbd', null, '.'), ' anywhere on the page')),
      list.list);
    return block;
  }

  /** One decision on (1) or back (-1); nothing without a list. */
  const step = (direction) => current && current.step(direction);

  page.decisions = { build, step };
})(window.dynasoc = window.dynasoc || {});
