// Files that leave the page, and the report in a tab of its own.

/**
 * Has the browser save a file.
 * @param {string} name
 * @param {BlobPart} content
 * @param {string} type
 */
export function save(name, content, type) {
  const address = URL.createObjectURL(new Blob([content], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}

/** @param {string} text base64 */
export const bytesOf = (text) => Uint8Array.from(atob(text), (character) => character.charCodeAt(0));

/**
 * Shows the report in a tab that was opened for it. The tab inherits this page's policy, by which neither a style element nor an
 * attribute `style` of a text has effect: both are set by script. Nor may the report's own script run there, without which it is whole.
 * @param {Window & typeof globalThis} tab
 * @param {string} html
 */
export function showReport(tab, html) {
  /** @type {CSSStyleSheet[]} */
  const sheets = [];
  const bare = html
    .replaceAll(/<style>([\s\S]*?)<\/style>/g, (_, text) => {
      const sheet = new tab.CSSStyleSheet();
      sheet.replaceSync(text);
      sheets.push(sheet);
      return "";
    })
    .replaceAll(/<script>[\s\S]*?<\/script>/g, "")
    .replaceAll(/(<[^<>]*) style="/g, '$1 data-style="');
  const report = new DOMParser().parseFromString(bare, "text/html");
  const root = tab.document.documentElement;
  root.lang = report.documentElement.lang;
  tab.document.title = report.title;
  tab.document.head.replaceChildren(...[...report.head.children].filter((element) => element.matches("meta:not([http-equiv])")));
  tab.document.body.replaceWith(tab.document.adoptNode(report.body));
  for (const element of tab.document.querySelectorAll("[data-style]")) {
    /** @type {HTMLElement} */ (element).style.cssText = element.getAttribute("data-style") ?? "";
    element.removeAttribute("data-style");
  }
  tab.document.adoptedStyleSheets = sheets;
  // The tab has this page's address: a link within the report would lead there.
  tab.document.addEventListener("click", (event) => {
    const link = /** @type {Element | null} */ (event.target)?.closest("a");
    const href = link?.getAttribute("href") ?? "";
    if (!href.startsWith("#")) return;
    event.preventDefault();
    tab.document.getElementById(href.slice(1))?.scrollIntoView();
  });
}
