// What a page in the browser has made: records, weights and the study, in the browser's own database.

const NAME = "mnist-study";

/** @type {Promise<IDBDatabase> | null} */
let opened = null;

/** @returns {Promise<IDBDatabase>} */
function database() {
  opened ??= new Promise((resolve, reject) => {
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      for (const store of ["records", "weights", "studies"]) request.result.createObjectStore(store);
    };
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return opened;
}

/** @template T @param {IDBRequest<T>} request @returns {Promise<T>} */
function done(request) {
  return new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}

/** @param {string} store @param {IDBTransactionMode} mode */
async function store(store, mode) {
  return (await database()).transaction(store, mode).objectStore(store);
}

/** @param {string} id @param {string} text */
export async function keepRecord(id, text) {
  await done((await store("records", "readwrite")).put(text, id));
}

/** @param {string} id @param {{ values: Float32Array, epoch: number }} weights */
export async function keepWeights(id, weights) {
  await done((await store("weights", "readwrite")).put(weights, id));
}

/** @param {string} text */
export async function keepStudy(text) {
  await done((await store("studies", "readwrite")).put(text, "last"));
}

export async function forgetAll() {
  for (const name of ["records", "weights", "studies"]) await done((await store(name, "readwrite")).clear());
}

/** @param {string} name @returns {Promise<Map<string, any>>} */
async function all(name) {
  const from = await store(name, "readonly");
  const [keys, values] = await Promise.all([done(from.getAllKeys()), done(from.getAll())]);
  return new Map(keys.map((key, index) => [String(key), values[index]]));
}

/**
 * Without a database, as in some private windows, nothing is kept and everything works.
 * @returns {Promise<{ records: Map<string, string>, weights: Map<string, { values: Float32Array, epoch: number }>, study: string | undefined }>}
 */
export async function readAll() {
  try {
    const [records, weights, studies] = await Promise.all([all("records"), all("weights"), all("studies")]);
    return { records, weights, study: studies.get("last") };
  } catch {
    return { records: new Map(), weights: new Map(), study: undefined };
  }
}
