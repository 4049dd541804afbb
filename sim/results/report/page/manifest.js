// Where the results come from: the commands that make them again, and the manifest as a tree.
(function (page) {
  'use strict';

  const openDepth = 1;
  const isTree = (value) => value !== null && typeof value === 'object';

  function isShort(value) {
    return Array.isArray(value) && value.length <= 8 && value.every((entry) => !isTree(entry));
  }

  function leaf(value) {
    if (Array.isArray(value)) return value.length ? value.map(String).join(', ') : 'none';
    return value === null ? page.format.nothing : String(value);
  }

  function tree(value, depth) {
    const { create } = page.elements;
    const entries = Object.entries(value);
    if (!entries.length) return create('p', { class: 'muted' }, 'empty');
    return create('dl', { class: 'tree' }, entries.map(([name, child]) => {
      if (!isTree(child) || isShort(child)) return create('div', null, create('dt', null, name), create('dd', null, leaf(child)));
      const size = Array.isArray(child) ? `${child.length} entries` : `${Object.keys(child).length} members`;
      return create('details', { open: depth < openDepth }, create('summary', null, create('span', { class: 'key' }, name), ' ', create('span', { class: 'muted' }, size)),
        tree(child, depth + 1));
    }));
  }

  async function copyText(text, source) {
    if (navigator.clipboard && window.isSecureContext) {
      try {
        await navigator.clipboard.writeText(text);
        return true;
      } catch (refused) {
        // No permission: select it instead, and ask the old way.
      }
    }
    const range = document.createRange();
    range.selectNodeContents(source);
    const selection = window.getSelection();
    selection.removeAllRanges();
    selection.addRange(range);
    return document.execCommand('copy');
  }

  function command(what, text) {
    const { create, button } = page.elements;
    if (!text) return null;
    const code = create('code', null, text);
    const state = create('span', { class: 'muted', role: 'status' });
    const copy = button('Copy', async () => {
      state.textContent = (await copyText(text, code)) ? 'copied' : 'selected: copy it with Ctrl-C';
    }, { 'aria-label': `Copy the command: ${what}` });
    return create('div', { class: 'command' }, create('h3', null, what), create('pre', { tabindex: 0 }, code), create('div', { class: 'controls' }, copy, state));
  }

  function build(data) {
    const { create } = page.elements;
    const manifest = isTree(data.manifest) ? [create('h3', null, 'Manifest'), tree(data.manifest, 0)] : null;
    return [command('Make the results again', data.rerun), command('Make this page again', data.report_command), manifest];
  }

  page.manifest = { build };
})(window.dynasoc = window.dynasoc || {});
