// Puts the page together: the headline at once, the sections as places of fixed height, the charts when the library is there and
// they come into view.
(function (page) {
  'use strict';

  const sections = {
    headline: { title: 'Results', build: later('headline', 'headline') },
    matrix: { title: 'Scenario by scenario', build: later('headline', 'matrix') },
    front: { title: 'Pareto front', build: later('front', 'build') },
    paired: { title: 'Paired differences', build: later('comparison', 'paired') },
    regret: { title: 'Regret to the oracle', build: later('comparison', 'regret') },
    sweep: { title: 'Sweep', build: later('sweep', 'build') },
    sensitivity: { title: 'What mattered', build: later('sensitivity', 'build') },
    timeline: { title: 'Over time', ofRun: true, build: later('timeline', 'build') },
    gantt: { title: 'Units', ofRun: true, build: later('gantt', 'build') },
    distributions: { title: 'Latency', ofRun: true, build: later('distributions', 'build') },
    manifest: { title: 'Where this comes from', build: later('manifest', 'build') },
  };

  /** A function of a file that may come later in the page than this one. */
  function later(file, name) {
    return (argument) => page[file][name](argument);
  }

  function warnings(list) {
    const { create } = page.elements;
    if (!list || !list.length) return null;
    return create('section', { class: 'warnings', 'aria-label': 'Remarks' }, create('ul', null, [...new Set(list)].map((text) => create('li', null, text))));
  }

  function section(name, content) {
    const { create } = page.elements;
    const heading = create('h2', { id: name, tabindex: -1 }, sections[name].title);
    return create('section', { 'aria-labelledby': name, class: name }, heading, content);
  }

  /** The names of the sections to show, in order; without a list, all. */
  function wanted(data) {
    const names = (data.sections && data.sections.length ? data.sections : Object.keys(sections)).filter((name) => name in sections);
    return [...new Set(['headline', ...names])];
  }

  function colourNames(data) {
    const policies = [...(data.paired ? [data.paired.baseline, ...data.paired.metrics.flatMap(({ rows }) => rows.map(({ policy }) => policy))] : []),
      ...(data.regret ? data.regret.rows.map(({ policy }) => policy) : [])];
    page.colours.register('policy', [...policies, ...(data.runs || []).map(({ label }) => label)]);
  }

  function buildSections(data) {
    const { create } = page.elements;
    const hasRuns = (data.runs || []).length > 0;
    const ofRuns = [];
    const built = [];
    for (const name of wanted(data)) {
      const place = sections[name].ofRun ? create('div') : null;
      if (place && !hasRuns) continue;
      const content = place ?? sections[name].build(data);
      if (!content) continue;
      if (place) ofRuns.push({ place, build: sections[name].build });
      built.push({ name, element: section(name, content) });
    }
    return { built, ofRuns };
  }

  function contents(built) {
    const { create } = page.elements;
    return create('ol', null, built.map(({ name }) => create('li', null, create('a', { href: `#${name}` }, sections[name].title))));
  }

  function fillFrame(data) {
    document.title = data.title;
    document.getElementById('title').textContent = data.title;
    document.getElementById('subtitle').textContent = data.subtitle ?? '';
    document.getElementById('footer').textContent = data.generator ?? '';
    document.querySelector('.heading').dataset.generator = data.generator ?? '';  // on paper: the footer would take a sheet
    document.getElementById('print-button').addEventListener('click', () => window.print());
  }

  /** Marks the section that is being read in the contents. */
  function followReading(built) {
    const links = new Map([...document.querySelectorAll('#contents a')].map((link) => [link.hash.slice(1), link]));
    const observer = new IntersectionObserver((entries) => {
      for (const { target, isIntersecting } of entries) links.get(target.getAttribute('aria-labelledby')).classList.toggle('current', isIntersecting);
    }, { rootMargin: '-20% 0px -75% 0px' });
    built.forEach(({ element }) => observer.observe(element));
  }

  function afterLibrary(run) {
    if (document.readyState === 'loading') document.addEventListener('DOMContentLoaded', () => requestAnimationFrame(run));
    else requestAnimationFrame(run);
  }

  /** Called by the page itself, once all of the page's script is there. */
  function start() {
    const data = JSON.parse(document.getElementById('report-data').textContent);
    fillFrame(data);
    page.theme.setUp();
    page.keys.setUp();
    colourNames(data);
    const { built, ofRuns } = buildSections(data);
    document.getElementById('sections').replaceChildren(...[warnings(data.warnings), ...built.map(({ element }) => element)].filter(Boolean));
    document.getElementById('contents').replaceChildren(contents(built));
    performance.mark('results');
    afterLibrary(() => {
      page.runs.setUp(data.runs || [], ofRuns);
      page.charts.watch();
      followReading(built);
      document.documentElement.dataset.ready = 'true';
    });
  }

  page.start = start;
})(window.dynasoc = window.dynasoc || {});
