// Picture files that a person chooses, drops or pastes.

import { textOf } from "./bytes.js";

/** @import { FilePicture } from "./sheet.js" */

/** A larger file is made smaller here: an engine takes 32 MiB, as text. */
const LARGE = 8 << 20;
/** Pixels along the longer side of a file that was made smaller. */
const SIDE = 2400;

/**
 * @param {File} file
 * @returns {Promise<FilePicture>}
 */
export async function pictureOf(file) {
  let drawable = null;
  try {
    drawable = await createImageBitmap(file);
  } catch {
    // The engine reads files that a browser does not, and says what it cannot read.
  }
  let content = /** @type {Blob} */ (file);
  if (file.size > LARGE && drawable) content = await smaller(drawable);
  const text = textOf(new Uint8Array(await content.arrayBuffer()));
  return { kind: "file", name: file.name || "pasted picture", text, drawable };
}

/** @param {ImageBitmap} bitmap @returns {Promise<Blob>} */
function smaller(bitmap) {
  const scale = SIDE / Math.max(bitmap.width, bitmap.height);
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(bitmap.width * scale);
  canvas.height = Math.round(bitmap.height * scale);
  canvas.getContext("2d")?.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve, reject) =>
    canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error("the picture cannot be made smaller"))), "image/jpeg", 0.92),
  );
}

/** The first picture of what was dropped or pasted. @param {DataTransfer | null} data */
export const fileOf = (data) => [...(data?.files ?? [])].find((file) => file.type.startsWith("image/") || file.type === "") ?? data?.files[0] ?? null;
