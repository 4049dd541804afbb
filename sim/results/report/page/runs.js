// The run that the page shows in time: which one, and its sections, which are built anew when another is opened.
(function (page) {
  'use strict';

  const state = { list: [], current: -1, sections: [] };

  /** `builders`: of each section of a run, `{place, build(context)}`. */
  function setUp(list, sections) {
    state.list = list;
    state.sections = sections;
    if (list.length) show(0);
  }

  function show(index) {
    state.current = index;
    const run = state.list[index];
    const history = new page.history.History(run);
    const context = { run, history, view: new page.timeview.TimeView(run.duration_s) };
    context.view.setCursor(history.firstReading());
    state.context = context;
    for (const { place, build } of state.sections) {
      page.charts.discard(place);
      place.replaceChildren(...[picker(place), build(context)].flat(Infinity).filter(Boolean));
    }
    document.querySelectorAll('[data-run]').forEach((element) => {
      element.classList.toggle('current', Number(element.dataset.run) === index);
    });
  }

  /** Shows a run and takes the reader there. */
  function open(index) {
    if (!state.list[index] || !state.sections.length) return;
    if (index !== state.current) show(index);
    const heading = state.sections[0].place.closest('section').querySelector('h2');
    heading.scrollIntoView();
    heading.focus({ preventScroll: true });
  }

  /** A run's label, with its replication where the label does not end with it. */
  function title(run) {
    const replication = `replication ${run.replication}`;
    return run.replications_total > 1 && !run.label.endsWith(replication) ? `${run.label}, ${replication}` : run.label;
  }

  function picker(place) {
    const { create, select } = page.elements;
    if (state.list.length < 2) return null;
    const choices = state.list.map((run, i) => ({ value: String(i), text: title(run) }));
    const element = select('Run', choices, String(state.current), (value) => {
      show(Number(value));
      place.querySelector('select').focus();
    });
    return create('div', { class: 'controls picker' }, element);
  }

  page.runs = { setUp, open, title, get current() { return state.current; }, get list() { return state.list; }, get context() { return state.context; } };
})(window.dynasoc = window.dynasoc || {});
