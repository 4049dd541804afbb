// Keys that work anywhere on the page, and the dialog that tells them.
(function (page) {
  'use strict';

  const actions = {
    ',': () => page.decisions.step(-1),
    '.': () => page.decisions.step(1),
    '+': () => zoom(0.5),
    '-': () => zoom(2),
    '0': () => whole(),
    t: () => page.theme.next(),
    '?': () => openHelp(),
  };

  const help = [
    ['Anywhere', [[', .', 'previous, next decision; the cursor goes along'], ['+ −', 'zoom the time window in, out around the cursor'],
      ['0', 'the whole run'], ['t', 'theme: system, light, dark'], ['?', 'this list']]],
    ['On the slider', [['← →', 'frame by frame'], ['Shift ← →', 'an eightieth of the window'], ['Page Up, Page Down', 'a twentieth of the window'], ['Home, End', 'ends of the window']]],
    ['In the list of decisions', [['↑ ↓', 'decision by decision'], ['Page Up, Page Down', 'nine at once'], ['Home, End', 'first, last']]],
    ['In the charts of time', [['click, drag', 'moves the cursor'], ['Ctrl wheel', 'zooms'], ['Shift drag', 'moves the window'], ['slider below', 'drag its ends, its middle, or a new window']]],
  ];

  const view = () => page.runs.context && page.runs.context.view;
  const zoom = (factor) => view() && view().zoom(factor);
  const whole = () => view() && view().setWindow(0, view().duration);

  function openHelp() {
    const dialog = document.getElementById('keys');
    if (!dialog.open) dialog.showModal();
  }

  function fillHelp() {
    const { create, button } = page.elements;
    const dialog = document.getElementById('keys');
    dialog.replaceChildren(create('h2', { id: 'keys-title' }, 'Keys'), ...help.map(([where, keys]) => create('section', null, create('h3', null, where),
      create('dl', null, keys.map(([key, what]) => create('div', null, create('dt', null, create('kbd', null, key)), create('dd', null, what)))))),
    button('Close', () => dialog.close(), { autofocus: true }));
  }

  const isTyping = (element) => element.closest('input:not([type=range]), select, textarea, dialog') !== null;

  function setUp() {
    fillHelp();
    document.getElementById('keys-button').addEventListener('click', openHelp);
    document.addEventListener('keydown', (event) => {
      if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target) || !(event.key in actions)) return;
      event.preventDefault();
      actions[event.key]();
    });
  }

  page.keys = { setUp };
})(window.dynasoc = window.dynasoc || {});
