// Numbers as people read them: four significant digits, a real minus sign, units. And texts made safe for the one place that
// takes HTML, the tooltips of the charts.
(function (page) {
  'use strict';

  const nothing = '–';
  const missing = (value) => value === null || value === undefined || Number.isNaN(value);

  /** `value` with so many significant digits, without an exponent where one can do without. */
  function number(value, digits = 4) {
    if (missing(value)) return nothing;
    if (!Number.isFinite(value)) return value > 0 ? '∞' : '−∞';
    if (value === 0) return '0';
    const size = Math.abs(value);
    let text;
    if (size >= 1e7 || size < 1e-4) {
      text = value.toExponential(Math.max(0, digits - 2)).replace('e+', 'e');
    } else if (Number.isInteger(value) || size >= 10 ** (digits - 1)) {
      text = Math.round(value).toString();
    } else {
      text = value.toPrecision(digits);
    }
    if (size >= 1e4 && !text.includes('e')) text = text.replace(/\B(?=(\d{3})+$)/g, '\u202f');
    return text.replace('-', '−').replace('e−', 'e-');
  }

  const count = (value) => number(Math.round(value));
  const percent = (share, digits = 3) => (missing(share) ? nothing : `${number(share * 100, digits)} %`);
  /** Some metrics have a phrase where others have a unit ("the network's metric"): it stands in the heads of tables only. */
  const isUnit = (unit) => Boolean(unit) && unit.length <= 10;
  const withUnit = (value, unit, digits) => (isUnit(unit) && !missing(value) ? `${number(value, digits)} ${unit}` : number(value, digits));
  /** A name for a place that cannot break it. */
  const shortened = (name, most = 40) => (String(name).length > most ? `${String(name).slice(0, most - 1)}…` : String(name));
  const label = (name, unit) => (isUnit(unit) ? `${name} [${unit}]` : name);

  /** Seconds, to the microsecond where the value has them. */
  function seconds(value) {
    if (missing(value)) return nothing;
    return `${value.toFixed(6).replace(/0{1,3}$/, '').replace('-', '−')} s`;
  }

  const escapes = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' };
  /** Text for HTML; for chart tooltips only. Everything else goes through textContent. */
  const escape = (text) => String(text ?? '').replace(/[&<>"']/g, (character) => escapes[character]);

  /** A tooltip's HTML from a title and pairs of name and value, all of them plain text. */
  function tooltip(title, pairs) {
    const rows = pairs.map(([name, value]) => `<tr><th>${escape(name)}</th><td>${escape(value)}</td></tr>`).join('');
    return `<div class="tip"><b>${escape(title)}</b><table>${rows}</table></div>`;
  }

  const isCell = (cell) => cell !== null && typeof cell === 'object';
  /** What a cell says: its own text, or its value. */
  const cellText = (cell) => (isCell(cell) ? cell.text ?? number(cell.value) : String(cell ?? nothing));
  /** The number behind a cell, NaN if it has none. */
  const cellValue = (cell) => (isCell(cell) && !missing(cell.value) ? cell.value : NaN);
  const hasInterval = (cell) => isCell(cell) && !missing(cell.low) && !missing(cell.high);
  const interval = (cell, digits = 4) => (hasInterval(cell) ? `${number(cell.low, digits)} to ${number(cell.high, digits)}` : '');

  const natural = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });
  /** Orders L2 before L10. */
  const naturally = (a, b) => natural.compare(a, b);

  page.format = {
    nothing, missing, number, count, percent, withUnit, shortened, label, seconds, escape, tooltip, isCell, cellText, cellValue,
    hasInterval, interval, naturally,
  };
})(window.dynasoc = window.dynasoc || {});
