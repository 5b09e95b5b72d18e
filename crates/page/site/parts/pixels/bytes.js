// Base64 to bytes and values, and back.

/**
 * @param {string} text
 * @returns {Uint8Array<ArrayBuffer>}
 */
export function bytesOf(text) {
  const direct = /** @type {{ fromBase64?: (text: string) => Uint8Array<ArrayBuffer> }} */ (/** @type {unknown} */ (Uint8Array));
  if (direct.fromBase64) return direct.fromBase64(text);
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let index = 0; index < binary.length; index++) bytes[index] = binary.charCodeAt(index);
  return bytes;
}

/** @param {Uint8Array} bytes */
export function textOf(bytes) {
  const direct = /** @type {{ toBase64?: () => string }} */ (/** @type {unknown} */ (bytes));
  if (direct.toBase64) return direct.toBase64();
  const parts = [];
  for (let start = 0; start < bytes.length; start += 0x8000) {
    parts.push(String.fromCharCode(...bytes.subarray(start, start + 0x8000)));
  }
  return btoa(parts.join(""));
}

/**
 * 32-bit floats, little-endian.
 * @param {string} text
 */
export function valuesOf(text) {
  const { buffer } = bytesOf(text);
  if (IS_LITTLE) return new Float32Array(buffer, 0, buffer.byteLength >> 2);
  const view = new DataView(buffer);
  return Float32Array.from({ length: buffer.byteLength >> 2 }, (_, index) => view.getFloat32(4 * index, true));
}

const IS_LITTLE = new Uint8Array(new Uint16Array([1]).buffer)[0] === 1;
