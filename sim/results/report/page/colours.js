// Colours. A name keeps its colour in every chart of the page; the hues are those of Okabe and Ito, told apart with any kind of
// colour vision, darkened or lightened until they stand out from the background (3:1).
(function (page) {
  'use strict';

  const palettes = {
    light: ['#0072b2', '#c65102', '#00805e', '#a8457c', '#2b8cbe', '#9a6b00', '#5a4fcf', '#6b6b6b'],
    dark: ['#56b4e9', '#ff8f4d', '#2fc79a', '#e290bd', '#9ad0f5', '#e6b422', '#a79cff', '#b0b0b0'],
  };
  const outcomes = {
    light: { met: '#4a7fa5', missed: '#c65102', dropped: '#7a1f5c', rejected: '#9a6b00', unfinished: '#767676' },
    dark: { met: '#6fa8cf', missed: '#ff8f4d', dropped: '#e290bd', rejected: '#e6b422', unfinished: '#9a9a9a' },
  };
  // Shapes say the same as colours, for those who print in grey.
  const outcomeSymbols = { met: 'circle', missed: 'triangle', dropped: 'diamond', rejected: 'rect', unfinished: 'circle' };
  // From the smallest to the largest sub-network; cividis, cut where it would fade into the background.
  const ramps = {
    light: ['#00204d', '#2f4a7c', '#5f6c82', '#85806f', '#ab9a52', '#cfae2a'],
    dark: ['#4f78c4', '#7288b0', '#9199a0', '#b3ab86', '#d4c063', '#ffe35a'],
  };
  const provenances = { measured: 0, digitised: 4, derived: 5 };
  // Kinds that meet in one chart start at different places of the palette.
  const starts = { app: 0, policy: 0, series: 2, part: 4 };
  const order = new Map();

  const forced = () => document.documentElement.dataset.theme;
  const dark = () => (forced() ? forced() === 'dark' : window.matchMedia('(prefers-color-scheme: dark)').matches);
  const scheme = () => (dark() ? 'dark' : 'light');

  /** Gives names of a kind ('policy', 'app', …) their places in the palette, in the order they come. */
  function register(kind, names) {
    if (!order.has(kind)) order.set(kind, new Map());
    const known = order.get(kind);
    for (const name of names) if (!known.has(name)) known.set(name, known.size);
  }

  /** The colour of a name; the same everywhere on the page. */
  function of(kind, name) {
    register(kind, [name]);
    const palette = palettes[scheme()];
    return palette[((starts[kind] ?? 0) + order.get(kind).get(name)) % palette.length];
  }

  const at = (index) => palettes[scheme()][index % palettes.light.length];
  const outcome = (name) => outcomes[scheme()][name] ?? outcomes[scheme()].unfinished;
  const outcomeSymbol = (name) => outcomeSymbols[name] ?? 'circle';
  const provenance = (name) => at(provenances[name] ?? 7);

  const channels = (hex) => [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  /** The colour of place `index` of `count` on the ramp from small to large. */
  function ramp(index, count) {
    const stops = ramps[scheme()];
    const position = count > 1 ? (index / (count - 1)) * (stops.length - 1) : 0;
    const low = Math.floor(position);
    const from = channels(stops[low]);
    const to = channels(stops[Math.min(low + 1, stops.length - 1)]);
    return `rgb(${from.map((value, i) => Math.round(value + (to[i] - value) * (position - low))).join(',')})`;
  }

  /** A colour of the style sheet, by the name of its variable. */
  const variable = (name) => getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();

  page.colours = { register, of, at, outcome, outcomeSymbol, provenance, ramp, variable, dark };
})(window.dynasoc = window.dynasoc || {});
