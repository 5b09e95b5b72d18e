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
 * attribute `style` of a text has effect: both are set by script.
 * @param {Window & typeof globalThis} tab
 * @param {string} html
 */
export function showReport(tab, html) {
  const report = new DOMParser().parseFromString(html, "text/html");
  const sheets = [...report.querySelectorAll("style")].map((style) => {
    const sheet = new tab.CSSStyleSheet();
    sheet.replaceSync(style.textContent ?? "");
    style.remove();
    return sheet;
  });
  const root = tab.document.documentElement;
  root.lang = report.documentElement.lang;
  tab.document.title = report.title;
  tab.document.head.replaceChildren(...[...report.head.children].filter((element) => element.tagName === "META"));
  const styles = [...report.body.querySelectorAll("[style]")].map((element) => /** @type {const} */ ([element, element.getAttribute("style") ?? ""]));
  for (const [element] of styles) element.removeAttribute("style");
  tab.document.body.replaceWith(tab.document.adoptNode(report.body));
  for (const [element, style] of styles) /** @type {HTMLElement} */ (element).style.cssText = style;
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
