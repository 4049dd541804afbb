// The panel beside the timeline: every value at the cursor, and the decisions in force there.
(function (page) {
  'use strict';

  /** A list of names with values that are set later: {element, set(values)}. */
  function readings(title, names) {
    const { create, breakable } = page.elements;
    const values = names.map((name) => create('dd', { 'data-reading': name }));
    const list = create('dl', null, names.map((name, i) => create('div', null, create('dt', null, breakable(name)), values[i])));
    return {
      element: create('section', { 'aria-label': title }, create('h4', null, title), list),
      set: (texts) => texts.forEach((text, i) => { if (values[i].textContent !== text) values[i].textContent = text; }),
    };
  }

  function frameReadings(app) {
    const { withUnit, nothing } = page.format;
    const block = readings(app.name, [app.thinned ? 'last kept result' : 'last result', 'target', 'outcome', 'sub-network', 'unit', 'energy']);
    const update = (time) => {
      const i = app.frameAt(time);
      const target = withUnit(app.targetAt(time), 'ms');
      if (i < 0) return block.set([nothing, target, nothing, nothing, nothing, nothing]);
      return block.set([withUnit(app.latency[i], 'ms'), target, app.outcome.at(i) || nothing, app.subnet.at(i) || nothing,
        app.unit.at(i) || nothing, withUnit(app.energy[i], 'mJ')]);
    };
    return { element: block.element, update };
  }

  function seriesReadings(history) {
    if (!history.series.length) return null;
    const several = (name) => history.series.filter((series) => series.name === name).length > 1;
    const block = readings('Board', history.series.map(({ name, group }) => (several(name) ? `${name}, ${group}` : name)));
    return {
      element: block.element,
      update: (time) => block.set(history.series.map((series) => page.format.withUnit(history.seriesAt(series, time), series.unit))),
    };
  }

  const candidateColumns = [
    { key: 'app', name: 'application' }, { key: 'subnet', name: 'sub-network' }, { key: 'unit', name: 'unit' }, { key: 'mhz', name: 'clock', unit: 'MHz' },
    { key: 'latency_ms', name: 'latency', unit: 'ms' }, { key: 'accuracy', name: 'accuracy' }, { key: 'energy_mj', name: 'energy', unit: 'mJ' },
  ];

  const known = (value) => value !== '' && !page.format.missing(value);

  /** What the decision had to choose from, as its manager predicted it. Columns that say nothing, or the same of all, are left out. */
  function candidateTable(candidates) {
    if (!candidates.length) return null;
    const { create } = page.elements;
    const { number, nothing } = page.format;
    const differs = ({ key }) => candidates.some((one) => known(one[key])) && (candidates.length === 1 || candidates.some((one) => one[key] !== candidates[0][key]));
    const columns = candidateColumns.filter(differs);
    const shown = (value) => (typeof value === 'number' ? { text: number(value), value } : value || nothing);
    const rows = candidates.map((one) => ({
      attributes: { class: [one.chosen ? 'chosen' : '', one.feasible ? '' : 'infeasible'].join(' ').trim() || null },
      cells: [...columns.map(({ key }) => shown(one[key])), one.chosen ? 'chosen' : one.feasible ? '' : 'breaks a target'],
    }));
    return create('details', { class: 'candidates', open: candidates.length <= 8 }, create('summary', null, `${candidates.length} candidates`),
      page.tables.table({ caption: 'As predicted by the manager', columns: [...columns, { name: '' }], rows, sortable: false }));
  }

  /** When, by whom and why the decision was taken, in small. */
  function circumstances(decisions, i) {
    const { seconds, number, missing } = page.format;
    const trigger = decisions.trigger.at(i);
    const binding = decisions.binding.at(i);
    const parts = [[decisions.policy.at(i), `at ${seconds(decisions.times[i])}`].filter(Boolean).join(', ')];
    if (trigger) parts.push(`asked at: ${trigger}`);
    if (binding) parts.push(`bound by ${binding}${missing(decisions.slack[i]) ? '' : `, ${number(decisions.slack[i], 3)} left`}`);
    if (known(decisions.margin[i]) && decisions.margin[i] !== 0) parts.push(`margin ${number(decisions.margin[i] * 100, 3)} %`);
    return parts.join('; ');
  }

  function decisionText(decisions, i) {
    const { create } = page.elements;
    if (i < 0) return [create('p', { class: 'muted' }, decisions.length ? (decisions.thinned ? 'None kept yet.' : 'None yet.') : 'None in this run.')];
    return [
      create('p', null, create('strong', null, decisions.words(i)), create('br'), create('span', { class: 'reason' }, decisions.reason.at(i))),
      create('p', { class: 'muted' }, circumstances(decisions, i)),
      decisions.candidates ? candidateTable(decisions.candidates.of(i)) : null,
    ];
  }

  function decisionReadings({ view, history: { decisions } }) {
    const { create } = page.elements;
    const latest = create('div', { id: 'decision-in-force' });
    const block = readings(decisions.thinned ? 'Knobs as last kept decisions set them' : 'Knobs as decided', decisions.byKnob.map(({ target, knob }) => `${target} ${knob}`));
    let shown = null;
    const update = (time) => {
      const i = view.decision ?? decisions.at(time);
      if (i !== shown) latest.replaceChildren(...decisionText(decisions, i).filter(Boolean));
      shown = i;
      block.set(decisions.inForce(time).map(({ index }) => (index < 0 ? page.format.nothing : decisions.to.at(index))));
    };
    const element = create('section', { 'aria-label': 'Decision' }, create('h4', null, decisions.thinned ? 'Last kept decision' : 'Last decision'), latest);
    return { element, knobs: decisions.byKnob.length > 1 ? block.element : null, update };
  }

  function build(context) {
    const { create } = page.elements;
    const { view, history } = context;
    const time = create('output', { id: 'cursor-time', for: 'scrubber' });
    // The decision first: it is what is looked for, and with many values it would be below the window.
    const decision = decisionReadings(context);
    const blocks = [decision, ...history.apps.map(frameReadings), seriesReadings(history)].filter(Boolean);
    const update = () => {
      time.textContent = page.format.seconds(view.cursor);
      for (const block of blocks) block.update(view.cursor);
    };
    view.on('cursor', update);
    update();
    return create('aside', { class: 'instant', 'aria-label': 'At the cursor' }, create('h3', null, 'At ', time), blocks.map((block) => block.element), decision.knobs);
  }

  page.instant = { build };
})(window.dynasoc = window.dynasoc || {});
