// What came out, in one table; and on what kind of figures it rests.
(function (page) {
  'use strict';

  const provenanceMeaning = {
    measured: 'an instrument on the named board', digitised: 'read off a published figure', derived: 'computed by a declared model',
  };

  function runButton(cell, run) {
    const text = page.format.cellText(cell);
    return page.elements.button(text, () => page.runs.open(run), {
      class: 'link', 'data-run': run, 'aria-label': `${text}: show this run below`,
    });
  }

  function headline(data) {
    const { create, note } = page.elements;
    if (!data.headline || !data.headline.columns.length) return null;
    const { columns, rows, note: remark } = data.headline;
    const severalRuns = (data.runs || []).length > 1;
    const linked = rows.map((row) => {
      const shows = severalRuns && row.run !== null && row.run !== undefined;
      return { cells: shows ? [runButton(row.cells[0], row.run), ...row.cells.slice(1)] : row.cells };
    });
    const empty = rows.length === 0 ? create('p', { class: 'note' }, 'There are no results to show.') : null;
    return [
      page.tables.table({ caption: captions[data.kind] ?? 'Results', columns, rows: linked, className: 'headline' }),
      empty, note(remark), provenance(data.provenance),
    ];
  }

  /** A ranking's table of each manager in each scenario. */
  function matrix(data) {
    if (!data.matrix) return null;
    const { columns, rows, note } = data.matrix;
    return [page.tables.table({ caption: 'Regret by scenario', columns, rows }), page.elements.note(note)];
  }

  const captions = {
    run: 'Results by application', comparison: 'Results by manager', sweep: 'Results', exploration: 'Configurations on the front',
    ranking: 'Managers by regret',
  };

  function shareBar(name, shares) {
    const { create } = page.elements;
    const { percent } = page.format;
    const kinds = Object.keys(provenanceMeaning).filter((kind) => shares[kind] > 0);
    const words = kinds.map((kind) => `${percent(shares[kind])} ${kind}`);
    if (!kinds.length) return null;
    return create('div', { class: 'share' },
      create('span', { class: 'share-name' }, name),
      create('span', { class: 'share-bar', 'aria-hidden': 'true' }, kinds.map((kind) => create('span', {
        class: `part ${kind}`, style: { flexGrow: shares[kind] } }))),
      create('span', { class: 'share-text' }, kinds.map((kind, i) => [i ? ', ' : '',
        create('span', { title: provenanceMeaning[kind] }, create('i', { class: `swatch ${kind}`, 'aria-hidden': 'true' }), words[i])])));
  }

  /** The badge: which share of the results rests on measured, digitised and derived cells. */
  function provenance(shares) {
    const { create } = page.elements;
    if (!shares) return null;
    const bars = ['latency', 'energy'].map((name) => (shares[name] ? shareBar(name, shares[name]) : null)).filter(Boolean);
    if (!bars.length) return null;
    return create('div', { class: 'provenance', role: 'group', 'aria-label': 'What the results rest on' },
      create('strong', null, 'Rests on'), bars, shares.of ? create('span', { class: 'muted' }, shares.of) : null);
  }

  page.headline = { headline, matrix, provenance };
})(window.dynasoc = window.dynasoc || {});
