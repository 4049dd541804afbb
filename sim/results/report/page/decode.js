// The payload's encodings: a column is base64 of little-endian numbers or a plain array, a column of texts is an index into
// a dictionary. Columns are decoded when somebody first asks for them, and once.
(function (page) {
  'use strict';

  const arrayTypes = { f64: Float64Array, f32: Float32Array, u8: Uint8Array, u16: Uint16Array, u32: Uint32Array };
  const decoded = new WeakMap();

  function bytesOfBase64(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const binary = atob(text);
    const bytes = new Uint8Array(binary.length);
    for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
    return bytes;
  }

  function decodeColumn(encoded) {
    if (Array.isArray(encoded)) return Float64Array.from(encoded, (value) => (value === null ? NaN : value));
    const [type] = Object.keys(encoded);
    const Type = arrayTypes[type];
    if (!Type) throw new Error(`unknown column type "${type}"`);
    const bytes = bytesOfBase64(encoded[type]);
    return new Type(bytes.buffer, 0, Math.floor(bytes.length / Type.BYTES_PER_ELEMENT));
  }

  /** A typed array of the column's numbers; absent ones are NaN. An absent column is empty. */
  function column(encoded) {
    if (!encoded) return new Float64Array(0);
    if (!decoded.has(encoded)) decoded.set(encoded, decodeColumn(encoded));
    return decoded.get(encoded);
  }

  /** `{values, index, length, at(i)}` of a dictionary-coded column of texts, or of a plain array of texts. */
  function texts(encoded) {
    if (!encoded) return { values: [], index: [], length: 0, at: () => '' };
    if (decoded.has(encoded)) return decoded.get(encoded);
    const plain = Array.isArray(encoded);
    const values = plain ? [...new Set(encoded)] : encoded.values;
    const index = plain ? Uint32Array.from(encoded, (text) => values.indexOf(text)) : column(encoded.index);
    const result = { values, index, length: index.length, at: (i) => values[index[i]] ?? '' };
    decoded.set(encoded, result);
    return result;
  }

  /** Index of the last entry of an ascending array that is at most `value`; -1 if there is none. */
  function lastAtMost(sorted, value) {
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (sorted[middle] <= value) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** The positions of `keys` in ascending order of key; NaN last. */
  function ascending(keys) {
    const order = Uint32Array.from(keys, (_, i) => i);
    return order.sort((a, b) => (keys[a] - keys[b]) || (Number.isNaN(keys[a]) - Number.isNaN(keys[b])) || a - b);
  }

  page.decode = { column, texts, lastAtMost, ascending };
})(window.dynasoc = window.dynasoc || {});
