// Light and dark: the system's wish, or the reader's, which is kept where the browser allows it. Paper is always light.
(function (page) {
  'use strict';

  const key = 'dynasoc-report-theme';
  const names = { '': 'Theme: system', light: 'Theme: light', dark: 'Theme: dark' };
  const cycle = ['', 'light', 'dark'];
  let chosen = '';

  function stored() {
    try {
      return localStorage.getItem(key) || '';
    } catch (refused) {
      return '';  // storage is off: each visit starts with the system's
    }
  }

  function store(theme) {
    try {
      localStorage.setItem(key, theme);
    } catch (refused) {
      // As above.
    }
  }

  function apply(theme) {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
  }

  function set(theme) {
    chosen = cycle.includes(theme) ? theme : '';
    apply(chosen);
    document.getElementById('theme-button').textContent = names[chosen];
    page.charts.redraw();
  }

  function next() {
    set(cycle[(cycle.indexOf(chosen) + 1) % cycle.length]);
    store(chosen);
  }

  function beforePrint() {
    const recolour = page.colours.dark();
    apply('light');
    page.charts.beforePrint(recolour);
  }

  function afterPrint() {
    apply(chosen);
    page.charts.afterPrint(page.colours.dark());
  }

  function setUp() {
    document.getElementById('theme-button').addEventListener('click', next);
    set(stored());
    window.matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => page.charts.redraw());
    window.addEventListener('beforeprint', beforePrint);
    window.addEventListener('afterprint', afterPrint);
  }

  page.theme = { setUp, next };
})(window.dynasoc = window.dynasoc || {});
