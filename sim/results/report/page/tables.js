// Tables: a caption, units in the heads, numbers aligned, intervals under their means, columns that sort.
(function (page) {
  'use strict';

  /** An element in a cell counts as its text. */
  const plain = (cell) => (cell instanceof Node ? cell.textContent : cell);

  const saysNothing = new Set(['', '-', '–']);

  function sortKey(content) {
    const { isCell, cellText, cellValue } = page.format;
    const cell = plain(content);
    if (saysNothing.has(cellText(cell))) return null;
    const value = isCell(cell) ? cellValue(cell) : Number(cell);
    return Number.isNaN(value) ? cellText(cell) : value;
  }

  /** Cells that say nothing come last, whichever way it goes. */
  function compare(a, b, sign) {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * compareKnown(a, b);
  }

  function compareKnown(a, b) {
    if (typeof a === 'number' && typeof b === 'number') return a - b;
    if (typeof a !== typeof b) return typeof a === 'number' ? -1 : 1;
    return page.format.naturally(a, b);
  }

  const isNumber = (cell) => (page.format.isCell(cell) ? 'value' in cell && !page.format.missing(cell.value) : /^[−-]?\d/.test(String(cell)));

  /** A cell's content: what it says, and its interval in small below if that does not say it. */
  function cellContent(cell) {
    const { create } = page.elements;
    const { cellText, hasInterval, interval } = page.format;
    if (cell instanceof Node) return cell;
    const text = cellText(cell);
    if (!hasInterval(cell) || cell.low === cell.high) return text;
    if (text.includes('±')) return create('span', { class: 'mean', title: `95 % interval: ${interval(cell)}` }, text);
    return [create('span', { class: 'mean' }, text), create('span', { class: 'interval', title: '95 % interval' }, interval(cell))];
  }

  function head(column, index, sorting, sortBy) {
    const { create, breakable } = page.elements;
    const words = [create('span', { class: 'name' }, breakable(column.name)), column.unit ? create('span', { class: 'unit' }, column.unit) : null];
    const direction = sorting.column === index ? (sorting.ascending ? 'ascending' : 'descending') : null;
    const inside = sortBy && column.name ? create('button', { type: 'button', onclick: () => sortBy(index) }, words) : words;
    return create('th', { scope: 'col', title: column.doc, 'aria-sort': direction, class: column.number ? 'number' : null }, inside);
  }

  function body(columns, rows) {
    const { create } = page.elements;
    return rows.map((row) => create('tr', row.attributes, row.cells.map((cell, i) => (
      i === 0 && !columns[i].number
        ? create('th', { scope: 'row' }, cellContent(cell))
        : create('td', { class: columns[i].number ? 'number' : null }, cellContent(cell))))));
  }

  /** `columns`: `{name, unit, doc, number}`; `rows`: `{cells, attributes}`. A column is one of numbers if it says so, or if all
   *  that its cells hold are numbers. With `sortable` heads are buttons. */
  function table({ caption, columns, rows, sortable = true, className = '' }) {
    const { create } = page.elements;
    const typed = columns.map((column, i) => {
      const cells = rows.map((row) => plain(row.cells[i])).filter((cell) => !saysNothing.has(page.format.cellText(cell)));
      return { number: cells.length > 0 && cells.every(isNumber), ...column };
    });
    const sorting = { column: -1, ascending: true };
    const element = create('table', { class: className });
    const sortBy = (index) => {
      sorting.ascending = sorting.column === index ? !sorting.ascending : true;
      sorting.column = index;
      fill();
      element.querySelectorAll('thead th')[index].querySelector('button').focus();  // columns without a name have none
    };
    const fill = () => {
      const shown = [...rows];
      if (sorting.column >= 0) {
        const sign = sorting.ascending ? 1 : -1;
        shown.sort((a, b) => compare(sortKey(a.cells[sorting.column]), sortKey(b.cells[sorting.column]), sign));
      }
      const heads = typed.map((column, i) => head(column, i, sorting, sortable && rows.length > 1 ? sortBy : null));
      element.replaceChildren(create('caption', null, caption), create('thead', null, create('tr', null, heads)),
        create('tbody', null, body(typed, shown)));
    };
    fill();
    return create('div', { class: 'scroll', tabindex: 0, role: 'region', 'aria-label': caption }, element);
  }

  /** The same numbers as a chart's, folded away below it. */
  function behind(summary, content) {
    const { create } = page.elements;
    return create('details', { class: 'numbers' }, create('summary', null, summary), content);
  }

  page.tables = { table, behind };
})(window.dynasoc = window.dynasoc || {});
